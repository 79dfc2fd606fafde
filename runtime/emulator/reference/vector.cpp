// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "emulator/reference/commands.h"
#include "emulator/reference/section.h"

namespace kawara::emulator::reference {
namespace {

// Any parallel loop may run in lanes, as points do not meet: the innermost, unless it is too short to be worth it.
unsigned choose_lane_dim(const kawara_section& section, const std::array<uint32_t, 9>& extent) {
  constexpr uint32_t kWorthwhile = 16;
  if (section.n_par == 0) return 0;
  const unsigned innermost = section.n_par - 1u;
  if (extent[innermost] >= kWorthwhile) return innermost;
  return static_cast<unsigned>(std::max_element(extent.begin(), extent.begin() + section.n_par) - extent.begin());
}

}  // namespace

void run_vector(const Job& job, const hw::CommandView& command, const Limit& limit, Pace& pace, Health* health) {
  const hw::SectionView view = command.section();
  std::array<uint32_t, 9> extent{};
  for (unsigned dim = 0; dim < 9; ++dim) extent[dim] = limit.clamp(dim, view.fields().extent[dim]);
  if (std::ranges::find(extent, 0u) != extent.end()) return;

  const unsigned lane_dim = choose_lane_dim(view.fields(), extent);
  Section section(job, view, extent, lane_dim, health);
  Indices point{};
  do {
    for (uint32_t at = 0; at < extent[lane_dim]; at += kLanes) {
      const unsigned count = std::min<uint32_t>(kLanes, extent[lane_dim] - at);
      point[lane_dim] = at;
      section.run(point, count);
      if (!pace.spend(section.cost() * (20 + count))) return;
      if (extent[lane_dim] - at <= kLanes) break;
    }
    point[lane_dim] = 0;
  } while (next_point(point, extent, lane_dim));
}

}  // namespace kawara::emulator::reference
