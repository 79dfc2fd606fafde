// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/lane_nest.h"

#include <algorithm>

#include <fmt/format.h>

#include "emulator/vulkan/lane_reduction_shader.h"
#include "emulator/vulkan/lane_shader.h"
#include "emulator/vulkan/recorder.h"

namespace kawara::emulator::vulkan {

namespace {

// Reductions are written out step by step: their lines of code in a shader, all vectors together.
constexpr uint64_t kInstructionsMax = 400;
constexpr uint64_t tiles_of_digits(uint32_t digits) { return uint64_t{LaneNest::kSubgroups} << 4 * digits; }

// Whether lanes may read neighbours along a tested coordinate before the test: a little of what lies behind the elements may be
// read, nothing of what lies before them.
bool runs_forward(const NestPlan& plan, const NestCoordinate& coordinate, uint8_t index) {
  constexpr int64_t kBeyondMax = 4096;
  if (coordinate.coef[index] != 1 || coordinate.den != 1 || (coordinate.flags & KAWARA_COORD_CLAMP) || coordinate.base < 0) return false;
  if (std::ranges::any_of(coordinate.coef, [](int32_t coef) { return coef < 0; })) return false;
  int64_t last = coordinate.base;
  for (const auto* loops : {&plan.parallel, &plan.reduced})
    for (const PlanLoop& loop : *loops) last += coordinate.coef[loop.index] * static_cast<int64_t>(loop.extent - 1);
  return last <= int64_t{coordinate.extent} + kBeyondMax;
}

LaneAccess access_of(const NestPlan& plan, const PlanStream& stream, uint8_t index) {
  int64_t step = stream.step[index];
  bool varies = step != 0;
  for (const PlanCoordinate& coordinate : stream.coordinates) {
    if (coordinate.fields.flags & KAWARA_COORD_INDEXED) return LaneAccess::each;
    if (coordinate.fields.coef[index] == 0) continue;
    if (varies || !runs_forward(plan, coordinate.fields, index)) return LaneAccess::each;
    varies = true;
    step = coordinate.step;
  }
  if (!varies) return LaneAccess::same;
  return step == static_cast<int64_t>(bits(stream.fields.dtype) / 8) ? LaneAccess::neighbours : LaneAccess::each;
}

// What a point's instructions come to with all steps of its reductions.
uint64_t instructions_of(const NestPlan& plan) {
  uint64_t result = 0;
  for (const PlanPhase& phase : plan.phases) {
    uint64_t steps = 1;
    for (const uint8_t loop : phase.loops) steps *= std::min<uint64_t>(plan.reduced[loop].extent, kInstructionsMax + 1);
    const uint64_t once = uint64_t{phase.fields.step} - phase.fields.before + phase.fields.end - phase.fields.after;
    result += once + std::min(steps, kInstructionsMax + 1) * (phase.fields.after - phase.fields.step);
  }
  return result;
}

// Neither wide nor limited, and without nibbles.
bool is_plain(const NestPlan& plan) {
  if (plan.is_wide || plan.limit.is_set || plan.counts_health || plan.parallel.empty()) return false;
  return std::ranges::none_of(plan.streams, [](const PlanStream& stream) { return NestPlan::counts_nibbles(stream.fields.dtype); });
}

bool suits_lanes(const NestPlan& plan) {
  return is_plain(plan) && std::ranges::none_of(plan.phases, &PlanPhase::is_long) && instructions_of(plan) <= kInstructionsMax;
}

// Of what a loop needs, as many to a tile as leave little of it without a point.
uint32_t share_of(uint64_t needed, uint64_t most) {
  for (uint32_t share = 8; share > 1; share /= 2) {
    const uint64_t covered = (needed + share - 1) / share * share;
    if (share <= most && covered * 3 <= needed * 4) return share;
  }
  return 1;
}

// A subgroup costs as much as several vectors, so a tile has several: side by side, and in rows below each other.
void choose_tile(LaneNest& nest, uint64_t instructions) {
  const uint64_t each = nest.pairs ? 2 * nest.lanes : nest.lanes,
                 most = kInstructionsMax / std::max<uint64_t>(nest.pairs ? 2 * instructions : instructions, 1);
  nest.vectors = share_of((nest.plan.parallel[nest.lane].extent + each - 1) / each, most);
  nest.down = nest.lane;
  for (unsigned i = nest.plan.parallel.size(); i-- > 0;)
    if (i != nest.lane && (nest.down == nest.lane || nest.plan.parallel[i].extent > nest.plan.parallel[nest.down].extent)) nest.down = i;
  if (nest.down != nest.lane) nest.rows = share_of(nest.plan.parallel[nest.down].extent, std::min(most, uint64_t{8}) / nest.vectors);
  if (nest.rows == 1) nest.down = nest.lane;
  if (nest.tiles() > tiles_of_digits(nest.digits)) ++nest.digits;
}

}  // namespace

uint64_t LaneNest::groups(unsigned loop) const {
  const uint64_t each = !is_other(loop) ? width() : rows > 1 && loop == down ? rows : 1;
  return (plan.parallel[loop].extent + each - 1) / each;
}

uint64_t LaneNest::tiles() const {
  uint64_t result = 1;
  for (unsigned i = 0; i < plan.parallel.size(); ++i) result *= groups(i);
  return result;
}

unsigned LaneNest::outermost() const { return !is_other(0) && plan.parallel.size() > 1 ? 1 : 0; }

std::string LaneNest::identity() const {
  std::string result =
      fmt::format("lanes {}{} {}{} {} {} {} ", reduces ? "reduce " : "", lane, vectors, pairs ? " pairs" : "", down, rows, digits) +
      plan.identity();
  if (!reduces)
    for (const PlanLoop& loop : plan.reduced) result += fmt::format(" {}", loop.extent);
  for (const LaneAccess each : access) result.push_back(static_cast<char>('0' + static_cast<int>(each)));
  return result;
}

namespace {

// Whether a nest's only reductions are long ones over one loop, and no stream is walked along it outside of them.
bool reduces_by_lanes(const NestPlan& plan) {
  if (!is_plain(plan) || plan.reduced.size() != 1 || std::ranges::none_of(plan.phases, &PlanPhase::is_long)) return false;
  for (const PlanPhase& phase : plan.phases) {
    if (phase.fields.step < phase.fields.after && !phase.is_long) return false;
    for (unsigned i = phase.fields.before; i < phase.fields.end; ++i) {
      const kawara_instr& instr = plan.instrs[i];
      const bool is_step = i >= phase.fields.step && i < phase.fields.after;
      if (is_step && instr.op >= KAWARA_OP_red_add && instr.op <= KAWARA_OP_red_or && instr.type == KAWARA_DTYPE_i64) return false;
      if (!is_step && instr.op == KAWARA_OP_load && access_of(plan, plan.streams[instr.imm], plan.reduced[0].index) != LaneAccess::same)
        return false;
    }
  }
  return true;
}

std::optional<LaneNest> reducing_nest(const NestPlan& plan, uint32_t lanes) {
  if (!reduces_by_lanes(plan)) return {};
  LaneNest nest{.plan = plan, .lanes = lanes, .reduces = true, .access = {}};
  const PlanLoop& loop = nest.lane_loop();
  // Whole rounds of partials, so that few lengths have a shader of their own.
  const uint64_t vectors = (loop.extent + kPartials - 1) / kPartials * (kPartials / lanes);
  uint64_t instructions = 0;
  for (const PlanPhase& phase : plan.phases) instructions += uint64_t{phase.fields.after} - phase.fields.step;
  if (vectors > kInstructionsMax || vectors * instructions > kInstructionsMax) return {};
  nest.vectors = static_cast<uint32_t>(vectors);
  for (unsigned s = 0; s < plan.streams.size(); ++s) {
    nest.access.push_back(access_of(plan, plan.streams[s], loop.index));
    const bool is_read = s < plan.n_in || s >= plan.first_accumulator();
    if (is_read && nest.access.back() == LaneAccess::each) return {};
  }
  if (nest.tiles() > tiles_of_digits(nest.digits)) ++nest.digits;
  return nest;
}

std::optional<LaneNest> parallel_nest(const NestPlan& plan, uint32_t lanes) {
  constexpr uint64_t kLaneExtentMin = 8;
  if (!suits_lanes(plan)) return {};
  std::optional<LaneNest> best;
  unsigned best_score = 0;
  for (unsigned i = 0; i < plan.parallel.size(); ++i) {
    if (plan.parallel[i].extent < kLaneExtentMin) continue;
    const uint64_t paired_min = lanes + lanes * 3 / 8;  // fewer fill two vectors as well
    constexpr uint64_t kPairedInstructionsMax = 32;     // beyond, what loads of pairs cost is more than their stores save
    const uint64_t extent = plan.parallel[i].extent, instructions = instructions_of(plan);
    LaneNest nest{
        .plan = plan, .lanes = lanes, .lane = i, .pairs = extent >= paired_min && instructions <= kPairedInstructionsMax, .access = {}};
    choose_tile(nest, instructions);
    unsigned score = 1;
    for (unsigned s = 0; s < plan.streams.size(); ++s) {
      nest.access.push_back(access_of(plan, plan.streams[s], plan.parallel[i].index));
      const bool is_read = s < plan.n_in || s >= plan.first_accumulator();
      // Stores leave lane by lane in any case; that they are neighbours matters to the cache alone.
      if (nest.access.back() != LaneAccess::each) score += is_read ? 4 : 2;
    }
    if (score >= best_score) {  // of equals the innermost
      best_score = score;
      best.emplace(std::move(nest));
    }
  }
  return best;
}

// What a dispatch can count and be pushed.
bool fits(const LaneNest& nest) { return nest.tiles() < uint64_t{1} << 31 && NestParameters(nest, 0, 1).size_bytes() <= kLanePushBytes; }

}  // namespace

std::optional<LaneNest> lane_nest(const NestPlan& plan, uint32_t lanes) {
  for (const auto& choose : {parallel_nest, reducing_nest})
    if (auto nest = choose(plan, lanes); nest && fits(*nest)) return nest;
  return {};
}

void add_lane_nest(Recorder& recorder, const LaneNest& nest, uint64_t point_picoseconds) {
  const uint64_t tile_ps = nest.reduces ? point_picoseconds : point_picoseconds * nest.width() * nest.rows;
  const uint64_t each = std::clamp<uint64_t>(Recording::kSliceNs * 1000 / tile_ps, LaneNest::kSubgroups, tiles_of_digits(nest.digits));
  for (uint64_t first = 0; first < nest.tiles(); first += each) {
    const uint64_t tiles = std::min(each, nest.tiles() - first);
    const NestParameters parameters(nest, first, tiles);
    Dispatch dispatch;
    dispatch.is_pushed = true;
    dispatch.groups_x = static_cast<uint32_t>((tiles + LaneNest::kSubgroups - 1) / LaneNest::kSubgroups);
    dispatch.parameters.resize(parameters.size_bytes());
    parameters.write(dispatch.parameters);
    // Idle, all tiles are the first, which reads at one address and has no lane that stores.
    dispatch.idle_parameters.resize(parameters.size_bytes());
    for (const Parameter& parameter : parameters.list()) {
      if (parameter.kind == ParameterKind::number)
        std::copy_n(dispatch.parameters.begin() + parameter.offset, 4, dispatch.idle_parameters.begin() + parameter.offset);
      if (parameter.kind != ParameterKind::stream_address) continue;
      const PlanStream& stream = nest.plan.streams[parameter.a];
      Place place = stream.fields.place;
      place.offset += static_cast<uint64_t>(stream.origin);
      dispatch.slots.push_back({parameter.offset, place});
    }
    dispatch.estimate_ns = tiles * tile_ps / 1000;
    recorder.add_dispatch(std::move(dispatch), nest.identity(),
                          [&] { return optimise(nest.reduces ? LaneReductionShader(nest).build() : LaneShader(nest).build()); });
  }
}

}  // namespace kawara::emulator::vulkan
