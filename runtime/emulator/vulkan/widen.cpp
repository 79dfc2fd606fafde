// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/widen.h"

#include "emulator/vulkan/command_nests.h"

namespace kawara::emulator::vulkan {

namespace {

// The type of the register that a load of dtype fills.
uint8_t register_type(uint8_t dtype) {
  const auto type = static_cast<DType>(dtype);
  if (kind(type) == DTypeKind::FLOAT) return KAWARA_DTYPE_f32;
  if (bits(type) == 64) return KAWARA_DTYPE_i64;
  return kind(type) == DTypeKind::SIGNED ? KAWARA_DTYPE_i32 : KAWARA_DTYPE_u32;
}

// (value - zero) * scale: floats in f32; integers less their zero point exactly, then in the kernels' type.
class WideningNest {
 public:
  WideningNest(uint8_t target, const std::array<uint32_t, kParallelMax>& extent) : target_(target) {
    nest_.n_par = kParallelMax;
    for (unsigned i = 0; i < kParallelMax; ++i) nest_.extent[i] = extent[i];
  }

  void load_value(const MatrixOperand& operand) {
    type_ = register_type(operand.dtype);
    add(KAWARA_OP_load, kValue, 0, 0, type_, stream(operand.data, operand.dtype, operand.stride, operand, false));
  }
  void constant_value(uint8_t dtype, uint32_t bits) {
    type_ = register_type(dtype);
    nest_.constants = {bits, type_ == KAWARA_DTYPE_i64 && static_cast<int32_t>(bits) < 0 ? ~0u : 0u};
    add(KAWARA_OP_mov, kValue, KAWARA_SOURCE_CONSTANT, 0, type_, 0);
  }
  void subtract_zero(const OperandPlane& zero, const MatrixOperand& operand) {
    const uint8_t in = type_ == KAWARA_DTYPE_f32 ? KAWARA_DTYPE_f32 : KAWARA_DTYPE_i64;
    convert(kValue, type_, in);
    const uint8_t from = register_type(zero.dtype);
    add(KAWARA_OP_load, kPlane, 0, 0, from, stream(zero.operand, zero.dtype, zero.stride, operand, true));
    convert(kPlane, from, in);
    add(KAWARA_OP_sub, kValue, kValue, kPlane, in, 0);
    type_ = in;
  }
  void multiply_scale(const OperandPlane& scale, const MatrixOperand& operand) {
    convert(kValue, type_, KAWARA_DTYPE_f32);
    type_ = KAWARA_DTYPE_f32;
    const uint8_t from = register_type(scale.dtype);
    add(KAWARA_OP_load, kPlane, 0, 0, from, stream(scale.operand, scale.dtype, scale.stride, operand, true));
    convert(kPlane, from, KAWARA_DTYPE_f32);
    add(KAWARA_OP_mul, kValue, kValue, kPlane, KAWARA_DTYPE_f32, 0);
  }
  Nest finish(const Place& to, const OperandDims& stride) {
    convert(kValue, type_, target_);
    nest_.n_in = static_cast<uint32_t>(nest_.streams.size());
    NestStream out{to, target_ == KAWARA_DTYPE_f32 ? DType::f32 : DType::i32, 0, 0, {}};
    for (unsigned i = 0; i < kParallelMax; ++i) out.coordinates.push_back(coordinate(i, stride[i]));
    nest_.streams.push_back(out);
    add(KAWARA_OP_store, 0, kValue, 0, target_, static_cast<uint16_t>(nest_.n_in));
    const auto end = static_cast<uint16_t>(nest_.instrs.size());
    nest_.phases.push_back({KAWARA_PHASE_TREE, 0, 0, 0, end, end, {}});
    return nest_;
  }

 private:
  static constexpr uint8_t kValue = 0, kPlane = 1;

  NestCoordinate coordinate(unsigned dim, int64_t stride) const {
    NestCoordinate result;
    result.stride = stride;
    result.extent = nest_.extent[dim];
    result.coef[dim] = 1;
    return result;
  }
  uint16_t stream(uint64_t operand, uint8_t dtype, const OperandDims& stride, const MatrixOperand& shape, bool in_blocks) {
    NestStream result{place_of(operand), static_cast<DType>(dtype), 0, 0, {}};
    for (unsigned i = 0; i < kParallelMax; ++i) {
      if (stride[i] == 0) continue;
      result.coordinates.push_back(coordinate(i, stride[i]));
      if (in_blocks && i == shape.block_dim) result.coordinates.back().den = shape.block;
    }
    nest_.streams.push_back(result);
    return static_cast<uint16_t>(nest_.streams.size() - 1);
  }
  void convert(uint8_t reg, uint8_t from, uint8_t to) {
    if (from != to) add(KAWARA_OP_cvt, reg, reg, 0, to, from);
  }
  void add(uint8_t op, uint8_t dst, uint8_t a, uint8_t b, uint8_t type, uint16_t imm) {
    nest_.instrs.push_back({op, dst, a, b, 0, type, imm});
  }

  uint8_t target_, type_ = 0;
  Nest nest_;
};

}  // namespace

Place reserve(uint64_t bytes, uint64_t& scratch) {
  const Place place{Place::kScratch, scratch};
  scratch += (bytes + 63) / 64 * 64;
  return place;
}

WidenedOperand widen(Recorder& recorder, const MatrixOperand& operand, bool to_integer, uint64_t& scratch) {
  const uint8_t target = to_integer ? KAWARA_DTYPE_i32 : KAWARA_DTYPE_f32;
  const bool has_scale = operand.scale.is_there() && !to_integer;
  const bool is_ready = operand.dtype == target || (to_integer && operand.dtype == KAWARA_DTYPE_u32);
  if (is_ready && !has_scale && !operand.zero.is_there()) return {place_of(operand.data), operand.stride};

  MatrixOperand source = operand;
  uint64_t elements = 1;
  WidenedOperand result;
  for (unsigned i = kParallelMax; i-- > 0;) {
    // A dimension along which everything repeats is repeated by the kernel.
    const bool repeats =
        operand.stride[i] == 0 && (!has_scale || operand.scale.stride[i] == 0) && (!operand.zero.is_there() || operand.zero.stride[i] == 0);
    if (repeats) source.extent[i] = 1;
    if (source.extent[i] > 1) result.stride[i] = static_cast<int64_t>(elements);
    elements *= source.extent[i];
  }
  result.place = reserve(elements * 4, scratch);
  if (elements == 0) return result;
  WideningNest nest(target, source.extent);
  nest.load_value(source);
  if (operand.zero.is_there()) nest.subtract_zero(source.zero, source);
  if (has_scale) nest.multiply_scale(source.scale, source);
  recorder.add_nest(nest.finish(result.place, result.stride));
  return result;
}

WidenedOperand widen_value(Recorder& recorder, uint8_t dtype, uint32_t bits, const OperandPlane& zero, bool to_integer, uint64_t& scratch) {
  const MatrixOperand shape;
  WideningNest nest(to_integer ? KAWARA_DTYPE_i32 : KAWARA_DTYPE_f32, shape.extent);
  nest.constant_value(dtype, bits);
  if (zero.is_there()) nest.subtract_zero(zero, shape);
  WidenedOperand result{reserve(4, scratch), {}};
  recorder.add_nest(nest.finish(result.place, result.stride));
  return result;
}

}  // namespace kawara::emulator::vulkan
