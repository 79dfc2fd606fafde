// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/job_snapshot.h"

#include "kawara/hw/check.h"

namespace kawara::emulator {

// Executors read commands as 16-byte aligned structs.
static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ >= 16);

std::expected<void, ChipFault> JobSnapshot::take(AddressSpace& space, const kawara_run_packet& packet) {
  commands.resize(packet.command_bytes);
  table.resize(packet.region_count);
  if (auto read = space.read(packet.commands, commands); !read) return read;
  return space.read(packet.regions, std::as_writable_bytes(std::span(table)));
}

std::expected<void, ChipFault> JobSnapshot::check(uint32_t features, uint64_t sram_bytes, const kawara_config& config) {
  const kawara_check_limits limits{
      .features = features, .sram_bytes = sram_bytes, .config = &config, .segment_cycles_max = uint64_t{1} << KAWARA_SEGMENT_CYCLES_LOG2};
  kawara_check_fault broken;
  offsets.resize(commands.size() / sizeof(kawara_header));
  const int count =
      kawara_check(commands.data(), commands.size(), table.data(), static_cast<uint32_t>(table.size()), &limits, offsets.data(), &broken);
  if (count < 0)
    return std::unexpected(ChipFault{.code = broken.code,
                                     .engine = broken.engine,
                                     .write = broken.write != 0,
                                     .command = broken.command,
                                     .debug_id = broken.debug_id,
                                     .address = broken.address,
                                     .field = broken.field});
  offsets.resize(static_cast<size_t>(count));
  return {};
}

const kawara_header& JobSnapshot::command(size_t index) const {
  return *reinterpret_cast<const kawara_header*>(commands.data() + offsets[index]);
}

}  // namespace kawara::emulator
