// SPDX-License-Identifier: Apache-2.0
#include "plan_text.h"

#include "kawara/error.h"
#include "kawara/hw/rows.h"

namespace kawara::compiler {

namespace {

std::string_view place_of(const Plan& plan, uint32_t buffer) {
  switch (plan.commands.buffers[buffer].role) {
    case Buffer::Role::arena: return plan.allocation.in_sram[buffer] ? "sram" : "arena";
    case Buffer::Role::weights: return "weights";
    case Buffer::Role::input: return "input";
    case Buffer::Role::output: return "output";
  }
  return "";
}

std::string range(uint64_t begin, uint64_t end) { return fmt::format("[{}, {})", begin, end); }

}  // namespace

std::string print(const Plan& plan) {
  const Allocation& allocation = plan.allocation;
  std::string text = fmt::format("cycles {}\n", plan.cycles);
  const auto region = [&](std::string_view name, uint64_t bytes, uint64_t bound, const Minimum& minimum) {
    text += fmt::format("{} {} bytes, at least {}; {}\n", name, bytes, bound, describe(minimum, bytes, bound));
  };
  region("arena", allocation.arena_bytes, allocation.arena_bound_bytes, allocation.arena_minimum);
  region("sram", allocation.sram_bytes, allocation.sram_bound_bytes, allocation.sram_minimum);
  text += fmt::format("weights {} bytes\n", allocation.weights_bytes);
  for (size_t i = 0; i < plan.commands.commands.size(); ++i) {
    const Command& command = plan.commands.commands[i];
    text += fmt::format("command {} {} {} '{}' buffers {}{}\n", i, hw::engine_words[command.engine], command.operators, command.node,
                        fmt::join(command.buffers, " "), command.switch_point ? " switch_point" : "");
  }
  const auto lives = lifetimes(plan.commands);
  for (uint32_t i = 0; i < lives.size(); ++i) {
    if (!lives[i].used()) continue;
    const uint64_t offset = allocation.offsets[i];
    text += fmt::format("buffer {} {} {} commands {} to {}\n", i, place_of(plan, i),
                        range(offset, offset + plan.commands.buffers[i].size_bytes), lives[i].first, lives[i].last);
  }
  return text;
}

}  // namespace kawara::compiler
