// SPDX-License-Identifier: Apache-2.0
// Commands as loop nests.
#pragma once

#include "emulator/vulkan/nest.h"
#include "kawara/hw/decode.h"

namespace kawara::emulator::vulkan {

// The section's streams, constants, phases and instructions; extents and parallel loops are the caller's.
Nest section_nest(const hw::SectionView& section);
// A matrix command's epilogue over `extent`, its accumulators in scratch memory: strides of elements per parallel loop,
// `group_stride` from one accumulator of a group to the next.
Nest epilogue_nest(const hw::SectionView& section, const std::vector<uint32_t>& extent, const std::vector<int64_t>& strides,
                   int64_t group_stride, const Place& sums);
Nest vector_nest(const hw::CommandView& command);
Nest copy_nest(const kawara_copy& copy);

// limit_dim counts from `first_index`: that many loop indices away from the nest's own. 0xff: clamps no loop of the nest.
NestLimit nest_limit(const kawara_header& header, uint8_t index);

inline Place place_of(uint64_t operand) { return {kawara_operand_region(operand), kawara_operand_offset(operand)}; }

}  // namespace kawara::emulator::vulkan
