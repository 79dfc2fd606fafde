// SPDX-License-Identifier: Apache-2.0
#include "footprint.h"

#include <algorithm>

#include "kawara/error.h"
#include "kawara/hw/check.h"

namespace kawara::compiler {

namespace {

class Collector {
 public:
  void add(uint64_t operand, uint32_t dtype, const kawara_footprint& elements, bool write) {
    if (operand == KAWARA_OPERAND_ABSENT || elements.empty) return;
    const uint32_t bits = kawara_dtype_bits(dtype);
    const auto offset = static_cast<kawara_wide>(kawara_operand_offset(operand));
    found_.push_back({.region = kawara_operand_region(operand),
                      .begin = static_cast<uint64_t>(offset + kawara_first_byte(&elements, bits)),
                      .end = static_cast<uint64_t>(offset + kawara_last_byte(&elements, bits) + 1),
                      .write = write});
  }

  template <size_t N>
  void add_box(uint64_t operand, uint32_t dtype, const uint32_t (&extents)[N], const int64_t (&strides)[N], bool write) {
    kawara_footprint elements = kawara_footprint_start(0);
    for (size_t i = 0; i < N; ++i) kawara_footprint_extent(&elements, extents[i], strides[i]);
    add(operand, dtype, elements, write);
  }

  // extents: the loop nest's, 9 of them.
  void add_section(const hw::SectionView& section, const uint32_t* extents) {
    kawara_check_fault fault{};
    kawara_checker checker{};
    checker.command = reinterpret_cast<const uint8_t*>(&section.fields());
    checker.fault = &fault;
    kawara_nest nest{};
    nest.arrays = kawara_view_section(&section.fields());
    std::copy_n(extents, 9, nest.extent);
    const bool empty = std::count(extents, extents + 6, 0u) != 0;
    for (const kawara_stream& stream : section.streams()) {
      kawara_footprint elements = kawara_footprint_start(empty);
      for (const kawara_coord& coord : section.coords(stream))
        if (!kawara_check_coord(&checker, &nest, &coord, &elements)) throw fail(Code::internal, "a coordinate breaks a rule of the chip");
      add(stream.data, stream.dtype, elements, &stream >= section.outputs().data());
    }
  }

  void add_copy(const kawara_copy& copy) {
    const bool gather = copy.flags & KAWARA_COPY_GATHER, scatter = copy.flags & KAWARA_COPY_SCATTER;
    const bool empty = std::ranges::count(copy.extent, 0u) != 0;
    kawara_footprint from = kawara_footprint_start(empty), to = kawara_footprint_start(empty), list = kawara_footprint_start(empty);
    for (int i = 0; i < 6; ++i) {
      const bool listed = i == copy.index_dim;
      const kawara_wide low = -kawara_wide{copy.pad_lo[i]}, high = low + copy.extent[i] - 1;
      if (gather && listed)
        kawara_footprint_extent(&from, copy.index_extent, copy.src_stride[i]);
      else
        kawara_footprint_span(&from, std::max<kawara_wide>(low, 0), std::min(high, kawara_wide{copy.src_extent[i]} - 1),
                              copy.src_stride[i]);
      kawara_footprint_extent(&to, scatter && listed ? copy.index_extent : copy.extent[i], copy.dst_stride[i]);
    }
    kawara_footprint_extent(&list, copy.extent[copy.index_dim], 1);
    if (gather || scatter) add(copy.index, copy.index_dtype, list, false);
    add(copy.src, copy.dtype, from, false);
    add(copy.dst, copy.dtype, to, true);
  }

  std::vector<Footprint> found() && { return std::move(found_); }

 private:
  std::vector<Footprint> found_;
};

void add_gemm(Collector& collector, const hw::CommandView& command) {
  const auto& gemm = command.body<kawara_gemm>();
  const uint32_t group = std::max<uint32_t>(command.section().fields().acc_group, 1);
  const uint32_t outer[9] = {gemm.G, gemm.H, gemm.M, gemm.N / group, 1, 1, 1, 1, 1};
  if (gemm.G == 0 || gemm.H == 0 || gemm.M == 0 || gemm.N == 0) return;
  collector.add_box(gemm.a.data, gemm.a.dtype, {gemm.G, gemm.H, gemm.M, gemm.K}, gemm.a.stride, false);
  collector.add_box(gemm.b.data, gemm.b.dtype, {gemm.G, gemm.H, gemm.K, gemm.N}, gemm.b.stride, false);
  collector.add_section(command.section(), outer);
}

void add_conv(Collector& collector, const hw::CommandView& command) {
  const auto& conv = command.body<kawara_conv>();
  const uint32_t group = std::max<uint32_t>(command.section().fields().acc_group, 1);
  const uint32_t outer[9] = {conv.N, conv.groups * conv.OC / group, conv.out[0], conv.out[1], conv.out[2], 1, 1, 1, 1};
  if (std::count(outer, outer + 5, 0u) != 0) return;
  collector.add_box(conv.a, conv.a_dtype, {conv.N, conv.groups, conv.IC, conv.in[0], conv.in[1], conv.in[2]}, conv.a_stride, false);
  collector.add_box(conv.b, conv.b_dtype, {conv.groups, conv.OC, conv.IC, conv.kernel[0], conv.kernel[1], conv.kernel[2]}, conv.b_stride,
                    false);
  collector.add_section(command.section(), outer);
}

}  // namespace

std::vector<Footprint> footprints(const hw::CommandView& command) {
  Collector collector;
  collector.add_box(command.header().limit, KAWARA_DTYPE_i32, {1}, {1}, false);
  switch (command.opcode()) {
    case KAWARA_COMMAND_nop: break;
    case KAWARA_COMMAND_event: {
      const auto& event = command.body<kawara_event>();
      collector.add_box(event.dst, KAWARA_DTYPE_u8, {uint32_t{sizeof(kawara_counters)}}, {1}, true);
      break;
    }
    case KAWARA_COMMAND_vector: collector.add_section(command.section(), command.section().fields().extent); break;
    case KAWARA_COMMAND_gemm: add_gemm(collector, command); break;
    case KAWARA_COMMAND_conv: add_conv(collector, command); break;
    case KAWARA_COMMAND_copy: collector.add_copy(command.body<kawara_copy>()); break;
  }
  return std::move(collector).found();
}

}  // namespace kawara::compiler
