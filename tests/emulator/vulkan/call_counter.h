// SPDX-License-Identifier: Apache-2.0
// Counts what an executor asks of its Vulkan device: while one lives, each function of the device's table counts before it is called.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <numeric>

#include "emulator/vulkan/vulkan_device.h"

namespace kawara::test {

enum class VulkanCall : size_t {
#define KAWARA_CALL(name) name,
  KAWARA_VULKAN_DEVICE_FUNCTIONS(KAWARA_CALL)
#undef KAWARA_CALL
      count
};

namespace counted {

inline std::array<std::atomic<uint64_t>, static_cast<size_t>(VulkanCall::count)> calls;

// What stands in a function's place; Vulkan's functions carry no state, so there is one for each.
template <VulkanCall which, typename Pointer>
struct Function;
template <VulkanCall which, typename Result, typename... Arguments>
struct Function<which, Result(VKAPI_PTR*)(Arguments...)> {
  static inline Result(VKAPI_PTR* original)(Arguments...) = nullptr;
  static VKAPI_ATTR Result VKAPI_CALL call(Arguments... arguments) {
    ++calls[static_cast<size_t>(which)];
    return original(arguments...);
  }
};

}  // namespace counted

// One at a time. The device is not used by another thread while one is made or ends.
class CallCounter {
 public:
  explicit CallCounter(const std::shared_ptr<emulator::vulkan::VulkanDevice>& device)
      : device_(device), functions_(const_cast<emulator::vulkan::VulkanFunctions&>(device->vk())), originals_(functions_) {
#define KAWARA_CALL(name)                                                        \
  counted::Function<VulkanCall::name, PFN_vk##name>::original = originals_.name; \
  if (originals_.name) functions_.name = &counted::Function<VulkanCall::name, PFN_vk##name>::call;
    KAWARA_VULKAN_DEVICE_FUNCTIONS(KAWARA_CALL)
#undef KAWARA_CALL
    reset();
  }
  ~CallCounter() { functions_ = originals_; }
  CallCounter(const CallCounter&) = delete;
  CallCounter& operator=(const CallCounter&) = delete;

  void reset() {
    for (auto& count : counted::calls) count = 0;
  }
  uint64_t of(VulkanCall which) const { return counted::calls[static_cast<size_t>(which)]; }
  uint64_t all() const { return std::accumulate(counted::calls.begin(), counted::calls.end(), uint64_t{0}); }

 private:
  std::shared_ptr<emulator::vulkan::VulkanDevice> device_;
  emulator::vulkan::VulkanFunctions& functions_;
  const emulator::vulkan::VulkanFunctions originals_;
};

}  // namespace kawara::test
