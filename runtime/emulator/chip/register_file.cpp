// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/register_file.h"

#include <algorithm>
#include <string_view>

namespace kawara::emulator {
namespace {

struct BlockRow {
  uint32_t base, stride, count;
};
constexpr BlockRow kBlocks[] = {
#define BLOCK(name, base, stride, count, doc) {base, stride, count},
#include "kawara/hw/registers.def"
};

struct FieldRow {
  Block block;
  std::string_view register_name;
  uint32_t mask;
};
constexpr FieldRow kFields[] = {
#define FIELD(block, reg, name, high, low, doc) {Block::block, #reg, KAWARA_MASK(high, low)},
#include "kawara/hw/registers.def"
};

// A register whose fields are one plain value has none: every bit of it counts.
constexpr uint32_t writable_bits(Block block, std::string_view name) {
  uint32_t bits = 0;
  for (const FieldRow& field : kFields)
    if (field.block == block && field.register_name == name) bits |= field.mask;
  return bits == 0 ? ~0u : bits;
}

// Only read-only pairs change between two reads: the others show at once what was written.
constexpr bool latches(Access access, std::string_view name) { return access == Access::RO && name.ends_with("_LO"); }

constexpr RegisterRow kRows[] = {
#define REGISTER(block, name, offset, access, reset, doc) \
  {Block::block, #name, offset, Access::access, reset, writable_bits(Block::block, #name), latches(Access::access, #name)},
#include "kawara/hw/registers.def"
};

// For each block, its rows by word offset: -1 where there is none.
constexpr uint32_t kWordsOfBlock = [] {
  uint32_t words = 0;
  for (const RegisterRow& row : kRows) words = std::max(words, row.offset / 4 + 1);
  return words;
}();
using Index = std::array<std::array<int, kWordsOfBlock>, std::size(kBlocks)>;
constexpr Index index_rows() {
  Index index{};
  for (auto& words : index) words.fill(-1);
  int row = 0;
  for (const RegisterRow& entry : kRows) index[static_cast<size_t>(entry.block)][entry.offset / 4] = row++;
  return index;
}
constexpr Index kIndex = index_rows();

}  // namespace

std::span<const RegisterRow> register_rows() { return kRows; }

RegisterFile::RegisterFile() : values_(KAWARA_BAR0_BYTES / 4), latched_(KAWARA_BAR0_BYTES / 4) { reset(); }

void RegisterFile::reset() {
  for (const RegisterRow& row : kRows) {
    const BlockRow& block = kBlocks[static_cast<size_t>(row.block)];
    for (uint32_t instance = 0; instance < block.count; ++instance)
      values_[(block.base + block.stride * instance + row.offset) / 4] = row.reset;
  }
  latched_.assign(latched_.size(), 0);
}

RegisterPlace RegisterFile::at(uint32_t address) {
  if (address % 4 != 0) return {nullptr, 0};
  for (size_t number = 0; number < std::size(kBlocks); ++number) {
    const BlockRow& block = kBlocks[number];
    if (address < block.base || address - block.base >= block.stride * block.count) continue;
    const uint32_t instance = (address - block.base) / block.stride;
    const uint32_t word = (address - block.base) % block.stride / 4;
    const int row = word < kWordsOfBlock ? kIndex[number][word] : -1;
    return {row < 0 ? nullptr : &kRows[row], instance};
  }
  return {nullptr, 0};
}

uint32_t RegisterFile::read(uint32_t address) {
  const RegisterRow* row = at(address).row;
  if (row == nullptr || row->access == Access::WO) return 0;
  if (row->latches) latched_[address / 4 + 1] = get(address + 4);
  const bool high_half = row->access == Access::RO && std::string_view(row->name).ends_with("_HI");
  return high_half ? latched_[address / 4] : get(address);
}

void RegisterFile::write(uint32_t address, uint32_t value) {
  const RegisterRow* row = at(address).row;
  if (row == nullptr) return;
  switch (row->access) {
    case Access::RO:
    case Access::WO: return;
    case Access::RW: return set(address, value & row->writable);
    case Access::W1C: return set(address, get(address) & ~value);
  }
}

void RegisterFile::set64(uint32_t low_address, uint64_t value) {
  set(low_address, static_cast<uint32_t>(value));
  set(low_address + 4, static_cast<uint32_t>(value >> 32));
}

}  // namespace kawara::emulator
