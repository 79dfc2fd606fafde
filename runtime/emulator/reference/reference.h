// SPDX-License-Identifier: Apache-2.0
// The executor of plain loops: what the manual says, in the order it says it. Slow, and the oracle of every test.
#pragma once

#include <cstdint>
#include <optional>

#include "emulator/executor.h"

namespace kawara::emulator {

struct ReferenceOptions {
  std::optional<uint64_t> order;  // the seed of an order that engines and waits allow, copies as late as they do; none: the buffer's

  bool operator==(const ReferenceOptions&) const = default;
  auto operator<=>(const ReferenceOptions&) const = default;
};

ExecutorFactory reference_executor(const ReferenceOptions& options = {});

}  // namespace kawara::emulator
