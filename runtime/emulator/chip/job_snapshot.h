// SPDX-License-Identifier: Apache-2.0
// The chip's own copy of a job's command buffer and region table: what is checked is what runs, whatever the host writes
// meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <vector>

#include "emulator/chip/address_space.h"
#include "emulator/chip/chip_fault.h"
#include "kawara/hw/commands.h"
#include "kawara/hw/ring.h"

namespace kawara::emulator {

struct JobSnapshot {
  std::vector<std::byte> commands;
  std::vector<kawara_region> table;
  std::vector<uint32_t> offsets;  // of each command; filled by check()

  // Copies both through the page table.
  std::expected<void, ChipFault> take(AddressSpace& space, const kawara_run_packet& packet);
  // Every rule of check.h.
  std::expected<void, ChipFault> check(uint32_t features, uint64_t sram_bytes, const kawara_config& config);

  const kawara_header& command(size_t index) const;
};

}  // namespace kawara::emulator
