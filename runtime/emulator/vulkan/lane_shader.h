// SPDX-License-Identifier: Apache-2.0
// Generates the compute shader of a nest for software devices: a subgroup computes the points of a tile, eight at a time.
// Written for how lavapipe compiles, see lane_product_shader.h: parameters are push constants, the numbers of workgroup and
// subgroup go through a table of them, reductions are written out, and eight loads side by side become one.
#pragma once

#include "emulator/vulkan/lane_nest.h"
#include "emulator/vulkan/section_shader.h"

namespace kawara::emulator::vulkan {

class LaneShader final : public SectionShader {
 public:
  explicit LaneShader(const LaneNest& nest);
  std::vector<uint32_t> build();

 private:
  void read_parameters();
  Id divided(Id number, unsigned loop, Id& rest);
  Id number_of(Id digit);
  void find_tile();
  void emit_vector(uint32_t vector);
  bool is_by_each(unsigned stream) const;  // each lane has an address of its own
  bool is_lane(unsigned index) const { return index == plan_.parallel[nest_.lane].index; }

  void reduce(uint8_t number, const std::function<void()>& body) override;
  Id fetch(unsigned stream, Id address, Id type) override;
  Id elsewhere(unsigned stream) override { return parameter(ParameterKind::stream_address, stream); }
  Id tested(unsigned stream, unsigned number, Id value) override;
  Id index_in(unsigned stream, unsigned index) override;

  const LaneNest& nest_;
  Id lane_ = Id::none;      // of the subgroup
  Id group_ = Id::none;     // number of the tile along the lanes' loop
  Id count_ = Id::none;     // points along it; none for a tile that is not there
  Id position_ = Id::none;  // of the vector's first lane along it
};

}  // namespace kawara::emulator::vulkan
