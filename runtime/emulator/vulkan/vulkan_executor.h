// SPDX-License-Identifier: Apache-2.0
// Runs the jobs of one chip: from a recording if the same commands ran before, else recording them first.
#pragma once

#include <list>
#include <string>
#include <vector>

#include "emulator/vulkan/imported_memory.h"
#include "emulator/vulkan/recorder.h"

namespace kawara::emulator::vulkan {

// What executors of one process share.
struct VulkanContext {
  // with_lanes: false runs on a software device what a GPU would run.
  explicit VulkanContext(const std::string& wanted, bool with_lanes = true)
      : device(std::make_shared<VulkanDevice>(wanted)), pipelines(device), with_lanes(with_lanes) {}

  std::shared_ptr<VulkanDevice> device;
  Pipelines pipelines;
  bool with_lanes;
};

class VulkanExecutor {
 public:
  // What recordings of one executor may hold before the one that was not used for longest goes.
  static constexpr uint64_t kRecordingBytesMax = uint64_t{256} << 20;

  VulkanExecutor(std::shared_ptr<VulkanContext> context, std::span<std::byte> local, std::span<std::byte> sram);

  Health run(const Job& job, uint32_t begin, uint32_t end, const Progress& progress);
  uint64_t commands_recorded() const { return commands_recorded_; }

 private:
  // Good for every job of that snapshot whose regions lie in the same memories.
  struct Entry {
    uint64_t snapshot;
    uint32_t begin, end;
    std::vector<Region::Place> places;
    std::unique_ptr<Recording> recording;

    bool fits(const Job& job, uint32_t from, uint32_t to) const;
    uint64_t size_bytes() const { return sizeof(*this) + places.size() * sizeof(places[0]) + recording->size_bytes(); }
  };
  Recording* recording_of(const Job& job, uint32_t begin, uint32_t end, const Progress& progress);  // null: told to stop
  void prepare(Recording& recording, const Job& job);
  void drop_recordings();
  Health health() const;

  std::shared_ptr<VulkanContext> context_;
  ImportedMemory local_, sram_;
  std::unique_ptr<VulkanBuffer> scratch_, health_, zeros_;
  uint64_t dropped_by_host_ = 0;  // in the job that runs
  std::list<Entry> recordings_;   // used last stands first
  uint64_t commands_recorded_ = 0;
};

}  // namespace kawara::emulator::vulkan
