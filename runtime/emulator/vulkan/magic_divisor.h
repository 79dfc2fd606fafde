// SPDX-License-Identifier: Apache-2.0
// Division by multiplication, after Granlund and Montgomery 1994: n / divisor is the high word of 2n * magic, shifted right; exact for
// n below 2^31.
#pragma once

#include <bit>
#include <cstdint>

namespace kawara::emulator::vulkan {

struct MagicDivisor {
  uint32_t magic, shift;

  explicit constexpr MagicDivisor(uint32_t divisor)  // 1 to 2^31
      : magic(0), shift(divisor == 1 ? 0 : static_cast<uint32_t>(std::bit_width(divisor - 1))) {
    magic = static_cast<uint32_t>((uint64_t{1} << (31 + shift)) / divisor + 1);
  }
};

}  // namespace kawara::emulator::vulkan
