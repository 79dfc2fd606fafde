// SPDX-License-Identifier: Apache-2.0
// One stream of a section: which elements a block of points touches, and how they reach registers and memory.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "emulator/executor.h"
#include "emulator/reference/microcode.h"

namespace kawara::emulator::reference {

// Loop indices of a point, parallel first, reduced from 6.
using Indices = std::array<uint32_t, 9>;

class Stream {
 public:
  Stream(const Job& job, const kawara_stream& fields, std::span<const kawara_coord> coords, unsigned lane_dim);

  // Lane i is the point that lies i further along lane_dim than `first`.
  void load(const Indices& first, unsigned count, std::span<const Lanes, KAWARA_REGISTERS> registers, Lanes& dst) const;
  void store(const Indices& first, unsigned count, std::span<const Lanes, KAWARA_REGISTERS> registers, const Lanes& value, uint8_t type,
             Health* health);

 private:
  struct Coord {
    kawara_coord fields;
    int64_t lane_coef;
    std::vector<std::pair<uint8_t, int64_t>> terms;  // loops whose coefficient is not 0, and the coefficient
  };
  // Elements of the lanes: offset + i * step for lanes [begin, end), or one by one where that does not hold.
  struct Reach {
    unsigned begin = 0, end = 0;
    int64_t offset = 0, step = 0;
    bool affine = true;
    std::array<int64_t, kLanes> offsets;
    std::array<bool, kLanes> inside;
    unsigned dropped = 0;  // lanes outside because of an index from a register

    bool has(unsigned lane) const { return affine ? lane >= begin && lane < end : inside[lane]; }
    int64_t element(unsigned lane) const {
      return affine ? static_cast<int64_t>(static_cast<uint64_t>(offset) + lane * static_cast<uint64_t>(step)) : offsets[lane];
    }
  };

  void find(const Indices& first, unsigned count, std::span<const Lanes, KAWARA_REGISTERS> registers, Reach& reach) const;
  void find_affine(const Indices& first, unsigned count, Reach& reach) const;
  void find_each(const Indices& first, unsigned count, std::span<const Lanes, KAWARA_REGISTERS> registers, Reach& reach) const;

  std::byte* base_;
  uint8_t dtype_;
  bool saturate_;
  uint64_t pad_;
  bool always_affine_ = true;  // no coordinate that differs from lane to lane by more than a step
  std::vector<Coord> coords_;
};

}  // namespace kawara::emulator::reference
