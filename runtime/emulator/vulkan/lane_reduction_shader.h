// SPDX-License-Identifier: Apache-2.0
// Generates the compute shader of a nest with long reductions for software devices: a subgroup computes one point, and its lanes
// are the partials that the manual combines such reductions from.
#pragma once

#include "emulator/vulkan/lane_shader.h"

namespace kawara::emulator::vulkan {

class LaneReductionShader final : public LaneShader {
 public:
  explicit LaneReductionShader(const LaneNest& nest) : LaneShader(nest) {}
  std::vector<uint32_t> build();

 private:
  void be_one();  // all lanes compute the same, and the first one stores
  void be_steps(uint32_t vector);
  void emit_by_lanes(const PlanPhase& phase);
  Id combined(const kawara_instr& reduction, std::vector<Id> partials);
};

}  // namespace kawara::emulator::vulkan
