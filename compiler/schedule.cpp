// SPDX-License-Identifier: Apache-2.0
#include "schedule.h"

#include <optional>

#include "last_uses.h"

namespace kawara::compiler {

namespace {

// A command on one of four engines (the command processor has none here) waits for at most the three others.
static_assert(KAWARA_ENGINE_COUNT - 2 <= 3, "the header holds three waits");

// All places that commands write, one behind the other as on a ruler.
class Ruler {
 public:
  Ruler(const Commands& model, const Allocation& allocation) : model_(model), allocation_(allocation) {
    sram_ = allocation.arena_bytes;
    uint64_t end = sram_ + allocation.sram_bytes;
    outputs_.resize(model.buffers.size());
    for (size_t i = 0; i < model.buffers.size(); ++i) {
      if (model.buffers[i].role != Buffer::Role::output) continue;
      outputs_[i] = end;
      end += model.buffers[i].size_bytes;
    }
  }

  struct Range {
    uint64_t begin, end;
  };
  // Nothing for what is only read.
  std::optional<Range> range(const Access& access) const {
    if (access.begin >= access.end) return std::nullopt;
    uint64_t base = 0;
    switch (model_.buffers[access.buffer].role) {
      case Buffer::Role::arena: base = allocation_.offsets[access.buffer] + (allocation_.in_sram[access.buffer] ? sram_ : 0); break;
      case Buffer::Role::output: base = outputs_[access.buffer]; break;
      case Buffer::Role::weights:
      case Buffer::Role::input: return std::nullopt;
    }
    return Range{base + static_cast<uint64_t>(access.begin), base + static_cast<uint64_t>(access.end)};
  }

  std::vector<uint64_t> borders() const {
    std::vector<uint64_t> borders;
    for (const Command& command : model_.commands)
      for (const Access& access : command.accesses)
        if (const auto at = range(access)) borders.insert(borders.end(), {at->begin, at->end});
    return borders;
  }

 private:
  const Commands& model_;
  const Allocation& allocation_;
  uint64_t sram_ = 0;
  std::vector<uint64_t> outputs_;  // per buffer
};

class Scheduler {
 public:
  Scheduler(const Commands& model, const Allocation& allocation) : ruler_(model, allocation), written_(ruler_.borders()), read_(written_) {}

  void run(Command& command) {
    const size_t engine = command.engine;
    Clock needed{};
    for (const Access& access : command.accesses) depend(access, needed);
    const auto issued = static_cast<uint32_t>(retired_[engine].size());
    Clock known = segment_;
    if (issued) join(known, retired_[engine].back());
    command.waits.clear();
    for (uint32_t other = 0; other < KAWARA_ENGINE_COUNT; ++other) {
      if (other == engine || needed[other] <= known[other] || implied(other, needed)) continue;
      command.waits.push_back(kawara_wait(other, needed[other]));
    }
    for (const kawara_type_wait wait : command.waits) join(known, retired_[kawara_wait_engine(wait)][kawara_wait_count(wait) - 1]);
    known[engine] = issued + 1;
    retired_[engine].push_back(known);
    for (const Access& access : command.accesses)
      if (const auto at = ruler_.range(access))
        (access.write ? written_ : read_).record(at->begin, at->end, static_cast<uint32_t>(engine), issued + 1);
    if (command.switch_point)
      for (size_t other = 0; other < KAWARA_ENGINE_COUNT; ++other) segment_[other] = static_cast<uint32_t>(retired_[other].size());
  }

 private:
  // Whether waiting for another engine's part of `needed` waits for this one too.
  bool implied(uint32_t engine, const Clock& needed) const {
    for (uint32_t other = 0; other < KAWARA_ENGINE_COUNT; ++other)
      if (other != engine && needed[other] && retired_[other][needed[other] - 1][engine] >= needed[engine]) return true;
    return false;
  }

  void depend(const Access& access, Clock& needed) const {
    const auto at = ruler_.range(access);
    if (!at) return;
    written_.find(at->begin, at->end, needed);
    if (access.write) read_.find(at->begin, at->end, needed);
  }

  Ruler ruler_;
  LastUses written_, read_;
  Clock segment_{};                                              // what had retired when the segment began
  std::array<std::vector<Clock>, KAWARA_ENGINE_COUNT> retired_;  // what is known once a command has retired
};

}  // namespace

void schedule(Commands& model, const Allocation& allocation) {
  Scheduler scheduler(model, allocation);
  for (Command& command : model.commands) scheduler.run(command);
}

}  // namespace kawara::compiler
