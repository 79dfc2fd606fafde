// SPDX-License-Identifier: Apache-2.0
// A job turned into Vulkan command buffers, to be run again whenever the same commands come. It holds no data address: each
// run writes those of its regions into the parameters.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "emulator/vulkan/nest_parameters.h"
#include "emulator/vulkan/vulkan_buffer.h"

namespace kawara::emulator::vulkan {

// One shader to run: its parameters and where addresses go in them.
struct Dispatch {
  VkPipeline pipeline = VK_NULL_HANDLE;
  uint32_t groups_x = 1, groups_y = 1, groups_z = 1;
  std::vector<std::byte> parameters;
  std::vector<AddressSlot> slots;
  uint64_t estimate_ns = 0;
  uint32_t count_at = 0;        // the u32 in the parameters that, being 0, leaves the shader nothing to do
  bool joins_previous = false;  // may run beside the dispatch before it
};

// What is done in one go.
struct Step {
  enum class Kind : uint8_t { submit, host_copy, nothing } kind = Kind::nothing;
  VkCommandBuffer commands = VK_NULL_HANDLE;  // submit
  uint32_t copy = 0;                          // host_copy: the command that the host carries out itself
  uint32_t retired = 0;                       // commands that have retired when this step has run
};

class Recording {
 public:
  // Up to this estimate, dispatches share a command buffer: what runs without looking at aborts.
  static constexpr uint64_t kSliceNs = 50'000'000;

  explicit Recording(std::shared_ptr<VulkanDevice> device);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void add(Dispatch dispatch, uint32_t command);
  void add_host_copy(uint32_t command);
  void retire(uint32_t command);  // all that it takes has been added
  void use_scratch(uint64_t bytes) { scratch_bytes_ = std::max(scratch_bytes_, bytes); }
  void finish();

  const std::vector<Step>& steps() const { return steps_; }
  uint64_t scratch_bytes() const { return scratch_bytes_; }
  uint64_t size_bytes() const;
  void write_addresses(const std::function<uint64_t(const Place&)>& address);

 private:
  struct Item {
    Dispatch dispatch;
    uint32_t command = 0;
    bool is_host_copy = false, is_retirement = false;
    uint64_t parameters_at = 0;
  };
  void place_parameters();
  Step& add_step(Step::Kind kind);
  VkCommandBuffer begin();
  void record(VkCommandBuffer commands, const Item& item, bool is_first);

  std::shared_ptr<VulkanDevice> device_;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  std::vector<Item> items_;  // until finish()
  std::unique_ptr<VulkanBuffer> parameters_;
  std::vector<AddressSlot> slots_;
  std::vector<Step> steps_;
  uint64_t scratch_bytes_ = 0;
};

}  // namespace kawara::emulator::vulkan
