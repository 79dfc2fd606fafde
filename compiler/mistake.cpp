// SPDX-License-Identifier: Apache-2.0
#include "mistake.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "kawara/file/program_regions.h"
#include "kawara/hw/check.h"
#include "race_check.h"
#include "unwritten_check.h"

namespace kawara::compiler {

namespace {

using Role = ProgramRegion::Role;

std::string_view spelled(uint32_t fault) {
  switch (fault) {
#define FAULT_ROW(code, name, cause, remedy) \
  case code: return #name;
#include "kawara/hw/faults.def"
    default: return "unknown";
  }
}

std::string_view spelled(Role role) {
  switch (role) {
    case Role::weights: return "weights";
    case Role::arena: return "the arena";
    case Role::input: return "an input";
    case Role::output: return "an output";
    case Role::sram: return "SRAM";
  }
  return "";
}

bool is_filled(const ProgramRegion& region) { return region.role == Role::weights || region.role == Role::input; }

class Search {
 public:
  Search(std::span<const std::byte> commands, std::span<const ProgramRegion> regions, std::span<const DebugEntry> debug)
      : commands_(commands), regions_(regions), debug_(debug), table_(file::region_table(regions)) {}

  std::optional<Mistake> run(const kawara_config& target) const {
    // Each needs that the one before found nothing.
    if (auto broken = broken_rule(target)) return broken;
    if (auto race = missing_order()) return race;
    return unwritten_read();
  }

 private:
  std::string node_of(uint32_t debug_id) const {
    const auto entry = std::ranges::find(debug_, debug_id, &DebugEntry::id);
    return entry == debug_.end() ? "" : entry->node;
  }
  std::string node_at(uint32_t offset) const {
    return node_of(reinterpret_cast<const kawara_header*>(commands_.data() + offset)->debug_id);
  }

  // What the chip will check when a job starts.
  std::optional<Mistake> broken_rule(const kawara_config& target) const {
    const kawara_check_limits limits{.features = target.features,
                                     .sram_bytes = uint64_t{target.sram_kib} << 10,
                                     .config = &target,
                                     .segment_cycles_max = uint64_t{1} << KAWARA_SEGMENT_CYCLES_LOG2};
    kawara_check_fault fault{};
    if (kawara_check(commands_.data(), commands_.size(), table_.data(), static_cast<uint32_t>(table_.size()), &limits, nullptr, &fault) >=
        0)
      return std::nullopt;
    std::string node = node_of(fault.debug_id);
    return Mistake{fmt::format("the command of '{}' at byte {} breaks a rule of the chip: {}, field at byte {}", node, fault.command,
                               spelled(fault.code), fault.field),
                   std::move(node)};
  }

  // What the chip does not check.
  std::optional<Mistake> missing_order() const {
    const auto race = find_race(commands_, table_);
    if (!race) return std::nullopt;
    std::string later = node_at(race->later);
    return Mistake{fmt::format("the commands of '{}' at byte {} and '{}' at byte {} meet in region {} without an order",
                               node_at(race->earlier), race->earlier, later, race->later, race->region),
                   std::move(later)};
  }

  std::optional<Mistake> unwritten_read() const {
    const auto filled = std::make_unique<bool[]>(regions_.size());
    std::ranges::transform(regions_, filled.get(), is_filled);
    const auto read = find_unwritten_read(commands_, table_, {filled.get(), regions_.size()});
    if (!read) return std::nullopt;
    std::string node = node_at(read->command);
    return Mistake{
        fmt::format("the command of '{}' at byte {} reads bytes [{}, {}) of region {}, {}, which no command before it has written", node,
                    read->command, read->bytes.begin, read->bytes.end, read->region, spelled(regions_[read->region].role)),
        std::move(node)};
  }

  std::span<const std::byte> commands_;
  std::span<const ProgramRegion> regions_;
  std::span<const DebugEntry> debug_;
  std::vector<kawara_region> table_;
};

}  // namespace

std::optional<Mistake> find_mistake(std::span<const std::byte> commands, std::span<const ProgramRegion> regions,
                                    std::span<const DebugEntry> debug, const kawara_config& target) {
  return Search(commands, regions, debug).run(target);
}

}  // namespace kawara::compiler
