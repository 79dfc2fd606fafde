// SPDX-License-Identifier: Apache-2.0
// A nest whose points are computed some at a time: neighbours along one parallel loop, or neighbouring pairs, are the lanes of a
// subgroup, and all else is the same in every lane. On a software device that makes scalar code of the addresses and vector loads of the
// elements.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "emulator/vulkan/lane_code.h"
#include "emulator/vulkan/nest_plan.h"

namespace kawara::emulator::vulkan {

class Recorder;

enum class LaneAccess : uint8_t {
  same,        // one element for all lanes
  neighbours,  // in memory
  each,        // one address for each lane
};

struct LaneNest {
  static constexpr uint32_t kSubgroups = 16;   // of a workgroup, which costs lavapipe as much as several of them
  static constexpr uint32_t kGroupDigits = 2;  // of a number of a workgroup; one more where a dispatch has more than they count

  const NestPlan& plan;
  uint32_t lanes;        // of a subgroup
  bool reduces = false;  // the lanes are partials of a point's reductions, and a tile is a point
  unsigned lane = 0;     // the number of the loop that the lanes count: a parallel one or, if `reduces`, a reduced one
  bool pairs = false;    // a lane computes two neighbours, which it stores together
  uint32_t vectors = 1;  // of points that lanes compute side by side: a row of a subgroup's tile
  unsigned down = 0;     // the parallel loop that a tile's rows count; `lane` where it is one row
  uint32_t rows = 1;
  uint32_t digits = kGroupDigits;
  std::vector<LaneAccess> access;  // per stream

  const PlanLoop& lane_loop() const { return reduces ? plan.reduced[lane] : plan.parallel[lane]; }
  // Whether the lanes do not count this parallel loop.
  bool is_other(unsigned loop) const { return reduces || loop != lane; }
  uint32_t width() const { return vectors * (pairs ? 2 * lanes : lanes); }  // points of a row
  // Tiles that cover a parallel loop, and all tiles.
  uint64_t groups(unsigned loop) const;
  uint64_t tiles() const;
  // The parallel loop that counts what is left of a tile's number; the lanes' own where there is no other.
  unsigned outermost() const;
  std::string identity() const;
};

// None where the nest has no loop that suits lanes, or needs more parameters than can be pushed.
std::optional<LaneNest> lane_nest(const NestPlan& plan, uint32_t lanes);

void add_lane_nest(Recorder& recorder, const LaneNest& nest, uint64_t point_picoseconds);

}  // namespace kawara::emulator::vulkan
