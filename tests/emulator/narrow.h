// SPDX-License-Identifier: Apache-2.0
// Floats of 16 bits for tests: as they lie in memory, and what a load makes of them.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/reference/element.h"

namespace kawara::test {

struct Narrow {
  std::vector<uint16_t> bits;
  std::vector<float> values;
};

// dtype: KAWARA_DTYPE_f16 or KAWARA_DTYPE_bf16.
inline Narrow narrow(const std::vector<float>& from, uint8_t dtype) {
  Narrow result;
  emulator::reference::visit_dtype(dtype, [&](auto codec) {
    for (const float value : from) {
      bool limited = false;
      result.bits.push_back(static_cast<uint16_t>(codec.narrow(value, false, limited)));
      result.values.push_back(static_cast<float>(codec.value(result.bits.back())));
    }
  });
  return result;
}

}  // namespace kawara::test
