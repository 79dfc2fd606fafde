// SPDX-License-Identifier: Apache-2.0
#include "points.h"

#include <algorithm>
#include <bit>
#include <set>

#include "kawara/error.h"

namespace kawara::compiler {

namespace {

constexpr unsigned kInstructionsMax = 256;
constexpr unsigned kConstantWordsMax = 64;
constexpr unsigned kPhasesMax = 4;
constexpr uint32_t kNone = ~0u;

bool yields_truth(uint8_t op) { return op >= KAWARA_OP_eq && op <= KAWARA_OP_isinf; }
bool reduces(uint8_t op) { return op >= KAWARA_OP_red_add && op <= KAWARA_OP_red_or; }

}  // namespace

DType compute_type(DType element) {
  switch (kind(element)) {
    case DTypeKind::FLOAT: return DType::f32;
    case DTypeKind::SIGNED: return bits(element) == 64 ? DType::i64 : DType::i32;
    case DTypeKind::UNSIGNED: return bits(element) == 64 ? DType::i64 : DType::u32;
    case DTypeKind::BOOLEAN: return DType::u32;
    case DTypeKind::none: break;
  }
  throw fail(Code::internal, "a value without element type has no compute type");
}

// Where the live instructions stand and what they were given.
struct Points::Layout {
  struct Bounds {
    size_t before = 0, step = 0, after = 0, end = 0;
  };
  std::vector<uint32_t> order;      // entry numbers of live instructions
  std::vector<Bounds> phases;       // positions in order
  std::vector<bool> live;           // per entry
  std::vector<uint32_t> operand;    // per entry: its operand number
  std::vector<uint32_t> constants;  // words
};

Register Points::add_entry(Entry entry) {
  const bool placed = entry.source == Source::instruction;
  if (placed) entry.place = place_;
  // Equal work is done once. A result stays visible from its place on, except that a step's results end with the step.
  Entry key = entry;
  key.place = {};
  if (placed && place_.part == Part::step) key.place = place_;
  const bool sharable = entry.op != KAWARA_OP_store && !reduces(entry.op) && !(entry.op == KAWARA_OP_load && ordered_.back());
  if (sharable) {
    if (const auto found = known_.find(key); found != known_.end()) return {found->second, entry.result};
    if (key.place != Place{}) {  // also what stands before the step
      Entry outside = key;
      outside.place = {};
      // A load before the step reads another element when its stream moves with the reduced loops.
      const auto found = known_.find(outside);
      if (entry.op != KAWARA_OP_load && found != known_.end()) return {found->second, entry.result};
    }
  }
  entries_.push_back(entry);
  const auto id = static_cast<uint32_t>(entries_.size() - 1);
  if (sharable) known_[key] = id;
  return {id, entry.result};
}

Register Points::constant(float value) {
  return add_entry({.source = Source::constant32, .type = DType::f32, .result = DType::f32, .value = std::bit_cast<uint32_t>(value)});
}

Register Points::constant(DType type, int64_t value) {
  if (type == DType::f32) return constant(static_cast<float>(value));
  const bool wide = type == DType::i64;
  return add_entry({.source = wide ? Source::constant64 : Source::constant32,
                    .type = type,
                    .result = type,

                    .value = wide ? static_cast<uint64_t>(value) : static_cast<uint32_t>(value)});
}

Register Points::emit(kawara_microcode op, DType type, Register a, Register b, Register c) {
  return add_entry(
      {.op = static_cast<uint8_t>(op), .type = type, .result = yields_truth(op) ? DType::u32 : type, .operands = {a.id, b.id, c.id}});
}

Register Points::convert(DType to, Register a) {
  if (to == a.type) return a;
  return add_entry(
      {.op = KAWARA_OP_cvt, .type = to, .result = to, .operands = {a.id, kNone, kNone}, .value = static_cast<uint64_t>(a.type)});
}

Register Points::load(unsigned input, DType element) {
  const DType type = compute_type(element);
  return add_entry({.op = KAWARA_OP_load, .type = type, .result = type, .value = input});
}

Register Points::load(unsigned input, DType element, std::array<Register, 3> indices) {
  const DType type = compute_type(element);
  return add_entry(
      {.op = KAWARA_OP_load, .type = type, .result = type, .operands = {indices[0].id, indices[1].id, indices[2].id}, .value = input});
}

void Points::store(unsigned output, Register a) {
  add_entry({.op = KAWARA_OP_store, .type = a.type, .result = DType::none, .operands = {a.id, kNone, kNone}, .value = output});
}

Register Points::index(unsigned loop) {
  return add_entry({.source = Source::index, .type = DType::i32, .result = DType::i32, .value = loop});
}

Register Points::accumulator(unsigned column, DType type) {
  return add_entry({.source = Source::accumulator, .type = type, .result = type, .value = column});
}

void Points::phase(bool ordered) {
  if (opened_) ordered_.emplace_back();
  opened_ = true;
  ordered_.back() = ordered;
  place_ = {static_cast<uint32_t>(ordered_.size() - 1), Part::before};
}

void Points::step() { place_.part = Part::step; }
void Points::after() { place_.part = Part::after; }

Register Points::reduce(kawara_microcode op, Register a) {
  if (place_.part != Part::step || !reduces(op)) throw fail(Code::internal, "a reduction stands in a step only");
  return add_entry({.op = static_cast<uint8_t>(op), .type = a.type, .result = a.type, .operands = {a.id, kNone, kNone}});
}

Points::Layout Points::layout() const {
  Layout layout;
  layout.live.resize(entries_.size());
  for (size_t i = entries_.size(); i-- > 0;) {
    const Entry& entry = entries_[i];
    if (entry.op == KAWARA_OP_store) layout.live[i] = true;
    if (!layout.live[i]) continue;
    for (const uint32_t operand : entry.operands)
      if (operand != kNone) layout.live[operand] = true;
  }
  layout.phases.resize(ordered_.size());
  for (uint32_t p = 0; p < ordered_.size(); ++p) {
    const auto take = [&](Part part) {
      const size_t start = layout.order.size();
      for (uint32_t i = 0; i < entries_.size(); ++i)
        if (layout.live[i] && entries_[i].source == Source::instruction && entries_[i].place == Place{p, part}) layout.order.push_back(i);
      return start;
    };
    auto& bounds = layout.phases[p];
    bounds.before = take(Part::before);
    bounds.step = take(Part::step);
    bounds.after = take(Part::after);
    bounds.end = layout.order.size();
  }
  layout.operand.assign(entries_.size(), kNone);
  return layout;
}

// Linear scan. Instruction i reads at time 2i and writes at 2i + 1, so that a result may take an operand's register.
std::string Points::assign_registers(Layout& layout) const {
  struct Interval {
    int64_t start = 0, end = 0;
    uint32_t entry = 0;
  };
  std::vector<int64_t> last_use(entries_.size(), -1);
  std::vector<Interval> intervals;
  for (size_t i = 0; i < layout.order.size(); ++i) {
    const Entry& user = entries_[layout.order[i]];
    const auto& bounds = layout.phases[user.place.phase];
    for (const uint32_t operand : user.operands) {
      if (operand == kNone) continue;
      auto end = static_cast<int64_t>(2 * i);
      // The step runs again and again: what comes from outside must survive its end.
      const Entry& definition = entries_[operand];
      if (user.place.part == Part::step && definition.source == Source::instruction && definition.place != user.place)
        end = static_cast<int64_t>(2 * bounds.after);
      last_use[operand] = std::max(last_use[operand], end);
    }
  }
  for (size_t i = 0; i < layout.order.size(); ++i) {
    const uint32_t id = layout.order[i];
    const Entry& entry = entries_[id];
    if (entry.result == DType::none) continue;
    const auto& bounds = layout.phases[entry.place.phase];
    auto start = static_cast<int64_t>(2 * i + 1);
    int64_t end = std::max(last_use[id], start);
    if (reduces(entry.op)) {  // holds the identity from the phase's start
      start = static_cast<int64_t>(2 * bounds.before) - 1;
      end = std::max(end, static_cast<int64_t>(2 * bounds.after));
    }
    intervals.push_back({start, end, id});
  }
  std::stable_sort(intervals.begin(), intervals.end(), [](const auto& a, const auto& b) { return a.start < b.start; });

  std::set<uint32_t> available;
  for (uint32_t i = 0; i < KAWARA_REGISTERS; ++i) available.insert(i);
  std::vector<Interval> active;
  for (const Interval& interval : intervals) {
    std::erase_if(active, [&](const Interval& old) {
      if (old.end >= interval.start) return false;
      available.insert(layout.operand[old.entry]);
      return true;
    });
    if (available.empty()) return fmt::format("a microcode program holds at most {} values at once", KAWARA_REGISTERS);
    layout.operand[interval.entry] = *available.begin();
    available.erase(available.begin());
    active.push_back(interval);
  }
  return {};
}

// 64-bit constants come first, so that each stands at an even index.
std::string Points::place_constants(const std::vector<Entry>& entries, Layout& layout) {
  std::map<uint64_t, uint32_t> wide, narrow;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!layout.live[i] || entries[i].source != Source::constant64) continue;
    const auto [at, added] = wide.try_emplace(entries[i].value, layout.constants.size());
    if (added) {
      layout.constants.push_back(static_cast<uint32_t>(entries[i].value));
      layout.constants.push_back(static_cast<uint32_t>(entries[i].value >> 32));
    }
    layout.operand[i] = KAWARA_SOURCE_CONSTANT + at->second;
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!layout.live[i]) continue;
    const Entry& entry = entries[i];
    if (entry.source == Source::constant32) {  // equal bits share a word, whatever their type
      const auto [at, added] = narrow.try_emplace(entry.value, layout.constants.size());
      if (added) layout.constants.push_back(static_cast<uint32_t>(entry.value));
      layout.operand[i] = KAWARA_SOURCE_CONSTANT + at->second;
    } else if (entry.source == Source::index) {
      layout.operand[i] = KAWARA_SOURCE_INDEX + static_cast<uint32_t>(entry.value);
    } else if (entry.source == Source::accumulator) {
      layout.operand[i] = KAWARA_SOURCE_ACCUMULATOR + static_cast<uint32_t>(entry.value);
    }
  }
  if (layout.constants.size() > kConstantWordsMax)
    return fmt::format("a microcode program holds at most {} constant words, this needs {}", kConstantWordsMax, layout.constants.size());
  return {};
}

std::expected<Microcode, std::string> Points::finish(unsigned inputs) const {
  Layout layout = this->layout();
  if (layout.phases.size() > kPhasesMax) return std::unexpected(fmt::format("a microcode program has at most {} phases", kPhasesMax));
  if (layout.order.size() > kInstructionsMax)
    return std::unexpected(
        fmt::format("a microcode program has at most {} instructions, this needs {}", kInstructionsMax, layout.order.size()));
  if (std::string broken = assign_registers(layout); !broken.empty()) return std::unexpected(std::move(broken));
  if (std::string broken = place_constants(entries_, layout); !broken.empty()) return std::unexpected(std::move(broken));

  Microcode code{.constants = layout.constants, .phases = {}, .instructions = {}, .index_registers = {}};
  for (size_t p = 0; p < ordered_.size(); ++p) {
    kawara_phase phase{};
    phase.mode = ordered_[p] ? KAWARA_PHASE_ORDERED : KAWARA_PHASE_TREE;
    phase.before = static_cast<uint16_t>(layout.phases[p].before);
    phase.step = static_cast<uint16_t>(layout.phases[p].step);
    phase.after = static_cast<uint16_t>(layout.phases[p].after);
    phase.end = static_cast<uint16_t>(layout.phases[p].end);
    code.phases.push_back(phase);
  }
  for (const uint32_t id : layout.order) {
    const Entry& entry = entries_[id];
    const auto operand = [&](size_t i) {
      return entry.operands[i] == kNone ? uint8_t{0} : static_cast<uint8_t>(layout.operand[entry.operands[i]]);
    };
    kawara_instr instr{};
    instr.op = entry.op;
    instr.dst = entry.result == DType::none ? 0 : static_cast<uint8_t>(layout.operand[id]);
    if (entry.op == KAWARA_OP_load) {  // the stream's coordinates name the registers
      code.index_registers[static_cast<uint32_t>(entry.value)] = {operand(0), operand(1), operand(2)};
    } else {
      instr.a = operand(0);
      instr.b = operand(1);
      instr.c = operand(2);
    }
    instr.type = static_cast<uint8_t>(entry.type);
    instr.imm = static_cast<uint16_t>(entry.value + (entry.op == KAWARA_OP_store ? inputs : 0));
    code.instructions.push_back(instr);
  }
  return code;
}

}  // namespace kawara::compiler
