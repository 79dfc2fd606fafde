// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include <tuple>

#include "encode_command.h"
#include "kawara/hw/cost.h"
#include "kawara/hw/encode.h"
#include "order.h"
#include "plan_check.h"
#include "schedule.h"
#include "switch_points.h"

namespace kawara::compiler {

namespace {

// The work clock sees memories, not addresses: a region for each is enough.
uint64_t cycles_of(const Plan& plan, const kawara_config& target) {
  static constexpr uint8_t kMemories[] = {KAWARA_MEMORY_HOST, KAWARA_MEMORY_LOCAL, KAWARA_MEMORY_SRAM};
  const Locate locate = [&](uint32_t buffer) {
    const Buffer::Role role = plan.commands.buffers[buffer].role;
    const bool host = role == Buffer::Role::input || role == Buffer::Role::output;
    return hw::operand(host ? 0 : plan.allocation.in_sram[buffer] ? 2 : 1, 0);
  };
  hw::Commands bytes;
  for (const Command& command : plan.commands.commands) bytes.append(encode(command, locate));
  const kawara_cost_view view{.config = &target, .regions = nullptr, .n_regions = 3, .memories = kMemories};
  kawara_job_cost job{};
  kawara_cost_job(bytes.bytes().data(), bytes.offsets().data(), static_cast<uint32_t>(bytes.offsets().size()), &view, &job, nullptr);
  return job.cycles;
}

// Bytes that move to and from each buffer, where SRAM moves them faster than local memory.
std::vector<uint64_t> traffic_of(const Commands& model, std::span<const Price> prices, const kawara_config& target) {
  std::vector<uint64_t> traffic(model.buffers.size());
  if (target.sram_gb_s <= target.local_gb_s) return traffic;
  for (size_t i = 0; i < prices.size(); ++i)
    for (size_t j = 0; j < prices[i].bytes.size(); ++j) traffic[model.commands[i].buffers[j]] += prices[i].bytes[j];
  return traffic;
}

class Planner {
 public:
  Planner(const Commands& lowered, const kawara_config& target, const PlanOptions& options, const Waiting& waiting)
      : lowered_(lowered),
        target_(target),
        options_(options),
        waiting_(waiting),
        prices_(compiler::prices(lowered, target)),
        traffic_(traffic_of(lowered, prices_, target)) {}

  std::span<const Price> prices() const { return prices_; }

  Plan plan(const Order& order, const PackingEffort& effort) const {
    Plan plan;
    plan.commands.buffers = lowered_.buffers;
    std::vector<Price> prices;
    for (const uint32_t at : order.commands) {
      plan.commands.commands.push_back(lowered_.commands[at]);
      prices.push_back(prices_[at]);
    }
    const uint64_t sram_bytes = uint64_t{target_.sram_kib} << 10;
    waiting_.look();
    set_switch_points(plan.commands, prices, options_.segment_cycles_max);
    waiting_.look();
    plan.allocation = allocate(plan.commands, sram_bytes, traffic_, order.held, effort, waiting_);
    waiting_.look();
    check_plan(plan.commands, plan.allocation, sram_bytes);
    waiting_.look();
    schedule(plan.commands, plan.allocation);
    waiting_.look();
    plan.cycles = cycles_of(plan, target_);
    return plan;
  }

 private:
  const Commands& lowered_;
  const kawara_config& target_;
  const PlanOptions& options_;
  const Waiting& waiting_;
  std::vector<Price> prices_;
  std::vector<uint64_t> traffic_;  // per buffer
};

uint64_t local_bytes(const Plan& plan) { return plan.allocation.arena_bytes + plan.allocation.weights_bytes; }

__int128 product(const Plan& plan, const kawara_config& target) {
  return __int128{plan.cycles} * (local_bytes(plan) + (uint64_t{target.sram_kib} << 10));
}

bool fits(const Plan& plan, const kawara_config& target) { return local_bytes(plan) <= uint64_t{target.local_mib} << 20; }

bool may_shrink(const Allocation& allocation) {
  return allocation.arena_minimum.proof == Proof::stopped || allocation.sram_minimum.proof == Proof::stopped;
}

// Bytes used again make commands wait: what that costs must be no larger a part than what it saves.
bool pays(const Plan& smaller, const Plan& plan, const kawara_config& target) {
  if (fits(smaller, target) != fits(plan, target)) return fits(smaller, target);
  return product(smaller, target) <= product(plan, target);
}

bool better(const Plan& plan, const Plan& best, const Plan& lowered, const kawara_config& target) {
  if (fits(plan, target) != fits(best, target)) return fits(plan, target);
  if (plan.cycles != best.cycles) return plan.cycles < best.cycles && product(plan, target) <= product(lowered, target);
  return std::tuple(local_bytes(plan), plan.allocation.sram_bytes) < std::tuple(local_bytes(best), best.allocation.sram_bytes);
}

}  // namespace

Plan make_plan(const Commands& lowered, const kawara_config& target, const PlanOptions& options, const Waiting& waiting) {
  const Planner planner(lowered, target, options, waiting);
  waiting.look();
  const auto orders = candidate_orders(lowered, planner.prices());
  const Plan first = planner.plan(orders[0], kQuick);
  Plan best = first;
  const Order* order = &orders[0];
  for (const Order& other : std::span(orders).subspan(1))
    if (Plan plan = planner.plan(other, kQuick); better(plan, best, first, target)) {
      best = std::move(plan);
      order = &other;
    }
  if (!may_shrink(best.allocation)) return best;
  Plan smaller = planner.plan(*order, kThorough);
  return pays(smaller, best, target) ? smaller : best;
}

Plan plan_order(const Commands& lowered, const std::vector<uint32_t>& order, const kawara_config& target, const PlanOptions& options) {
  return Planner(lowered, target, options, {}).plan({.commands = order}, kThorough);
}

}  // namespace kawara::compiler
