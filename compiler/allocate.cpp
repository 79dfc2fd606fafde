// SPDX-License-Identifier: Apache-2.0
#include "allocate.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

#include "placed.h"

namespace kawara::compiler {

namespace {

uint64_t aligned(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

struct Item {
  uint32_t buffer = 0;
  uint64_t size = 0;
  Lifetime life;     // with the commands that shall not reuse it
  Lifetime touched;  // without
  uint64_t traffic = 0;
  uint64_t offset = 0;

  uint64_t span() const { return uint64_t{life.last} - life.first + 1; }
  Block block() const { return {life.first, life.last, size}; }
};

std::vector<Block> blocks_of(const std::vector<Item>& items) {
  std::vector<Block> blocks;
  for (const Item& item : items) blocks.push_back(item.block());
  return blocks;
}

uint64_t live_bytes_max(const std::vector<Item>& items) {
  std::vector<Block> blocks;
  for (const Item& item : items) blocks.push_back({item.touched.first, item.touched.last, item.size});
  return live_max(blocks);
}

using Key = std::tuple<double, double>;
using Order = Key (*)(const Item&);  // smaller first

void sort(std::vector<Item>& items, Order order) {
  std::ranges::sort(items, [&](const Item& a, const Item& b) { return std::tuple(order(a), a.buffer) < std::tuple(order(b), b.buffer); });
}

// What SRAM is given to first: what moves most for its bytes, and for how long it holds them.
constexpr Order kChoosingOrders[] = {
    [](const Item& item) { return Key{-double(item.traffic) / double(item.size), item.life.first}; },
    [](const Item& item) { return Key{-double(item.traffic) / double(item.size) / double(item.span()), item.life.first}; },
    [](const Item& item) { return Key{-double(item.traffic), item.life.first}; },
    [](const Item& item) { return Key{item.life.first, -double(item.traffic) / double(item.size)}; },
};

struct Choice {
  std::vector<Item> in, out;  // those in have a place
  uint64_t top = 0, traffic = 0;
  Minimum minimum;
};

Choice choose_in_order(std::vector<Item> items, uint64_t capacity, Order order) {
  sort(items, order);
  Choice choice;
  Placed placed;
  for (Item& item : items) {
    item.offset = placed.place_for(item.block());
    if (item.offset + item.size > capacity) {
      choice.out.push_back(item);
      continue;
    }
    choice.top = std::max(choice.top, item.offset + item.size);
    choice.traffic += item.traffic;
    choice.in.push_back(item);
    placed.add(item.block(), item.offset);
  }
  return choice;
}

class Packer {
 public:
  Packer(const PackingEffort& effort, const Waiting& waiting) : effort_(effort), waiting_(waiting) {}

  // Gives all items a place, unless those that they have are as low.
  void pack(std::vector<Item>& items, uint64_t& top, Minimum& minimum) const {
    const Packing packing = compiler::pack(blocks_of(items), effort_, waiting_);
    minimum = {packing.bound, packing.proof, packing.steps};
    if (packing.top >= top) {
      if (top == packing.bound) minimum.proof = Proof::bound;
      return;
    }
    top = packing.top;
    for (size_t i = 0; i < items.size(); ++i) items[i].offset = packing.offsets[i];
  }

  // Parts the items into those that go to SRAM, as much traffic as fits, and the others.
  Choice choose(const std::vector<Item>& items, uint64_t capacity) const {
    Choice best;
    if (live_bytes_max(items) <= capacity) {
      best.in = items;
      best.top = ~0ull;
      pack(best.in, best.top, best.minimum);
      for (const Item& item : items) best.traffic += item.traffic;
      if (best.top <= capacity) return best;
    }
    best = choose_in_order(items, capacity, kChoosingOrders[0]);
    for (const Order order : std::span(kChoosingOrders).subspan(1)) {
      Choice choice = choose_in_order(items, capacity, order);
      if (std::tuple(choice.traffic, best.top) > std::tuple(best.traffic, choice.top)) best = std::move(choice);
    }
    pack(best.in, best.top, best.minimum);
    return best;
  }

 private:
  const PackingEffort& effort_;
  const Waiting& waiting_;
};

std::vector<uint32_t> segments_of(const Commands& model) {
  std::vector<uint32_t> segments;
  uint32_t segment = 0;
  for (const Command& command : model.commands) {
    segments.push_back(segment);
    segment += command.switch_point;
  }
  return segments;
}

// Lives up to the last command that shall not reuse the buffer; a switch point ends what could run at once.
std::vector<Lifetime> held_lives(const Commands& model, std::vector<Lifetime> lives, std::span<const uint32_t> held,
                                 const std::vector<uint32_t>& segments) {
  for (size_t i = 0; i < held.size(); ++i) {
    uint32_t last = held[i];
    while (segments[last] != segments[i]) --last;
    for (const Access& access : model.commands[i].accesses) lives[access.buffer].last = std::max(lives[access.buffer].last, last);
  }
  return lives;
}

void place_buffers(const Commands& model, const std::vector<Lifetime>& lives, uint64_t sram_bytes, std::span<const uint64_t> traffic,
                   std::span<const uint32_t> held, const Packer& packer, Allocation& allocation) {
  const auto segments = segments_of(model);
  const auto kept = held_lives(model, lives, held, segments);
  std::vector<Item> arena, candidates;
  for (uint32_t i = 0; i < model.buffers.size(); ++i) {
    if (model.buffers[i].role != Buffer::Role::arena || !lives[i].used()) continue;
    const Item item{i, aligned(model.buffers[i].size_bytes), kept[i], lives[i], traffic.empty() ? 0 : traffic[i]};
    const bool pays = item.traffic > 0 && item.size <= sram_bytes && segments[item.touched.first] == segments[item.touched.last];
    (pays ? candidates : arena).push_back(item);
  }
  const Choice sram = packer.choose(candidates, sram_bytes);
  arena.insert(arena.end(), sram.out.begin(), sram.out.end());
  allocation.sram_bytes = sram.top;
  allocation.sram_minimum = sram.minimum;
  allocation.sram_bound_bytes = live_bytes_max(sram.in);
  allocation.traffic_kept_bytes = sram.traffic;
  allocation.arena_bound_bytes = live_bytes_max(arena);
  allocation.arena_bytes = arena.empty() ? 0 : ~0ull;
  packer.pack(arena, allocation.arena_bytes, allocation.arena_minimum);
  for (const Item& item : arena) allocation.offsets[item.buffer] = item.offset;
  for (const Item& item : sram.in) {
    allocation.offsets[item.buffer] = item.offset;
    allocation.in_sram[item.buffer] = true;
  }
}

// Equal constants are stored once.
void place_weights(const Commands& model, const std::vector<Lifetime>& lives, Allocation& allocation) {
  std::unordered_map<std::string_view, uint64_t> stored;
  for (uint32_t i = 0; i < model.buffers.size(); ++i) {
    if (model.buffers[i].role != Buffer::Role::weights || !lives[i].used()) continue;
    const auto bytes = model.buffers[i].constant.bytes;
    const auto [at, added] = stored.try_emplace({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, allocation.weights_bytes);
    allocation.offsets[i] = at->second;
    if (added) allocation.weights_bytes += aligned(bytes.size());
  }
}

}  // namespace

std::vector<Lifetime> lifetimes(const Commands& model) {
  std::vector<Lifetime> lives(model.buffers.size());
  for (uint32_t i = 0; i < model.commands.size(); ++i) {
    for (const Access& access : model.commands[i].accesses) {
      Lifetime& life = lives[access.buffer];
      life.first = std::min(life.first, i);
      life.last = std::max(life.last, i);
    }
  }
  return lives;
}

Allocation allocate(const Commands& model, uint64_t sram_bytes, std::span<const uint64_t> traffic, std::span<const uint32_t> held,
                    const PackingEffort& effort, const Waiting& waiting) {
  const auto lives = lifetimes(model);
  Allocation allocation;
  allocation.offsets.assign(model.buffers.size(), Allocation::kUnused);
  allocation.in_sram.assign(model.buffers.size(), false);
  place_buffers(model, lives, sram_bytes, traffic, held, Packer(effort, waiting), allocation);
  place_weights(model, lives, allocation);
  for (size_t i = 0; i < model.buffers.size(); ++i)
    if (model.buffers[i].role == Buffer::Role::input || model.buffers[i].role == Buffer::Role::output) allocation.offsets[i] = 0;
  return allocation;
}

std::string describe(const Minimum& minimum, uint64_t bytes, uint64_t bound_bytes) {
  if (bytes == bound_bytes) return "none smaller: so much is alive at one command";
  switch (minimum.proof) {
    case Proof::bound: return "none smaller: so much is alive at one command or kept for those that run at once";
    case Proof::exhausted: return fmt::format("none smaller: search exhausted after {} steps", minimum.steps);
    case Proof::stopped: return fmt::format("stopped after {} steps; lower bound {}", minimum.steps, minimum.least_bytes);
  }
  return "";
}

}  // namespace kawara::compiler
