// SPDX-License-Identifier: Apache-2.0
// Generates the compute shader of a nest for software devices: a subgroup computes the points of a tile, one in each lane.
// Written for how lavapipe compiles, see lane_product_shader.h: parameters are push constants, the numbers of workgroup and
// subgroup go through a table of them, reductions are written out, and loads side by side become one.
#pragma once

#include "emulator/vulkan/lane_code.h"
#include "emulator/vulkan/lane_nest.h"
#include "emulator/vulkan/section_shader.h"

namespace kawara::emulator::vulkan {

class LaneShader : public SectionShader {
 public:
  explicit LaneShader(const LaneNest& nest);
  std::vector<uint32_t> build();

 protected:
  LaneShader(const LaneNest& nest, const NestParameters& parameters);
  static uint32_t table_of(const NestParameters& parameters);
  void read_parameters(const NestParameters& parameters);
  Id divided(Id number, unsigned loop, Id& rest);
  void find_tile();
  void emit_row(uint32_t row);
  void emit_vector(uint32_t vector);
  void emit_points(unsigned of_pair);
  bool stores_pairs(unsigned stream) const;
  Id double_type(Id type);
  bool is_by_each(unsigned stream) const;  // each lane has an address of its own
  bool is_lane(unsigned index) const { return index == nest_.lane_loop().index; }

  void reduce(uint8_t number, const std::function<void()>& body) override;
  Id fetch(unsigned stream, Id address, Id type) override;
  Id elsewhere(unsigned stream) override { return parameter(ParameterKind::stream_address, stream); }
  Id tested(unsigned stream, unsigned number, Id value) override;
  Id index_in(unsigned stream, unsigned index) override;
  void put(unsigned stream, const Element& element, Id value) override;

  const LaneNest& nest_;
  LaneCode code_;
  Id group_ = Id::none;      // number of the tile along the lanes' loop
  Id count_ = Id::none;      // points along it; none for a tile that is not there
  Id first_row_ = Id::none;  // of the tile, along the loop that its rows count
  Id is_row_ = Id::none;     // whether the row is there; none where there is but one
  Id position_ = Id::none;   // of the vector's first point along it
  Id offset_ = Id::none;     // of this lane's point from there
  Id stores_ = Id::none;     // whether this lane has one
  // Of pairs: which is computed, and what the first leaves to the second: its neighbours' elements, what it would store.
  struct Stored {
    Element element;
    Id value, condition;
  };
  unsigned of_pair_ = 0;
  std::vector<Id> loaded_ahead_;
  std::vector<Stored> stored_behind_;
  size_t next_load_ = 0, next_store_ = 0;
};

}  // namespace kawara::emulator::vulkan
