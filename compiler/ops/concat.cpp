// SPDX-License-Identifier: Apache-2.0
// Concat: the inputs one after another along an axis.
#include <cstring>

#include "kawara/error.h"
#include "lowering.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  Shape shape = inference.shape(0);
  const size_t axis = inference.axis(inference.attribute("axis", int64_t{1}), shape.size());
  inference.require(bits(inference.dtype(0)) >= 8, "elements must have 8 bits or more");
  for (size_t i = 1; i < inference.node().inputs.size(); ++i) {
    const Shape& other = inference.shape(i);
    Shape same = other;
    if (axis < same.size()) same[axis] = shape[axis];
    inference.require(inference.dtype(i) == inference.dtype(0) && same == shape,
                      fmt::format("input {} is {}[{}]: inputs may differ in dimension {} only", i, name(inference.dtype(i)),
                                  fmt::join(other, ","), axis));
    shape[axis] += other[axis];
  }
  inference.set(0, inference.dtype(0), std::move(shape));
}

std::vector<Tensor> fold(const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
  const Value& output = graph.values[node.outputs[0]];
  int64_t axis = std::get<int64_t>(node.attributes.contains("axis") ? node.attributes.at("axis") : Attribute{int64_t{1}});
  if (axis < 0) axis += static_cast<int64_t>(output.shape->size());
  const int64_t outer = element_count({output.shape->begin(), output.shape->begin() + axis});
  std::vector<std::byte> bytes;
  bytes.reserve(bytes_of(output.dtype, element_count(*output.shape)));
  for (int64_t i = 0; i < outer; ++i)
    for (const Tensor* input : inputs) {
      const auto part = input->bytes.subspan(i * (input->bytes.size() / outer), input->bytes.size() / outer);
      bytes.insert(bytes.end(), part.begin(), part.end());
    }
  return {Tensor::copy_of(output.dtype, *output.shape, bytes)};
}

// Pieces that the commands computing them have written in place cost nothing; the others are copied.
void lower(Lowering& lowering, const Node& node) {
  const View whole = lowering.place(node.outputs[0]);
  const Shape& shape = lowering.shape(node.outputs[0]);
  int64_t axis = lowering.attribute(node, "axis", int64_t{1});
  if (axis < 0) axis += static_cast<int64_t>(shape.size());
  int64_t start = 0;
  for (const ValueId piece : node.inputs) {
    const View part = part_of(whole, static_cast<size_t>(axis), start);
    const View& from = lowering.view(piece);
    start += lowering.shape(piece)[static_cast<size_t>(axis)];
    if (from.buffer == part.buffer && from.offset == part.offset && from.strides == part.strides) continue;
    lowering.copy(node, KAWARA_ENGINE_DMA_IN, lowering.dtype(piece), lowering.shape(piece), from, part);
  }
}

}  // namespace

const Operator concat_operator = {
    .name = "Concat", .kind = OperatorKind::root, .infer = infer, .fold = fold, .lower = lower, .epilogue = false};

}  // namespace kawara::compiler
