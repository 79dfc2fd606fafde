// SPDX-License-Identifier: Apache-2.0
// Where a buffer lies, and how the chip sees it.
#pragma once

#include <cstdint>

namespace kawara {

// system: the host's memory, reached by the chip's DMA engines only. local: the chip's own, reached by every engine.
enum class Memory { system = 1, local = 2 };

enum class DeviceAddress : uint64_t {};  // virtual, in the address space of one Device

}  // namespace kawara
