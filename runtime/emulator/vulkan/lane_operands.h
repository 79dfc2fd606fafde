// SPDX-License-Identifier: Apache-2.0
// Operands as lane_product.h wants them: copies in scratch memory of what lies otherwise.
#pragma once

#include "emulator/vulkan/lane_product.h"
#include "emulator/vulkan/widen.h"

namespace kawara::emulator::vulkan {

// A coordinate that one loop counts; the stride counts elements.
NestCoordinate along(unsigned loop, int64_t stride, uint32_t extent);

// Whether the kernels can walk rows that lie so far apart (elements).
bool is_lane_stride(int64_t row);

// A row-major copy of f32 elements. One of the first `batch_dims` dimensions along which the operand repeats stays so (stride 0).
WidenedOperand dense_copy(Recorder& recorder, const Place& place, const std::array<uint32_t, kParallelMax>& extent,
                          const OperandDims& stride, unsigned batch_dims, uint64_t& scratch);

// Whether a plane with its border is worth a copy: one much larger than what it holds is not.
bool border_pays(const std::array<uint64_t, 2>& in, const std::array<uint64_t, 2>& extent);

// From one row to the next (elements) in the copy below.
uint32_t bordered_row(uint32_t in, int32_t before, uint32_t extent);

// A convolution's f32 inputs [batches, 1, position], the positions from -before on, `extent` of them; `pad` where there are none.
WidenedOperand bordered_copy(Recorder& recorder, const WidenedOperand& inputs, const std::array<uint32_t, 2>& batches,
                             const std::array<uint32_t, 3>& in, const std::array<int32_t, 3>& before, const std::array<uint32_t, 3>& extent,
                             uint32_t pad, uint64_t& scratch);

// The inputs of a convolution in two dimensions under each of its windows.
struct Windows {
  Place input;  // of one image
  uint32_t channels = 1;
  int64_t channel_stride = 0;  // elements, as the next
  std::array<int64_t, 2> position_stride{};
  std::array<uint32_t, 2> in{1, 1}, kernel{1, 1}, stride{1, 1}, dilation{1, 1};
  std::array<int32_t, 2> pad{};
  uint32_t pad_value = 0;                        // bits
  uint32_t first_line = 0, lines = 1, line = 1;  // of the output; `line` windows each

  uint64_t size_bytes() const;
};

// Writes [channel, kernel y, kernel x, window] to `to`.
void gather_windows(Recorder& recorder, const Windows& windows, const Place& to);

}  // namespace kawara::emulator::vulkan
