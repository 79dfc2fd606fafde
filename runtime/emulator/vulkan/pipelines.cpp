// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/pipelines.h"

#include <spirv-tools/optimizer.hpp>

#include "kawara/error.h"

namespace kawara::emulator::vulkan {

std::vector<uint32_t> optimise(const std::vector<uint32_t>& code) {
  constexpr spv_target_env kTarget = SPV_ENV_VULKAN_1_2;
  std::string message;
  const auto consume = [&](spv_message_level_t, const char*, const spv_position_t&, const char* text) { message += text; };
  spvtools::SpirvTools tools(kTarget);
  tools.SetMessageConsumer(consume);
  if (!tools.Validate(code)) throw fail(Code::internal, "a generated shader is not valid SPIR-V: {}", message);
  spvtools::Optimizer optimizer(kTarget);
  optimizer.SetMessageConsumer(consume);
  optimizer.RegisterPass(spvtools::CreateSSARewritePass())
      .RegisterPass(spvtools::CreateRedundancyEliminationPass())
      .RegisterPass(spvtools::CreateAggressiveDCEPass());
  spvtools::OptimizerOptions options;
  options.set_run_validator(false);
  std::vector<uint32_t> result;
  if (!optimizer.Run(code.data(), code.size(), &result, options))
    throw fail(Code::internal, "a generated shader could not be optimised: {}", message);
  return result;
}

Pipelines::~Pipelines() {
  for (const auto& [identity, pipeline] : pipelines_) device_->vk().DestroyPipeline(device_->handle(), pipeline, nullptr);
}

VkPipeline Pipelines::find(const std::string& identity) {
  const std::scoped_lock lock(mutex_);
  const auto entry = pipelines_.find(identity);
  return entry == pipelines_.end() ? VK_NULL_HANDLE : entry->second;
}

VkPipeline Pipelines::get(const std::string& identity, const std::function<std::vector<uint32_t>()>& generate) {
  const std::scoped_lock lock(compiling_);
  if (const VkPipeline known = find(identity); known != VK_NULL_HANDLE) return known;
  const VkPipeline created = create(generate());
  ++compiled_;
  const std::scoped_lock insertion(mutex_);
  pipelines_.emplace(identity, created);
  return created;
}

VkPipeline Pipelines::create(std::span<const uint32_t> code) {
  const auto& vk = device_->vk();
  VkShaderModuleCreateInfo module_info{};
  module_info.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
  module_info.codeSize = code.size_bytes();
  module_info.pCode = code.data();
  VkShaderModule shader = VK_NULL_HANDLE;
  check(vk.CreateShaderModule(device_->handle(), &module_info, nullptr, &shader), "vkCreateShaderModule");
  VkComputePipelineCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = shader;
  info.stage.pName = "main";
  info.layout = device_->layout();
  VkPipeline pipeline = VK_NULL_HANDLE;
  const VkResult result = vk.CreateComputePipelines(device_->handle(), VK_NULL_HANDLE, 1, &info, nullptr, &pipeline);
  vk.DestroyShaderModule(device_->handle(), shader, nullptr);
  check(result, "vkCreateComputePipelines");
  return pipeline;
}

}  // namespace kawara::emulator::vulkan
