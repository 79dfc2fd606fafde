// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/imported_memory.h"

#include <algorithm>

#include "kawara/error.h"

namespace kawara::emulator::vulkan {

ImportedMemory::ImportedMemory(std::shared_ptr<VulkanDevice> device, std::span<std::byte> memory, uint64_t slab_bytes)
    : device_(std::move(device)), memory_(memory), slab_bytes_(slab_bytes), slabs_((memory.size() + slab_bytes - 1) / slab_bytes) {
  const uint64_t alignment = device_->import_alignment();
  if (reinterpret_cast<uintptr_t>(memory.data()) % alignment != 0 || memory.size() % alignment != 0)
    throw fail(Code::invalid_argument, "the emulated chip's memory must start and end on multiples of {} bytes", alignment);
}

VulkanBuffer& ImportedMemory::slab(uint64_t index) {
  if (!slabs_[index]) {
    const uint64_t begin = index * slab_bytes_;
    slabs_[index] = std::make_unique<VulkanBuffer>(device_, memory_.subspan(begin, std::min(slab_bytes_, memory_.size() - begin)));
  }
  return *slabs_[index];
}

uint64_t ImportedMemory::address(const std::byte* data, uint64_t size) {
  const uint64_t begin = static_cast<uint64_t>(data - memory_.data());
  const uint64_t end = begin + std::max<uint64_t>(size, 1);
  const uint64_t first = begin / slab_bytes_;
  const uint64_t last = (end - 1) / slab_bytes_;
  const uint64_t result = slab(first).address() + begin % slab_bytes_;
  for (uint64_t i = first + 1; i <= last; ++i)
    if (slab(i).address() != slab(i - 1).address() + slab_bytes_) return import_range(begin, end);
  return result;
}

uint64_t ImportedMemory::import_range(uint64_t begin, uint64_t end) {
  for (const auto& range : ranges_) {
    const uint64_t start = static_cast<uint64_t>(range->bytes().data() - memory_.data());
    if (start <= begin && end <= start + range->bytes().size()) return range->address() + (begin - start);
  }
  const uint64_t alignment = device_->import_alignment();
  const uint64_t start = begin / alignment * alignment;
  const uint64_t stop = (end + alignment - 1) / alignment * alignment;
  ranges_.push_back(std::make_unique<VulkanBuffer>(device_, memory_.subspan(start, stop - start)));
  return ranges_.back()->address() + (begin - start);
}

}  // namespace kawara::emulator::vulkan
