// SPDX-License-Identifier: Apache-2.0
// MaxPool: the greatest element under a window; a pad counts as the type's least value.
#include "elementwise.h"
#include "pool.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  const DType dtype = inference.dtype(0);
  inference.require((is_float(dtype) && bits(dtype) >= 16) || dtype == DType::i8 || dtype == DType::u8,
                    fmt::format("elements must be f32, f16, bf16, i8 or u8, got {}", name(dtype)));
  inference.require(inference.node().outputs.size() < 2 || inference.node().outputs[1] == kAbsent, "the output Indices must not be used");
  infer_pool(inference);
}

uint64_t least(DType dtype) {
  if (dtype == DType::f32) return 0xff800000u;
  if (dtype == DType::f16) return 0xfc00u;
  if (dtype == DType::bf16) return 0xff80u;
  return dtype == DType::i8 ? 0x80u : 0u;
}

void lower(Lowering& lowering, const Node& group) {
  const Node& node = lowering.root(group);
  Pool pool(lowering, node);
  Points& points = pool.section().points;
  const DType dtype = lowering.dtype(node.inputs[0]);
  points.phase();
  points.step();
  const Register greatest = points.reduce(KAWARA_OP_red_max, points.load(pool.section().input(pool.taps(least(dtype))), dtype));
  points.after();
  lowering.finish(pool.section(), group, greatest, pool.loop_of());
  lowering.vector(group, std::move(pool.section()));
}

}  // namespace

const Operator max_pool_operator = {.name = "MaxPool", .kind = OperatorKind::root, .infer = infer, .lower = lower};

}  // namespace kawara::compiler
