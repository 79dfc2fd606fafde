// SPDX-License-Identifier: Apache-2.0
// Hostile commands: good ones with a few bytes changed. Nothing crashes, and what the chip accepts reads as text.
#include <random>

#include "hw/check_fixture.h"
#include "kawara/hw/field_name.h"
#include "kawara/hw/text.h"

namespace kawara::hw {
namespace {

class Mutations : public Check {
 protected:
  // One of the usual mistakes: a byte, a bit, or a word of a value at the edge.
  void mutate(std::vector<std::byte>& bytes) {
    static constexpr uint32_t edges[] = {0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0xffff0000, 4096};
    const size_t at = random_() % bytes.size();
    switch (random_() % 4) {
      case 0: bytes[at] = static_cast<std::byte>(random_()); break;
      case 1: bytes[at] ^= static_cast<std::byte>(1u << random_() % 8); break;
      case 2: bytes[at] = static_cast<std::byte>(random_() % 4); break;
      case 3: std::memcpy(bytes.data() + at / 4 * 4, &edges[random_() % 8], 4); break;
    }
  }

  std::mt19937 random_{20240607};
};

TEST_F(Mutations, AreRefusedOrReadAsTextThatGivesTheSameBytes) {
  Commands all;
  const std::vector<std::vector<std::byte>> samples = {relu(), row_sum(), gemm(), conv(), copy(), gather()};
  for (const auto& command : samples) all.append(command);
  int accepted = 0, changed_and_accepted = 0;
  for (int round = 0; round < 100000; ++round) {
    const bool together = round % 16 == 0;
    std::vector<std::byte> bytes = together ? all.bytes() : samples[random_() % samples.size()];
    const std::vector<std::byte> before = bytes;
    for (uint32_t count = 1 + random_() % 3; count > 0; --count) mutate(bytes);
    if (check(bytes) < 0) {
      // The fault points into the buffer, and at a command boundary.
      ASSERT_NE(fault.code, 0u);
      ASSERT_LT(fault.command, bytes.size());
      ASSERT_EQ(fault.command % 16, 0u);
      const auto command = std::span(bytes).subspan(fault.command);
      ASSERT_LT(fault.field, command.size());
      if (round % 16 == 1) (void)field_name(command, fault.field);
      continue;
    }
    ++accepted;
    changed_and_accepted += bytes != before;
    if (accepted % 4 != 0) continue;  // text costs more than the check
    ASSERT_EQ(assemble(disassemble(bytes)), bytes);
  }
  // The mutations are neither all harmless nor all deadly.
  EXPECT_GT(changed_and_accepted, 5000);
  EXPECT_LT(accepted, 90000);
}

TEST_F(Mutations, OfAnyKindEndInTextOrAnError) {
  const std::vector<std::vector<std::byte>> samples = {relu(), row_sum(), gemm(), conv(), copy()};
  int printed = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::byte> bytes = samples[random_() % samples.size()];
    for (uint32_t count = 1 + random_() % 20; count > 0; --count) mutate(bytes);
    try {
      const std::string text = disassemble(bytes);
      ASSERT_EQ(assemble(text), bytes) << text;
      ++printed;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), Code::invalid_argument);
    }
  }
  EXPECT_GT(printed, 500);
}

TEST_F(Mutations, OfTextEndInBytesOrAnError) {
  const std::string text = disassemble(gemm()) + disassemble(row_sum());
  int assembled = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string changed = text;
    switch (random_() % 3) {
      case 0: changed[random_() % changed.size()] = static_cast<char>(random_()); break;
      case 1: changed.erase(random_() % changed.size(), 1 + random_() % 9); break;
      case 2: changed.insert(random_() % changed.size(), text.substr(random_() % text.size(), random_() % 9)); break;
    }
    try {
      assemble(changed);
      ++assembled;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), Code::invalid_argument);
    }
  }
  EXPECT_GT(assembled, 100);
}

TEST_F(Mutations, OfRegionTablesAreRefusedOrHarmless) {
  const auto bytes = relu();
  for (int round = 0; round < 50000; ++round) {
    regions = sample_regions();
    std::vector<std::byte> table(regions.size() * sizeof(kawara_region));
    std::memcpy(table.data(), regions.data(), table.size());
    for (uint32_t count = 1 + random_() % 2; count > 0; --count) mutate(table);
    std::memcpy(regions.data(), table.data(), table.size());
    if (check(bytes) < 0) {
      ASSERT_NE(fault.code, 0u);
    } else {
      ASSERT_GE(regions[1].size, 32u);  // what relu writes is inside
      ASSERT_TRUE(regions[1].flags & KAWARA_REGION_WRITE);
    }
  }
}

}  // namespace
}  // namespace kawara::hw
