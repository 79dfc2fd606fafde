// SPDX-License-Identifier: Apache-2.0
// A loop nest of microcode as this executor runs it. Sections become nests, and so do copies and what the matrix engine
// leaves to the vector engine: more streams and coordinates than a section can name are welcome here.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kawara/dtype.h"
#include "kawara/hw/commands.h"

namespace kawara::emulator::vulkan {

inline constexpr unsigned kParallelMax = 6, kIndices = 9;

// Where data lies: in a region of the job, in the executor's scratch memory, where it counts NaN and its like, or where zeros are.
struct Place {
  static constexpr uint32_t kScratch = 0x10000, kHealth = 0x10001, kZeros = 0x10002;
  uint32_t region = 0;
  uint64_t offset = 0;  // bytes
};

struct NestCoordinate {
  int64_t stride = 0;
  uint32_t extent = 0;
  int64_t base = 0;
  std::array<int32_t, kIndices> coef{};
  uint32_t den = 1;
  uint8_t flags = 0;
  uint8_t reg = 0;
};

struct NestStream {
  Place place;
  DType dtype = DType::none;
  uint8_t flags = 0;
  uint64_t pad = 0;
  std::vector<NestCoordinate> coordinates;
};

struct NestLimit {
  bool is_set = false;
  Place place;
  uint8_t index = 0xff;  // loop index that it clamps; 0xff: none of the nest's, though 0 stops it all the same
  uint32_t divisor = 1;  // the loop counts groups of so many
};

struct Nest {
  std::array<uint32_t, kIndices> extent{1, 1, 1, 1, 1, 1, 1, 1, 1};
  uint32_t n_par = 0, n_red = 0, n_in = 0;
  std::vector<NestStream> streams;  // inputs, outputs, then one input per accumulator
  uint32_t n_accumulators = 0;
  std::vector<uint32_t> constants;
  std::vector<kawara_phase> phases;
  std::vector<kawara_instr> instrs;
  NestLimit limit;
  bool counts_health = false;

  uint32_t first_accumulator() const { return static_cast<uint32_t>(streams.size()) - n_accumulators; }
};

}  // namespace kawara::emulator::vulkan
