// SPDX-License-Identifier: Apache-2.0
// Convolutions of one channel to one channel on a software device: sums over small windows, as a nest of the vector engine
// computes them, together with the command's epilogue.
#pragma once

#include "emulator/vulkan/widen.h"
#include "kawara/hw/decode.h"

namespace kawara::emulator::vulkan {

// Adds the whole command, its epilogue included; false, and nothing is added, where that does not suit it.
// inputs [image, group, 1, z, y, x] and weights [group, 1, 1, z, y, x]: f32.
// conv: the command's body as if its operands lay so.
bool add_depthwise(Recorder& recorder, const hw::CommandView& command, const kawara_conv& conv, const WidenedOperand& inputs,
                   const WidenedOperand& weights, uint64_t& scratch);

}  // namespace kawara::emulator::vulkan
