// SPDX-License-Identifier: Apache-2.0
#include "precision.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>

#include "kawara/error.h"
#include "onnx/element_type.h"
#include "operator.h"
#include "passes/passes.h"

namespace kawara::compiler {

namespace {

constexpr int64_t kOpset = 13;  // of Cast
constexpr std::array<std::string_view, 4> kProducts = {"Conv", "ConvTranspose", "Gemm", "MatMul"};

uint16_t bf16_of(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);  // quiet, so that no fraction of zeros makes an infinity of it
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

uint16_t f16_of(float value) {
  constexpr float kLowestNormal = 0x1p-14f, kTooLarge = 65520;  // from here on the nearest is beyond 65504
  const auto sign = static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16 & 0x8000);
  const float size = std::fabs(value);
  if (std::isnan(value)) return sign | 0x7e00;
  if (size >= kTooLarge) return sign | 0x7c00;
  // Added to a half, a subnormal's steps of 2^-24 are those of the sum, which rounds as it must.
  if (size < kLowestNormal) return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(size + 0.5f) - std::bit_cast<uint32_t>(0.5f)));
  const auto bits = std::bit_cast<uint32_t>(size) - (uint32_t{127 - 15} << 23);
  return static_cast<uint16_t>(sign | (bits + 0xfff + (bits >> 13 & 1)) >> 13);
}

class Narrowing {
 public:
  Narrowing(Graph& graph, DType to) : graph_(graph), to_(to), producers_(graph.values.size(), kNone) {
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      last_debug_id_ = std::max(last_debug_id_, graph.nodes[i].debug_id);
      for (const ValueId output : graph.nodes[i].outputs)
        if (output != kAbsent) producers_[output] = i;
    }
  }

  void run() {
    for (const Node& node : graph_.nodes) {
      Node product = node;
      if (is_product(node))
        for (const size_t input : {0, 1})
          if (graph_.values[node.inputs.at(input)].dtype == DType::f32) product.inputs[input] = widened(node.inputs[input], node);
      result_.push_back(std::move(product));
    }
    graph_.nodes = std::move(result_);
  }

 private:
  static constexpr size_t kNone = ~size_t{0};

  ValueId add_value(ValueId like, std::string_view suffix, DType dtype, std::optional<Tensor> constant = {}) {
    return graph_.add_value({.name = fmt::format("{}.{}", graph_.values[like].name, suffix),
                             .dtype = dtype,
                             .shape = graph_.values[like].shape,
                             .constant = std::move(constant)});
  }

  ValueId cast(ValueId from, ValueId to, const Node& owner) {
    Node node{.op = "Cast", .name = owner.name, .opset = kOpset, .inputs = {from}, .outputs = {to}, .debug_id = owner.debug_id};
    node.attributes["to"] = element_type_of(graph_.values[to].dtype);
    result_.push_back(std::move(node));
    return to;
  }

  // The value as the product reads it: f32 again.
  ValueId widened(ValueId value, const Node& product) {
    const auto known = widened_.find(value);
    if (known != widened_.end()) return known->second;
    const ValueId from = narrowed(value, product);
    return widened_[value] = cast(from, add_value(from, name(DType::f32), DType::f32), product);
  }

  ValueId narrowed(ValueId value, const Node& product) {
    const auto known = narrowed_.find(value);
    if (known != narrowed_.end()) return known->second;
    return narrowed_[value] = make_narrow(value, product);
  }

  ValueId make_narrow(ValueId value, const Node& product) {
    if (graph_.values[value].constant) return constant(value, product);
    const size_t at = producers_[value];
    if (at == kNone) {  // an input of the graph, whose cast is no node's of the model
      Node input;
      input.name = graph_.values[value].name;
      input.debug_id = ++last_debug_id_;
      return cast(value, add_value(value, name(to_), to_), input);
    }
    const Node& producer = graph_.nodes[at];
    const Operator* op = find_operator(producer);
    // Where the viewed value is computed, rounding costs no command of its own.
    if (op && op->kind == OperatorKind::view && producer.outputs.size() == 1 && producer.inputs[0] != kAbsent) {
      Node view = producer;
      view.inputs[0] = narrowed(producer.inputs[0], product);
      view.outputs = {add_value(value, name(to_), to_)};
      result_.push_back(std::move(view));
      return result_.back().outputs[0];
    }
    return cast(value, add_value(value, name(to_), to_), producer);
  }

  ValueId constant(ValueId value, const Node& product) {
    const Tensor tensor = *graph_.values[value].constant;
    Tensor narrow = rounded(tensor, to_);
    if (to_ == DType::f16) require_finite(tensor, narrow, graph_.values[value].name, product);
    return add_value(value, name(to_), to_, std::move(narrow));
  }

  // An infinity of the model's own stays one.
  static void require_finite(const Tensor& tensor, const Tensor& narrow, const std::string& name, const Node& product) {
    const auto before = tensor.as<float>();
    const auto after = narrow.as<uint16_t>();
    for (size_t i = 0; i < before.size(); ++i)
      if ((after[i] & 0x7fff) == 0x7c00 && !std::isinf(before[i]))
        throw Error(Code::invalid_argument,
                    fmt::format("{} '{}': its tensor '{}' holds {}, and f16 ends at 65504: take precision bf16, or f32", product.op,
                                product.name, name, before[i]),
                    product.name);
  }

  Graph& graph_;
  DType to_;
  std::vector<size_t> producers_;  // of the values that were there before
  uint32_t last_debug_id_ = 0;
  std::map<ValueId, ValueId> narrowed_, widened_;
  std::vector<Node> result_;
};

}  // namespace

bool is_product(const Node& node) { return node.domain.empty() && std::ranges::find(kProducts, node.op) != kProducts.end(); }

void require_precision(DType precision) {
  if (precision != DType::f32 && precision != DType::bf16 && precision != DType::f16)
    throw fail(Code::invalid_argument, "precision must be f32, bf16 or f16, got {}", name(precision));
}

Tensor rounded(const Tensor& tensor, DType to) {
  const auto from = tensor.as<float>();
  std::vector<uint16_t> bits(from.size());
  std::ranges::transform(from, bits.begin(), to == DType::f16 ? f16_of : bf16_of);
  return Tensor::copy_of(to, tensor.shape, std::as_bytes(std::span(bits)));
}

void narrow_products(Graph& graph, DType precision) {
  require_precision(precision);
  if (precision == DType::f32) return;
  Narrowing(graph, precision).run();
  dead_code(graph);  // views and constants that only products read
  graph.verify();
}

}  // namespace kawara::compiler
