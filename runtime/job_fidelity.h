// SPDX-License-Identifier: Apache-2.0
// How near a job's results are, told from its commands.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kawara/fence.h"
#include "kawara/hw/fidelity.h"

namespace kawara {

// Of a copy: the buffer's owner may write to it while it is read.
inline Fidelity fidelity_of(std::span<const std::byte> commands) {
  const std::vector<std::byte> copy(commands.begin(), commands.end());
  kawara_fidelity fidelity;
  kawara_fidelity_of_job(copy.data(), copy.size(), &fidelity);
  return {.exact = fidelity.exact,
          .bounded = fidelity.bounded,
          .device_dependent = fidelity.device_dependent,
          .bound_ulp = fidelity.bounded_ulp_times_1000 / 1000.0,
          .depth_max = fidelity.depth_max};
}

}  // namespace kawara
