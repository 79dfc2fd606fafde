// SPDX-License-Identifier: Apache-2.0
// LayerNormalization: (a - mean) / sqrt(variance + epsilon) * scale + bias over the dimensions from `axis` on. Three sweeps of
// one loop nest: the mean, the mean of the squared deviations, the result.
#include "elementwise.h"
#include "lowering.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  const Shape& shape = inference.shape(0);
  const DType dtype = inference.dtype(0);
  inference.require(is_float(dtype) && bits(dtype) >= 16, fmt::format("elements must be f32, f16 or bf16, got {}", name(dtype)));
  const size_t axis = inference.axis(inference.attribute("axis", int64_t{-1}), shape.size());
  inference.attribute("epsilon", 1e-5f);  // is a float
  inference.require(inference.attribute("stash_type", int64_t{1}) == 1, "stash_type must be 1: the mean is computed in f32");
  for (size_t i = 1; i < inference.node().outputs.size(); ++i)
    inference.require(inference.node().outputs[i] == kAbsent, "only the first output may be used");
  for (size_t i = axis; i < shape.size(); ++i) inference.require(shape[i] > 0, fmt::format("dimension {} has no elements to normalise", i));
  inference.require(inference.has(1), "the scale must be given");
  const Shape normalised(shape.begin() + static_cast<int64_t>(axis), shape.end());
  for (size_t i : {1, 2}) {
    if (!inference.has(i)) continue;
    inference.require(inference.dtype(i) == dtype, fmt::format("scale and bias must be {} as the input is", name(dtype)));
    inference.require(broadcast(normalised, inference.shape(i)) == normalised,
                      fmt::format("scale or bias of shape [{}] can't be broadcast to the normalised [{}]",
                                  fmt::join(inference.shape(i), ","), fmt::join(normalised, ",")));
  }
  inference.set(0, dtype, shape);
}

void lower(Lowering& lowering, const Node& group) {
  const Node& node = lowering.root(group);
  const Shape& shape = lowering.shape(node.inputs[0]);
  int64_t axis = lowering.attribute(node, "axis", int64_t{-1});
  if (axis < 0) axis += static_cast<int64_t>(shape.size());
  const std::vector<int64_t> parallel(shape.begin(), shape.begin() + axis), reduced(shape.begin() + axis, shape.end());
  std::vector<size_t> loop_of(shape.size());
  for (size_t i = 0; i < loop_of.size(); ++i) loop_of[i] = i;

  Section section(parallel, reduced);
  Points& points = section.points;
  const auto load = [&](size_t input) { return lowering.load(section, node.inputs[input], shape, loop_of); };
  const Register count = points.constant(static_cast<float>(element_count(reduced)));
  points.phase();
  points.step();
  const Register sum = points.reduce(KAWARA_OP_red_add, load(0));
  points.after();
  const Register mean = points.div(sum, count);
  points.phase();
  points.step();
  const Register deviation = points.sub(load(0), mean);
  const Register squares = points.reduce(KAWARA_OP_red_add, points.mul(deviation, deviation));
  points.after();
  const Register variance = points.div(squares, count);
  const Register epsilon = points.constant(lowering.attribute(node, "epsilon", 1e-5f));
  const Register spread = points.emit(KAWARA_OP_sqrt, DType::f32, points.add(variance, epsilon));
  points.phase();
  points.step();
  Register result = points.mul(points.div(points.sub(load(0), mean), spread), load(1));
  if (lowering.has(node, 2)) result = points.add(result, load(2));
  lowering.finish(section, group, result, loop_of);
  lowering.vector(group, std::move(section));
}

}  // namespace

const Operator layer_normalization_operator = {.name = "LayerNormalization", .kind = OperatorKind::root, .infer = infer, .lower = lower};

}  // namespace kawara::compiler
