// SPDX-License-Identifier: Apache-2.0
// A session's job as a capture: what of its memory may be told before it, and what after.
#pragma once

#include <cstddef>
#include <vector>

#include "kawara/capture.h"
#include "kawara/device.h"
#include "slot.h"

namespace kawara {

using RegionBytes = std::vector<std::vector<std::byte>>;

// What the inputs' regions hold, in the program's order.
RegionBytes bytes_of_inputs(const Program& program, const Slot& slot);

// Whether a job leaves its inputs and weights as they were, so that they may be told after it.
bool leaves_inputs(const Program& program);

// Before a job that is to be captured: what a program must not read before it writes it is zero, as in a replay.
void clear(const Program& program, const Slot& slot);

// After it. `ended`: its fence.
CaptureContents captured(const Device& device, const Program& program, const Slot& slot, RegionBytes inputs, const Fence& ended);

}  // namespace kawara
