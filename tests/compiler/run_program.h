// SPDX-License-Identifier: Apache-2.0
// A program on the reference executor, without a device: regions are vectors, the arena starts with garbage, and so does SRAM
// in each segment.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <span>
#include <vector>

#include "emulator/reference/reference.h"
#include "kawara/error.h"
#include "kawara/hw/check.h"
#include "kawara/program.h"

namespace kawara::test {

inline std::vector<uint32_t> command_offsets(const Program& program) {
  std::vector<uint32_t> offsets;
  for (size_t at = 0; at < program.commands().size();) {
    offsets.push_back(static_cast<uint32_t>(at));
    at += reinterpret_cast<const kawara_header*>(program.commands().data() + at)->size16 * size_t{16};
  }
  return offsets;
}

// Runs a job as the command processor does, segment by segment. segment_begins: called before each.
inline void run_segments(const emulator::Execute& execute, const emulator::Job& job, const std::function<void()>& segment_begins = {}) {
  const emulator::Progress progress{[](uint32_t) {}, [] {}, [] { return false; }};
  const auto count = static_cast<uint32_t>(job.offsets.size());
  for (uint32_t begin = 0, end = 0; begin < count; begin = end) {
    const auto ends = [&](uint32_t command) {
      return reinterpret_cast<const kawara_header*>(job.commands.data() + job.offsets[command])->flags & KAWARA_HEADER_SWITCH_POINT;
    };
    for (end = begin + 1; end < count && !ends(end - 1);) ++end;
    if (segment_begins) segment_begins();
    execute(job, begin, end, progress);
  }
}

// Outputs as the bytes of dense tensors. commands: the program's, where they are not others of the same places.
inline std::vector<std::vector<std::byte>> run_program(const Program& program, const std::vector<std::vector<std::byte>>& inputs,
                                                       const emulator::ReferenceOptions& options = {},
                                                       std::span<const std::byte> commands = {}) {
  std::vector<std::vector<std::byte>> memory;
  std::vector<emulator::Region> regions;
  for (const ProgramRegion& region : program.regions()) memory.emplace_back(region.size_bytes + 1, std::byte{0x7f});
  for (size_t i = 0; i < memory.size(); ++i) {
    const ProgramRegion& region = program.regions()[i];
    emulator::Region translated;
    translated.readable = region.readable;
    translated.writable = region.writable;
    translated.size = region.size_bytes;
    switch (region.role) {
      case ProgramRegion::Role::weights: std::ranges::copy(program.weights(), memory[i].begin()); [[fallthrough]];
      case ProgramRegion::Role::arena:
      case ProgramRegion::Role::sram:
        translated.place = emulator::Region::Place::local;
        translated.data = memory[i].data();
        break;
      case ProgramRegion::Role::input: std::ranges::copy(inputs.at(region.index), memory[i].begin()); [[fallthrough]];
      case ProgramRegion::Role::output:
        translated.place = emulator::Region::Place::host;
        translated.pieces.push_back({0, memory[i].data(), region.size_bytes});
        break;
    }
    regions.push_back(std::move(translated));
  }
  const auto offsets = command_offsets(program);
  const emulator::Job job{
      .commands = commands.empty() ? program.commands() : commands, .offsets = offsets, .table = {}, .regions = regions};
  run_segments(emulator::reference_executor(options)({}, {}), job, [&] {
    for (size_t i = 0; i < memory.size(); ++i)
      if (program.regions()[i].role == ProgramRegion::Role::sram) std::ranges::fill(memory[i], std::byte{0x7f});
  });
  std::vector<std::vector<std::byte>> outputs;
  for (const TensorInfo& output : program.outputs())
    outputs.emplace_back(memory[output.region].begin(), memory[output.region].begin() + static_cast<ptrdiff_t>(output.size_bytes));
  return outputs;
}

inline std::vector<float> run_floats(const Program& program, const std::vector<std::vector<float>>& inputs) {
  std::vector<std::vector<std::byte>> bytes;
  for (const auto& input : inputs) {
    const auto span = std::as_bytes(std::span(input));
    bytes.emplace_back(span.begin(), span.end());
  }
  const auto output = run_program(program, bytes).at(0);
  std::vector<float> result(output.size() / sizeof(float));
  if (!output.empty()) std::memcpy(result.data(), output.data(), output.size());
  return result;
}

}  // namespace kawara::test
