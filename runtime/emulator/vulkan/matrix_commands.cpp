// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/matrix_commands.h"

#include "kawara/error.h"

namespace kawara::emulator::vulkan {

void add_gemm(Recorder&, const hw::CommandView&) { throw fail(Code::unsupported, "gemm"); }
void add_conv(Recorder&, const hw::CommandView&) { throw fail(Code::unsupported, "conv"); }

}  // namespace kawara::emulator::vulkan
