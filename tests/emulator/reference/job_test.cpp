// SPDX-License-Identifier: Apache-2.0
// How the reference executor walks a job, and what it tells on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/reference/machine.h"
#include "emulator/reference/reference.h"

namespace kawara::test {
namespace {

using ::testing::ElementsAre;

// to[i] += 1 over `count` points.
std::vector<std::byte> increment(uint32_t region, uint32_t count) {
  const hw::Section section{.extent = {count},
                            .n_par = 1,
                            .n_in = 1,
                            .streams = {stream(region, kI32, 0, 1), stream(region, kI32, 0, 1)},
                            .coords = {coord(1, count, {{0, 1}})},
                            .constants = {1},
                            .phases = {once(3)},
                            .instrs = {load(kI32, 0, 0), instr(KAWARA_OP_add, kI32, 0, 0, constant(0)), store(kI32, 0, 1)}};
  return hw::encode(hw::blank<kawara_vector>(), &section);
}

TEST(Job, CommandsRunInOrderAndRetireOneByOne) {
  Machine machine(emulator::reference_executor());
  const uint32_t region = machine.local<int32_t>({5, 6});
  hw::Commands commands;
  commands.append(increment(region, 2));
  commands.append(hw::encode(hw::blank<kawara_nop>()));
  commands.append(increment(region, 1));
  std::vector<uint32_t> retired;
  machine.run({commands}, {.retired = [&](uint32_t command) { retired.push_back(command); }, .work = {}, .aborted = {}});
  EXPECT_THAT(retired, ElementsAre(0, 1, 2));
  EXPECT_THAT(machine.read<int32_t>(region, 2), ElementsAre(7, 7));
}

TEST(Job, AnAbortStopsAJobInTheMiddleOfACommand) {
  Machine machine(emulator::reference_executor());
  constexpr uint32_t kCount = 4'000'000;
  const uint32_t region = machine.local(std::vector<int32_t>(kCount));
  hw::Commands commands;
  commands.append(increment(region, kCount));
  bool aborted = false, retired = false;
  machine.run({commands},
              {.retired = [&](uint32_t) { retired = true; }, .work = [&] { aborted = true; }, .aborted = [&] { return aborted; }});
  const std::vector<int32_t> values = machine.read<int32_t>(region, kCount);
  EXPECT_FALSE(retired);
  EXPECT_EQ(values.front(), 1);
  EXPECT_EQ(values.back(), 0);
}

TEST(Job, LongCommandsTellOfTheirWork) {
  Machine machine(emulator::reference_executor());
  constexpr uint32_t kCount = 4'000'000;
  const uint32_t region = machine.local(std::vector<int32_t>(kCount));
  hw::Commands commands;
  commands.append(increment(region, kCount));
  int quanta = 0;
  machine.run({commands}, {.retired = {}, .work = [&] { ++quanta; }, .aborted = {}});
  EXPECT_GE(quanta, 1);
}

}  // namespace
}  // namespace kawara::test
