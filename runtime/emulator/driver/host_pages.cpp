// SPDX-License-Identifier: Apache-2.0
#include "emulator/driver/host_pages.h"

#include <sys/mman.h>

#include "kawara/error.h"

namespace kawara::emulator {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kLargePage = uint64_t{2} << 20;

}  // namespace

HostPages::HostPages(std::shared_ptr<Bus> bus, uint64_t size_bytes) : bus_(std::move(bus)) {
  void* data = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) throw fail(Code::out_of_memory, "the system gives no {} bytes of memory", size_bytes);
  madvise(data, size_bytes, MADV_DONTFORK);
  bytes_ = {static_cast<std::byte*>(data), size_bytes};
  try {
    const std::lock_guard lock(bus_->mutex);
    // Large pages, so that large leaves of a page table fit; a free page behind, so that what runs over an end hits nothing.
    const auto address = bus_->addresses.take(size_bytes + kPage, size_bytes >= kLargePage ? kLargePage : kPage);
    if (!address) throw fail(Code::out_of_memory, "no bus addresses are left for {} bytes", size_bytes);
    address_ = *address;
    bus_->memory.insert(address_, bytes_);
  } catch (...) {
    munmap(data, size_bytes);
    throw;
  }
}

HostPages::~HostPages() {
  bus_->memory.erase(address_);
  {
    const std::lock_guard lock(bus_->mutex);
    bus_->addresses.give_back(address_, bytes_.size() + kPage);
  }
  munmap(bytes_.data(), bytes_.size());
}

}  // namespace kawara::emulator
