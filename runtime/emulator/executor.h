// SPDX-License-Identifier: Apache-2.0
// What the command processor hands to an executor: one checked job, its regions translated, and a way to tell progress.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kawara/hw/commands.h"

namespace kawara::emulator {

// A piece of a region that is contiguous in the emulator's address space.
struct Extent {
  uint64_t offset = 0;  // in the region
  std::byte* data = nullptr;
  uint64_t size = 0;
};

// One entry of the region table, translated. Local memory and SRAM: `data` is set and the region is contiguous, so that
// every executor may use it whole. Host memory: pieces, to be reached by DMA commands only.
struct Region {
  enum class Place : uint8_t { absent, local, sram, host };
  Place place = Place::absent;
  bool readable = false, writable = false;
  uint64_t size = 0;
  std::byte* data = nullptr;
  std::vector<Extent> pieces;  // host: ascending offsets, covering [0, size)
};

// The checked snapshot of a job. Every rule of check.h holds for it, so an executor checks nothing again.
struct Job {
  uint64_t snapshot = 0;  // equal numbers, equal commands and tables but for addresses: an executor may keep what it made of them
  std::span<const std::byte> commands;   // 16-byte aligned
  std::span<const uint32_t> offsets;     // byte offset of each command
  std::span<const kawara_region> table;  // as the job gave it: addresses are virtual
  std::span<const Region> regions;
};

struct Health {
  uint64_t nan = 0, inf = 0, saturated = 0, dropped = 0;

  Health& operator+=(const Health& other) {
    nan += other.nan, inf += other.inf, saturated += other.saturated, dropped += other.dropped;
    return *this;
  }
};

// How the executor and the command processor talk while a job runs. Called from the executor's thread.
struct Progress {
  std::function<void(uint32_t command)> retired;  // commands [begin, command] have retired
  std::function<void()> work;                     // a work quantum passed; at least every 200 ms
  std::function<bool()> aborted;                  // true: stop soon and return
};

// Runs commands [begin, end) of the job, which lie in one segment; those before have retired. Returns when all have retired,
// or early when aborted() said so.
using Execute = std::function<Health(const Job& job, uint32_t begin, uint32_t end, const Progress& progress)>;

// So many bytes behind the end of a chip's memories may be read too: an executor that computes in tiles reads whole ones.
inline constexpr uint64_t kReadableBehind = uint64_t{1} << 20;

// Makes the executor of one chip over its memories, which start on a page and outlive it, kReadableBehind included. Called by
// one thread at a time.
using ExecutorFactory = std::function<Execute(std::span<std::byte> local, std::span<std::byte> sram)>;

}  // namespace kawara::emulator
