// SPDX-License-Identifier: Apache-2.0
#include "emulator/reference/order.h"

#include <algorithm>
#include <numeric>

namespace kawara::emulator::reference {
namespace {

// What a segment draws depends on nothing that ran before, whatever other queues do meanwhile.
std::mt19937_64 generator(uint64_t seed, uint32_t begin) {
  std::seed_seq words{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32), begin};
  return std::mt19937_64(words);
}

bool copies(uint32_t engine) { return engine == KAWARA_ENGINE_DMA_IN || engine == KAWARA_ENGINE_DMA_OUT; }

}  // namespace

SeededOrder::SeededOrder(const Job& job, uint32_t begin, uint32_t end, uint64_t seed) : job_(job), random_(generator(seed, begin)) {
  for (uint32_t command = 0; command < begin; ++command) ++engines_[header(command).engine].retired;
  for (uint32_t command = begin; command < end; ++command) engines_[header(command).engine].commands.push_back(command);
  dma_last_ = random_() % 4 != 0;
  patience_ = static_cast<uint32_t>(random_() % 5);
  std::iota(ranking_.begin(), ranking_.end(), 0u);
  rank();
}

const kawara_header& SeededOrder::header(uint32_t command) const {
  return *reinterpret_cast<const kawara_header*>(job_.commands.data() + job_.offsets[command]);
}

void SeededOrder::rank() {
  for (size_t left = ranking_.size(); left > 1; --left) std::swap(ranking_[left - 1], ranking_[random_() % left]);
  if (dma_last_) std::ranges::stable_partition(ranking_, [](uint32_t engine) { return !copies(engine); });
}

// The engine that goes on as far as it can, and brings others on only where it has to wait.
std::optional<uint32_t> SeededOrder::wanted() {
  if (patience_ != 0 && random_() % patience_ == 0) rank();
  const auto engine = std::ranges::find_if(ranking_, [this](uint32_t candidate) { return !engines_[candidate].idle(); });
  return engine == ranking_.end() ? std::nullopt : std::optional(*engine);
}

// Whom the engine's next command still waits for.
std::optional<uint32_t> SeededOrder::blocker(uint32_t engine) const {
  for (const kawara_type_wait wait : header(engines_[engine].commands[engines_[engine].done]).wait)
    if (engines_[kawara_wait_engine(wait)].retired < kawara_wait_count(wait)) return kawara_wait_engine(wait);
  return std::nullopt;
}

std::optional<uint32_t> SeededOrder::next() {
  auto engine = wanted();
  if (!engine) return std::nullopt;
  // Waits name earlier commands alone, and so does an engine's own order: this ends at one that may start.
  while (const auto other = blocker(*engine)) engine = other;
  Engine& runs = engines_[*engine];
  ++runs.retired;
  return runs.commands[runs.done++];
}

}  // namespace kawara::emulator::reference
