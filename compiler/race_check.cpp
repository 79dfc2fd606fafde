// SPDX-License-Identifier: Apache-2.0
#include "race_check.h"

#include <vector>

#include "footprint.h"
#include "last_uses.h"

namespace kawara::compiler {

namespace {

// Memory and SRAM are two spaces; one number names a byte of either.
constexpr uint64_t kSramSpace = uint64_t{1} << 63;

struct Use {
  uint32_t region;
  uint64_t begin, end;
  bool write;
};

struct Step {
  const kawara_header* header;
  uint32_t offset;
  std::vector<Use> uses;
};

std::vector<Step> steps_of(std::span<const std::byte> commands, std::span<const kawara_region> regions) {
  std::vector<Step> steps;
  for (size_t at = 0; at < commands.size();) {
    const hw::CommandView view(commands, static_cast<uint32_t>(at));
    Step step{&view.header(), view.offset(), {}};
    for (const Footprint& footprint : footprints(view)) {
      const kawara_region& region = regions[footprint.region];
      const uint64_t base = region.address + ((region.flags & KAWARA_REGION_KIND) == KAWARA_REGION_SRAM ? kSramSpace : 0);
      step.uses.push_back({footprint.region, base + footprint.begin, base + footprint.end, footprint.write});
    }
    steps.push_back(std::move(step));
    at += view.size_bytes();
  }
  return steps;
}

std::vector<uint64_t> borders_of(const std::vector<Step>& steps) {
  std::vector<uint64_t> borders;
  for (const Step& step : steps)
    for (const Use& use : step.uses) {
      borders.push_back(use.begin);
      borders.push_back(use.end);
    }
  return borders;
}

class RaceCheck {
 public:
  explicit RaceCheck(const std::vector<Step>& steps) : steps_(steps), written_(borders_of(steps)), read_(written_) {}

  std::optional<Race> run() {
    for (const Step& step : steps_) {
      const Clock known = known_at(step);
      for (const Use& use : step.uses)
        if (const auto race = meet(step, use, known)) return race;
      const uint32_t engine = step.header->engine;
      retired_[engine].push_back(known);
      ++retired_[engine].back()[engine];
      offsets_[engine].push_back(step.offset);
      for (const Use& use : step.uses) (use.write ? written_ : read_).record(use.begin, use.end, engine, count(engine));
      // All that was issued has retired before anything behind a switch point starts.
      if (step.header->flags & KAWARA_HEADER_SWITCH_POINT)
        for (uint32_t other = 0; other < KAWARA_ENGINE_COUNT; ++other) segment_[other] = count(other);
    }
    return std::nullopt;
  }

 private:
  uint32_t count(uint32_t engine) const { return static_cast<uint32_t>(retired_[engine].size()); }

  // What has retired when a command starts.
  Clock known_at(const Step& step) const {
    Clock known = segment_;
    const auto& own = retired_[step.header->engine];
    if (!own.empty()) join(known, own.back());
    for (const kawara_type_wait wait : step.header->wait)
      if (kawara_wait_count(wait) > 0) join(known, retired_[kawara_wait_engine(wait)][kawara_wait_count(wait) - 1]);
    return known;
  }

  std::optional<Race> meet(const Step& step, const Use& use, const Clock& known) const {
    Clock met{};
    written_.find(use.begin, use.end, met);
    if (use.write) read_.find(use.begin, use.end, met);
    for (uint32_t engine = 0; engine < KAWARA_ENGINE_COUNT; ++engine)
      if (met[engine] > known[engine]) return Race{offsets_[engine][met[engine] - 1], step.offset, use.region};
    return std::nullopt;
  }

  const std::vector<Step>& steps_;
  LastUses written_, read_;
  Clock segment_{};                                              // what had retired when the segment began
  std::array<std::vector<Clock>, KAWARA_ENGINE_COUNT> retired_;  // what is known once a command has retired
  std::array<std::vector<uint32_t>, KAWARA_ENGINE_COUNT> offsets_;
};

}  // namespace

std::optional<Race> find_race(std::span<const std::byte> commands, std::span<const kawara_region> regions) {
  return RaceCheck(steps_of(commands, regions)).run();
}

}  // namespace kawara::compiler
