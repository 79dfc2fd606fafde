// SPDX-License-Identifier: Apache-2.0
#include "unwritten_check.h"

#include "footprint.h"

namespace kawara::compiler {

namespace {

constexpr uint64_t kRunsMax = uint64_t{1} << 20;  // of all operands that are looked at run by run

class UnwrittenCheck {
 public:
  UnwrittenCheck(std::span<const kawara_region> regions, std::span<const bool> filled) : regions_(regions) {
    for (size_t i = 0; i < regions.size(); ++i)
      if (filled[i]) space(regions[i]).add({regions[i].address, regions[i].address + regions[i].size});
  }

  std::optional<UnwrittenRead> run(const hw::CommandView& command) {
    const std::vector<Footprint> touched = footprints(command);
    for (const Footprint& read : touched)
      if (!read.write)
        if (const auto gap = find_gap(read)) return UnwrittenRead{command.offset(), read.region, *gap};
    // The counters of an event are there when the job has ended: no command may read them.
    if (command.opcode() != KAWARA_COMMAND_event)
      for (const Footprint& write : touched)
        if (write.write) add(write);
    if (command.header().flags & KAWARA_HEADER_SWITCH_POINT) sram_.clear();
    return std::nullopt;
  }

 private:
  static bool is_sram(const kawara_region& region) { return (region.flags & KAWARA_REGION_KIND) == KAWARA_REGION_SRAM; }
  ByteSet& space(const kawara_region& region) { return is_sram(region) ? sram_ : memory_; }

  bool affordable(const Footprint& footprint) {
    if (!footprint.runs || footprint.runs->runs() > kRunsMax - runs_) return false;
    runs_ += footprint.runs->runs();
    return true;
  }

  std::optional<ByteRange> find_gap(const Footprint& read) {
    const uint64_t base = regions_[read.region].address;
    const ByteSet& written = space(regions_[read.region]);
    if (!written.gap({base + read.begin, base + read.end}) || !affordable(read)) return std::nullopt;
    std::optional<ByteRange> gap;
    read.runs->for_each_run([&](const ByteRange& run) { return !(gap = written.gap({base + run.begin, base + run.end})); });
    return gap ? std::optional(ByteRange{gap->begin - base, gap->end - base}) : std::nullopt;
  }

  void add(const Footprint& write) {
    const uint64_t base = regions_[write.region].address;
    ByteSet& written = space(regions_[write.region]);
    if (affordable(write))
      write.runs->for_each_run([&](const ByteRange& run) { return written.add({base + run.begin, base + run.end}), true; });
    else
      written.add({base + write.begin, base + write.end});
  }

  std::span<const kawara_region> regions_;
  ByteSet memory_, sram_;  // addresses
  uint64_t runs_ = 0;
};

}  // namespace

std::optional<UnwrittenRead> find_unwritten_read(std::span<const std::byte> commands, std::span<const kawara_region> regions,
                                                 std::span<const bool> filled) {
  UnwrittenCheck check(regions, filled);
  for (size_t at = 0; at < commands.size();) {
    const hw::CommandView command(commands, static_cast<uint32_t>(at));
    if (const auto read = check.run(command)) return read;
    at += command.size_bytes();
  }
  return std::nullopt;
}

}  // namespace kawara::compiler
