// SPDX-License-Identifier: Apache-2.0
// The chip's own memory: local memory behind BAR2, and the SRAM scratchpad that only the engines reach.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kawara::emulator {

// Local memory: a memfd, so that an executor or another process can map the same bytes. Not inherited over fork. Pages
// cost nothing until they are touched.
class LocalMemory {
 public:
  explicit LocalMemory(uint32_t size_mib);  // throws out_of_memory
  ~LocalMemory();
  LocalMemory(const LocalMemory&) = delete;
  LocalMemory& operator=(const LocalMemory&) = delete;

  std::span<std::byte> bytes() const { return bytes_; }
  int fd() const { return fd_; }

  // Zeroes [offset, offset + size) by giving the pages back. Throws invalid_argument outside the memory.
  void clear(uint64_t offset, uint64_t size);

 private:
  int fd_ = -1;
  std::span<std::byte> bytes_;
};

// The scratchpad.
class Sram {
 public:
  explicit Sram(uint32_t size_kib);  // throws out_of_memory
  ~Sram();
  Sram(const Sram&) = delete;
  Sram& operator=(const Sram&) = delete;

  std::span<std::byte> bytes() const { return bytes_; }
  void clear(uint64_t size);  // the first bytes

 private:
  std::span<std::byte> bytes_;
};

}  // namespace kawara::emulator
