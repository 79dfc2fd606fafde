// SPDX-License-Identifier: Apache-2.0
#include "allocate.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>

namespace kawara::compiler {

namespace {

constexpr uint64_t kAlignment = 256;

uint64_t aligned(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

struct Item {
  uint32_t buffer = 0;
  uint64_t size = 0;
  Lifetime life;
  uint64_t offset = 0;
};

bool meet(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

// Places the items in their order, each into the smallest gap that holds it. Returns the bytes needed.
uint64_t place(std::vector<Item>& items) {
  uint64_t top = 0;
  std::vector<const Item*> placed;  // by offset
  for (Item& item : items) {
    uint64_t best = ~0ull, best_gap = ~0ull, end = 0;
    for (const Item* other : placed) {
      if (!meet(item.life, other->life)) continue;
      if (other->offset >= end + item.size && other->offset - end < best_gap) {
        best = end;
        best_gap = other->offset - end;
      }
      end = std::max(end, other->offset + other->size);
    }
    item.offset = best == ~0ull ? end : best;
    top = std::max(top, item.offset + item.size);
    placed.insert(std::ranges::upper_bound(placed, item.offset, {}, &Item::offset), &item);
  }
  return top;
}

uint64_t live_bytes_max(const std::vector<Item>& items, size_t commands) {
  std::vector<int64_t> change(commands + 1);
  for (const Item& item : items) {
    change[item.life.first] += static_cast<int64_t>(item.size);
    change[item.life.last + 1] -= static_cast<int64_t>(item.size);
  }
  int64_t live = 0, most = 0;
  for (const int64_t step : change) most = std::max(most, live += step);
  return static_cast<uint64_t>(most);
}

void place_arena(const Commands& model, const std::vector<Lifetime>& lives, Allocation& allocation) {
  std::vector<Item> items;
  for (uint32_t i = 0; i < model.buffers.size(); ++i)
    if (model.buffers[i].role == Buffer::Role::arena && lives[i].used())
      items.push_back({i, aligned(model.buffers[i].size_bytes), lives[i]});
  allocation.live_bytes_max = live_bytes_max(items, model.commands.size());
  // No single order is best for all models: try several, keep the smallest result.
  using Key = std::tuple<uint64_t, uint64_t>;
  const std::vector<Key (*)(const Item&)> orders = {
      [](const Item& item) { return Key{~item.size, item.life.first}; },
      [](const Item& item) { return Key{~(uint64_t{item.life.last} - item.life.first), ~item.size}; },
      [](const Item& item) { return Key{item.life.first, ~item.size}; },
      [](const Item& item) { return Key{~(item.size / kAlignment * (uint64_t{item.life.last} - item.life.first + 1)), item.life.first}; },
  };
  uint64_t best = ~0ull;
  for (const auto order : orders) {
    std::ranges::sort(items, [&](const Item& a, const Item& b) { return std::tuple(order(a), a.buffer) < std::tuple(order(b), b.buffer); });
    const uint64_t bytes = place(items);
    if (bytes >= best) continue;
    best = bytes;
    for (const Item& item : items) allocation.offsets[item.buffer] = item.offset;
  }
  allocation.arena_bytes = items.empty() ? 0 : best;
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

Allocation allocate(const Commands& model) {
  const auto lives = lifetimes(model);
  Allocation allocation;
  allocation.offsets.assign(model.buffers.size(), Allocation::kUnused);
  place_arena(model, lives, allocation);
  place_weights(model, lives, allocation);
  for (size_t i = 0; i < model.buffers.size(); ++i)
    if (model.buffers[i].role == Buffer::Role::input || model.buffers[i].role == Buffer::Role::output) allocation.offsets[i] = 0;
  return allocation;
}

}  // namespace kawara::compiler
