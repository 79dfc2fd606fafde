// SPDX-License-Identifier: Apache-2.0
// A job turned into Vulkan command buffers, to be run again whenever the same commands come. Data addresses are no part of it:
// each run writes those of its regions into the parameters. Where parameters are push constants, addresses that were not there
// lately take new command buffers, which are filled anew without planning anything anew.
#pragma once

#include <algorithm>
#include <cstring>
#include <list>
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
  bool is_pushed = false;                  // the parameters are the push constants, at most kPushBytes; else their address is
  std::vector<std::byte> idle_parameters;  // pushed: those with which the shader harms nothing
  uint64_t estimate_ns = 0;
  uint32_t count_at = 0;        // not pushed: the u32 in the parameters that, being 0, leaves the shader nothing to do
  bool joins_previous = false;  // may run beside the dispatch before it
};

// What is done in one go.
struct Step {
  enum class Kind : uint8_t { submit, host_copy, nothing } kind = Kind::nothing;
  VkCommandBuffer commands = VK_NULL_HANDLE;  // submit: set by write_addresses()
  uint32_t first = 0, last = 0;               // submit: its dispatches, [first, last) of the recording's
  uint32_t copy = 0;                          // host_copy: the command that the host carries out itself
  uint32_t retired = 0;                       // commands that have retired when this step has run
};

class Recording {
 public:
  // Up to this estimate, dispatches share a command buffer: what runs without looking at aborts.
  static constexpr uint64_t kSliceNs = 50'000'000;
  // Sets of addresses that command buffers are kept for: so many at least, then as many as take no more than this, and so many at most.
  static constexpr size_t kEncodingsMin = 4, kEncodingsMax = 1024;
  static constexpr uint64_t kEncodingBytesMax = uint64_t{64} << 20;

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
  uint64_t size_bytes() const;  // grows with the sets of addresses that it was run with
  // Before each run. Fills the steps' command buffers. address(Place): where the run has it.
  template <typename Address>
  void write_addresses(Address&& address) {
    for (const AddressSlot& slot : slots_) {
      const uint64_t value = address(slot.place);
      std::memcpy(parameters_->bytes().data() + slot.at, &value, sizeof(value));
    }
    push_addresses_.clear();
    for (const PushSlot& slot : push_slots_) push_addresses_.push_back(address(slot.place));
    fill_steps();
  }
  uint64_t command_buffers_filled() const { return command_buffers_filled_; }

 private:
  // Command buffers lately used, each good for one set of pushed addresses: runs that take turns, as those of a session's slots
  // do, find theirs. The oldest makes room where there are too many.
  struct Encoding {
    std::vector<uint64_t> addresses;
    VkCommandPool pool = VK_NULL_HANDLE;
    std::vector<VkCommandBuffer> commands;  // of the steps that submit
  };
  struct PushSlot {
    size_t item;
    uint64_t at;
    Place place;
  };
  struct Item {
    Dispatch dispatch;
    uint32_t command = 0;
    bool is_host_copy = false, is_retirement = false;
    uint64_t parameters_at = 0;
  };
  void place_parameters();
  Step& add_step(Step::Kind kind);
  void cut_steps();
  void fill_steps();
  Encoding& encoding_for(const std::vector<uint64_t>& addresses);
  void fill(Encoding& encoding);
  uint64_t encoding_bytes() const;  // of one
  VkCommandBuffer begin(VkCommandPool pool);
  void record(VkCommandBuffer commands, const Item& item, bool is_first);

  std::shared_ptr<VulkanDevice> device_;
  std::vector<Item> items_;  // after finish(): dispatches alone
  std::vector<PushSlot> push_slots_;
  std::vector<uint64_t> push_addresses_;  // of the run; kept for its room
  std::list<Encoding> encodings_;         // used last stands first
  uint64_t command_buffers_filled_ = 0;
  std::unique_ptr<VulkanBuffer> parameters_;
  std::vector<AddressSlot> slots_;
  std::vector<Step> steps_;
  uint64_t scratch_bytes_ = 0;
};

}  // namespace kawara::emulator::vulkan
