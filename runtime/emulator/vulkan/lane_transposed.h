// SPDX-License-Identifier: Apache-2.0
// Transposed convolutions on a software device: outputs a stride apart see the same taps, so that each such phase is an ordinary
// convolution, whose sums go to every stride-th position.
#pragma once

#include "emulator/vulkan/widen.h"
#include "kawara/hw/decode.h"

namespace kawara::emulator::vulkan {

// Adds the whole command, its epilogue included; false, and nothing is added, where that does not suit it.
// inputs [image, group, channel, z, y, x] and weights [group, channel out, channel in, z, y, x]: f32.
// conv: the command's body as if its operands lay so.
bool add_lane_transposed(Recorder& recorder, const hw::CommandView& command, const kawara_conv& conv, const WidenedOperand& inputs,
                         const WidenedOperand& weights, uint64_t& scratch);

}  // namespace kawara::emulator::vulkan
