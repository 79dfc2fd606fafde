// SPDX-License-Identifier: Apache-2.0
// Orders drawn from a seed: each is one that engines and waits allow, all such come up, and a job that is right does not notice.
#include "emulator/reference/order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <set>

#include "emulator/reference/machine.h"
#include "emulator/reference/reference.h"
#include "kawara/hw/decode.h"

namespace kawara::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr uint32_t kCount = 16;  // numbers of a region

// Each number of `to` is one of `from`, plus one.
std::vector<std::byte> increment(uint32_t from, uint32_t to, std::initializer_list<uint32_t> waits = {}) {
  const hw::Section section{.extent = {kCount},
                            .n_par = 1,
                            .n_in = 1,
                            .streams = {stream(from, kI32, 0, 1), stream(to, kI32, 0, 1)},
                            .coords = {coord(1, kCount, {{0, 1}})},
                            .constants = {1},
                            .phases = {once(3)},
                            .instrs = {load(kI32, 0, 0), instr(KAWARA_OP_add, kI32, 0, 0, constant(0)), store(kI32, 0, 1)}};
  auto vector = hw::blank<kawara_vector>();
  std::ranges::copy(waits, vector.header.wait);
  return hw::encode(vector, &section);
}

std::vector<std::byte> copy(kawara_engine engine, uint32_t from, uint32_t to, std::initializer_list<uint32_t> waits = {}) {
  auto body = hw::blank<kawara_copy>();
  body.header.engine = engine;
  body.dtype = kI32;
  body.extent[5] = body.src_extent[5] = kCount;
  body.src_stride[5] = body.dst_stride[5] = 1;
  body.src = hw::operand(from, 0);
  body.dst = hw::operand(to, 0);
  std::ranges::copy(waits, body.header.wait);
  return hw::encode(body);
}

hw::Commands buffer(std::initializer_list<std::vector<std::byte>> commands) {
  hw::Commands result;
  for (const auto& command : commands) result.append(command);
  return result;
}

uint32_t in(uint32_t count) { return kawara_wait(KAWARA_ENGINE_DMA_IN, count); }
uint32_t vectors(uint32_t count) { return kawara_wait(KAWARA_ENGINE_VE, count); }

std::vector<uint32_t> order_of(const hw::Commands& commands, uint64_t seed, uint32_t begin = 0) {
  const emulator::Job job{.commands = commands.bytes(), .offsets = commands.offsets(), .table = {}, .regions = {}};
  emulator::reference::SeededOrder order(job, begin, static_cast<uint32_t>(commands.offsets().size()), seed);
  std::vector<uint32_t> result;
  while (const auto command = order.next()) result.push_back(*command);
  return result;
}

std::set<std::vector<uint32_t>> orders_of(const hw::Commands& commands, unsigned seeds) {
  std::set<std::vector<uint32_t>> orders;
  for (uint64_t seed = 0; seed < seeds; ++seed) orders.insert(order_of(commands, seed));
  return orders;
}

// Random commands of four engines; each waits for others before it.
hw::Commands random_commands(std::mt19937& random, unsigned count) {
  hw::Commands commands;
  std::array<uint32_t, KAWARA_ENGINE_COUNT> issued{};
  for (unsigned i = 0; i < count; ++i) {
    std::array<uint32_t, 3> waits{};
    for (uint32_t& wait : waits) {
      const uint32_t engine = random() % KAWARA_ENGINE_COUNT;
      if (random() % 3 == 0 && issued[engine] > 0) wait = kawara_wait(engine, 1 + random() % issued[engine]);
    }
    auto nop = hw::blank<kawara_nop>();
    std::ranges::copy(waits, nop.header.wait);
    auto encoded = hw::encode(nop);
    const uint32_t engine = random() % KAWARA_ENGINE_COUNT;  // no executor asks who may run what
    encoded[offsetof(kawara_header, engine)] = static_cast<std::byte>(engine);
    commands.append(encoded);
    ++issued[engine];
  }
  return commands;
}

TEST(SeededOrder, KeepsEnginesAndWaits) {
  std::mt19937 random(3);
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const hw::Commands commands = random_commands(random, 40);
    std::array<uint32_t, KAWARA_ENGINE_COUNT> retired{};
    std::array<int64_t, KAWARA_ENGINE_COUNT> last;
    last.fill(-1);
    unsigned count = 0;
    for (const uint32_t number : order_of(commands, seed)) {
      const hw::CommandView command(commands.bytes(), commands.offsets()[number]);
      EXPECT_GT(int64_t{number}, last[command.engine()]);
      for (const uint32_t wait : command.header().wait) EXPECT_GE(retired[kawara_wait_engine(wait)], kawara_wait_count(wait));
      last[command.engine()] = number;
      ++retired[command.engine()];
      ++count;
    }
    EXPECT_EQ(count, 40u);
  }
}

TEST(SeededOrder, OfASegmentCountsTheCommandsBeforeIt) {
  const auto commands = buffer({copy(KAWARA_ENGINE_DMA_IN, 0, 1), increment(1, 2, {in(1)}), increment(1, 2, {in(1), vectors(1)})});
  EXPECT_THAT(order_of(commands, 5, 1), ElementsAre(1, 2));
}

TEST(SeededOrder, IsOneForASeedAndAllLegalOnesComeUp) {
  // Two engines of two commands each: six ways to merge them, of which the wait rules out those where command 3 comes before 0.
  const auto commands =
      buffer({copy(KAWARA_ENGINE_DMA_IN, 0, 1), copy(KAWARA_ENGINE_DMA_IN, 0, 2), increment(3, 4), increment(1, 5, {in(1)})});
  EXPECT_EQ(order_of(commands, 77), order_of(commands, 77));
  const std::set<std::vector<uint32_t>> all = {{0, 1, 2, 3}, {0, 2, 1, 3}, {0, 2, 3, 1}, {2, 0, 1, 3}, {2, 0, 3, 1}};
  EXPECT_EQ(orders_of(commands, 300), all);
}

TEST(SeededOrder, CopiesAsLateAsTheWaitsAllow) {
  // Outputs last, the second input when its reader can do nothing else any more.
  const auto commands = buffer({copy(KAWARA_ENGINE_DMA_IN, 0, 1), copy(KAWARA_ENGINE_DMA_IN, 0, 2), increment(1, 3, {in(1)}),
                                copy(KAWARA_ENGINE_DMA_OUT, 3, 5, {vectors(1)}), increment(3, 3), increment(2, 4, {in(2)})});
  EXPECT_THAT(orders_of(commands, 20), Contains(std::vector<uint32_t>{0, 2, 4, 1, 5, 3}));
}

// Values of the last region once the commands have run under a seed, and with it in the buffer's order.
std::vector<int32_t> result_of(const hw::Commands& commands, std::optional<uint64_t> seed, const emulator::Progress& progress = {}) {
  Machine machine(emulator::reference_executor({.order = seed}));
  std::vector<int32_t> values(kCount, 10);
  machine.host(values, 24);
  for (int32_t i = 0; i < 3; ++i) machine.local(std::vector<int32_t>(kCount, 1000 * i));
  const uint32_t output = machine.host(std::vector<int32_t>(kCount), 40);
  machine.run({commands}, progress);
  return machine.read<int32_t>(output, kCount);
}

TEST(SeededOrder, ChangesNothingForAJobThatIsRight) {
  const auto commands =
      buffer({copy(KAWARA_ENGINE_DMA_IN, 0, 1), increment(1, 2, {in(1)}), increment(2, 3), copy(KAWARA_ENGINE_DMA_IN, 0, 1, {vectors(1)}),
              increment(1, 2, {in(2)}), copy(KAWARA_ENGINE_DMA_OUT, 3, 4, {vectors(2)})});
  for (uint64_t seed = 0; seed < 200; ++seed) EXPECT_EQ(result_of(commands, seed), std::vector<int32_t>(kCount, 12)) << seed;
}

// The same job without one of its waits, each in turn.
TEST(SeededOrder, ShowsAMissingWait) {
  const auto without = [](int missing) {
    const auto wait = [&](int number, uint32_t value) { return number == missing ? 0 : value; };
    return buffer({copy(KAWARA_ENGINE_DMA_IN, 0, 1), increment(1, 2, {wait(0, in(1))}), increment(2, 3),
                   copy(KAWARA_ENGINE_DMA_OUT, 3, 4, {wait(1, vectors(2))}),
                   increment(2, 3, {wait(2, kawara_wait(KAWARA_ENGINE_DMA_OUT, 1))}), increment(3, 3)});
  };
  for (const int missing : {0, 1, 2}) {
    std::set<std::vector<int32_t>> results;
    for (uint64_t seed = 0; seed < 50; ++seed) results.insert(result_of(without(missing), seed));
    EXPECT_GT(results.size(), 1u) << "the job without wait " << missing;
    EXPECT_THAT(results, Contains(std::vector<int32_t>(kCount, 12))) << "and in the buffer's order all seems well";
  }
}

TEST(SeededOrder, TellsOfACommandWhenAllBeforeItHaveRetired) {
  const auto commands = buffer({copy(KAWARA_ENGINE_DMA_IN, 0, 1), increment(2, 3), increment(3, 2), increment(1, 2, {in(1)}),
                                copy(KAWARA_ENGINE_DMA_OUT, 2, 4, {vectors(3)})});
  bool together = false;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<uint32_t> told;
    unsigned quanta = 0;
    result_of(commands, seed, {.retired = [&](uint32_t command) { told.push_back(command); }, .work = [&] { ++quanta; }, .aborted = {}});
    EXPECT_TRUE(std::ranges::is_sorted(told)) << "seed " << seed;
    EXPECT_EQ(told.back(), 4u);
    EXPECT_EQ(told.size() + quanta, 5u) << "each retirement is a sign of life";
    together |= told.front() > 0;
  }
  EXPECT_TRUE(together) << "else no seed ran a later command first";
}

TEST(SeededOrder, EndsEarlyWhenTheJobIsToStop) {
  const auto commands =
      buffer({copy(KAWARA_ENGINE_DMA_IN, 0, 1), increment(1, 2, {in(1)}), copy(KAWARA_ENGINE_DMA_OUT, 2, 4, {vectors(1)})});
  unsigned asked = 0;
  EXPECT_THAT(result_of(commands, 1, {.retired = {}, .work = {}, .aborted = [&] { return ++asked > 2; }}),
              ElementsAreArray(std::vector<int32_t>(kCount, 0)));
}

}  // namespace
}  // namespace kawara::test
