// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kawara/error.h"
#include "operator.h"

namespace kawara::compiler {

namespace {

template <typename T>
T attribute_of(const Node& node, std::string_view name, T otherwise) {
  const auto found = node.attributes.find(std::string(name));
  if (found == node.attributes.end()) return otherwise;
  if (const T* value = std::get_if<T>(&found->second)) return *value;
  throw Error(Code::invalid_model, fmt::format("{} '{}': attribute '{}' has another type than ONNX gives it", node.op, node.name, name),
              node.name);
}

}  // namespace

DType Inference::dtype(size_t input) const {
  require(has(input), fmt::format("input {} must be given", input));
  return graph_.values[node_.inputs[input]].dtype;
}

const Shape& Inference::shape(size_t input) const {
  require(has(input), fmt::format("input {} must be given", input));
  const Value& value = graph_.values[node_.inputs[input]];
  require(value.shape.has_value(), fmt::format("the shape of input '{}' must be known", value.name));
  return *value.shape;
}

const Tensor* Inference::constant(size_t input) const {
  if (!has(input)) return nullptr;
  const auto& constant = graph_.values[node_.inputs[input]].constant;
  return constant ? &*constant : nullptr;
}

std::vector<int64_t> Inference::integers(size_t input) const {
  const Tensor* tensor = constant(input);
  require(tensor != nullptr, fmt::format("input {} must be constant once the input shapes are known", input));
  if (tensor->dtype == DType::i64) return {tensor->as<int64_t>().begin(), tensor->as<int64_t>().end()};
  require(tensor->dtype == DType::i32, fmt::format("input {} must be i32 or i64, got {}", input, name(tensor->dtype)));
  return {tensor->as<int32_t>().begin(), tensor->as<int32_t>().end()};
}

int64_t Inference::attribute(std::string_view name, int64_t otherwise) const { return attribute_of(node_, name, otherwise); }
float Inference::attribute(std::string_view name, float otherwise) const { return attribute_of(node_, name, otherwise); }
std::string Inference::attribute(std::string_view name, std::string_view otherwise) const {
  return attribute_of(node_, name, std::string(otherwise));
}
std::vector<int64_t> Inference::attribute(std::string_view name, std::vector<int64_t> otherwise) const {
  return attribute_of(node_, name, std::move(otherwise));
}

size_t Inference::axis(int64_t axis, size_t rank) const {
  const auto extent = static_cast<int64_t>(rank);
  require(axis >= -extent && axis < extent, fmt::format("axis {} lies outside the {} dimensions", axis, rank));
  return static_cast<size_t>(axis < 0 ? axis + extent : axis);
}

std::vector<size_t> Inference::axes(const std::vector<int64_t>& axes, size_t rank) const {
  std::vector<size_t> result;
  for (int64_t each : axes) {
    result.push_back(axis(each, rank));
    require(std::ranges::count(result, result.back()) == 1, fmt::format("axis {} stands twice", each));
  }
  return result;
}

void Inference::require(bool rule, std::string sentence) const {
  if (!rule) throw Error(Code::unsupported, fmt::format("{} '{}': {}", node_.op, node_.name, sentence), node_.name);
}

void Inference::set(size_t output, DType dtype, Shape shape) {
  if (output >= node_.outputs.size() || node_.outputs[output] == kAbsent) return;
  element_count(shape);
  Value& value = graph_.values[node_.outputs[output]];
  value.dtype = dtype;
  value.shape = std::move(shape);
  value.dimension_names.clear();
}

}  // namespace kawara::compiler
