// SPDX-License-Identifier: Apache-2.0
// Turns a job's commands into the dispatches of a recording.
#pragma once

#include <memory>

#include "emulator/executor.h"
#include "emulator/vulkan/pipelines.h"
#include "emulator/vulkan/recording.h"
#include "kawara/hw/decode.h"

namespace kawara::emulator::vulkan {

class Recorder {
 public:
  Recorder(std::shared_ptr<VulkanDevice> device, Pipelines& pipelines, bool with_lanes)
      : device_(std::move(device)), pipelines_(pipelines), lanes_(with_lanes ? device_->software_lanes() : 0) {}

  // Commands [begin, end) of the job. Shaders are compiled on the way, which may take long: null if progress said to stop.
  std::unique_ptr<Recording> record(const Job& job, uint32_t begin, uint32_t end, const Progress& progress);

  // For the builders of commands: dispatches of the command that is being recorded.
  void add_nest(const Nest& nest);
  // The pipeline of `identity`, compiled if it is new, is filled in.
  void add_dispatch(Dispatch dispatch, const std::string& identity, const std::function<std::vector<uint32_t>()>& generate);
  // What follows reads what the command's dispatches wrote so far.
  void start_pass() { command_has_dispatch_ = false; }
  Recording& recording() { return *recording_; }
  // Lanes of a subgroup where the kernels of lane_product.h suit the device, else 0.
  uint32_t software_lanes() const { return lanes_; }

 private:
  void warm(Dispatch dispatch);
  void add_command(const hw::CommandView& command, const Job& job);
  void add_box(const NestPlan& plan, const std::string& identity, uint32_t local_size, Box box, uint64_t point_ns);

  std::shared_ptr<VulkanDevice> device_;
  Pipelines& pipelines_;
  uint32_t lanes_;
  std::unique_ptr<Recording> recording_;
  uint32_t command_ = 0;
  bool command_has_dispatch_ = false;
  const Progress* progress_ = nullptr;
};

}  // namespace kawara::emulator::vulkan
