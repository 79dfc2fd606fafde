// SPDX-License-Identifier: Apache-2.0
// Operands of the matrix engine as its kernels take them: f32 or i32 elements. Other types, scales and zero points are
// resolved by a nest that writes such a copy to scratch memory first.
#pragma once

#include <array>

#include "emulator/vulkan/recorder.h"

namespace kawara::emulator::vulkan {

using OperandDims = std::array<int64_t, kParallelMax>;

struct OperandPlane {
  uint64_t operand = KAWARA_OPERAND_ABSENT;
  uint8_t dtype = 0;
  OperandDims stride{};
  bool is_there() const { return dtype != 0 && kawara_operand_region(operand) != KAWARA_REGION_ABSENT; }
};

struct MatrixOperand {
  uint64_t data = 0;
  uint8_t dtype = 0;
  std::array<uint32_t, kParallelMax> extent{1, 1, 1, 1, 1, 1};
  OperandDims stride{};
  OperandPlane scale, zero;
  unsigned block_dim = 0;  // the dimension that planes count in blocks, if block is not 1
  uint32_t block = 1;
};

struct WidenedOperand {
  Place place;
  OperandDims stride{};  // elements of four bytes
};

// scratch: bytes used so far; grows by what the copy takes.
WidenedOperand widen(Recorder& recorder, const MatrixOperand& operand, bool to_integer, uint64_t& scratch);

// One value, of `bits` as dtype has them (an f32's for floats), less the zero point, in the kernels' type.
WidenedOperand widen_value(Recorder& recorder, uint8_t dtype, uint32_t bits, const OperandPlane& zero, bool to_integer, uint64_t& scratch);

// `bytes` of scratch memory.
Place reserve(uint64_t bytes, uint64_t& scratch);

}  // namespace kawara::emulator::vulkan
