// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/lane_transposed.h"

#include <algorithm>

#include "emulator/vulkan/command_nests.h"
#include "emulator/vulkan/conv_product.h"
#include "emulator/vulkan/lane_conv.h"
#include "emulator/vulkan/recorder.h"

namespace kawara::emulator::vulkan {

namespace {

constexpr unsigned kFirstLoop = 2;  // of an epilogue, that counts positions: z, then y, then x

// One phase along one dimension. Its outputs are first, first + stride, …; its taps tap, tap + stride, …
struct Phase {
  int64_t first, outputs, tap, taps;
  int32_t before;  // border before the input of the ordinary convolution

  // residue: of output + pad, divided by the stride.
  Phase(const kawara_conv& conv, unsigned dim, uint32_t residue) : tap(residue) {
    const int64_t stride = conv.stride[dim], pad = conv.pad[dim];
    taps = residue < conv.kernel[dim] ? (conv.kernel[dim] - residue - 1) / stride + 1 : 0;
    first = ((residue - pad) % stride + stride) % stride;
    outputs = first < conv.out[dim] ? (conv.out[dim] - first - 1) / stride + 1 : 0;
    // Output `first` meets tap `residue` at this input; the taps after it meet those before.
    const int64_t input = (first + pad - residue) / stride;
    before = static_cast<int32_t>(taps - 1 - input);
  }
};

bool names_positions(const kawara_instr& instr) {
  return std::ranges::any_of(std::array{instr.a, instr.b, instr.c}, [](uint8_t source) {
    return source >= KAWARA_SOURCE_INDEX + kFirstLoop && source < KAWARA_SOURCE_INDEX + kFirstLoop + 3;
  });
}

bool suits(const kawara_conv& conv, const hw::SectionView& section) {
  const bool is_transposed = (conv.flags & KAWARA_CONV_TRANSPOSED) != 0 && conv.in[0] == 1 && conv.out[0] == 1 && conv.kernel[0] == 1;
  const bool is_undilated = conv.dilation[1] == 1 && conv.dilation[2] == 1;
  return is_transposed && is_undilated && conv.pad_value == 0 && section.fields().acc_group <= 1 &&
         (conv.header.flags & KAWARA_HEADER_LIMIT_DIM) == KAWARA_HEADER_LIMIT_NONE &&
         std::ranges::none_of(section.instrs(), names_positions);
}

kawara_conv ordinary(const kawara_conv& conv, const std::array<Phase, 2>& phases) {
  kawara_conv result = conv;
  result.flags = static_cast<decltype(result.flags)>(conv.flags & ~KAWARA_CONV_TRANSPOSED);
  for (unsigned i = 0; i < 2; ++i) {
    result.out[i + 1] = static_cast<uint32_t>(phases[i].outputs);
    result.kernel[i + 1] = static_cast<uint32_t>(phases[i].taps);
    result.stride[i + 1] = 1;
    result.pad[i + 1] = phases[i].before;
  }
  return result;
}

// The epilogue's loops count one phase's outputs: its streams find them every stride apart.
void spread(Nest& nest, const kawara_conv& conv, const std::array<Phase, 2>& phases) {
  for (NestStream& stream : std::span(nest.streams).first(nest.first_accumulator()))
    for (NestCoordinate& coordinate : stream.coordinates)
      for (unsigned i = 0; i < 2; ++i) {
        int32_t& coef = coordinate.coef[kFirstLoop + 1 + i];
        coordinate.base += coef * phases[i].first;
        coef *= static_cast<int32_t>(conv.stride[i + 1]);
      }
}

// Weights of the phase's taps, the last first: it meets the first of the inputs.
WidenedOperand turned(const WidenedOperand& weights, const kawara_conv& conv, const std::array<Phase, 2>& phases) {
  WidenedOperand result = weights;
  for (unsigned i = 0; i < 2; ++i) {
    const int64_t last = phases[i].tap + (phases[i].taps - 1) * conv.stride[i + 1];
    result.place.offset += static_cast<uint64_t>(last * weights.stride[4 + i] * 4);
    result.stride[4 + i] = -weights.stride[4 + i] * conv.stride[i + 1];
  }
  return result;
}

}  // namespace

bool add_lane_transposed(Recorder& recorder, const hw::CommandView& command, const kawara_conv& conv, const WidenedOperand& inputs,
                         const WidenedOperand& weights, uint64_t& scratch) {
  if (!suits(conv, command.section())) return false;
  std::vector<std::array<Phase, 2>> all;
  for (uint32_t y = 0; y < conv.stride[1]; ++y)
    for (uint32_t x = 0; x < conv.stride[2]; ++x) {
      const std::array<Phase, 2> phases{Phase(conv, 1, y), Phase(conv, 2, x)};
      if (phases[0].outputs == 0 || phases[1].outputs == 0) continue;
      if (phases[0].taps == 0 || phases[1].taps == 0) return false;
      const kawara_conv each = ordinary(conv, phases);
      if (!LaneConv(each).suits()) return false;
      all.push_back(phases);
    }
  const uint64_t before = scratch;
  for (const auto& phases : all) {
    uint64_t used = before;  // one phase after the other, in the same memory
    const kawara_conv each = ordinary(conv, phases);
    const LaneConv lanes(each);
    Product product = conv_product(each, inputs, turned(weights, conv, phases));
    const uint64_t channels = uint64_t{conv.groups} * conv.OC, row = LaneProduct::row_of_room(lanes.columns());
    const auto batch = static_cast<int64_t>(row * LaneProduct::rows_of_room(channels)), line = static_cast<int64_t>(lanes.line());
    product.sums = reserve(conv.N * static_cast<uint64_t>(batch) * 4, used);
    product.sums_row = static_cast<int64_t>(row);
    product.sums_batch = {batch, static_cast<int64_t>(conv.OC * row)};
    product.sums_position = {0, line, 1};
    recorder.start_pass();
    lanes.add(recorder, product, used);
    recorder.start_pass();
    Nest nest = epilogue_nest(command.section(), {conv.N, static_cast<uint32_t>(channels), 1, each.out[1], each.out[2]},
                              {batch, product.sums_row, 0, line, 1}, product.sums_row, product.sums);
    spread(nest, conv, phases);
    nest.counts_health = command.header().flags & KAWARA_HEADER_HEALTH;
    recorder.add_nest(nest);
    scratch = std::max(scratch, used);
  }
  return true;
}

}  // namespace kawara::emulator::vulkan
