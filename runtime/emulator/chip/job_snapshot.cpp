// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/job_snapshot.h"

#include <algorithm>

namespace kawara::emulator {
namespace {

// Executors read commands as 16-byte aligned structs.
static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ >= 16);

ChipFault fault_of(const kawara_check_fault& broken) {
  return {.code = broken.code,
          .engine = broken.engine,
          .write = broken.write != 0,
          .command = broken.command,
          .debug_id = broken.debug_id,
          .address = broken.address,
          .field = broken.field};
}

const kawara_header& header(std::span<const std::byte> commands, uint32_t offset) {
  return *reinterpret_cast<const kawara_header*>(commands.data() + offset);
}

}  // namespace

uint64_t JobSnapshot::size_bytes() const {
  return sizeof(*this) + commands.size() + table.size() * (sizeof(kawara_region) + sizeof(RegionUse)) +
         (offsets.size() + segment_ends.size()) * sizeof(uint32_t);
}

std::expected<void, ChipFault> JobSnapshot::check() {
  kawara_check_fault broken;
  offsets.resize(commands.size() / sizeof(kawara_header));
  const int count =
      kawara_check(commands.data(), commands.size(), table.data(), static_cast<uint32_t>(table.size()), &limits, offsets.data(), &broken);
  if (count < 0) return std::unexpected(fault_of(broken));
  offsets.resize(static_cast<size_t>(count));
  offsets.shrink_to_fit();
  for (const uint32_t offset : offsets)
    if (header(commands, offset).opcode == KAWARA_COMMAND_event)
      events.push_back(reinterpret_cast<const kawara_event*>(commands.data() + offset)->dst);
  for (uint32_t command = 0; command < offsets.size(); ++command)
    if (command + 1 == offsets.size() || (header(commands, offsets[command]).flags & KAWARA_HEADER_SWITCH_POINT) != 0)
      segment_ends.push_back(command + 1);
  uses = region_uses(commands, offsets, table.size());
  return {};
}

bool JobSnapshot::fits(std::span<const kawara_region> other) const {
  return std::ranges::equal(table, other, [](const kawara_region& a, const kawara_region& b) {
    return a.size == b.size && a.flags == b.flags && a.reserved0 == b.reserved0 && a.reserved1 == b.reserved1;
  });
}

ChipFault JobSnapshot::placed(ChipFault fault, const OperandPlace& place) const {
  const kawara_header& command = header(commands, offsets[place.command]);
  fault.engine = command.engine;
  fault.command = offsets[place.command];
  fault.debug_id = command.debug_id;
  fault.field = place.field;
  return fault;
}

std::expected<void, ChipFault> check_table(std::span<const kawara_region> table, const kawara_check_limits& limits) {
  kawara_check_fault broken{};
  kawara_checker checker{};
  checker.regions = table.data();
  checker.n_regions = static_cast<uint32_t>(table.size());
  checker.limits = limits;
  checker.fault = &broken;
  if (!kawara_check_regions(&checker)) return std::unexpected(fault_of(broken));
  return {};
}

}  // namespace kawara::emulator
