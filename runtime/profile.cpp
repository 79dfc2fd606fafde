// SPDX-License-Identifier: Apache-2.0
#include "kawara/profile.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <string_view>

#include "kawara/error.h"
#include "kawara/hw/check.h"
#include "kawara/hw/cost.h"
#include "kawara/hw/rows.h"

namespace kawara {
namespace {

using Role = ProgramRegion::Role;

constexpr kawara_config kTargets[] = {
#define CONFIG(name, spelled, local_mib, sram_kib, me_rows, me_columns, ve_lanes, clock_mhz, local_gb_s, sram_gb_s, pcie_gb_s, features) \
  {spelled, local_mib, sram_kib, me_rows, me_columns, ve_lanes, clock_mhz, local_gb_s, sram_gb_s, pcie_gb_s, features},
#include "kawara/hw/configs.def"
};

constexpr uint32_t kIsaVersion = 1;  // register ISA_VERSION of these chips

constexpr const char* kEngines[KAWARA_ENGINE_COUNT] = {"control", "matrix", "vector", "dma_in", "dma_out"};
constexpr const char* kMemories[KAWARA_MEMORY_COUNT] = {"host", "local", "sram"};

const kawara_config& target_of(const Program& program) {
  const auto target = std::ranges::find_if(kTargets, [&](const kawara_config& config) { return program.target() == config.name; });
  if (target == std::end(kTargets))
    throw fail(Code::version_mismatch, "the program is for '{}', a chip that is not known", program.target());
  return *target;
}

uint8_t memory_of(const ProgramRegion& region) {
  switch (region.role) {
    case Role::weights:
    case Role::arena: return KAWARA_MEMORY_LOCAL;
    case Role::input:
    case Role::output: return KAWARA_MEMORY_HOST;
    case Role::sram: return KAWARA_MEMORY_SRAM;
  }
  return KAWARA_MEMORY_HOST;
}

// As a session makes it, at addresses that stand for any.
std::vector<kawara_region> region_table(std::span<const ProgramRegion> regions) {
  std::vector<kawara_region> table;
  uint64_t address = KAWARA_VA_GUARD;
  for (const ProgramRegion& region : regions) {
    kawara_region& entry = table.emplace_back();
    entry.size = region.size_bytes;
    entry.flags = (region.readable ? KAWARA_REGION_READ : 0) | (region.writable ? KAWARA_REGION_WRITE : 0) |
                  uint32_t{region.alias_group} << KAWARA_REGION_ALIAS_LOW;
    if (region.role == Role::sram) {
      entry.flags |= KAWARA_REGION_SRAM;
      continue;
    }
    entry.address = address;
    address += (region.size_bytes / 4096 + 1) * 4096;
  }
  return table;
}

// Byte offsets of the commands, once the chip's own check has let them pass: the cost model reads no others.
std::vector<uint32_t> checked(std::span<const std::byte> commands, std::span<const kawara_region> regions, const kawara_config& target) {
  const kawara_check_limits limits{.features = target.features,
                                   .sram_bytes = uint64_t{target.sram_kib} << 10,
                                   .config = &target,
                                   .segment_cycles_max = uint64_t{1} << KAWARA_SEGMENT_CYCLES_LOG2};
  kawara_check_fault fault{};
  std::vector<uint32_t> offsets(commands.size() / 32 + 1);
  const int count = kawara_check(commands.data(), commands.size(), regions.data(), static_cast<uint32_t>(regions.size()), &limits,
                                 offsets.data(), &fault);
  if (count < 0)
    throw fail(Code::invalid_program, "the command at byte {} breaks a rule of the chip, fault {}, in its field at byte {}", fault.command,
               fault.code, fault.field);
  offsets.resize(static_cast<size_t>(count));
  return offsets;
}

// What `alone` consists of, for the most part.
std::string bound_of(const kawara_cost& cost, const kawara_config& target) {
  std::string_view bound = "start";
  uint64_t most = cost.start;
  const auto offer = [&](std::string_view name, uint64_t cycles) {
    if (cycles > most) most = cycles, bound = name;
  };
  offer("compute", cost.unit);
  for (uint32_t i = 0; i < KAWARA_MEMORY_COUNT; ++i)
    offer(kMemories[i], kawara_ceil_divide(kawara_product(cost.bytes[i], target.clock_mhz), kawara_memory_gb_s(&target, i) * 1000ull));
  return std::string(bound);
}

}  // namespace

Profile profile(const Program& program) {
  const kawara_config& target = target_of(program);
  if (program.isa_version() != kIsaVersion)
    throw fail(Code::version_mismatch, "the program is written in version {} of the command set; version {} is known",
               program.isa_version(), kIsaVersion);
  const std::vector<std::byte> commands(program.commands().begin(), program.commands().end());
  const auto regions = region_table(program.regions());
  const auto offsets = checked(commands, regions, target);
  std::vector<uint8_t> memories(regions.size());
  std::ranges::transform(program.regions(), memories.begin(), memory_of);
  const kawara_cost_view view{
      .config = &target, .regions = regions.data(), .n_regions = static_cast<uint32_t>(regions.size()), .memories = memories.data()};
  std::vector<uint64_t> retired(offsets.size()), started(offsets.size());
  const kawara_cost_trace trace{.retired = retired.data(), .started = started.data(), .events = nullptr};
  kawara_job_cost job{};
  kawara_cost_job(commands.data(), offsets.data(), static_cast<uint32_t>(offsets.size()), &view, &job, &trace);

  std::map<uint32_t, const DebugEntry*> nodes;
  for (const DebugEntry& entry : program.debug()) nodes.emplace(entry.id, &entry);
  Profile result{.cycles = job.cycles, .clock_mhz = target.clock_mhz, .engines = {}, .commands = {}};
  for (size_t i = 0; i < KAWARA_ENGINE_COUNT; ++i) result.engines.push_back({kEngines[i], job.busy[i]});
  for (size_t i = 0; i < offsets.size(); ++i) {
    const auto& header = *reinterpret_cast<const kawara_header*>(commands.data() + offsets[i]);
    kawara_cost cost;
    kawara_cost_command(&header, &view, &cost);
    const auto node = nodes.find(header.debug_id);
    result.commands.push_back({.node = node == nodes.end() ? "" : node->second->node,
                               .op = node == nodes.end() ? "" : node->second->op,
                               .command = std::string(hw::find_command(header.opcode)->name),
                               .engine = kEngines[header.engine],
                               .start = started[i],
                               .cycles = retired[i] - started[i],
                               .alone = cost.alone,
                               .bound = bound_of(cost, target),
                               .host_bytes = cost.bytes[KAWARA_MEMORY_HOST],
                               .local_bytes = cost.bytes[KAWARA_MEMORY_LOCAL],
                               .sram_bytes = cost.bytes[KAWARA_MEMORY_SRAM]});
  }
  return result;
}

}  // namespace kawara
