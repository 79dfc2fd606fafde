// SPDX-License-Identifier: Apache-2.0
// Compiled shaders of a Vulkan device, kept by identity: what was compiled once is never compiled again.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "emulator/vulkan/vulkan_device.h"

namespace kawara::emulator::vulkan {

class Pipelines {
 public:
  explicit Pipelines(std::shared_ptr<VulkanDevice> device) : device_(std::move(device)) {}
  ~Pipelines();
  Pipelines(const Pipelines&) = delete;
  Pipelines& operator=(const Pipelines&) = delete;

  // The pipeline of `identity`; none if it is not there yet. Thread-safe.
  VkPipeline find(const std::string& identity);
  // As above, but if there is none `generate` writes its SPIR-V.
  VkPipeline get(const std::string& identity, const std::function<std::vector<uint32_t>()>& generate);
  uint64_t compiled() const { return compiled_; }

 private:
  VkPipeline create(std::span<const uint32_t> code);

  std::shared_ptr<VulkanDevice> device_;
  std::mutex compiling_;  // one at a time: two chips that start together ask for the same ones
  std::mutex mutex_;      // of what follows
  std::map<std::string, VkPipeline> pipelines_;
  std::atomic<uint64_t> compiled_ = 0;
};

// Validates, then runs a fixed list of passes that keep NoContraction. Throws internal for an invalid shader.
std::vector<uint32_t> optimise(const std::vector<uint32_t>& code);

}  // namespace kawara::emulator::vulkan
