// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/nest_parameters.h"

#include <cstring>

#include "emulator/vulkan/lane_nest.h"
#include "emulator/vulkan/magic_divisor.h"

namespace kawara::emulator::vulkan {

Box Box::whole(const NestPlan& plan) {
  Box box;
  for (size_t i = 0; i < plan.parallel.size(); ++i) box.count[i] = plan.parallel[i].extent;
  return box;
}

uint64_t Box::points() const {
  uint64_t result = 1;
  for (const uint64_t n : count) result *= n;
  return result;
}

void NestParameters::add(ParameterKind kind, unsigned a, unsigned b, unsigned c, uint64_t value, bool is_wide) {
  if (is_wide) end_ = (end_ + 7) / 8 * 8;
  list_.push_back({kind, static_cast<uint8_t>(a), static_cast<uint8_t>(b), static_cast<uint8_t>(c), end_, is_wide, value});
  end_ += is_wide ? 8 : 4;
}

NestParameters::NestParameters(const NestPlan& plan, const Box& box, uint64_t row) {
  for (unsigned i = 0; i < plan.streams.size(); ++i) add(ParameterKind::stream_address, i, 0, 0, 0, true);
  if (plan.limit.is_set) add(ParameterKind::limit_address, 0, 0, 0, 0, true);
  if (plan.counts_health) add(ParameterKind::health_address, 0, 0, 0, 0, true);
  if (plan.limit.is_set) add(ParameterKind::limit_divisor, 0, 0, 0, plan.limit.divisor);
  add(ParameterKind::points, 0, 0, 0, box.points());
  add(ParameterKind::row, 0, 0, 0, row);
  add_loops(plan, box);
  for (unsigned i = 0; i < plan.streams.size(); ++i) add_stream(plan, i);
  add_constants(plan);
}

NestParameters::NestParameters(const LaneNest& nest, uint64_t first_tile, uint64_t tiles) {
  const NestPlan& plan = nest.plan;
  for (unsigned i = 0; i < plan.streams.size(); ++i) add(ParameterKind::stream_address, i, 0, 0, 0, true);
  add(ParameterKind::first_tile, 0, 0, 0, first_tile);
  add(ParameterKind::last_tile, 0, 0, 0, first_tile + tiles - 1);
  add(ParameterKind::lane_extent, 0, 0, 0, nest.lane_loop().extent);
  if (nest.rows > 1) add(ParameterKind::down_extent, 0, 0, 0, plan.parallel[nest.down].extent);
  if (!nest.reduces) add_divisor(nest.lane, nest.groups(nest.lane));
  for (unsigned i = 0; i < plan.parallel.size(); ++i)
    if (nest.is_other(i) && i != nest.outermost()) add_divisor(i, nest.groups(i));
  for (unsigned i = 0; i < plan.streams.size(); ++i) add_stream(plan, i);
  add_constants(plan);
  for (unsigned i = 0; i < 16; ++i) add(ParameterKind::number, i, 0, 0, i);
}

void NestParameters::add_divisor(unsigned loop, uint64_t count) {
  const MagicDivisor divisor(static_cast<uint32_t>(count));
  add(ParameterKind::count, loop, 0, 0, count);
  add(ParameterKind::magic, loop, 0, 0, divisor.magic);
  add(ParameterKind::shift, loop, 0, 0, divisor.shift);
}

void NestParameters::add_loops(const NestPlan& plan, const Box& box) {
  for (unsigned i = 0; i < plan.parallel.size(); ++i) {
    add(ParameterKind::first, i, 0, 0, box.first[i]);
    if (i == 0) continue;
    add_divisor(i, box.count[i]);
  }
  for (unsigned i = 0; i < plan.reduced.size(); ++i) add(ParameterKind::reduced_extent, i, 0, 0, plan.reduced[i].extent);
}

void NestParameters::add_stream(const NestPlan& plan, unsigned number) {
  const PlanStream& stream = plan.streams[number];
  if (NestPlan::counts_nibbles(stream.fields.dtype))
    add(ParameterKind::origin, number, 0, 0, static_cast<uint64_t>(stream.origin), plan.is_wide);
  for (unsigned i = 0; i < kIndices; ++i)
    if (stream.step[i] != 0) add(ParameterKind::step, number, 0, i, static_cast<uint64_t>(stream.step[i]), plan.is_wide);
  for (unsigned j = 0; j < stream.coordinates.size(); ++j) {
    const NestCoordinate& fields = stream.coordinates[j].fields;
    const auto put = [&](ParameterKind kind, unsigned c, int64_t value) {
      add(kind, number, j, c, static_cast<uint64_t>(value), plan.is_wide);
    };
    put(ParameterKind::base, 0, fields.base);
    for (unsigned i = 0; i < kIndices; ++i)
      if (fields.coef[i] != 0) put(ParameterKind::coef, i, fields.coef[i]);
    if (fields.den != 1) put(ParameterKind::den, 0, fields.den);
    put(ParameterKind::extent, 0, fields.extent);
    put(ParameterKind::coordinate_step, 0, stream.coordinates[j].step);
  }
  if (stream.coordinates.empty()) return;
  add(ParameterKind::pad, number, 0, 0, stream.fields.pad);
  if (bits(stream.fields.dtype) == 64) add(ParameterKind::pad_high, number, 0, 0, stream.fields.pad >> 32);
}

void NestParameters::add_constants(const NestPlan& plan) {
  uint64_t used = 0;
  for (const kawara_instr& instr : plan.instrs)
    for (const uint8_t source : {instr.a, instr.b, instr.c})
      // A 64-bit constant is two words; which width is read does not matter for what is worth loading.
      if (source >= KAWARA_SOURCE_CONSTANT && source < KAWARA_SOURCE_INDEX) used |= uint64_t{3} << (source - KAWARA_SOURCE_CONSTANT);
  for (unsigned i = 0; i < 64; ++i)
    if (used >> i & 1) add(ParameterKind::constant, i, 0, 0, i < plan.constants.size() ? plan.constants[i] : 0);
}

void NestParameters::write(std::span<std::byte> to) const {
  for (const Parameter& parameter : list_) std::memcpy(to.data() + parameter.offset, &parameter.value, parameter.is_wide ? 8 : 4);
}

}  // namespace kawara::emulator::vulkan
