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
  Recorder(std::shared_ptr<VulkanDevice> device, Pipelines& pipelines) : device_(std::move(device)), pipelines_(pipelines) {}

  // Commands [0, end) of the job.
  std::unique_ptr<Recording> record(const Job& job, uint32_t end);

  // For the builders of commands: dispatches of the command that is being recorded.
  void add_nest(const Nest& nest);
  void add_dispatch(Dispatch dispatch);
  // What follows reads what the command's dispatches wrote so far.
  void start_pass() { command_has_dispatch_ = false; }
  Recording& recording() { return *recording_; }
  Pipelines& pipelines() { return pipelines_; }

 private:
  void add_command(const hw::CommandView& command, const Job& job);
  void add_box(const NestPlan& plan, const std::string& identity, uint32_t local_size, Box box, uint64_t point_ns);

  std::shared_ptr<VulkanDevice> device_;
  Pipelines& pipelines_;
  std::unique_ptr<Recording> recording_;
  uint32_t command_ = 0;
  bool command_has_dispatch_ = false;
};

}  // namespace kawara::emulator::vulkan
