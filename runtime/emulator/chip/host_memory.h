// SPDX-License-Identifier: Apache-2.0
// The host's side of the bus: which bus addresses the chip may reach, and the bytes behind them. What is not inserted is
// not there: an access fails, and nothing is touched.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <shared_mutex>
#include <span>
#include <vector>

namespace kawara::emulator {

// Thread-safe. An access holds the map shared for at most 1 MiB at a time, so that erase() waits for little; ranges that a
// running job uses are pinned, and erase() of one waits until that job ends.
class HostMemory {
 public:
  static constexpr uint64_t kPageBytes = 4096;

  HostMemory() = default;
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

  // Both addresses and the size are multiples of 4096, and no range overlaps another: else invalid_argument.
  void insert(uint64_t bus, std::span<std::byte> bytes);
  // `bus` as inserted, else not_found. When it returns the chip touches the bytes no more.
  void erase(uint64_t bus);

  // The bytes at [bus, bus + size) if one range holds them all, else empty. Good until erase().
  std::span<std::byte> find(uint64_t bus, uint64_t size) const;

  // False, or nullopt: a part of the range is not there. A write may then have happened in part.
  bool read(uint64_t bus, std::span<std::byte> to) const;
  bool write(uint64_t bus, std::span<const std::byte> from);
  std::optional<bool> equals(uint64_t bus, std::span<const std::byte> bytes) const;
  // One aligned 64-bit access: acquire and release, as the host's own.
  std::optional<uint64_t> load(uint64_t bus) const;
  bool store(uint64_t bus, uint64_t value);

  // Keeps what it pinned in place while it lives.
  class Pins {
   public:
    explicit Pins(HostMemory& memory) : memory_(memory) {}
    ~Pins() { clear(); }
    Pins(const Pins&) = delete;
    Pins& operator=(const Pins&) = delete;

    std::span<std::byte> find(uint64_t bus, uint64_t size);  // as HostMemory::find, and pinned
    void clear();

   private:
    HostMemory& memory_;
    std::vector<uint64_t> ranges_;  // bus addresses, ascending
  };

 private:
  struct Range {
    std::span<std::byte> bytes;
    int pins = 0;
    bool leaving = false;  // erase() waits for its pins: nobody finds it any more
  };
  using Ranges = std::map<uint64_t, Range>;

  Ranges::const_iterator holder(uint64_t bus, uint64_t size) const;  // the caller holds the lock
  template <typename Access>
  bool for_each_chunk(uint64_t bus, uint64_t size, Access access) const;

  mutable std::shared_mutex mutex_;
  std::condition_variable_any unpinned_;
  Ranges ranges_;
};

}  // namespace kawara::emulator
