// SPDX-License-Identifier: Apache-2.0
// One microcode instruction over a block of points: every lane is a point, and lanes never meet.
#pragma once

#include <cstdint>

#include "kawara/hw/commands.h"

namespace kawara::emulator::reference {

inline constexpr unsigned kLanes = 128;

// A register of every point in the block. Type f32, i32 or u32: the low words; i64: both.
struct Lanes {
  alignas(64) uint32_t low[kLanes];
  alignas(64) uint32_t high[kLanes];
};

// dst = op(a, b, c) in the first `count` lanes, as microcode.def says; a reduction combines dst with a. dst may be one of
// the sources. Loads and stores are the section's.
void evaluate(uint8_t op, uint8_t type, uint16_t imm, Lanes& dst, const Lanes& a, const Lanes& b, const Lanes& c, unsigned count);

// What a reduction starts from.
uint64_t identity(uint8_t op, uint8_t type);

void fill(Lanes& lanes, uint64_t value, unsigned count);

}  // namespace kawara::emulator::reference
