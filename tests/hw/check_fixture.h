// SPDX-License-Identifier: Apache-2.0
// Asks kawara_check() for its verdict and compares code and field.
#pragma once

#include <gmock/gmock.h>

#include <source_location>
#include <string>
#include <vector>

#include "hw/sample_commands.h"
#include "kawara/hw/check.h"

namespace kawara::hw {

inline std::string fault_name(uint32_t code) {
  switch (code) {
#define FAULT_ROW(code, name, cause, remedy) \
  case code: return #name;
#include "kawara/hw/faults.def"
    default: return "none";
  }
}

class Check : public ::testing::Test {
 protected:
  int check(std::span<const std::byte> bytes) {
    offsets.assign(bytes.size() / 32 + 1, ~0u);
    return kawara_check(bytes.data(), bytes.size(), regions.data(), static_cast<uint32_t>(regions.size()), &limits, offsets.data(), &fault);
  }

  void expect_accepted(std::span<const std::byte> bytes, std::source_location here = std::source_location::current()) {
    EXPECT_GE(check(bytes), 0) << here.file_name() << ":" << here.line() << ": " << fault_name(fault.code) << " at byte " << fault.field;
  }
  void expect_accepted(Draft& draft, std::source_location here = std::source_location::current()) { expect_accepted(draft.bytes(), here); }

  // The job breaks exactly this rule, in this member of the command.
  void expect_refused(Draft& draft, kawara_fault_code code, const void* member,
                      std::source_location here = std::source_location::current()) {
    EXPECT_EQ(check(draft.bytes()), -1) << here.file_name() << ":" << here.line();
    EXPECT_EQ(fault_name(fault.code), fault_name(code)) << here.file_name() << ":" << here.line();
    EXPECT_EQ(fault.field, draft.field(member)) << here.file_name() << ":" << here.line();
    EXPECT_EQ(fault.command, 0u);
    EXPECT_EQ(fault.debug_id, draft.header().debug_id);
  }

  // Sets one member, expects the fault to name it, and puts it back.
  template <typename T, typename V>
  void expect_refused_with(Draft& draft, T& member, V value, kawara_fault_code code,
                           std::source_location here = std::source_location::current()) {
    const T before = member;
    member = static_cast<T>(value);
    expect_refused(draft, code, &member, here);
    member = before;
    expect_accepted(draft, here);
  }

  std::vector<kawara_region> regions = sample_regions();
  kawara_check_limits limits{.features = 1, .sram_bytes = 2 << 20, .config = &sample_config, .segment_cycles_max = ~0ull};
  std::vector<uint32_t> offsets;
  kawara_check_fault fault{};
};

}  // namespace kawara::hw
