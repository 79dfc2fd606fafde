// SPDX-License-Identifier: Apache-2.0
#include "emulator/vulkan/depthwise.h"

#include <algorithm>
#include <optional>

#include "emulator/vulkan/command_nests.h"
#include "emulator/vulkan/conv_product.h"
#include "emulator/vulkan/lane_nest.h"
#include "emulator/vulkan/lane_operands.h"

namespace kawara::emulator::vulkan {

namespace {

enum Loop : unsigned { image, channel, out_z, out_y, out_x, tap_z = 6, tap_y, tap_x };

bool suits(const kawara_conv& conv, const hw::SectionView& section) {
  if (std::ranges::find(conv.kernel, 0u) != std::end(conv.kernel)) return false;
  if (!border_pays({uint64_t{conv.in[0]} * conv.in[1], conv.in[2]}, {window_reach(conv, 0) * window_reach(conv, 1), window_reach(conv, 2)}))
    return false;
  return conv.IC == 1 && conv.OC == 1 && conv.a_dtype == KAWARA_DTYPE_f32 && conv.acc_dtype == KAWARA_DTYPE_f32 &&
         kawara_operand_region(conv.a_zero) == KAWARA_REGION_ABSENT && (conv.flags & KAWARA_CONV_TRANSPOSED) == 0 &&
         (conv.header.flags & KAWARA_HEADER_LIMIT_DIM) == KAWARA_HEADER_LIMIT_NONE && section.fields().n_red == 0 &&
         section.fields().acc_group <= 1;
}

// The windows' input, read where its border hangs over, else as it lies: then no window needs a test.
WidenedOperand with_border(Recorder& recorder, const kawara_conv& conv, const WidenedOperand& inputs, uint64_t& scratch) {
  std::array<uint32_t, 3> extent;
  std::array<int32_t, 3> before;
  bool fits = true;
  for (unsigned i = 0; i < 3; ++i) {
    extent[i] = static_cast<uint32_t>(window_reach(conv, i));
    before[i] = conv.pad[i];
    fits &= conv.pad[i] == 0 && extent[i] <= conv.in[i];
  }
  if (fits) return inputs;
  return bordered_copy(recorder, inputs, {conv.N, conv.groups}, {conv.in[0], conv.in[1], conv.in[2]}, before, extent, conv.pad_value,
                       scratch);
}

// Registers that no instruction of the section names.
std::vector<uint8_t> free_registers(const Nest& nest) {
  std::array<bool, KAWARA_REGISTERS> used{};
  const auto use = [&](uint8_t number) {
    if (number < used.size()) used[number] = true;
  };
  for (const kawara_instr& instr : nest.instrs)
    for (const uint8_t number : {instr.dst, instr.a, instr.b, instr.c}) use(number);
  for (const NestStream& stream : nest.streams)
    for (const NestCoordinate& coordinate : stream.coordinates) use(coordinate.reg);
  std::vector<uint8_t> result;
  for (uint8_t i = 0; i < used.size(); ++i)
    if (!used[i]) result.push_back(i);
  return result;
}

// The epilogue's nest with a phase before its own, which sums what it takes from the accumulator.
std::optional<Nest> summed(const hw::SectionView& section, const NestStream& inputs, const NestStream& weights) {
  Nest nest = section_nest(section);
  const std::vector<uint8_t> registers = free_registers(nest);
  if (registers.size() < 3) return {};
  const uint8_t sum = registers[0], value = registers[1], weight = registers[2];
  const auto first = static_cast<uint16_t>(nest.n_in), second = static_cast<uint16_t>(nest.n_in + 1);
  for (kawara_instr& instr : nest.instrs) {
    if (instr.op == KAWARA_OP_store) instr.imm = static_cast<uint16_t>(instr.imm + 2);
    for (uint8_t* source : {&instr.a, &instr.b, &instr.c})
      if (*source == KAWARA_SOURCE_ACCUMULATOR) *source = sum;
  }
  nest.streams.insert(nest.streams.begin() + nest.n_in, {inputs, weights});
  nest.n_in += 2;
  const std::array<kawara_instr, 4> step = {{{KAWARA_OP_load, value, 0, 0, 0, KAWARA_DTYPE_f32, first},
                                             {KAWARA_OP_load, weight, 0, 0, 0, KAWARA_DTYPE_f32, second},
                                             {KAWARA_OP_mul, value, value, weight, 0, KAWARA_DTYPE_f32, 0},
                                             {KAWARA_OP_red_add, sum, value, 0, 0, KAWARA_DTYPE_f32, 0}}};
  nest.instrs.insert(nest.instrs.begin(), step.begin(), step.end());
  for (kawara_phase& phase : nest.phases)
    for (uint16_t* at : {&phase.before, &phase.step, &phase.after, &phase.end}) *at = static_cast<uint16_t>(*at + step.size());
  nest.phases.insert(nest.phases.begin(), {KAWARA_PHASE_TREE, 7, 0, 0, 4, 4, {}});
  nest.n_red = 3;
  return nest;
}

}  // namespace

bool add_depthwise(Recorder& recorder, const hw::CommandView& command, const kawara_conv& conv, const WidenedOperand& inputs,
                   const WidenedOperand& weights, uint64_t& scratch) {
  if (!suits(conv, command.section())) return false;
  NestStream taps{weights.place, DType::f32, 0, 0, {along(channel, weights.stride[0], conv.groups)}};
  for (unsigned i = 0; i < 3; ++i) taps.coordinates.push_back(along(tap_z + i, weights.stride[3 + i], conv.kernel[i]));
  const auto nest_over = [&](const WidenedOperand& from) {
    NestStream in{from.place, DType::f32, 0, 0, {along(image, from.stride[0], conv.N), along(channel, from.stride[1], conv.groups)}};
    for (unsigned i = 0; i < 3; ++i) {
      NestCoordinate position = along(out_z + i, from.stride[3 + i], UINT32_MAX);  // inside everywhere: the border is there
      position.coef[out_z + i] = static_cast<int32_t>(conv.stride[i]);
      position.coef[tap_z + i] = static_cast<int32_t>(conv.dilation[i]);
      in.coordinates.push_back(position);
    }
    std::optional<Nest> nest = summed(command.section(), in, taps);
    if (!nest) return nest;
    nest->n_par = 5;
    nest->extent = {conv.N, conv.groups, conv.out[0], conv.out[1], conv.out[2], 1, conv.kernel[0], conv.kernel[1], conv.kernel[2]};
    nest->counts_health = command.header().flags & KAWARA_HEADER_HEALTH;
    return nest;
  };
  if (const auto nest = nest_over(inputs); !nest || !lane_nest(plan(*nest), recorder.software_lanes())) return false;
  const WidenedOperand from = with_border(recorder, conv, inputs, scratch);
  recorder.start_pass();
  recorder.add_nest(*nest_over(from));
  return true;
}

}  // namespace kawara::emulator::vulkan
