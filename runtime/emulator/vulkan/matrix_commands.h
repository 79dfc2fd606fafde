// SPDX-License-Identifier: Apache-2.0
// The matrix engine's commands: a kernel that writes accumulators to scratch memory, and the epilogue as a nest that reads them.
#pragma once

#include "emulator/vulkan/recorder.h"

namespace kawara::emulator::vulkan {

void add_gemm(Recorder& recorder, const hw::CommandView& command);
void add_conv(Recorder& recorder, const hw::CommandView& command);

}  // namespace kawara::emulator::vulkan
