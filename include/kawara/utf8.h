// SPDX-License-Identifier: Apache-2.0
// Whether bytes of a file are text, as names must be before anyone prints them or Python sees them.
#pragma once

#include <cstdint>
#include <string_view>

namespace kawara {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
constexpr bool is_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto first = static_cast<uint8_t>(text[at]);
    const unsigned more = first < 0x80                    ? 0
                          : first >= 0xc2 && first < 0xe0 ? 1
                          : first >= 0xe0 && first < 0xf0 ? 2
                          : first >= 0xf0 && first < 0xf5 ? 3
                                                          : 4;
    if (more == 4 || text.size() - at <= more) return false;
    for (unsigned i = 1; i <= more; ++i)
      if ((static_cast<uint8_t>(text[at + i]) & 0xc0) != 0x80) return false;
    if (more >= 2) {
      const auto second = static_cast<uint8_t>(text[at + 1]);
      if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0) || (first == 0xf0 && second < 0x90) ||
          (first == 0xf4 && second >= 0x90))
        return false;
    }
    at += more + 1;
  }
  return true;
}

}  // namespace kawara
