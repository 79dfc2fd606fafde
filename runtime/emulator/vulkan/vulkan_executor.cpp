// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/vulkan_executor.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "emulator/vulkan/host_copy.h"
#include "kawara/error.h"

namespace kawara::emulator::vulkan {

namespace {

// What shaders count: NaN, infinities, dropped stores, values that did not fit.
constexpr size_t kHealthCounters = 4;

// The command processor's own commands are done when their turn comes.
bool needs_engines(const Job& job, uint32_t begin, uint32_t end) {
  return std::ranges::any_of(job.offsets.subspan(begin, end - begin),
                             [&](uint32_t offset) { return hw::CommandView(job.commands, offset).engine() != KAWARA_ENGINE_CP; });
}

}  // namespace

VulkanExecutor::VulkanExecutor(std::shared_ptr<VulkanContext> context, std::span<std::byte> local, std::span<std::byte> sram)
    : context_(std::move(context)), local_(context_->device, local), sram_(context_->device, sram) {}

bool VulkanExecutor::Entry::fits(const Job& job, uint32_t from, uint32_t to) const {
  return snapshot == job.snapshot && begin == from && end == to && std::ranges::equal(places, job.regions, {}, {}, &Region::place);
}

Recording* VulkanExecutor::recording_of(const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
  const auto found = std::ranges::find_if(recordings_, [&](const Entry& entry) { return entry.fits(job, begin, end); });
  if (found != recordings_.end()) {
    recordings_.splice(recordings_.begin(), recordings_, found);
    return recordings_.front().recording.get();
  }
  Recorder recorder(context_->device, context_->pipelines, context_->with_lanes);
  auto recording = recorder.record(job, begin, end, progress);
  if (!recording) return nullptr;
  commands_recorded_ += end - begin;
  std::vector<Region::Place> places(job.regions.size());
  std::ranges::transform(job.regions, places.begin(), &Region::place);
  recordings_.push_front({job.snapshot, begin, end, std::move(places), std::move(recording)});
  drop_recordings();
  return recordings_.front().recording.get();
}

// The one in use stands first and stays.
void VulkanExecutor::drop_recordings() {
  uint64_t bytes = 0;
  for (auto entry = recordings_.begin(); entry != recordings_.end();) {
    bytes += entry->size_bytes();
    entry = bytes > kRecordingBytesMax && entry != recordings_.begin() ? recordings_.erase(entry) : std::next(entry);
  }
}

void VulkanExecutor::prepare(Recording& recording, const Job& job) {
  if (!health_) {
    health_ = std::make_unique<VulkanBuffer>(context_->device, 64);
    zeros_ = std::make_unique<VulkanBuffer>(context_->device, 64);
    std::ranges::fill(zeros_->bytes(), std::byte{0});
  }
  std::ranges::fill(health_->bytes(), std::byte{0});
  if (recording.scratch_bytes() > 0 && (!scratch_ || scratch_->bytes().size() < recording.scratch_bytes() + kReadableBehind))
    scratch_ = std::make_unique<VulkanBuffer>(context_->device, recording.scratch_bytes() + kReadableBehind);
  recording.write_addresses([&](const Place& place) {
    if (place.region == Place::kScratch) return scratch_->address() + place.offset;
    if (place.region == Place::kHealth) return health_->address();
    if (place.region == Place::kZeros) return zeros_->address();
    const Region& region = job.regions[place.region];
    ImportedMemory& memory = region.place == Region::Place::sram ? sram_ : local_;
    return memory.address(region.data, region.size) + place.offset;
  });
}

Health VulkanExecutor::run(const Job& job, uint32_t begin, uint32_t end, const Progress& progress) {
  if (!needs_engines(job, begin, end)) {
    progress.retired(end - 1);
    return {};
  }
  Recording* const found = recording_of(job, begin, end, progress);
  if (!found) return {};
  Recording& recording = *found;
  const uint64_t filled = recording.command_buffers_filled();
  prepare(recording, job);
  if (recording.command_buffers_filled() != filled) drop_recordings();
  dropped_by_host_ = 0;
  uint32_t retired = begin;
  for (const Step& step : recording.steps()) {
    if (progress.aborted()) return health();
    switch (step.kind) {
      case Step::Kind::submit: context_->device->run(step.commands, progress); break;
      case Step::Kind::host_copy: {
        const hw::CommandView command(job.commands, job.offsets[step.copy]);
        if (!host_copy(job, command.body<kawara_copy>(), progress, dropped_by_host_)) return health();
        break;
      }
      case Step::Kind::nothing: break;
    }
    progress.work();
    if (step.retired > retired) progress.retired((retired = step.retired) - 1);
  }
  return health();
}

Health VulkanExecutor::health() const {
  std::array<uint32_t, kHealthCounters> counted{};
  std::memcpy(counted.data(), health_->bytes().data(), sizeof(counted));
  return {counted[0], counted[1], counted[3], counted[2] + dropped_by_host_};
}

}  // namespace kawara::emulator::vulkan
