/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Region tables to text and back: see text.h. */
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kawara/hw/hw.h"
#include "kawara/hw/text_words.h"

namespace kawara::hw {

// A row per line. Throws invalid_argument for flags and reserved words that have no text.
inline std::string disassemble_regions(std::span<const kawara_region> table) {
  constexpr uint32_t known = KAWARA_REGION_SRAM | KAWARA_REGION_READ | KAWARA_REGION_WRITE | 0xffffu << KAWARA_REGION_ALIAS_LOW;
  std::string text;
  for (size_t i = 0; i < table.size(); ++i) {
    const kawara_region& region = table[i];
    if ((region.flags & ~known) != 0 || region.reserved0 != 0 || region.reserved1 != 0)
      throw fail(Code::invalid_argument, "region {} has a reserved bit", i);
    text += fmt::format("region {} {:#x} + {:#x}", region.flags & KAWARA_REGION_SRAM ? "sram" : "memory", region.address, region.size);
    if (region.flags & KAWARA_REGION_READ) text += " read";
    if (region.flags & KAWARA_REGION_WRITE) text += " write";
    if (const uint32_t group = region.flags >> KAWARA_REGION_ALIAS_LOW) text += fmt::format(" alias = {}", group);
    text += '\n';
  }
  return text;
}

// Throws invalid_argument with the line and what was expected there.
inline std::vector<kawara_region> assemble_regions(std::string_view text) {
  std::vector<kawara_region> table;
  for (Words words(text); !words.at_end();) {
    kawara_region region{};
    words.expect("region");
    if (words.take_if("sram"))
      region.flags = KAWARA_REGION_SRAM;
    else
      words.expect("memory");
    region.address = static_cast<uint64_t>(words.number(0, UINT64_MAX, "an address"));
    words.expect("+");
    region.size = static_cast<uint64_t>(words.number(0, UINT64_MAX, "a size"));
    while (!words.at_end() && words.peek() != "region") {
      if (words.take_if("read")) {
        region.flags |= KAWARA_REGION_READ;
      } else if (words.take_if("write")) {
        region.flags |= KAWARA_REGION_WRITE;
      } else if (words.take_if("alias")) {
        words.expect("=");
        region.flags &= (1u << KAWARA_REGION_ALIAS_LOW) - 1;
        region.flags |= static_cast<uint32_t>(words.number(1, 0xffff, "an alias group, 1 to 65535")) << KAWARA_REGION_ALIAS_LOW;
      } else {
        words.refuse("read, write, alias or region");
      }
    }
    table.push_back(region);
  }
  return table;
}

}  // namespace kawara::hw
