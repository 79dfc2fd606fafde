// SPDX-License-Identifier: Apache-2.0
// AveragePool: the mean under a window; where windows reach over the border, a second stream counts what they see.
#include <algorithm>

#include "elementwise.h"
#include "pool.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  const DType dtype = inference.dtype(0);
  inference.require(is_float(dtype) && bits(dtype) >= 16, fmt::format("elements must be f32, f16 or bf16, got {}", name(dtype)));
  infer_pool(inference);
}

void lower(Lowering& lowering, const Node& group) {
  const Node& node = lowering.root(group);
  const bool count_pads = lowering.attribute(node, "count_include_pad", int64_t{0}) != 0;
  Pool pool(lowering, node);
  Section& section = pool.section();
  Points& points = section.points;
  const Window& window = pool.window();
  const DType dtype = lowering.dtype(node.inputs[0]);
  points.phase();
  points.step();
  const Register sum = points.reduce(KAWARA_OP_red_add, points.load(section.input(pool.taps(0)), dtype));
  int64_t taps = 1;
  bool varies = false;
  for (size_t i = 0; i < window.in.size(); ++i) {
    taps *= window.kernel[i];
    varies |= count_pads ? window.leaves_pad(i) : window.needs_pad(i);
  }
  Register count = points.constant(static_cast<float>(taps));
  if (varies) {
    // The dimensions that never leave count with all their taps by the loops themselves.
    count = points.reduce(KAWARA_OP_red_add, points.load(section.input(pool.ones(count_pads)), DType::f32));
  }
  points.after();
  lowering.finish(section, group, points.div(sum, count), pool.loop_of());
  lowering.vector(group, std::move(section));
}

}  // namespace

const Operator average_pool_operator = {.name = "AveragePool", .kind = OperatorKind::root, .infer = infer, .lower = lower};

}  // namespace kawara::compiler
