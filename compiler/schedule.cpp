// SPDX-License-Identifier: Apache-2.0
#include "schedule.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace kawara::compiler {

namespace {

// How many commands of each engine have retired.
using Clock = std::array<uint32_t, KAWARA_ENGINE_COUNT>;

// A command on one of four engines (the command processor has none here) waits for at most the three others.
static_assert(KAWARA_ENGINE_COUNT - 2 <= 3, "the header holds three waits");

void join(Clock& clock, const Clock& other) {
  for (size_t i = 0; i < clock.size(); ++i) clock[i] = std::max(clock[i], other[i]);
}

struct Use {
  int64_t begin, end;
  bool write;
  uint32_t engine, number;  // which command: the number-th of its engine, from 1
};

class Scheduler {
 public:
  Scheduler(const Commands& model, const Allocation& allocation) : model_(model), allocation_(allocation) {}

  void run(Command& command) {
    const size_t engine = command.engine;
    Clock needed{};
    for (const Access& access : command.accesses) depend(access, needed);
    const auto issued = static_cast<uint32_t>(retired_[engine].size());
    Clock known = issued ? retired_[engine].back() : Clock{};
    command.waits.clear();
    for (uint32_t other = 0; other < KAWARA_ENGINE_COUNT; ++other) {
      if (other == engine || needed[other] <= known[other] || implied(other, needed)) continue;
      command.waits.push_back(kawara_wait(other, needed[other]));
    }
    for (const kawara_type_wait wait : command.waits) join(known, retired_[kawara_wait_engine(wait)][kawara_wait_count(wait) - 1]);
    known[engine] = issued + 1;
    retired_[engine].push_back(known);
    for (const Access& access : command.accesses) record(access, static_cast<uint32_t>(engine), issued + 1);
  }

 private:
  // Whether waiting for another engine's part of `needed` waits for this one too.
  bool implied(uint32_t engine, const Clock& needed) const {
    for (uint32_t other = 0; other < KAWARA_ENGINE_COUNT; ++other)
      if (other != engine && needed[other] && retired_[other][needed[other] - 1][engine] >= needed[engine]) return true;
    return false;
  }

  // Bytes that commands write: the arena is one place, each output another. Others are only read.
  std::optional<std::pair<uint32_t, int64_t>> place(uint32_t buffer) const {
    switch (model_.buffers[buffer].role) {
      case Buffer::Role::arena: return std::pair{~0u, static_cast<int64_t>(allocation_.offsets[buffer])};
      case Buffer::Role::output: return std::pair{buffer, int64_t{0}};
      case Buffer::Role::weights:
      case Buffer::Role::input: break;
    }
    return std::nullopt;
  }

  void depend(const Access& access, Clock& needed) {
    const auto at = place(access.buffer);
    if (!at) return;
    for (const Use& use : uses_[at->first])
      if ((use.write || access.write) && use.begin < at->second + access.end && at->second + access.begin < use.end)
        needed[use.engine] = std::max(needed[use.engine], use.number);
  }

  void record(const Access& access, uint32_t engine, uint32_t number) {
    const auto at = place(access.buffer);
    if (!at || access.begin >= access.end) return;
    const Use use{at->second + access.begin, at->second + access.end, access.write, engine, number};
    auto& uses = uses_[at->first];
    // Whoever meets what this command writes over meets this command, which is ordered behind it.
    if (access.write) std::erase_if(uses, [&](const Use& old) { return old.begin >= use.begin && old.end <= use.end; });
    uses.push_back(use);
  }

  const Commands& model_;
  const Allocation& allocation_;
  std::array<std::vector<Clock>, KAWARA_ENGINE_COUNT> retired_;  // what is known once a command has retired
  std::map<uint32_t, std::vector<Use>> uses_;                    // per place, those that still matter
};

}  // namespace

void schedule(Commands& model, const Allocation& allocation) {
  Scheduler scheduler(model, allocation);
  for (Command& command : model.commands) scheduler.run(command);
}

}  // namespace kawara::compiler
