// SPDX-License-Identifier: Apache-2.0
#include "order.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <queue>
#include <tuple>

namespace kawara::compiler {

namespace {

using Ways = std::vector<std::vector<uint32_t>>;

struct Use {
  int64_t begin, end;
  uint32_t command;
};

// What has touched one buffer so far and still matters.
struct Uses {
  std::vector<Use> reads, writes;
};

void meet(const std::vector<Use>& uses, const Access& access, std::vector<uint32_t>& commands) {
  for (const Use& use : uses)
    if (use.begin < access.end && access.begin < use.end) commands.push_back(use.command);
}

void record(Uses& uses, const Access& access, uint32_t command) {
  const Use use{access.begin, access.end, command};
  if (!access.write) return uses.reads.push_back(use);
  // Whoever meets what this command writes over meets this command, which stands behind it.
  for (auto* old : {&uses.reads, &uses.writes})
    std::erase_if(*old, [&](const Use& other) { return other.begin >= use.begin && other.end <= use.end; });
  uses.writes.push_back(use);
}

bool written(const Buffer& buffer) { return buffer.role == Buffer::Role::arena || buffer.role == Buffer::Role::output; }

Ways successors(const Ways& before) {
  Ways behind(before.size());
  for (uint32_t i = 0; i < before.size(); ++i)
    for (const uint32_t other : before[i]) behind[other].push_back(i);
  return behind;
}

bool copies_input(const Commands& model, const Command& command) {
  return command.engine == KAWARA_ENGINE_DMA_IN &&
         std::ranges::any_of(command.buffers, [&](uint32_t buffer) { return model.buffers[buffer].role == Buffer::Role::input; });
}

// Outputs right behind what makes them; inputs too, right before whoever needs them, if `late_inputs`.
std::vector<uint32_t> tight_order(const Commands& model, const Ways& before, const Ways& behind, bool late_inputs) {
  std::vector<uint32_t> order, missing(before.size());
  std::vector<bool> placed(before.size());
  for (size_t i = 0; i < before.size(); ++i) missing[i] = static_cast<uint32_t>(before[i].size());
  const auto put = [&](uint32_t command, const auto& self) -> void {
    if (placed[command]) return;
    for (const uint32_t other : before[command]) self(other, self);
    placed[command] = true;
    order.push_back(command);
    for (const uint32_t other : behind[command])
      if (--missing[other] == 0 && model.commands[other].engine == KAWARA_ENGINE_DMA_OUT) self(other, self);
  };
  for (uint32_t i = 0; i < before.size(); ++i)
    if (!late_inputs || behind[i].empty() || !copies_input(model, model.commands[i])) put(i, put);
  return order;
}

// As engines would take them that start, of what is ready, whatever has the longest way to the end before it.
Order engine_order(const Commands& model, const Ways& before, const Ways& behind, std::span<const Price> prices) {
  const size_t count = before.size();
  std::vector<uint64_t> way(count), start(count), end(count);
  for (size_t i = count; i-- > 0;) {
    for (const uint32_t other : behind[i]) way[i] = std::max(way[i], way[other]);
    way[i] += prices[i].cycles;
  }
  // The longest way first, then the order of the list.
  const auto later = [&](uint32_t a, uint32_t b) { return std::tuple(~way[a], a) > std::tuple(~way[b], b); };
  using Ready = std::priority_queue<uint32_t, std::vector<uint32_t>, decltype(later)>;
  std::vector<Ready> ready(KAWARA_ENGINE_COUNT, Ready(later));
  using End = std::tuple<uint64_t, uint32_t>;
  std::priority_queue<End, std::vector<End>, std::greater<>> running;
  std::array<bool, KAWARA_ENGINE_COUNT> busy{};
  std::vector<uint32_t> missing(count);
  for (uint32_t i = 0; i < count; ++i) {
    missing[i] = static_cast<uint32_t>(before[i].size());
    if (missing[i] == 0) ready[model.commands[i].engine].push(i);
  }
  for (uint64_t now = 0;;) {
    for (size_t engine = 0; engine < ready.size(); ++engine) {
      if (busy[engine] || ready[engine].empty()) continue;
      const uint32_t command = ready[engine].top();
      ready[engine].pop();
      busy[engine] = true;
      start[command] = now;
      end[command] = now + std::max<uint64_t>(prices[command].cycles, 1);
      running.emplace(end[command], command);
    }
    if (running.empty()) break;
    now = std::get<0>(running.top());
    while (!running.empty() && std::get<0>(running.top()) == now) {
      const uint32_t command = std::get<1>(running.top());
      running.pop();
      busy[model.commands[command].engine] = false;
      for (const uint32_t other : behind[command])
        if (--missing[other] == 0) ready[model.commands[other].engine].push(other);
    }
  }
  Order order{.commands = std::vector<uint32_t>(count), .held = std::vector<uint32_t>(count)};
  std::iota(order.commands.begin(), order.commands.end(), 0u);
  std::ranges::stable_sort(order.commands, {}, [&](uint32_t command) { return start[command]; });
  for (size_t i = 0; i < count; ++i) {
    const auto behind_it =
        std::ranges::lower_bound(order.commands, end[order.commands[i]], {}, [&](uint32_t command) { return start[command]; });
    order.held[i] = static_cast<uint32_t>(behind_it - order.commands.begin()) - 1;
  }
  return order;
}

}  // namespace

Ways predecessors(const Commands& model) {
  Ways before(model.commands.size());
  std::vector<Uses> uses(model.buffers.size());
  for (uint32_t i = 0; i < before.size(); ++i) {
    const auto& accesses = model.commands[i].accesses;
    for (const Access& access : accesses) {
      if (!written(model.buffers[access.buffer]) || access.begin >= access.end) continue;
      meet(uses[access.buffer].writes, access, before[i]);
      if (access.write) meet(uses[access.buffer].reads, access, before[i]);
    }
    for (const Access& access : accesses)
      if (written(model.buffers[access.buffer]) && access.begin < access.end) record(uses[access.buffer], access, i);
    std::ranges::sort(before[i]);
    before[i].erase(std::unique(before[i].begin(), before[i].end()), before[i].end());
  }
  return before;
}

std::vector<Order> candidate_orders(const Commands& model, std::span<const Price> prices) {
  const Ways before = predecessors(model), behind = successors(before);
  std::vector<uint32_t> given(before.size());
  std::iota(given.begin(), given.end(), 0u);
  const Order by_engine = engine_order(model, before, behind, prices);
  std::vector<Order> orders = {{.commands = given}};
  for (Order order : {Order{.commands = tight_order(model, before, behind, false)},
                      Order{.commands = tight_order(model, before, behind, true)}, Order{.commands = by_engine.commands}, by_engine})
    if (std::ranges::find(orders, order) == orders.end()) orders.push_back(std::move(order));
  return orders;
}

}  // namespace kawara::compiler
