// SPDX-License-Identifier: Apache-2.0
// Two chips' memories with the same contents: one for the executor under test, one for the reference.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "emulator/executor.h"
#include "emulator/reference/reference.h"
#include "emulator/vulkan/vulkan.h"
#include "kawara/hw/encode.h"

namespace kawara::test {

class Twins {
 public:
  static constexpr size_t kLocalBytes = 64 << 20, kSramBytes = 1 << 20;

  struct Memory {
    Memory()
        : bytes(static_cast<std::byte*>(mmap(nullptr, kLocalBytes + kSramBytes + emulator::kReadableBehind, PROT_READ | PROT_WRITE,
                                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {}
    ~Memory() { munmap(bytes, kLocalBytes + kSramBytes + emulator::kReadableBehind); }
    Memory(const Memory&) = delete;
    std::span<std::byte> local() const { return {bytes, kLocalBytes}; }
    std::span<std::byte> sram() const { return {bytes + kLocalBytes, kSramBytes}; }
    std::byte* bytes;
  };
  explicit Twins(const emulator::ExecutorFactory& under_test = emulator::vulkan_executor())
      : vulkan_(under_test(memory_[0].local(), memory_[0].sram())),
        reference_(emulator::reference_executor()(memory_[1].local(), memory_[1].sram())) {}

  // A region of local memory that holds `values`; at the next multiple of 64 bytes, or where `move_to` says.
  template <typename T>
  uint32_t local(const std::vector<T>& values) {
    const size_t bytes = std::max<size_t>(values.size() * sizeof(T), 8);
    for (int i = 0; i < 2; ++i) {
      std::memcpy(memory_[i].local().data() + next_, values.data(), values.size() * sizeof(T));
      emulator::Region region{emulator::Region::Place::local, true, true, bytes, memory_[i].local().data() + next_, {}};
      regions_[i].push_back(region);
    }
    next_ += (bytes + 63) / 64 * 64 + 64;
    return static_cast<uint32_t>(regions_[0].size() - 1);
  }
  // The last bytes of local memory, as they are.
  uint32_t at_end(size_t bytes) {
    for (int i = 0; i < 2; ++i)
      regions_[i].push_back({emulator::Region::Place::local, true, true, bytes, memory_[i].local().data() + kLocalBytes - bytes, {}});
    return static_cast<uint32_t>(regions_[0].size() - 1);
  }
  // Values in host memory, in pieces of `piece_bytes` that do not touch.
  template <typename T>
  uint32_t host(const std::vector<T>& values, size_t piece_bytes) {
    const size_t size = values.size() * sizeof(T);
    for (auto& regions : regions_) {
      emulator::Region region{emulator::Region::Place::host, true, true, size, nullptr, {}};
      for (size_t offset = 0; offset < size; offset += piece_bytes) {
        auto& bytes = *pieces_.emplace_back(std::make_unique<std::vector<std::byte>>(std::min(piece_bytes, size - offset)));
        std::memcpy(bytes.data(), reinterpret_cast<const std::byte*>(values.data()) + offset, bytes.size());
        region.pieces.push_back({offset, bytes.data(), bytes.size()});
      }
      regions.push_back(region);
    }
    return static_cast<uint32_t>(regions_[0].size() - 1);
  }
  template <typename T>
  void fill(uint32_t number, T value) {
    for (auto& regions : regions_)
      for (size_t at = 0; at < regions[number].size; at += sizeof(T)) std::memcpy(regions[number].data + at, &value, sizeof(T));
  }
  // Gives a region other memory, with the same contents.
  void move(uint32_t number) {
    for (int i = 0; i < 2; ++i) {
      emulator::Region& region = regions_[i][number];
      std::memcpy(memory_[i].local().data() + next_, region.data, region.size);
      region.data = memory_[i].local().data() + next_;
    }
    next_ += (regions_[0][number].size + 63) / 64 * 64 + 64;
  }

  const Memory& memory(int which) const { return memory_[which]; }
  emulator::Job job(const hw::Commands& commands, int which) {
    const std::span<const std::byte> bytes = commands.bytes();
    const auto known = std::ranges::find_if(snapshots_, [&](const auto& snapshot) { return std::ranges::equal(snapshot, bytes); });
    const auto number = static_cast<uint64_t>(known - snapshots_.begin());
    if (known == snapshots_.end()) snapshots_.emplace_back(bytes.begin(), bytes.end());
    return {.snapshot = number, .commands = bytes, .offsets = commands.offsets(), .table = {}, .regions = regions_[which]};
  }
  static emulator::Progress quiet() {
    return {[](uint32_t) {}, [] {}, [] { return false; }};
  }
  // What both counted: the executor under test, the reference.
  std::array<emulator::Health, 2> run(const hw::Commands& commands) {
    const auto end = static_cast<uint32_t>(commands.offsets().size());
    return {vulkan_(job(commands, 0), 0, end, quiet()), reference_(job(commands, 1), 0, end, quiet())};
  }
  template <typename Body>
  void run(const Body& body, const hw::Section* section = nullptr) {
    hw::Commands commands;
    commands.append(hw::encode(body, section));
    run(commands);
  }

  // What the executor under test, or the reference, left in a region.
  template <typename T>
  std::vector<T> vulkan(uint32_t region) const {
    return read<T>(0, region);
  }
  template <typename T>
  std::vector<T> reference(uint32_t region) const {
    return read<T>(1, region);
  }

 private:
  template <typename T>
  std::vector<T> read(int which, uint32_t region) const {
    std::vector<T> values(regions_[which][region].size / sizeof(T));
    const emulator::Region& from = regions_[which][region];
    if (from.data) std::memcpy(values.data(), from.data, values.size() * sizeof(T));
    for (const emulator::Extent& piece : from.pieces)
      std::memcpy(reinterpret_cast<std::byte*>(values.data()) + piece.offset, piece.data, piece.size);
    return values;
  }

  Memory memory_[2];
  std::vector<emulator::Region> regions_[2];
  std::vector<std::unique_ptr<std::vector<std::byte>>> pieces_;
  size_t next_ = 0;
  std::vector<std::vector<std::byte>> snapshots_;  // commands; regions of one test keep their sizes
  emulator::Execute vulkan_, reference_;
};

}  // namespace kawara::test
