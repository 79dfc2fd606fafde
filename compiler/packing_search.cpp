// SPDX-License-Identifier: Apache-2.0
#include "packing_search.h"

#include <algorithm>
#include <random>
#include <tuple>

namespace kawara::compiler {

namespace {

constexpr uint64_t kNever = ~0ull;
constexpr uint64_t kFirstLimit = 1 << 20;  // steps of the first attempts; those that follow have more and more
constexpr size_t kFailures = 1 << 18;      // that are remembered
constexpr uint64_t kCoveredMax = 1 << 22;  // sections of all blocks
constexpr uint32_t kDepthMax = 512;        // of the recursion: a megabyte of stack, twice that with sanitizers

// What to try first where several blocks could lie.
enum class Preference : uint8_t { area, span, size, tightness };
// What to go on with where several sections have a place for a block: the fewest ways on, the fewest for how often a section has
// been the end of all ways, or the lowest place. No single one is best for all, so that each has its turn.
enum class Choosing : uint8_t { options, failures, height };
constexpr Choosing kChoosings[] = {Choosing::options, Choosing::failures, Choosing::height};
constexpr Preference kPreferences[] = {Preference::area, Preference::span, Preference::size, Preference::tightness};

// Blocks are placed from below, each on what lies under it, as in the least packing that nothing can sink in. What is left of a
// section's memory above its floor must hold what is still to lie there; a floor rises as soon as nothing can lie on it; and a
// state that failed once is known when it comes again.
class Search {
 public:
  Search(std::span<const Block> blocks, uint64_t capacity, const Waiting& waiting) : capacity_(capacity), waiting_(waiting) {
    find_sections(blocks);
    fill_sections(blocks);
  }

  SearchResult run(uint64_t steps_max) {
    SearchResult result;
    uint64_t limit = kFirstLimit;
    for (size_t round = 0; steps_ < steps_max && !too_large_; ++round) {
      preference_ = kPreferences[round % std::size(kPreferences)];
      choosing_ = kChoosings[round / std::size(kPreferences) % std::size(kChoosings)];
      steps_limit_ = std::min(steps_max, steps_ + limit);
      result.found = attempt();
      if (result.found != Found::stopped) break;
      if ((round + 1) % (std::size(kPreferences) * std::size(kChoosings)) == 0) limit *= 2;
    }
    result.steps = steps_;
    if (result.found == Found::packing) result.offsets = offset_;
    return result;
  }

 private:
  struct Change {
    enum Kind : uint8_t { floor, lowest } kind;
    uint32_t at;
    uint64_t old;
  };
  struct Key {
    uint64_t a = 0, b = 0;
    bool operator==(const Key&) const = default;
  };

  void find_sections(std::span<const Block> blocks) {
    // A section is a time after a start and before the next end: all who are alive together at any time are so in one.
    std::vector<std::pair<uint64_t, uint32_t>> events;  // time * 2, + 1 for an end
    for (uint32_t i = 0; i < blocks.size(); ++i) {
      events.emplace_back(uint64_t{blocks[i].first} * 2, i);
      events.emplace_back(uint64_t{blocks[i].last} * 2 + 1, i);
    }
    std::ranges::sort(events);
    first_.resize(blocks.size());
    last_.resize(blocks.size());
    uint32_t section = 0;
    bool started = false;
    for (const auto& [time, block] : events) {
      if (time % 2 == 0) {
        first_[block] = section;
        started = true;
      } else {
        if (started) ++section;
        started = false;
        last_[block] = section - 1;
      }
    }
    sections_ = section;
  }

  void fill_sections(std::span<const Block> blocks) {
    uint64_t covered = 0;
    for (uint32_t i = 0; i < blocks.size(); ++i) covered += last_[i] - first_[i] + 1;
    if (covered > kCoveredMax) {
      too_large_ = true;
      return;
    }
    for (const Block& block : blocks) size_.push_back(block.size);
    covering_.resize(sections_);
    starting_.resize(sections_);
    remaining_.assign(sections_, 0);
    floor_.assign(sections_, 0);
    crossing_.assign(sections_ + 1, 0);
    for (uint32_t i = 0; i < blocks.size(); ++i) {
      starting_[first_[i]].push_back(i);
      for (uint32_t s = first_[i]; s <= last_[i]; ++s) {
        covering_[s].push_back(i);
        remaining_[s] += size_[i];
        if (s > first_[i]) ++crossing_[s];
      }
    }
    lowest_.assign(blocks.size(), 0);
    placed_.assign(blocks.size(), false);
    offset_.assign(blocks.size(), 0);
    std::mt19937_64 random(1);
    for (size_t i = 0; i < blocks.size(); ++i) names_.push_back({random(), random()});
    failed_.resize(kFailures);
    dirty_.assign(sections_, false);
    failures_.assign(sections_, 1);
  }

  Found attempt() {
    for (uint32_t s = 0; s < sections_; ++s)
      if (remaining_[s] > capacity_) return Found::none;
    const Found found = solve(0, sections_);
    if (found != Found::packing) undo(0);
    return found;
  }

  uint64_t slack(uint32_t s) const { return capacity_ - floor_[s] - remaining_[s]; }

  void undo(size_t mark) {
    while (trail_.size() > mark) {
      const Change& change = trail_.back();
      (change.kind == Change::floor ? floor_ : lowest_)[change.at] = change.old;
      trail_.pop_back();
    }
  }

  void put(uint32_t block, bool placed) {
    placed_[block] = placed;
    for (uint32_t s = first_[block]; s <= last_[block]; ++s) {
      remaining_[s] += placed ? -size_[block] : size_[block];
      if (s > first_[block]) crossing_[s] += placed ? -1 : 1;
    }
  }

  // Raises a section's floor and what lies above it. False where that leaves the capacity.
  bool raise(uint32_t s, uint64_t to) {
    if (floor_[s] >= to) return true;
    trail_.push_back({Change::floor, s, floor_[s]});
    floor_[s] = to;
    if (remaining_[s] == 0) return true;
    if (to + remaining_[s] > capacity_) return blame(s);
    steps_ += covering_[s].size();
    for (const uint32_t block : covering_[s]) {
      if (placed_[block] || lowest_[block] >= to) continue;
      trail_.push_back({Change::lowest, block, lowest_[block]});
      lowest_[block] = to;
      if (to + size_[block] > capacity_) return blame(s);
      for (uint32_t other = first_[block]; other <= last_[block]; ++other) mark(other);
    }
    return true;
  }
  bool blame(uint32_t s) {
    ++failures_[s];
    return false;
  }
  void mark(uint32_t s) {
    if (dirty_[s]) return;
    dirty_[s] = true;
    queue_.push_back(s);
  }

  // Nothing lies lower in a section than the lowest place of what is still to lie there.
  bool propagate() {
    bool sound = true;
    while (!queue_.empty()) {
      const uint32_t s = queue_.back();
      queue_.pop_back();
      dirty_[s] = false;
      if (!sound || remaining_[s] == 0) continue;
      uint64_t lowest = kNever;
      steps_ += covering_[s].size();
      for (const uint32_t block : covering_[s])
        if (!placed_[block]) lowest = std::min(lowest, lowest_[block]);
      sound = raise(s, lowest);
      if (sound) sound = fits(s);
    }
    return sound;
  }

  // The section's blocks one on the other, each no lower than its lowest place.
  bool fits(uint32_t s) {
    order_.clear();
    for (const uint32_t block : covering_[s])
      if (!placed_[block]) order_.emplace_back(lowest_[block], size_[block]);
    std::ranges::sort(order_);
    uint64_t top = 0;
    for (const auto& [lowest, size] : order_) top = std::max(top, lowest) + size;
    steps_ += 2 * order_.size();
    return top <= capacity_ || blame(s);
  }

  Found solve(uint32_t begin, uint32_t end) {
    // Sections that no block to be placed joins are problems of their own.
    std::vector<std::pair<uint32_t, uint32_t>> parts;
    uint32_t from = begin;
    for (uint32_t s = begin + 1; s <= end; ++s) {
      if (s < end && crossing_[s] > 0) continue;
      if (remaining_[from] > 0) parts.emplace_back(from, s);
      from = s;
    }
    steps_ += end - begin;
    if (parts.size() > 1) {
      std::ranges::sort(parts, {}, [](const auto& part) { return part.second - part.first; });
      const size_t mark = trail_.size();
      const size_t placed = stack_.size();
      for (const auto& [a, b] : parts)
        if (const Found found = branch(a, b); found != Found::packing) {
          while (stack_.size() > placed) {
            put(stack_.back(), false);
            stack_.pop_back();
          }
          undo(mark);
          return found;
        }
      return Found::packing;
    }
    return parts.empty() ? Found::packing : branch(parts[0].first, parts[0].second);
  }

  Key key_of(uint32_t begin, uint32_t end) const {
    Key key;
    uint64_t floors = 0x9e3779b97f4a7c15ull, others = begin;
    for (uint32_t s = begin; s < end; ++s) {
      floors = (floors ^ floor_[s]) * 0xff51afd7ed558ccdull;
      floors ^= floors >> 32;
      others = (others + floor_[s] + 1) * 0xc4ceb9fe1a85ec53ull;
      others ^= others >> 29;
      for (const uint32_t block : starting_[s])
        if (!placed_[block]) key.a ^= names_[block].a, key.b ^= names_[block].b;
    }
    key.a += floors;
    key.b += others;
    return key;
  }

  using Rank = std::tuple<uint64_t, uint64_t, uint32_t>;  // smaller first
  struct Choice {
    uint32_t section = 0;
    uint64_t height = kNever, options = 0, failures = 1;
  };
  bool better(const Choice& a, const Choice& b) const {
    switch (choosing_) {
      case Choosing::options: return std::tuple(a.options, a.height) < std::tuple(b.options, b.height);
      case Choosing::failures: return std::tuple(a.options * b.failures, a.height) < std::tuple(b.options * a.failures, b.height);
      case Choosing::height: return std::tuple(a.height, a.options) < std::tuple(b.height, b.options);
    }
    return false;
  }

  // Of the sections of all valleys, where nothing but the floor decides how low a block can lie.
  Choice choose(uint32_t begin, uint32_t end) {
    Choice best;
    for (uint32_t a = begin; a < end;) {
      uint32_t b = a;
      while (b < end && floor_[b] == floor_[a]) ++b;
      const bool valley = (a == begin || floor_[a - 1] > floor_[a]) && (b == end || floor_[b] > floor_[a]);
      for (uint32_t s = a; valley && s < b; ++s) {
        Choice choice{s, floor_[s], slack(s) > 0, failures_[s]};
        for (const uint32_t block : covering_[s]) choice.options += !placed_[block] && lowest_[block] == floor_[s];
        steps_ += covering_[s].size();
        if (best.height == kNever || better(choice, best)) best = choice;
      }
      a = b;
    }
    return best;
  }

  // The lowest that a section's next block can lie if none lies on its floor: what holds it up lies there already, or is another
  // block to be placed.
  uint64_t next_level(uint32_t s) {
    uint64_t level = kNever;
    for (const uint32_t block : covering_[s]) {
      if (placed_[block]) continue;
      if (lowest_[block] > floor_[s]) {
        level = std::min(level, lowest_[block]);
        continue;
      }
      for (uint32_t t = first_[block]; t <= last_[block]; ++t) {
        steps_ += covering_[t].size();
        for (const uint32_t other : covering_[t])
          if (!placed_[other] && (first_[other] > s || last_[other] < s)) level = std::min(level, lowest_[other] + size_[other]);
      }
    }
    return level;
  }

  Rank rank(uint32_t block) const {
    const uint64_t span = last_[block] - first_[block] + 1, size = size_[block];
    switch (preference_) {
      case Preference::area: return {~(span * size), 0, block};
      case Preference::span: return {~span, ~size, block};
      case Preference::size: return {~size, ~span, block};
      case Preference::tightness: {
        uint64_t least = kNever;
        for (uint32_t s = first_[block]; s <= last_[block]; ++s) least = std::min(least, slack(s));
        return {least, ~span, block};
      }
    }
    return {};
  }

  Found branch(uint32_t begin, uint32_t end) {
    if (steps_ >= next_look_) {
      waiting_.look();
      next_look_ = steps_ + kFirstLimit;
    }
    if (depth_ == kDepthMax) too_large_ = true;
    if (steps_ >= steps_limit_ || too_large_) return Found::stopped;
    const Key key = key_of(begin, end);
    steps_ += end - begin;
    Key& memory = failed_[key.a % failed_.size()];
    if (memory == key) return Found::none;
    const Choice choice = choose(begin, end);
    std::vector<Rank> candidates;
    for (const uint32_t block : covering_[choice.section])
      if (!placed_[block] && lowest_[block] == choice.height) candidates.push_back(rank(block));
    std::ranges::sort(candidates);
    const size_t mark_trail = trail_.size();
    for (const auto& [unused, also_unused, block] : candidates) {
      put(block, true);
      stack_.push_back(block);
      offset_[block] = choice.height;
      bool sound = true;
      for (uint32_t s = first_[block]; sound && s <= last_[block]; ++s) sound = raise(s, choice.height + size_[block]);
      for (uint32_t s = first_[block]; s <= last_[block]; ++s) mark(s);
      sound = settle(sound);
      const Found found = sound ? deeper(begin, end) : Found::none;
      if (found == Found::packing) return found;
      put(block, false);
      stack_.pop_back();
      undo(mark_trail);
      if (found == Found::stopped) return found;
    }
    if (slack(choice.section) > 0) {
      const uint64_t level = next_level(choice.section);
      if (level != kNever && settle(raise(choice.section, level))) {
        const Found found = deeper(begin, end);
        if (found != Found::none) {
          if (found == Found::stopped) undo(mark_trail);
          return found;
        }
      }
      undo(mark_trail);
    }
    failed_[key.a % failed_.size()] = key;
    return Found::none;
  }

  Found deeper(uint32_t begin, uint32_t end) {
    ++depth_;
    const Found found = solve(begin, end);
    --depth_;
    return found;
  }

  bool settle(bool sound) {
    if (sound) return propagate();
    for (const uint32_t s : queue_) dirty_[s] = false;
    queue_.clear();
    return false;
  }

  const uint64_t capacity_;
  const Waiting& waiting_;
  uint32_t sections_ = 0;
  std::vector<uint32_t> first_, last_;                      // per block, sections
  std::vector<uint64_t> size_, lowest_, offset_;            // per block
  std::vector<char> placed_;                                // per block
  std::vector<std::vector<uint32_t>> covering_, starting_;  // per section
  std::vector<uint64_t> floor_, remaining_;                 // per section
  std::vector<uint32_t> crossing_;
  std::vector<char> dirty_;
  std::vector<uint64_t> failures_;
  std::vector<uint32_t> queue_, stack_;
  std::vector<std::pair<uint64_t, uint64_t>> order_;
  std::vector<Change> trail_;
  std::vector<Key> names_, failed_;
  Preference preference_ = Preference::area;
  Choosing choosing_ = Choosing::options;
  uint64_t steps_ = 0, steps_limit_ = 0, next_look_ = 0;
  uint32_t depth_ = 0;
  bool too_large_ = false;
};

}  // namespace

SearchResult search_packing(std::span<const Block> blocks, uint64_t capacity, uint64_t steps_max, const Waiting& waiting) {
  return Search(blocks, capacity, waiting).run(steps_max);
}

}  // namespace kawara::compiler
