// SPDX-License-Identifier: Apache-2.0
// The snapshots of jobs that ran lately: when the same commands come again, they are not checked again.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <vector>

#include "emulator/chip/address_space.h"
#include "emulator/chip/job_snapshot.h"
#include "kawara/hw/ring.h"

namespace kawara::emulator {

// Used by one thread at a time.
class SnapshotCache {
 public:
  // What the snapshots kept may hold before those not used for longest go. One that is larger is kept alone.
  static constexpr uint64_t kBytesMax = uint64_t{64} << 20;

  explicit SnapshotCache(uint64_t bytes_max = kBytesMax) : bytes_max_(bytes_max) {}

  // The packet's commands, read through `space` and compared byte by byte with those of the snapshots, or copied and checked.
  // `table` is the job's, and has been copied.
  std::expected<std::shared_ptr<const JobSnapshot>, ChipFault> get(AddressSpace& space, const kawara_run_packet& packet,
                                                                   std::span<const kawara_region> table, const kawara_check_limits& limits);

  uint64_t commands_checked() const { return commands_checked_; }

 private:
  void keep(std::shared_ptr<const JobSnapshot> snapshot);

  const uint64_t bytes_max_;
  std::vector<std::shared_ptr<const JobSnapshot>> snapshots_;  // used last stands last
  uint64_t bytes_ = 0;
  uint64_t last_number_ = 0;
  uint64_t commands_checked_ = 0;
};

}  // namespace kawara::emulator
