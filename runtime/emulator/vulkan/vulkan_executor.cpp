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

// Everything that a recording depends on: the commands, and the region table but for its addresses.
std::string key_of(const Job& job, uint32_t end) {
  std::string key;
  const auto put = [&](const auto& value) { key.append(reinterpret_cast<const char*>(&value), sizeof(value)); };
  key.reserve(job.commands.size() + job.regions.size() * 10 + 16);
  put(end);
  put(static_cast<uint32_t>(job.regions.size()));
  for (size_t i = 0; i < job.regions.size(); ++i) {
    put(job.regions[i].place);
    put(job.regions[i].size);
    put(i < job.table.size() ? job.table[i].flags : 0u);
  }
  key.append(reinterpret_cast<const char*>(job.commands.data()), job.commands.size());
  return key;
}

}  // namespace

VulkanExecutor::VulkanExecutor(std::shared_ptr<VulkanContext> context, std::span<std::byte> local, std::span<std::byte> sram)
    : context_(std::move(context)), local_(context_->device, local), sram_(context_->device, sram) {}

Recording* VulkanExecutor::recording_of(const Job& job, uint32_t end, const Progress& progress) {
  std::string key = key_of(job, end);
  const auto found = std::ranges::find(recordings_, key, &Entry::key);
  if (found != recordings_.end()) {
    recordings_.splice(recordings_.begin(), recordings_, found);
    return recordings_.front().recording.get();
  }
  Recorder recorder(context_->device, context_->pipelines, context_->with_lanes);
  auto recording = recorder.record(job, end, progress);
  if (!recording) return nullptr;
  ++recordings_made_;
  recordings_.push_front({std::move(key), std::move(recording)});
  uint64_t bytes = 0;
  for (auto entry = recordings_.begin(); entry != recordings_.end();) {
    bytes += entry->key.size() + entry->recording->size_bytes();
    entry = bytes > kRecordingBytesMax && entry != recordings_.begin() ? recordings_.erase(entry) : std::next(entry);
  }
  return recordings_.front().recording.get();
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

Health VulkanExecutor::run(const Job& job, uint32_t end, const Progress& progress) {
  Recording* const found = recording_of(job, end, progress);
  if (!found) return {};
  Recording& recording = *found;
  prepare(recording, job);
  dropped_by_host_ = 0;
  uint32_t retired = 0;
  for (const Step& step : recording.steps()) {
    if (progress.aborted()) return health();
    switch (step.kind) {
      case Step::Kind::submit: context_->device->run(step.commands); break;
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
