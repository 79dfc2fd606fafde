// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/nest_plan.h"

#include <algorithm>
#include <cstdlib>

#include "emulator/stride.h"

namespace kawara::emulator::vulkan {

namespace {

using Wide = __int128;  // sums of products of 32- and 64-bit fields

struct Range {
  Wide low = 0, high = 0;
};

Range range_of(const NestCoordinate& coordinate, const Nest& nest) {
  Range range{coordinate.base, coordinate.base};
  for (unsigned i = 0; i < kIndices; ++i) {
    const Wide reach = Wide{coordinate.coef[i]} * (nest.extent[i] - 1);
    (reach < 0 ? range.low : range.high) += reach;
  }
  return range;
}

int64_t units(DType dtype) { return NestPlan::counts_nibbles(dtype) ? 1 : bits(dtype) / 8; }

bool fits32(Wide value) { return value >= INT32_MIN && value <= INT32_MAX; }

bool reads_index(const kawara_instr& instr, unsigned index) {
  const auto is = [&](uint8_t source) { return source == KAWARA_SOURCE_INDEX + index; };
  return is(instr.a) || is(instr.b) || is(instr.c);
}

// Folds coordinates into strides where the box never leaves their extent; returns whether offsets need 64 bits.
bool plan_stream(const Nest& nest, PlanStream& stream) {
  const int64_t unit = units(stream.fields.dtype);
  Wide reach = 0;
  bool wide = false;
  for (NestCoordinate coordinate : stream.fields.coordinates) {
    for (unsigned i = 0; i < kIndices; ++i)
      if (nest.extent[i] == 1) coordinate.coef[i] = 0;
    const Range range = range_of(coordinate, nest);
    const int64_t stride = moved(0, coordinate.stride, unit);
    const bool indexed = coordinate.flags & KAWARA_COORD_INDEXED;
    if (!indexed && coordinate.den == 1 && range.low >= 0 && range.high < coordinate.extent) {
      stream.origin = moved(stream.origin, coordinate.base, stride);
      for (unsigned i = 0; i < kIndices; ++i) {
        stream.step[i] = moved(stream.step[i], coordinate.coef[i], stride);
        const Wide one = Wide{coordinate.coef[i]} * coordinate.stride * unit * (nest.extent[i] - 1);
        reach += one < 0 ? -one : one;
      }
      continue;
    }
    if (indexed) coordinate.coef.fill(0);
    if (coordinate.den == 1) coordinate.flags &= ~KAWARA_COORD_EXACT;
    if (coordinate.extent == 0) coordinate.flags &= ~KAWARA_COORD_CLAMP;
    wide |= !fits32(range.low) || !fits32(range.high) || coordinate.extent > INT32_MAX;
    const Wide far = Wide{coordinate.stride} * unit * coordinate.extent;
    reach += far < 0 ? -far : far;
    stream.coordinates.push_back({coordinate, stride});
  }
  const Wide origin = NestPlan::counts_nibbles(stream.fields.dtype) ? Wide{stream.origin} : 0;
  return wide || !fits32(reach + (origin < 0 ? -origin : origin));
}

bool is_tested(const NestPlan& plan, unsigned index) {
  return std::ranges::any_of(plan.streams, [&](const PlanStream& stream) {
    return std::ranges::any_of(stream.coordinates, [&](const PlanCoordinate& c) { return c.fields.coef[index] != 0; });
  });
}

bool is_named(const Nest& nest, unsigned index) {
  return (nest.limit.is_set && nest.limit.index == index) ||
         std::ranges::any_of(nest.instrs, [&](const kawara_instr& instr) { return reads_index(instr, index); });
}

// May loop `outer` become part of `inner`, in whose steps all addresses move evenly?
bool merges(const NestPlan& plan, const Nest& nest, const PlanLoop& outer, const PlanLoop& inner) {
  if (is_named(nest, outer.index) || is_named(nest, inner.index)) return false;
  if (is_tested(plan, outer.index) || is_tested(plan, inner.index)) return false;
  if (outer.extent * inner.extent > INT32_MAX) return false;
  return std::ranges::all_of(plan.streams, [&](const PlanStream& stream) {
    return Wide{stream.step[outer.index]} == Wide{stream.step[inner.index]} * inner.extent;
  });
}

void plan_loops(NestPlan& plan, const Nest& nest) {
  for (unsigned i = 0; i < nest.n_par; ++i) {
    if (nest.extent[i] == 1 && !is_named(nest, i)) continue;
    const PlanLoop loop{static_cast<uint8_t>(i), nest.extent[i]};
    if (!plan.parallel.empty() && merges(plan, nest, plan.parallel.back(), loop)) {
      plan.parallel.back() = {loop.index, plan.parallel.back().extent * loop.extent};
    } else {
      plan.parallel.push_back(loop);
    }
  }
  const auto same_phases = [&](unsigned a, unsigned b) {
    return std::ranges::all_of(
        nest.phases, [&](const kawara_phase& phase) { return (phase.red_dims >> (a - 6) & 1) == (phase.red_dims >> (b - 6) & 1); });
  };
  for (unsigned i = 6; i < 6 + nest.n_red; ++i) {
    const PlanLoop loop{static_cast<uint8_t>(i), nest.extent[i]};
    if (!plan.reduced.empty() && same_phases(plan.reduced.back().index, i) && merges(plan, nest, plan.reduced.back(), loop))
      plan.reduced.back() = {loop.index, plan.reduced.back().extent * loop.extent};
    else
      plan.reduced.push_back(loop);
  }
}

template <typename T>
void put(std::string& to, const T& value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename Array>
uint16_t nonzero(const Array& values) {
  uint16_t mask = 0;
  for (unsigned i = 0; i < kIndices; ++i) mask |= static_cast<uint16_t>((values[i] != 0) << i);
  return mask;
}

}  // namespace

NestPlan plan(const Nest& nest) {
  NestPlan result;
  result.n_in = nest.n_in;
  result.n_accumulators = nest.n_accumulators;
  result.constants = nest.constants;
  result.instrs = nest.instrs;
  result.limit = nest.limit;
  result.counts_health = nest.counts_health;
  for (const NestStream& stream : nest.streams) {
    result.streams.push_back({stream, 0, {}, {}});
    result.is_wide |= plan_stream(nest, result.streams.back());
  }
  plan_loops(result, nest);
  for (const kawara_phase& fields : nest.phases) {
    PlanPhase phase{fields, {}, false};
    uint64_t steps = 1;
    for (unsigned i = 0; i < result.reduced.size(); ++i) {
      if (!(fields.red_dims >> (result.reduced[i].index - 6) & 1)) continue;
      phase.loops.push_back(static_cast<uint8_t>(i));
      steps *= result.reduced[i].extent;
    }
    phase.is_long = fields.mode == KAWARA_PHASE_TREE && steps > kStepsInOrder;
    result.phases.push_back(phase);
  }
  return result;
}

std::string NestPlan::identity() const {
  std::string key = is_wide ? "W" : "N";
  for (const auto* loops : {&parallel, &reduced}) {
    put(key, static_cast<uint8_t>(loops->size()));
    for (const PlanLoop& loop : *loops) put(key, loop.index);
  }
  put(key, counts_health);
  put(key, n_in);
  put(key, n_accumulators);
  put(key, static_cast<uint8_t>(streams.size()));
  for (const PlanStream& stream : streams) {
    put(key, stream.fields.dtype);
    put(key, stream.fields.flags);
    put(key, nonzero(stream.step));
    put(key, static_cast<uint8_t>(stream.coordinates.size()));
    for (const PlanCoordinate& coordinate : stream.coordinates) {
      put(key, nonzero(coordinate.fields.coef));
      put(key, static_cast<uint8_t>(coordinate.fields.den == 1));
      put(key, coordinate.fields.flags);
      put(key, coordinate.fields.reg);
    }
  }
  put(key, static_cast<uint8_t>(phases.size()));
  for (const PlanPhase& phase : phases) {
    put(key, phase.fields);
    put(key, phase.is_long);
  }
  put(key, limit.is_set ? limit.index : uint8_t{0xfe});
  for (const kawara_instr& instr : instrs) put(key, instr);
  return key;
}

uint64_t NestPlan::points() const {
  uint64_t result = 1;
  for (const PlanLoop& loop : parallel) result *= loop.extent;
  return result;
}

uint64_t NestPlan::steps() const {
  uint64_t result = 0;
  for (const PlanPhase& phase : phases) {
    uint64_t steps = 1;
    for (const uint8_t loop : phase.loops) steps *= reduced[loop].extent;
    result += steps;
  }
  return result;
}

}  // namespace kawara::emulator::vulkan
