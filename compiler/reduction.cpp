// SPDX-License-Identifier: Apache-2.0
#include "reduction.h"

#include <algorithm>

#include "elementwise.h"

namespace kawara::compiler {

namespace {

void require_number(const Inference& inference) {
  const DType dtype = inference.dtype(0);
  inference.require(kind(dtype) != DTypeKind::BOOLEAN && bits(dtype) >= 8 && !(is_float(dtype) && bits(dtype) < 16),
                    fmt::format("elements must be f32, f16, bf16 or integers of 8 bits or more, got {}", name(dtype)));
}

// Ascending dimensions that a Reduce operator sweeps.
std::vector<size_t> dimensions_of(const Inference& inference) {
  const size_t rank = inference.shape(0).size();
  auto axes = inference.has(1) ? inference.integers(1) : inference.attribute("axes", std::vector<int64_t>{});
  if (axes.empty() && inference.attribute("noop_with_empty_axes", int64_t{0}) == 0)
    for (size_t i = 0; i < rank; ++i) axes.push_back(static_cast<int64_t>(i));
  auto dimensions = inference.axes(axes, rank);
  std::ranges::sort(dimensions);
  return dimensions;
}

}  // namespace

void lower_reduction(Lowering& lowering, const Node& group, std::span<const size_t> dimensions, bool keep, const Reduction& reduction) {
  const Node& node = lowering.root(group);
  const Shape& input = lowering.shape(node.inputs[0]);
  std::vector<int64_t> parallel, reduced;
  std::vector<size_t> loop_of;  // dimension of the output -> loop
  std::vector<size_t> loop_of_input(input.size());
  int64_t count = 1;
  const size_t kept = input.size() - dimensions.size();
  for (size_t i = 0; i < input.size(); ++i) {
    if (std::ranges::find(dimensions, i) == dimensions.end()) {
      loop_of.push_back(parallel.size());
      loop_of_input[i] = parallel.size();
      parallel.push_back(input[i]);
    } else {
      if (keep) loop_of.push_back(0);  // its extent is 1: no stream moves along it
      loop_of_input[i] = kept + reduced.size();
      reduced.push_back(input[i]);
      count *= input[i];
    }
  }
  Section section(parallel, reduced);
  section.points.phase();
  section.points.step();
  const View& from = lowering.view(node.inputs[0]);
  const auto steps = lowering.strides(from, input, input, loop_of_input, section.loops());
  const Stream stream = section.walk(from, lowering.dtype(node.inputs[0]), steps);
  const Register element = section.points.load(section.input(stream), stream.dtype);
  const Register result = section.points.reduce(reduction.combine, reduction.enter(section.points, element));
  section.points.after();
  lowering.finish(section, group, reduction.leave(section.points, result, count), loop_of);
  lowering.vector(group, std::move(section));
}

void infer_reduce(Inference& inference) {
  require_number(inference);
  const Shape& input = inference.shape(0);
  const auto dimensions = dimensions_of(inference);
  const bool keep = inference.attribute("keepdims", int64_t{1}) != 0;
  Shape shape;
  for (size_t i = 0; i < input.size(); ++i) {
    const bool swept = std::ranges::find(dimensions, i) != dimensions.end();
    inference.require(!swept || input[i] > 0, fmt::format("dimension {} has no elements to reduce", i));
    if (!swept) shape.push_back(input[i]);
    if (swept && keep) shape.push_back(1);
  }
  inference.set(0, inference.dtype(0), std::move(shape));
}

void lower_reduce(Lowering& lowering, const Node& group, const Reduction& reduction) {
  const Node& node = lowering.root(group);
  const auto dimensions = dimensions_of(lowering.inference(node));
  lower_reduction(lowering, group, dimensions, lowering.attribute(node, "keepdims", int64_t{1}) != 0, reduction);
}

void infer_global_pool(Inference& inference) {
  require_number(inference);
  Shape shape = inference.shape(0);
  inference.require(shape.size() >= 3, fmt::format("the input must have a spatial dimension, its rank is {}", shape.size()));
  for (size_t i = 2; i < shape.size(); ++i) {
    inference.require(shape[i] > 0, fmt::format("dimension {} has no elements to reduce", i));
    shape[i] = 1;
  }
  inference.set(0, inference.dtype(0), std::move(shape));
}

void lower_global_pool(Lowering& lowering, const Node& group, const Reduction& reduction) {
  std::vector<size_t> dimensions;
  for (size_t i = 2; i < lowering.shape(lowering.root(group).inputs[0]).size(); ++i) dimensions.push_back(i);
  lower_reduction(lowering, group, dimensions, true, reduction);
}

}  // namespace kawara::compiler
