// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/command_nests.h"

#include <algorithm>

namespace kawara::emulator::vulkan {

Nest section_nest(const hw::SectionView& section) {
  Nest nest;
  nest.n_red = section.fields().n_red;
  nest.n_in = section.fields().n_in;
  for (const kawara_stream& fields : section.streams()) {
    NestStream& stream = nest.streams.emplace_back();
    stream = {place_of(fields.data), static_cast<DType>(fields.dtype), fields.flags, fields.pad, {}};
    for (const kawara_coord& coord : section.coords(fields)) {
      NestCoordinate& coordinate = stream.coordinates.emplace_back();
      coordinate = {coord.stride, coord.extent, coord.base, {}, coord.den, coord.flags, coord.reg};
      std::ranges::copy(coord.coef, coordinate.coef.begin());
    }
  }
  nest.constants.assign(section.constants().begin(), section.constants().end());
  nest.phases.assign(section.phases().begin(), section.phases().end());
  nest.instrs.assign(section.instrs().begin(), section.instrs().end());
  for (unsigned i = 6; i < 6 + nest.n_red; ++i) nest.extent[i] = section.fields().extent[i];
  return nest;
}

NestLimit nest_limit(const kawara_header& header, uint8_t index) {
  if ((header.flags & KAWARA_HEADER_LIMIT_DIM) == KAWARA_HEADER_LIMIT_NONE) return {};
  return {true, place_of(header.limit), index};
}

Nest epilogue_nest(const hw::SectionView& section, const std::vector<uint32_t>& extent, const std::vector<int64_t>& strides,
                   int64_t group_stride, const Place& sums) {
  Nest nest = section_nest(section);
  nest.n_par = static_cast<uint32_t>(extent.size());
  std::ranges::copy(extent, nest.extent.begin());
  nest.n_accumulators = section.fields().acc_group;
  for (uint32_t i = 0; i < nest.n_accumulators; ++i) {
    NestStream stream{sums, DType::u32, 0, 0, {}};
    stream.place.offset += static_cast<uint64_t>(group_stride) * 4 * i;
    for (unsigned dim = 0; dim < extent.size(); ++dim) {
      NestCoordinate coordinate;
      coordinate.stride = strides[dim];
      coordinate.extent = extent[dim];
      coordinate.coef[dim] = 1;
      stream.coordinates.push_back(coordinate);
    }
    nest.streams.push_back(stream);
  }
  return nest;
}

Nest vector_nest(const hw::CommandView& command) {
  const hw::SectionView section = command.section();
  Nest nest = section_nest(section);
  nest.n_par = section.fields().n_par;
  for (unsigned i = 0; i < nest.n_par; ++i) nest.extent[i] = section.fields().extent[i];
  nest.counts_health = command.header().flags & KAWARA_HEADER_HEALTH;
  nest.limit = nest_limit(command.header(), static_cast<uint8_t>(command.header().flags & KAWARA_HEADER_LIMIT_DIM));
  return nest;
}

}  // namespace kawara::emulator::vulkan
