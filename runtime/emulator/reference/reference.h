// SPDX-License-Identifier: Apache-2.0
// The executor of plain loops: what the manual says, in the order it says it. Slow, and the oracle of every test.
#pragma once

#include "emulator/executor.h"

namespace kawara::emulator {

ExecutorFactory reference_executor();

}  // namespace kawara::emulator
