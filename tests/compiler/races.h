// SPDX-License-Identifier: Apache-2.0
// Finds races in a program from its bytes alone: the exact elements that every command touches, by walking its loops, and
// the order that engines and waits give. Shares nothing with the compiler's own footprints and clocks.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "compiler/run_program.h"
#include "kawara/dtype.h"
#include "kawara/hw/decode.h"

namespace kawara::test {

// Per region, one flag for each byte.
using Touched = std::map<uint32_t, std::vector<bool>>;

struct Footprint {
  Touched read, written;
};

inline void touch(Touched& touched, uint64_t operand, uint8_t dtype, int64_t element) {
  const auto width = static_cast<int64_t>(bits(static_cast<DType>(dtype)) / 8);
  auto& bytes = touched[kawara_operand_region(operand)];
  const auto begin = static_cast<size_t>(static_cast<int64_t>(kawara_operand_offset(operand)) + element * width);
  if (bytes.size() < begin + static_cast<size_t>(width)) bytes.resize(begin + static_cast<size_t>(width));
  for (size_t i = 0; i < static_cast<size_t>(width); ++i) bytes[begin + i] = true;
}

inline void for_each_index(const std::vector<uint32_t>& extents, const std::function<void(const std::vector<int64_t>&)>& visit) {
  std::vector<int64_t> index(extents.size());
  for (const uint32_t extent : extents)
    if (extent == 0) return;
  for (;;) {
    visit(index);
    size_t i = extents.size();
    while (i > 0 && ++index[i - 1] == extents[i - 1]) index[--i] = 0;
    if (i == 0) return;
  }
}

template <size_t N>
void touch_box(Touched& touched, uint64_t operand, uint8_t dtype, const std::vector<uint32_t>& extents, const int64_t (&strides)[N]) {
  for_each_index(extents, [&](const std::vector<int64_t>& index) {
    int64_t element = 0;
    for (size_t i = 0; i < N; ++i) element += index[i] * strides[i];
    touch(touched, operand, dtype, element);
  });
}

inline void touch_section(Footprint& footprint, const hw::SectionView& section, std::vector<uint32_t> extents) {
  extents.resize(9, 1);
  for (size_t s = 0; s < section.streams().size(); ++s) {
    const kawara_stream& stream = section.streams()[s];
    for_each_index(extents, [&](const std::vector<int64_t>& index) {
      int64_t element = 0;
      for (const kawara_coord& coord : section.coords(stream)) {
        int64_t value = coord.base;
        for (size_t i = 0; i < 9; ++i) value += coord.coef[i] * index[i];
        value = value / coord.den - (value % coord.den < 0);
        if (value < 0 || value >= coord.extent) return;
        element += value * coord.stride;
      }
      touch(s < section.fields().n_in ? footprint.read : footprint.written, stream.data, stream.dtype, element);
    });
  }
}

inline Footprint footprint_of(const hw::CommandView& command) {
  Footprint footprint;
  if (command.header().limit != KAWARA_OPERAND_ABSENT) touch(footprint.read, command.header().limit, KAWARA_DTYPE_i32, 0);
  switch (command.opcode()) {
    case KAWARA_COMMAND_nop: break;
    case KAWARA_COMMAND_event: {
      const uint64_t dst = command.body<kawara_event>().dst;
      for (int i = 0; i < 8; ++i) touch(footprint.written, dst, KAWARA_DTYPE_u64, i);
      break;
    }
    case KAWARA_COMMAND_vector: {
      const auto& extent = command.section().fields().extent;
      touch_section(footprint, command.section(), {extent, extent + 9});
      break;
    }
    case KAWARA_COMMAND_gemm: {
      const auto& gemm = command.body<kawara_gemm>();
      touch_box(footprint.read, gemm.a.data, gemm.a.dtype, {gemm.G, gemm.H, gemm.M, gemm.K}, gemm.a.stride);
      touch_box(footprint.read, gemm.b.data, gemm.b.dtype, {gemm.G, gemm.H, gemm.K, gemm.N}, gemm.b.stride);
      touch_section(footprint, command.section(), {gemm.G, gemm.H, gemm.M, gemm.N});
      break;
    }
    case KAWARA_COMMAND_conv: {
      const auto& conv = command.body<kawara_conv>();
      touch_box(footprint.read, conv.a, conv.a_dtype, {conv.N, conv.groups, conv.IC, conv.in[0], conv.in[1], conv.in[2]}, conv.a_stride);
      touch_box(footprint.read, conv.b, conv.b_dtype, {conv.groups, conv.OC, conv.IC, conv.kernel[0], conv.kernel[1], conv.kernel[2]},
                conv.b_stride);
      touch_section(footprint, command.section(), {conv.N, conv.groups * conv.OC, conv.out[0], conv.out[1], conv.out[2]});
      break;
    }
    case KAWARA_COMMAND_copy: {
      const auto& copy = command.body<kawara_copy>();
      const std::vector<uint32_t> extents(copy.extent, copy.extent + 6);
      touch_box(footprint.read, copy.src, copy.dtype, extents, copy.src_stride);
      touch_box(footprint.written, copy.dst, copy.dtype, extents, copy.dst_stride);
      break;
    }
  }
  return footprint;
}

inline bool meet(const Touched& a, const Touched& b) {
  for (const auto& [region, bytes] : a) {
    const auto other = b.find(region);
    if (other == b.end()) continue;
    for (size_t i = 0; i < std::min(bytes.size(), other->second.size()); ++i)
      if (bytes[i] && other->second[i]) return true;
  }
  return false;
}

// A sentence for each two commands without an order that touch a byte which one of them writes.
inline std::vector<std::string> races(std::span<const std::byte> commands, std::span<const uint32_t> offsets) {
  std::vector<Footprint> footprints;
  std::vector<std::vector<bool>> before;  // before[i][j]: j has retired when i starts
  std::vector<std::vector<size_t>> engines(KAWARA_ENGINE_COUNT);
  std::vector<std::string> found;
  size_t segment = 0;  // commands before it have retired
  for (size_t i = 0; i < offsets.size(); ++i) {
    const hw::CommandView command(commands, offsets[i]);
    footprints.push_back(footprint_of(command));
    std::vector<bool> known(offsets.size());
    const auto learn = [&](size_t j) {
      known[j] = true;
      for (size_t k = 0; k < j; ++k) known[k] = known[k] || before[j][k];
    };
    auto& own = engines[command.engine()];
    if (!own.empty()) learn(own.back());
    for (const uint32_t wait : command.header().wait)
      if (kawara_wait_count(wait) > 0) learn(engines[kawara_wait_engine(wait)].at(kawara_wait_count(wait) - 1));
    for (size_t j = 0; j < segment; ++j) known[j] = true;
    if (command.header().flags & KAWARA_HEADER_SWITCH_POINT) segment = i + 1;
    own.push_back(i);
    before.push_back(known);
    for (size_t j = 0; j < i; ++j) {
      if (known[j]) continue;
      const Footprint &a = footprints[i], &b = footprints[j];
      if (meet(a.written, b.written) || meet(a.written, b.read) || meet(a.read, b.written))
        found.push_back(fmt::format("commands {} and {} touch the same bytes", j, i));
    }
  }
  return found;
}

inline std::vector<std::string> races(const Program& program) { return races(program.commands(), command_offsets(program)); }

}  // namespace kawara::test
