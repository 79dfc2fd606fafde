// SPDX-License-Identifier: Apache-2.0
#include "footprint.h"

#include <algorithm>

#include "coordinate_values.h"
#include "kawara/error.h"
#include "kawara/hw/check.h"

namespace kawara::compiler {

namespace {

using Runs = std::optional<StridedBytes>;

// Modulo 2^64. Strides that no loop goes along may be any, and where several coordinates add up, it is the sum alone that fits.
int64_t product(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b)); }

int64_t sum(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); }

// The values of the coordinate, each as far from the next as the stride says.
void repeat(Runs& runs, const LoopedCoordinate& coordinate, int64_t stride_bits) {
  const auto values = values_of(coordinate);
  if (!runs || !values)
    runs.reset();
  else if (values->empty)
    runs = StridedBytes();
  if (!runs || runs->runs() == 0) return;
  runs->move(product(values->low, stride_bits));
  for (const Progression& sum : values->sums) runs->repeat(sum.count, product(sum.step, stride_bits));
}

// Extents of the loops that a stream's loads or stores run in; nothing where there are none.
std::optional<std::array<uint32_t, 9>> loops_of(const hw::SectionView& section, size_t number, const uint32_t* extents) {
  std::array<uint32_t, 9> loops{};
  std::copy_n(extents, 6, loops.begin());
  std::fill(loops.begin() + 6, loops.end(), 1);
  bool used = false;
  for (const kawara_phase& phase : section.phases()) {
    bool steps = true;
    for (size_t i = 0; i < 3; ++i) steps &= (phase.red_dims >> i & 1) == 0 || extents[6 + i] != 0;
    for (uint32_t at = phase.before; at < phase.end; ++at) {
      const kawara_instr& instr = section.instrs()[at];
      const bool swept = at >= phase.step && at < phase.after;
      if ((instr.op != KAWARA_OP_load && instr.op != KAWARA_OP_store) || instr.imm != number || (swept && !steps)) continue;
      used = true;
      for (size_t i = 0; swept && i < 3; ++i)
        if (phase.red_dims >> i & 1) loops[6 + i] = extents[6 + i];
    }
  }
  return used ? std::optional(loops) : std::nullopt;
}

LoopedCoordinate coordinate_of(const kawara_coord& coord, const std::array<uint32_t, 9>& loops) {
  if (coord.flags & KAWARA_COORD_INDEXED) return {.sums = {{1, coord.extent}}, .extent = coord.extent};
  LoopedCoordinate result{.base = coord.base,
                          .den = coord.den,
                          .exact = (coord.flags & KAWARA_COORD_EXACT) != 0,
                          .clamp = (coord.flags & KAWARA_COORD_CLAMP) != 0,
                          .extent = coord.extent};
  for (size_t i = 0; i < loops.size(); ++i) result.sums.push_back({coord.coef[i], loops[i]});
  return result;
}

Runs element(uint64_t operand, uint32_t dtype) { return Runs(std::in_place, kawara_operand_offset(operand) * 8, kawara_dtype_bits(dtype)); }

// Whether the coordinate is a sum of indices wherever the loops are: nothing divides or cuts it.
bool is_plain(const LoopedCoordinate& coordinate) {
  int64_t low = coordinate.base, high = coordinate.base;
  for (const Progression& sum : coordinate.sums) (sum.step < 0 ? low : high) += sum.step * (static_cast<int64_t>(sum.count) - 1);
  return coordinate.den == 1 && low >= 0 && high < int64_t{coordinate.extent};
}

Runs runs_of(const hw::SectionView& section, const kawara_stream& stream, const uint32_t* extents) {
  const auto loops = loops_of(section, static_cast<size_t>(&stream - section.streams().data()), extents);
  if (!loops) return StridedBytes();
  const uint32_t bits = kawara_dtype_bits(stream.dtype);
  Runs runs = element(stream.data, stream.dtype);
  bool plain = true;
  std::array<int64_t, 9> strides{}, uses{};
  std::vector<LoopedCoordinate> coordinates;
  for (const kawara_coord& coord : section.coords(stream)) {
    const LoopedCoordinate& coordinate = coordinates.emplace_back(coordinate_of(coord, *loops));
    const bool indexed = coord.flags & KAWARA_COORD_INDEXED;
    plain &= !indexed && is_plain(coordinate);
    for (size_t i = 0; !indexed && i < strides.size(); ++i) {
      if (coord.coef[i] == 0 || (*loops)[i] <= 1) continue;
      ++uses[i];
      strides[i] = sum(strides[i], product(product(coord.coef[i], coord.stride), bits));
    }
  }
  if (plain) {
    for (size_t i = 0; i < coordinates.size(); ++i)
      runs->move(product(product(coordinates[i].base, section.coords(stream)[i].stride), bits));
    for (size_t i = 0; i < strides.size(); ++i) runs->repeat((*loops)[i], strides[i]);
  } else if (std::ranges::max(uses) > 1) {
    return std::nullopt;  // one loop in two coordinates that are cut
  } else {
    for (size_t i = 0; i < coordinates.size(); ++i) repeat(runs, coordinates[i], product(section.coords(stream)[i].stride, bits));
  }
  return runs;
}

class Collector {
 public:
  void add(uint64_t operand, uint32_t dtype, const kawara_footprint& elements, bool write, Runs runs) {
    if (operand == KAWARA_OPERAND_ABSENT || elements.empty) return;
    const uint32_t bits = kawara_dtype_bits(dtype);
    const auto offset = static_cast<kawara_wide>(kawara_operand_offset(operand));
    if (runs) runs->join();
    found_.push_back({.region = kawara_operand_region(operand),
                      .begin = static_cast<uint64_t>(offset + kawara_first_byte(&elements, bits)),
                      .end = static_cast<uint64_t>(offset + kawara_last_byte(&elements, bits) + 1),
                      .write = write,
                      .runs = std::move(runs)});
  }

  template <size_t N>
  void add_box(uint64_t operand, uint32_t dtype, const uint32_t (&extents)[N], const int64_t (&strides)[N], bool write) {
    kawara_footprint elements = kawara_footprint_start(0);
    for (size_t i = 0; i < N; ++i) kawara_footprint_extent(&elements, extents[i], strides[i]);
    if (elements.empty) return;
    Runs runs = element(operand, dtype);
    for (size_t i = 0; i < N; ++i) runs->repeat(extents[i], product(strides[i], kawara_dtype_bits(dtype)));
    add(operand, dtype, elements, write, std::move(runs));
  }

  // The whole input, of which the windows may pass over some.
  void add_input(const kawara_conv& conv) {
    const uint32_t extents[6] = {conv.N, conv.groups, conv.IC, conv.in[0], conv.in[1], conv.in[2]};
    kawara_footprint elements = kawara_footprint_start(0);
    for (size_t i = 0; i < 6; ++i) kawara_footprint_extent(&elements, extents[i], conv.a_stride[i]);
    if (elements.empty) return;
    const uint32_t bits = kawara_dtype_bits(conv.a_dtype);
    const bool transposed = conv.flags & KAWARA_CONV_TRANSPOSED;
    Runs runs = element(conv.a, conv.a_dtype);
    for (size_t i = 0; i < 3; ++i) runs->repeat(extents[i], product(conv.a_stride[i], bits));
    for (size_t i = 0; i < 3; ++i) {
      if (conv.kernel[i] == 0) runs = StridedBytes();  // sums of nothing
      // o * stride + k * dilation - pad, or the i for which i * stride + k * dilation - pad is some o
      LoopedCoordinate position{.base = transposed ? int64_t{conv.pad[i]} : -int64_t{conv.pad[i]},
                                .sums = {{transposed ? 1 : conv.stride[i], conv.out[i]},
                                         {transposed ? -int64_t{conv.dilation[i]} : conv.dilation[i], conv.kernel[i]}},
                                .den = transposed ? conv.stride[i] : 1u,
                                .exact = transposed,
                                .extent = conv.in[i]};
      repeat(runs, position, product(conv.a_stride[3 + i], bits));
    }
    add(conv.a, conv.a_dtype, elements, false, std::move(runs));
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
      if (!elements.empty) add(stream.data, stream.dtype, elements, &stream >= section.outputs().data(), runs_of(section, stream, extents));
    }
  }

  void add_copy(const kawara_copy& copy) {
    const bool gather = copy.flags & KAWARA_COPY_GATHER, scatter = copy.flags & KAWARA_COPY_SCATTER;
    const bool empty = std::ranges::count(copy.extent, 0u) != 0;
    kawara_footprint from = kawara_footprint_start(empty), to = kawara_footprint_start(empty), list = kawara_footprint_start(empty);
    Runs from_runs = element(copy.src, copy.dtype), to_runs = element(copy.dst, copy.dtype),
         list_runs = element(copy.index, copy.index_dtype);
    const uint32_t bits = kawara_dtype_bits(copy.dtype);
    const auto span = [&](kawara_footprint& elements, Runs& runs, kawara_wide low, kawara_wide high, int64_t stride) {
      kawara_footprint_span(&elements, low, high, stride);
      if (elements.empty) return;
      runs->move(product(static_cast<int64_t>(low), product(stride, bits)));
      runs->repeat(static_cast<uint64_t>(high - low) + 1, product(stride, bits));
    };
    for (int i = 0; i < 6; ++i) {
      const bool listed = i == copy.index_dim;
      const kawara_wide low = -kawara_wide{copy.pad_lo[i]}, high = low + copy.extent[i] - 1;
      if (gather && listed)
        span(from, from_runs, 0, kawara_wide{copy.index_extent} - 1, copy.src_stride[i]);
      else
        span(from, from_runs, std::max<kawara_wide>(low, 0), std::min(high, kawara_wide{copy.src_extent[i]} - 1), copy.src_stride[i]);
      span(to, to_runs, 0, kawara_wide{scatter && listed ? copy.index_extent : copy.extent[i]} - 1, copy.dst_stride[i]);
    }
    kawara_footprint_extent(&list, copy.extent[copy.index_dim], 1);
    list_runs->repeat(std::max<uint32_t>(copy.extent[copy.index_dim], 1), kawara_dtype_bits(copy.index_dtype));
    if (gather || scatter) add(copy.index, copy.index_dtype, list, false, std::move(list_runs));
    add(copy.src, copy.dtype, from, false, std::move(from_runs));
    add(copy.dst, copy.dtype, to, true, std::move(to_runs));
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
  collector.add_input(conv);
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
