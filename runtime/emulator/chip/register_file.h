// SPDX-License-Identifier: Apache-2.0
// The registers of BAR0 as registers.def lists them: where each is, what a write may change, what a reset leaves.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "kawara/hw/hw.h"

namespace kawara::emulator {

enum class Access { RO, RW, WO, W1C };
enum class Block {
#define BLOCK(name, base, stride, count, doc) name,
#include "kawara/hw/registers.def"
};

// One row of the table.
struct RegisterRow {
  Block block;
  const char* name;
  uint32_t offset;  // in an instance of the block
  Access access;
  uint32_t reset;
  uint32_t writable;  // bits that a write reaches: those of its fields
  bool latches;       // the low half of a read-only pair
};
std::span<const RegisterRow> register_rows();

// Where an address of BAR0 leads.
struct RegisterPlace {
  const RegisterRow* row;
  uint32_t instance;
};

// Not thread-safe: the chip's lock guards it. read() and write() are the bus's side, get() and set() the chip's.
class RegisterFile {
 public:
  RegisterFile();

  void reset();
  // `row` is null where no register is.
  static RegisterPlace at(uint32_t address);

  uint32_t read(uint32_t address);
  void write(uint32_t address, uint32_t value);  // stores what the access right allows

  uint32_t get(uint32_t address) const { return values_[address / 4]; }
  void set(uint32_t address, uint32_t value) { values_[address / 4] = value; }
  uint64_t get64(uint32_t low_address) const { return get(low_address) | uint64_t{get(low_address + 4)} << 32; }
  void set64(uint32_t low_address, uint64_t value);

 private:
  std::vector<uint32_t> values_;   // a word for each four bytes of BAR0
  std::vector<uint32_t> latched_;  // what the high halves of read-only pairs show
};

}  // namespace kawara::emulator
