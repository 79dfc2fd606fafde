// SPDX-License-Identifier: Apache-2.0
// What a stored element of gemm or conv is worth: (q - zero) * scale in f32, or q - zero in i32.
#pragma once

#include <cstddef>
#include <cstdint>

#include "emulator/reference/element.h"
#include "emulator/reference/operands.h"

namespace kawara::emulator::reference {

// A scale or zero-point plane; without one every element has the same.
struct Plane {
  const std::byte* data = nullptr;
  uint8_t dtype = KAWARA_DTYPE_none;

  Plane(const Job& job, uint64_t operand, uint8_t type) : dtype(type) {
    if (type != KAWARA_DTYPE_none && !is_absent(operand)) data = address(job, operand);
  }

  explicit operator bool() const { return data != nullptr; }

  template <typename T>
  T at(int64_t index) const {
    return visit_dtype(dtype, [&](auto codec) { return static_cast<T>(codec.value(read_bits<decltype(codec)::kBits>(data, index))); });
  }
};

// The element in the type that products are taken in. T: float, or int32_t, which wraps.
template <typename T, typename Widened>
T less_zero(Widened value, int64_t zero, float real_zero) {
  if constexpr (std::is_floating_point_v<Widened>)
    return static_cast<T>(value - real_zero);
  else
    return static_cast<T>(static_cast<int64_t>(static_cast<uint64_t>(static_cast<int64_t>(value)) - static_cast<uint64_t>(zero)));
}

}  // namespace kawara::emulator::reference
