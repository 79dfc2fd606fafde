// SPDX-License-Identifier: Apache-2.0
// What one run of a session needs for itself: an arena, buffers for inputs and outputs, and the region table that names them.
#pragma once

#include <string_view>
#include <vector>

#include "kawara/buffer.h"
#include "kawara/device.h"
#include "kawara/program.h"

namespace kawara {

struct Slot {
  std::vector<Buffer> own;               // arena and host buffers, by region; empty where the session's weights stand
  std::vector<const Buffer*> of_region;  // every region's buffer
  std::vector<Buffer> held;              // by region: a caller's that stands in its place in this run
  Buffer regions;
};

// At least one byte. Throws out_of_memory, which says what for, and what the device has.
Buffer allocate(const Device& device, uint64_t size_bytes, Memory memory, std::string_view what);

// What the region's entry names from now on: a buffer of the caller's, which it shares, or the slot's own again where it is null.
void place(Slot& slot, uint32_t region, const Buffer* buffer);
const Buffer& buffer_of(const Slot& slot, uint32_t region);

// Throws out_of_memory.
Slot make_slot(const Device& device, const Program& program, const Buffer& weights);

}  // namespace kawara
