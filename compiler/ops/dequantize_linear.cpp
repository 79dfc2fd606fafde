// SPDX-License-Identifier: Apache-2.0
// DequantizeLinear: (a - zero point) * scale, one scale for all or one for each element along `axis`. A pass writes it as
// arithmetic, which then joins the commands around it.
#include "elementwise.h"
#include "kawara/error.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  const DType dtype = inference.dtype(0);
  const Shape &shape = inference.shape(0), &scale = inference.shape(1);
  inference.require(is_integer(dtype) && bits(dtype) >= 8 && bits(dtype) <= 32,
                    fmt::format("elements must be integers of 8 to 32 bits, got {}", name(dtype)));
  inference.require(inference.dtype(1) == DType::f32, fmt::format("the scale must be f32, got {}", name(inference.dtype(1))));
  inference.require(inference.attribute("block_size", int64_t{0}) == 0, "scales for blocks of an axis are not there");
  if (element_count(scale) != 1) {
    const size_t axis = inference.axis(inference.attribute("axis", int64_t{1}), shape.size());
    inference.require(scale == Shape{shape[axis]}, fmt::format("the scale must have one element, or {} along axis {}", shape[axis], axis));
  }
  if (inference.has(2)) {
    inference.require(inference.dtype(2) == dtype && inference.shape(2) == scale,
                      "the zero point must have the input's type and the scale's shape");
  }
  for (size_t i = 1; i < inference.node().inputs.size(); ++i)
    inference.require(inference.constant(i) != nullptr, "scale and zero point must be constant");
  inference.set(0, DType::f32, shape);
}

}  // namespace

const Operator dequantize_linear_operator = {.name = "DequantizeLinear", .kind = OperatorKind::rewritten, .infer = infer};

}  // namespace kawara::compiler
