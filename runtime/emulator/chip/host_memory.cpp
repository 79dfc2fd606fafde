// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/host_memory.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>

#include "kawara/error.h"

namespace kawara::emulator {
namespace {

constexpr uint64_t kChunkBytes = 1 << 20;

bool page_aligned(uint64_t value) { return value % HostMemory::kPageBytes == 0; }

}  // namespace

void HostMemory::insert(uint64_t bus, std::span<std::byte> bytes) {
  if (!page_aligned(bus) || !page_aligned(bytes.size()) || !page_aligned(reinterpret_cast<uintptr_t>(bytes.data())) || bytes.empty())
    throw fail(Code::invalid_argument, "host memory at {:#x}: addresses and size must be multiples of 4096 and not empty", bus);
  if (bus + (bytes.size() - 1) < bus) throw fail(Code::invalid_argument, "host memory at {:#x}: wraps around the bus", bus);
  std::unique_lock lock(mutex_);
  const auto next = ranges_.lower_bound(bus);
  const bool meets_next = next != ranges_.end() && next->first - bus < bytes.size();
  const bool meets_previous = next != ranges_.begin() && bus - std::prev(next)->first < std::prev(next)->second.bytes.size();
  if (meets_next || meets_previous) throw fail(Code::invalid_argument, "host memory at {:#x}: overlaps another range", bus);
  ranges_.emplace(bus, Range{.bytes = bytes});
}

void HostMemory::erase(uint64_t bus) {
  std::unique_lock lock(mutex_);
  const auto range = ranges_.find(bus);
  if (range == ranges_.end() || range->second.leaving) throw fail(Code::not_found, "host memory at {:#x}: not inserted", bus);
  range->second.leaving = true;
  unpinned_.wait(lock, [&] { return range->second.pins == 0; });
  ranges_.erase(range);
}

HostMemory::Ranges::const_iterator HostMemory::holder(uint64_t bus, uint64_t size) const {
  auto range = ranges_.upper_bound(bus);
  if (range == ranges_.begin()) return ranges_.end();
  --range;
  const uint64_t offset = bus - range->first;
  const uint64_t bytes = range->second.bytes.size();
  const bool inside = !range->second.leaving && offset < bytes && size <= bytes - offset;
  return inside ? range : ranges_.end();
}

std::span<std::byte> HostMemory::find(uint64_t bus, uint64_t size) const {
  std::shared_lock lock(mutex_);
  const auto range = holder(bus, size);
  return range == ranges_.end() ? std::span<std::byte>{} : range->second.bytes.subspan(bus - range->first, size);
}

// Calls access(bytes, offset) under the shared lock; no chunk crosses a page that may belong to another range.
template <typename Access>
bool HostMemory::for_each_chunk(uint64_t bus, uint64_t size, Access access) const {
  for (uint64_t done = 0; done < size;) {
    std::shared_lock lock(mutex_);
    const auto range = holder(bus + done, 1);
    if (bus + done < bus || range == ranges_.end()) return false;
    const auto bytes = range->second.bytes.subspan(bus + done - range->first);
    const uint64_t chunk = std::min<uint64_t>({size - done, bytes.size(), kChunkBytes});
    access(bytes.first(chunk), done);
    done += chunk;
  }
  return true;
}

bool HostMemory::read(uint64_t bus, std::span<std::byte> to) const {
  return for_each_chunk(bus, to.size(),
                        [&](std::span<std::byte> bytes, uint64_t offset) { std::memcpy(to.data() + offset, bytes.data(), bytes.size()); });
}

bool HostMemory::write(uint64_t bus, std::span<const std::byte> from) {
  return for_each_chunk(bus, from.size(), [&](std::span<std::byte> bytes, uint64_t offset) {
    std::memcpy(bytes.data(), from.data() + offset, bytes.size());
  });
}

std::optional<bool> HostMemory::equals(uint64_t bus, std::span<const std::byte> to) const {
  bool equal = true;
  const bool there = for_each_chunk(bus, to.size(), [&](std::span<std::byte> bytes, uint64_t offset) {
    equal = equal && std::memcmp(to.data() + offset, bytes.data(), bytes.size()) == 0;
  });
  return there ? std::optional(equal) : std::nullopt;
}

std::optional<uint64_t> HostMemory::load(uint64_t bus) const {
  std::shared_lock lock(mutex_);
  const auto range = holder(bus, sizeof(uint64_t));
  if (bus % sizeof(uint64_t) != 0 || range == ranges_.end()) return std::nullopt;
  auto& word = *reinterpret_cast<uint64_t*>(range->second.bytes.data() + (bus - range->first));
  return std::atomic_ref(word).load(std::memory_order_acquire);
}

bool HostMemory::store(uint64_t bus, uint64_t value) {
  std::shared_lock lock(mutex_);
  const auto range = holder(bus, sizeof(uint64_t));
  if (bus % sizeof(uint64_t) != 0 || range == ranges_.end()) return false;
  auto& word = *reinterpret_cast<uint64_t*>(range->second.bytes.data() + (bus - range->first));
  std::atomic_ref(word).store(value, std::memory_order_release);
  return true;
}

std::span<std::byte> HostMemory::Pins::find(uint64_t bus, uint64_t size) {
  std::unique_lock lock(memory_.mutex_);
  const auto range = memory_.holder(bus, size);
  if (range == memory_.ranges_.end()) return {};
  const auto place = std::lower_bound(ranges_.begin(), ranges_.end(), range->first);
  if (place == ranges_.end() || *place != range->first) {
    ranges_.insert(place, range->first);
    ++memory_.ranges_.find(range->first)->second.pins;
  }
  return range->second.bytes.subspan(bus - range->first, size);
}

void HostMemory::Pins::clear() {
  if (ranges_.empty()) return;
  {
    std::unique_lock lock(memory_.mutex_);
    for (const uint64_t bus : ranges_) --memory_.ranges_.find(bus)->second.pins;
    ranges_.clear();
  }
  memory_.unpinned_.notify_all();
}

}  // namespace kawara::emulator
