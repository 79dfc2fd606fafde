// SPDX-License-Identifier: Apache-2.0
#include "kawara/profile.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "kawara/error.h"
#include "kawara/file/program_regions.h"
#include "kawara/hw/check.h"
#include "kawara/hw/configs.h"
#include "kawara/hw/cost.h"
#include "kawara/hw/rows.h"

namespace kawara {
namespace {

constexpr const char* kMemories[KAWARA_MEMORY_COUNT] = {"host", "local", "sram"};

const kawara_config& target_of(const Program& program) {
  const kawara_config* const target = hw::find_config(program.target());
  if (!target) throw fail(Code::version_mismatch, "the program is for '{}', a chip that is not known", program.target());
  return *target;
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
  if (program.isa_version() != hw::kIsaVersion)
    throw fail(Code::version_mismatch, "the program is written in version {} of the command set; version {} is known",
               program.isa_version(), hw::kIsaVersion);
  const std::vector<std::byte> commands(program.commands().begin(), program.commands().end());
  const auto regions = file::region_table(program.regions());
  const auto offsets = checked(commands, regions, target);
  std::vector<uint8_t> memories(regions.size());
  std::ranges::transform(program.regions(), memories.begin(), file::memory_of);
  const kawara_cost_view view{
      .config = &target, .regions = regions.data(), .n_regions = static_cast<uint32_t>(regions.size()), .memories = memories.data()};
  std::vector<uint64_t> retired(offsets.size()), started(offsets.size());
  const kawara_cost_trace trace{.retired = retired.data(), .started = started.data(), .events = nullptr};
  kawara_job_cost job{};
  kawara_cost_job(commands.data(), offsets.data(), static_cast<uint32_t>(offsets.size()), &view, &job, &trace);

  std::map<uint32_t, const DebugEntry*> nodes;
  for (const DebugEntry& entry : program.debug()) nodes.emplace(entry.id, &entry);
  Profile result{.cycles = job.cycles, .clock_mhz = target.clock_mhz, .engines = {}, .commands = {}};
  for (size_t i = 0; i < KAWARA_ENGINE_COUNT; ++i) result.engines.push_back({hw::engine_words[i], job.busy[i]});
  for (size_t i = 0; i < offsets.size(); ++i) {
    const auto& header = *reinterpret_cast<const kawara_header*>(commands.data() + offsets[i]);
    kawara_cost cost;
    kawara_cost_command(&header, &view, &cost);
    const auto node = nodes.find(header.debug_id);
    result.commands.push_back({.node = node == nodes.end() ? "" : node->second->node,
                               .op = node == nodes.end() ? "" : node->second->op,
                               .command = std::string(hw::find_command(header.opcode)->name),
                               .engine = hw::engine_words[header.engine],
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
