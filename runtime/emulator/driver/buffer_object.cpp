// SPDX-License-Identifier: Apache-2.0
#include "emulator/driver/buffer_object.h"

#include "kawara/error.h"

namespace kawara::emulator {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kLargePage = uint64_t{2} << 20;

}  // namespace

std::optional<uint64_t> LocalPool::take(uint64_t size_bytes) {
  const std::lock_guard lock(mutex_);
  return ranges_.take(size_bytes, size_bytes >= kLargePage ? kLargePage : kPage);
}

void LocalPool::give_back(uint64_t offset, uint64_t size_bytes) {
  const std::lock_guard lock(mutex_);
  ranges_.give_back(offset, size_bytes);
}

uint64_t LocalPool::free_bytes() const {
  const std::lock_guard lock(mutex_);
  return ranges_.free_bytes();
}

BufferObject::BufferObject(std::shared_ptr<Bus> bus, uint64_t size_bytes) {
  pages_.emplace(std::move(bus), size_bytes);
  bytes_ = pages_->bytes();
  address_ = pages_->bus_address();
}

BufferObject::BufferObject(std::shared_ptr<LocalPool> pool, uint64_t size_bytes) : pool_(std::move(pool)) {
  const auto offset = pool_->take(size_bytes);
  if (!offset) {
    throw fail(Code::out_of_memory, "no contiguous {} bytes of local memory are free; {} of {} are in all", size_bytes, pool_->free_bytes(),
               pool_->window().size());
  }
  bytes_ = pool_->window().subspan(*offset, size_bytes);
  address_ = *offset;
}

BufferObject::~BufferObject() {
  if (pool_) pool_->give_back(address_, bytes_.size());
}

}  // namespace kawara::emulator
