// SPDX-License-Identifier: Apache-2.0
// Steps along a stride, for every executor.
#pragma once

#include <cstdint>

namespace kawara::emulator {

// The place `steps` strides further, modulo 2^64. The rules bound strides by the places that are used, so these come out exact;
// a place outside, or one on the way to a place inside, may lie further than a number reaches.
inline int64_t moved(int64_t place, int64_t steps, int64_t stride) {
  return static_cast<int64_t>(static_cast<uint64_t>(place) + static_cast<uint64_t>(steps) * static_cast<uint64_t>(stride));
}

}  // namespace kawara::emulator
