// SPDX-License-Identifier: Apache-2.0
#include "gelu.h"

#include <numbers>

namespace kawara::compiler {

namespace {

constexpr float kHalfSqrt = static_cast<float>(1 / std::numbers::sqrt2);
constexpr float kSlope = static_cast<float>(std::numbers::sqrt2 * std::numbers::inv_sqrtpi);  // sqrt(2 / pi)
constexpr float kCubic = 0.044715f;

Register scaled(Points& points, Register x, Register share) {
  return points.mul(points.mul(x, points.constant(0.5f)), points.add(share, points.constant(1.0f)));
}

}  // namespace

Register gelu(Points& points, Register x) {
  return scaled(points, x, points.emit(KAWARA_OP_erf, DType::f32, points.mul(x, points.constant(kHalfSqrt))));
}

Register tanh_gelu(Points& points, Register x) {
  const Register cube = points.mul(points.mul(x, x), x);
  const Register inner = points.mul(points.add(x, points.mul(cube, points.constant(kCubic))), points.constant(kSlope));
  return scaled(points, x, points.emit(KAWARA_OP_tanh, DType::f32, inner));
}

}  // namespace kawara::compiler
