// SPDX-License-Identifier: Apache-2.0
#include "plan_check.h"

#include <algorithm>
#include <map>

#include "kawara/error.h"

namespace kawara::compiler {

namespace {

// One region: who holds which bytes at the command at hand.
class Holders {
 public:
  explicit Holders(std::string_view name) : name_(name) {}

  void take(uint32_t buffer, uint64_t begin, uint64_t size) {
    live_ += round_up(size);
    most_ = std::max(most_, live_);
    if (size == 0) return;
    const auto next = held_.lower_bound(begin);
    if (next != held_.end() && next->first < begin + size) refuse(buffer, next->second.buffer);
    if (next != held_.begin() && std::prev(next)->first + std::prev(next)->second.size > begin)
      refuse(buffer, std::prev(next)->second.buffer);
    held_.emplace(begin, Holder{buffer, size});
  }
  void release(uint64_t begin, uint64_t size) {
    live_ -= round_up(size);
    if (size != 0) held_.erase(begin);
  }
  void check_bound(uint64_t claimed) const {
    if (claimed != most_)
      throw fail(Code::internal, "the plan says that {} bytes of the {} are alive at most, and {} are", claimed, name_, most_);
  }

 private:
  struct Holder {
    uint32_t buffer;
    uint64_t size;
  };
  [[noreturn]] void refuse(uint32_t a, uint32_t b) const {
    throw fail(Code::internal, "buffers {} and {} lie in the same bytes of the {} at the same time", b, a, name_);
  }

  static uint64_t round_up(uint64_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

  std::string_view name_;
  uint64_t live_ = 0, most_ = 0;
  std::map<uint64_t, Holder> held_;  // by first byte
};

struct Span {
  size_t begin = 0, end = 0;  // commands, the last one excluded
};

void check_place(const Commands& model, const Allocation& allocation, uint32_t buffer, uint64_t region_bytes) {
  const uint64_t offset = allocation.offsets[buffer], size = model.buffers[buffer].size_bytes;
  if (offset % kAlignment != 0) throw fail(Code::internal, "buffer {} lies at {}, no multiple of {}", buffer, offset, kAlignment);
  if (offset > region_bytes || size > region_bytes - offset)
    throw fail(Code::internal, "buffer {} of {} bytes at {} leaves its region of {}", buffer, size, offset, region_bytes);
}

// Weights stay: those of other bytes must lie elsewhere.
void check_weights(const Commands& model, const Allocation& allocation, const std::vector<Span>& spans) {
  std::map<uint64_t, uint32_t> stored;  // by first byte
  for (uint32_t i = 0; i < spans.size(); ++i) {
    if (model.buffers[i].role != Buffer::Role::weights || spans[i].end == 0) continue;
    check_place(model, allocation, i, allocation.weights_bytes);
    const auto& bytes = model.buffers[i].constant.bytes;
    if (bytes.size() == 0) continue;
    const auto [at, added] = stored.try_emplace(allocation.offsets[i], i);
    if (!added && !std::ranges::equal(bytes, model.buffers[at->second].constant.bytes))
      throw fail(Code::internal, "buffers {} and {} are different weights at the same place", at->second, i);
  }
  for (auto at = stored.begin(); at != stored.end() && std::next(at) != stored.end(); ++at)
    if (at->first + model.buffers[at->second].size_bytes > std::next(at)->first)
      throw fail(Code::internal, "buffers {} and {} lie in the same bytes of the weights", at->second, std::next(at)->second);
}

}  // namespace

void check_plan(const Commands& model, const Allocation& allocation, uint64_t sram_bytes) {
  if (allocation.sram_bytes > sram_bytes)
    throw fail(Code::internal, "the plan takes {} bytes of SRAM, and the chip has {}", allocation.sram_bytes, sram_bytes);
  std::vector<Span> spans(model.buffers.size());
  for (size_t at = 0; at < model.commands.size(); ++at)
    for (const Access& access : model.commands[at].accesses) {
      Span& span = spans[access.buffer];
      if (span.end == 0) span.begin = at;
      span.end = at + 1;
    }
  check_weights(model, allocation, spans);
  std::vector<std::vector<uint32_t>> starting(model.commands.size()), ending(model.commands.size());
  for (uint32_t i = 0; i < spans.size(); ++i) {
    if (model.buffers[i].role != Buffer::Role::arena || spans[i].end == 0) continue;
    check_place(model, allocation, i, allocation.in_sram[i] ? allocation.sram_bytes : allocation.arena_bytes);
    starting[spans[i].begin].push_back(i);
    ending[spans[i].end - 1].push_back(i);
  }
  Holders arena("arena"), sram("SRAM");
  for (size_t at = 0; at < model.commands.size(); ++at) {
    for (const uint32_t i : starting[at])
      (allocation.in_sram[i] ? sram : arena).take(i, allocation.offsets[i], model.buffers[i].size_bytes);
    for (const uint32_t i : ending[at]) (allocation.in_sram[i] ? sram : arena).release(allocation.offsets[i], model.buffers[i].size_bytes);
    if (!model.commands[at].switch_point) continue;
    for (uint32_t i = 0; i < spans.size(); ++i)
      if (allocation.in_sram[i] && spans[i].begin <= at && spans[i].end > at + 1)
        throw fail(Code::internal, "buffer {} lies in SRAM across the switch point at command {}", i, at);
  }
  arena.check_bound(allocation.arena_bound_bytes);
  sram.check_bound(allocation.sram_bound_bytes);
}

}  // namespace kawara::compiler
