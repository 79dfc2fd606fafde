// SPDX-License-Identifier: Apache-2.0
// Softmax: three sweeps of one loop nest: the greatest element, the sum of exp(x - greatest), the quotients.
#include "elementwise.h"
#include "lowering.h"

namespace kawara::compiler {

namespace {

// Before version 13 everything from `axis` on is one dimension; since then it is `axis` alone.
bool sweeps_to_the_end(const Node& node) { return node.opset < 13; }
int64_t default_axis(const Node& node) { return sweeps_to_the_end(node) ? 1 : -1; }

void infer(Inference& inference) {
  const Shape& shape = inference.shape(0);
  inference.require(inference.dtype(0) == DType::f32 || inference.dtype(0) == DType::f16 || inference.dtype(0) == DType::bf16,
                    fmt::format("elements must be f32, f16 or bf16, got {}", name(inference.dtype(0))));
  const int64_t axis = inference.attribute("axis", default_axis(inference.node()));
  const bool behind_all = sweeps_to_the_end(inference.node()) && axis == static_cast<int64_t>(shape.size());
  if (!behind_all) inference.axis(axis, shape.size());
  inference.set(0, inference.dtype(0), shape);
}

void lower(Lowering& lowering, const Node& group) {
  const Node& node = lowering.root(group);
  const Shape& shape = lowering.shape(node.inputs[0]);
  int64_t axis = lowering.attribute(node, "axis", default_axis(node));
  if (axis < 0) axis += static_cast<int64_t>(shape.size());
  std::vector<int64_t> parallel, reduced;
  std::vector<bool> swept;
  for (size_t i = 0; i < shape.size(); ++i) {
    swept.push_back(static_cast<int64_t>(i) == axis || (static_cast<int64_t>(i) > axis && sweeps_to_the_end(node)));
    (swept[i] ? reduced : parallel).push_back(shape[i]);
  }
  std::vector<size_t> loop_of;
  size_t next[2] = {0, parallel.size()};
  for (const bool is_reduced : swept) loop_of.push_back(next[is_reduced]++);

  Section section(parallel, reduced);
  Points& points = section.points;
  const auto steps = lowering.strides(lowering.view(node.inputs[0]), shape, shape, loop_of, section.loops());
  const Stream stream = section.walk(lowering.view(node.inputs[0]), lowering.dtype(node.inputs[0]), steps);
  const unsigned input = section.input(stream);
  const auto element = [&] { return points.load(input, stream.dtype); };
  const auto exponential = [&](Register greatest) { return points.emit(KAWARA_OP_exp, DType::f32, points.sub(element(), greatest)); };
  points.phase();
  points.step();
  const Register greatest = points.reduce(KAWARA_OP_red_max, element());
  points.phase();
  points.step();
  const Register sum = points.reduce(KAWARA_OP_red_add, exponential(greatest));
  points.phase();
  points.step();
  lowering.finish(section, group, points.div(exponential(greatest), sum), loop_of);
  lowering.vector(group, std::move(section));
}

}  // namespace

const Operator softmax_operator = {.name = "Softmax", .kind = OperatorKind::root, .infer = infer, .lower = lower};

}  // namespace kawara::compiler
