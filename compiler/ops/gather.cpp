// SPDX-License-Identifier: Apache-2.0
// Gather: slices of the input along an axis, chosen by indices.
#include "elementwise.h"
#include "indexed.h"
#include "kawara/error.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  const Shape& data = inference.shape(0);
  const Shape& indices = inference.shape(1);
  const size_t axis = inference.axis(inference.attribute("axis", int64_t{0}), data.size());
  inference.require(inference.dtype(1) == DType::i32 || inference.dtype(1) == DType::i64, "indices must be i32 or i64");
  inference.require(bits(inference.dtype(0)) >= 8, "elements must have 8 bits or more");
  if (inference.constant(1))
    for (int64_t index : inference.integers(1))
      inference.require(index >= -data[axis] && index < data[axis],
                        fmt::format("index {} lies outside dimension {} of {}", index, axis, data[axis]));
  inference.require(data[axis] > 0 || element_count(indices) == 0, fmt::format("dimension {} has no elements to choose from", axis));
  Shape shape(data.begin(), data.begin() + static_cast<int64_t>(axis));
  shape.insert(shape.end(), indices.begin(), indices.end());
  shape.insert(shape.end(), data.begin() + static_cast<int64_t>(axis) + 1, data.end());
  inference.set(0, inference.dtype(0), std::move(shape));
}

std::vector<Tensor> fold(const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
  const Tensor& data = *inputs[0];
  int64_t axis = std::get<int64_t>(node.attributes.contains("axis") ? node.attributes.at("axis") : Attribute{int64_t{0}});
  if (axis < 0) axis += static_cast<int64_t>(data.shape.size());
  const int64_t outer = element_count({data.shape.begin(), data.shape.begin() + axis});
  const int64_t inner = static_cast<int64_t>(bytes_of(data.dtype, element_count({data.shape.begin() + axis + 1, data.shape.end()})));
  const int64_t extent = data.shape[axis];
  const auto indices = integers_of(*inputs[1]);
  std::vector<std::byte> bytes;
  for (int64_t i = 0; i < outer; ++i)
    for (int64_t index : indices) {
      const auto slice = data.bytes.subspan((i * extent + (index < 0 ? index + extent : index)) * inner, inner);
      bytes.insert(bytes.end(), slice.begin(), slice.end());
    }
  const Value& output = graph.values[node.outputs[0]];
  return {Tensor::copy_of(output.dtype, *output.shape, bytes)};
}

void lower(Lowering& lowering, const Node& group) {
  const Node& node = lowering.root(group);
  const Shape& data = lowering.shape(node.inputs[0]);
  const size_t index_rank = lowering.shape(node.inputs[1]).size();
  int64_t signed_axis = lowering.attribute(node, "axis", int64_t{0});
  if (signed_axis < 0) signed_axis += static_cast<int64_t>(data.size());
  const auto axis = static_cast<size_t>(signed_axis);
  const Shape& output = lowering.shape(node.outputs[0]);
  std::vector<size_t> loop_of(output.size());
  for (size_t i = 0; i < loop_of.size(); ++i) loop_of[i] = i;

  Section section(output);
  const View& chosen = lowering.view(node.inputs[1]);
  std::vector<int64_t> index_steps(section.loops());
  for (size_t i = 0; i < index_rank; ++i) index_steps[axis + i] = chosen.strides[i];
  const Stream indices = section.walk(chosen, lowering.dtype(node.inputs[1]), index_steps);
  const Register index = section.points.load(section.input(indices), indices.dtype);

  const View& from = lowering.view(node.inputs[0]);
  std::vector<int64_t> steps(section.loops());
  for (size_t i = 0; i < data.size(); ++i)
    if (i != axis) steps[i < axis ? i : i - 1 + index_rank] = from.strides[i];
  const IndexedDimension dimension{.stride = from.strides[axis], .extent = data[axis], .index = index};
  const Register element = load_indexed(section, from, lowering.dtype(node.inputs[0]), steps, {&dimension, 1});
  lowering.finish(section, group, element, loop_of);
  lowering.vector(group, std::move(section));
}

}  // namespace

const Operator gather_operator = {.name = "Gather", .kind = OperatorKind::root, .infer = infer, .fold = fold, .lower = lower};

}  // namespace kawara::compiler
