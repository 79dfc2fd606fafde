// SPDX-License-Identifier: Apache-2.0
// What a nest's shader reads as data, and where: one block of words per dispatch. Plans of one identity have one layout.
#pragma once

#include <cstddef>
#include <span>

#include "emulator/vulkan/nest_plan.h"

namespace kawara::emulator::vulkan {

// A part of a nest's points: those whose parallel loops start at `first` and count `count`.
struct Box {
  std::array<uint64_t, kParallelMax> first{}, count{1, 1, 1, 1, 1, 1};

  static Box whole(const NestPlan& plan);
  uint64_t points() const;
};

// An address that each run writes anew, as data move from run to run.
struct AddressSlot {
  uint64_t at = 0;  // bytes, in the parameters
  Place place;
};

enum class ParameterKind : uint8_t {
  stream_address,
  limit_address,
  health_address,  // u64, per run
  limit_divisor,   // beside it
  points,
  row,  // of the dispatch; row: invocations per line of workgroups
  count,
  magic,
  shift,
  first,           // per parallel loop
  reduced_extent,  // per reduced loop
  origin,
  step,  // per stream (and loop index), as wide as the plan
  base,
  coef,
  den,
  extent,
  coordinate_step,  // per tested coordinate
  pad,
  pad_high,  // per stream with tested coordinates
  constant,  // per constant word that an instruction reads
  last_tile,
  first_tile,
  lane_extent,
  down_extent,  // of lanes (lane_nest.h)
  number,       // sixteen words, each its own number
};

struct Parameter {
  ParameterKind kind;
  uint8_t a = 0, b = 0, c = 0;  // which: stream or loop, coordinate, loop index
  uint32_t offset = 0;          // bytes
  bool is_wide = false;         // u64
  uint64_t value = 0;
};

struct LaneNest;

class NestParameters {
 public:
  NestParameters(const NestPlan& plan, const Box& box, uint64_t row);
  // Of `tiles` tiles.
  NestParameters(const LaneNest& nest, uint64_t first_tile, uint64_t tiles);

  std::span<const Parameter> list() const { return list_; }
  uint32_t size_bytes() const { return (end_ + 7) / 8 * 8; }
  void write(std::span<std::byte> to) const;

 private:
  void add(ParameterKind kind, unsigned a, unsigned b, unsigned c, uint64_t value, bool is_wide = false);
  void add_divisor(unsigned loop, uint64_t count);
  void add_loops(const NestPlan& plan, const Box& box);
  void add_stream(const NestPlan& plan, unsigned number);
  void add_constants(const NestPlan& plan);

  std::vector<Parameter> list_;
  uint32_t end_ = 0;
};

}  // namespace kawara::emulator::vulkan
