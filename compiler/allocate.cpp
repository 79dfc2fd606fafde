// SPDX-License-Identifier: Apache-2.0
#include "allocate.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>

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
};

bool meet(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

// The items that have a place, by offset.
class Placed {
 public:
  // The smallest gap that holds the item, else the end of those alive with it.
  uint64_t place_for(const Item& item) const {
    uint64_t best = ~0ull, best_gap = ~0ull, end = 0;
    for (const Item* other : items_) {
      if (!meet(item.life, other->life)) continue;
      if (other->offset >= end + item.size && other->offset - end < best_gap) {
        best = end;
        best_gap = other->offset - end;
      }
      end = std::max(end, other->offset + other->size);
    }
    return best == ~0ull ? end : best;
  }
  void add(const Item& item) { items_.insert(std::ranges::upper_bound(items_, item.offset, {}, &Item::offset), &item); }

 private:
  std::vector<const Item*> items_;
};

uint64_t live_bytes_max(const std::vector<Item>& items) {
  std::vector<std::pair<uint32_t, int64_t>> changes;
  for (const Item& item : items) {
    changes.emplace_back(item.touched.first, static_cast<int64_t>(item.size));
    changes.emplace_back(item.touched.last + 1, -static_cast<int64_t>(item.size));
  }
  std::ranges::sort(changes);  // at one command, what ends before it goes first
  int64_t live = 0, most = 0;
  for (const auto& [at, change] : changes) most = std::max(most, live += change);
  return static_cast<uint64_t>(most);
}

using Key = std::tuple<double, double>;
using Order = Key (*)(const Item&);  // smaller first

void sort(std::vector<Item>& items, Order order) {
  std::ranges::sort(items, [&](const Item& a, const Item& b) { return std::tuple(order(a), a.buffer) < std::tuple(order(b), b.buffer); });
}

// No single order is best for all models: several are tried, and the smallest result is kept.
constexpr Order kPackingOrders[] = {
    [](const Item& item) { return Key{-double(item.size), item.life.first}; },
    [](const Item& item) { return Key{-double(item.span()), -double(item.size)}; },
    [](const Item& item) { return Key{item.life.first, -double(item.size)}; },
    [](const Item& item) { return Key{-double(item.size) * double(item.span()), item.life.first}; },
};

// What SRAM is given to first: what moves most for its bytes, and for how long it holds them.
constexpr Order kChoosingOrders[] = {
    [](const Item& item) { return Key{-double(item.traffic) / double(item.size), item.life.first}; },
    [](const Item& item) { return Key{-double(item.traffic) / double(item.size) / double(item.span()), item.life.first}; },
    [](const Item& item) { return Key{-double(item.traffic), item.life.first}; },
    [](const Item& item) { return Key{item.life.first, -double(item.traffic) / double(item.size)}; },
};

// Gives all items a place. Returns the bytes needed.
uint64_t pack(std::vector<Item>& items) {
  uint64_t best = ~0ull;
  std::vector<Item> packed;
  for (const Order order : kPackingOrders) {
    sort(items, order);
    Placed placed;
    uint64_t top = 0;
    for (Item& item : items) {
      item.offset = placed.place_for(item);
      top = std::max(top, item.offset + item.size);
      placed.add(item);
    }
    if (top >= best) continue;
    best = top;
    packed = items;
  }
  if (items.empty()) return 0;
  items = std::move(packed);
  return best;
}

struct Choice {
  std::vector<Item> in, out;  // those in have a place
  uint64_t top = 0, traffic = 0;
};

Choice choose_in_order(std::vector<Item> items, uint64_t capacity, Order order) {
  sort(items, order);
  Choice choice;
  Placed placed;
  for (Item& item : items) {
    item.offset = placed.place_for(item);
    if (item.offset + item.size > capacity) {
      choice.out.push_back(item);
      continue;
    }
    choice.top = std::max(choice.top, item.offset + item.size);
    choice.traffic += item.traffic;
    choice.in.push_back(item);
    placed.add(item);
  }
  return choice;
}

// Parts the items into those that go to SRAM, as much traffic as fits, and the others.
Choice choose(std::vector<Item> items, uint64_t capacity) {
  Choice best;
  if (live_bytes_max(items) <= capacity) {
    best.in = items;
    best.top = pack(best.in);
    for (const Item& item : items) best.traffic += item.traffic;
    if (best.top <= capacity) return best;
  }
  best = choose_in_order(items, capacity, kChoosingOrders[0]);
  for (const Order order : std::span(kChoosingOrders).subspan(1)) {
    Choice choice = choose_in_order(items, capacity, order);
    if (std::tuple(choice.traffic, best.top) > std::tuple(best.traffic, choice.top)) best = std::move(choice);
  }
  auto packed = best.in;
  if (const uint64_t top = pack(packed); top < best.top) {
    best.in = std::move(packed);
    best.top = top;
  }
  return best;
}

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
                   std::span<const uint32_t> held, Allocation& allocation) {
  const auto segments = segments_of(model);
  const auto kept = held_lives(model, lives, held, segments);
  std::vector<Item> arena, candidates;
  for (uint32_t i = 0; i < model.buffers.size(); ++i) {
    if (model.buffers[i].role != Buffer::Role::arena || !lives[i].used()) continue;
    const Item item{i, aligned(model.buffers[i].size_bytes), kept[i], lives[i], traffic.empty() ? 0 : traffic[i]};
    const bool pays = item.traffic > 0 && item.size <= sram_bytes && segments[item.touched.first] == segments[item.touched.last];
    (pays ? candidates : arena).push_back(item);
  }
  const Choice sram = choose(std::move(candidates), sram_bytes);
  arena.insert(arena.end(), sram.out.begin(), sram.out.end());
  allocation.sram_bytes = sram.top;
  allocation.sram_bound_bytes = live_bytes_max(sram.in);
  allocation.traffic_kept_bytes = sram.traffic;
  allocation.arena_bound_bytes = live_bytes_max(arena);
  allocation.arena_bytes = pack(arena);
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

Allocation allocate(const Commands& model, uint64_t sram_bytes, std::span<const uint64_t> traffic, std::span<const uint32_t> held) {
  const auto lives = lifetimes(model);
  Allocation allocation;
  allocation.offsets.assign(model.buffers.size(), Allocation::kUnused);
  allocation.in_sram.assign(model.buffers.size(), false);
  place_buffers(model, lives, sram_bytes, traffic, held, allocation);
  place_weights(model, lives, allocation);
  for (size_t i = 0; i < model.buffers.size(); ++i)
    if (model.buffers[i].role == Buffer::Role::input || model.buffers[i].role == Buffer::Role::output) allocation.offsets[i] = 0;
  return allocation;
}

}  // namespace kawara::compiler
