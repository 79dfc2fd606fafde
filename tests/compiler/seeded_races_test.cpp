// SPDX-License-Identifier: Apache-2.0
// Two proofs of one thing: what the race check lets pass gives the same bits in whatever order the waits allow. Random jobs that
// are right, and the same without one of their waits.
#include <gmock/gmock.h>

#include <random>
#include <set>

#include "compiler/compile_text.h"
#include "compiler/model_texts.h"
#include "emulator/reference/machine.h"
#include "kawara/file/program_regions.h"
#include "race_check.h"

namespace kawara::test {
namespace {

using compiler::find_race;
using ::testing::IsEmpty;

constexpr uint32_t kNumbers = 16, kBytes = 4 * kNumbers;  // what a command reads or writes at once
constexpr uint32_t kPlaces = 12, kSpacing = kBytes / 2;   // in each region: a place overlaps its neighbours by half
constexpr uint64_t kRegionBytes = (kPlaces + 1) * kSpacing;
enum : uint32_t { kInput, kArena, kScratchpad, kOutput, kRegions };

struct Range {
  uint32_t region = 0;
  uint64_t begin = 0;
  bool write = false;

  bool meets(const Range& other) const {
    return region == other.region && (write || other.write) && begin < other.begin + kBytes && other.begin < begin + kBytes;
  }
};

// Copies, sums and products of rows of numbers, each waiting for all that it must, and for nothing that an engine's own order gives.
class RandomJob {
 public:
  explicit RandomJob(uint32_t seed) : random_(seed) {
    for (int i = 0; i < 24; ++i) add();
  }

  hw::Commands commands;

 private:
  struct Step {
    uint32_t engine = 0, number = 0;
    std::array<Range, 3> ranges;
  };

  uint32_t pick(uint32_t count) { return static_cast<uint32_t>(random_() % count); }
  Range place(std::initializer_list<uint32_t> regions, bool write) {
    return {*(regions.begin() + pick(static_cast<uint32_t>(regions.size()))), uint64_t{kSpacing} * pick(kPlaces), write};
  }
  static uint64_t operand(const Range& range) { return hw::operand(range.region, range.begin); }

  void add() {
    constexpr uint32_t kEngines[] = {KAWARA_ENGINE_ME, KAWARA_ENGINE_VE, KAWARA_ENGINE_DMA_IN, KAWARA_ENGINE_DMA_OUT};
    Step step{.engine = kEngines[pick(4)], .number = 0, .ranges = {}};
    const bool copies = step.engine == KAWARA_ENGINE_DMA_IN || step.engine == KAWARA_ENGINE_DMA_OUT;
    auto& [a, b, to] = step.ranges;
    a = copies ? place({kInput, kArena, kScratchpad}, false) : place({kArena, kScratchpad}, false);
    b = copies ? a : place({kArena, kScratchpad}, false);
    to = copies ? place({kArena, kScratchpad, kOutput}, true) : place({kArena, kScratchpad}, true);
    // In place, or apart: a command that reads what it half overwrites has no one result.
    if (a.meets(to)) to.begin = a.begin;
    if (b.meets(to)) b = a;
    kawara_header header{};
    header.engine = static_cast<uint8_t>(step.engine);
    if (pick(8) == 0) header.flags = KAWARA_HEADER_SWITCH_POINT;
    add_waits(step, header);
    commands.append(copies ? copy(header, a, to) : step.engine == KAWARA_ENGINE_VE ? sum(header, a, b, to) : product(header, a, b, to));
    step.number = ++issued_[step.engine];
    steps_.push_back(step);
    if (header.flags != 0) steps_.clear();  // all before has retired
  }

  void add_waits(const Step& step, kawara_header& header) const {
    std::array<uint32_t, KAWARA_ENGINE_COUNT> needed{};
    for (const Step& before : steps_)
      for (const Range& mine : step.ranges)
        for (const Range& other : before.ranges)
          if (before.engine != step.engine && mine.meets(other)) needed[before.engine] = before.number;
    uint32_t used = 0;
    for (uint32_t engine = 0; engine < KAWARA_ENGINE_COUNT; ++engine)
      if (needed[engine] > 0) header.wait[used++] = kawara_wait(engine, needed[engine]);
  }

  template <typename Body>
  static Body with(const kawara_header& given) {
    auto body = hw::blank<Body>();
    body.header.engine = given.engine;
    body.header.flags |= given.flags;
    std::ranges::copy(given.wait, body.header.wait);
    return body;
  }

  static std::vector<std::byte> copy(const kawara_header& header, const Range& from, const Range& to) {
    auto body = with<kawara_copy>(header);
    body.dtype = kF32;
    body.extent[5] = body.src_extent[5] = kNumbers;
    body.src_stride[5] = body.dst_stride[5] = 1;
    body.src = operand(from);
    body.dst = operand(to);
    return hw::encode(body);
  }

  static kawara_stream row(const Range& range) {
    kawara_stream result = stream(0, kF32, 0, 1);
    result.data = operand(range);
    return result;
  }

  // to = a * 0.5 + b
  static std::vector<std::byte> sum(const kawara_header& header, const Range& a, const Range& b, const Range& to) {
    const hw::Section section{
        .extent = {kNumbers},
        .n_par = 1,
        .n_in = 2,
        .streams = {row(a), row(b), row(to)},
        .coords = {coord(1, kNumbers, {{0, 1}})},
        .constants = {0x3f000000u},
        .phases = {once(4)},
        .instrs = {load(kF32, 0, 0), load(kF32, 1, 1), instr(KAWARA_OP_mad, kF32, 0, 0, constant(0), 1), store(kF32, 0, 2)}};
    return hw::encode(with<kawara_vector>(header), &section);
  }

  // to[n] = a[0] * b[n] * 0.5, and 1 more so that nothing fades away; of a, all are read
  static std::vector<std::byte> product(const kawara_header& header, const Range& a, const Range& b, const Range& to) {
    auto body = with<kawara_gemm>(header);
    body.M = 1;
    body.N = kNumbers;
    body.K = kNumbers;
    body.acc_dtype = body.a.dtype = body.b.dtype = kF32;
    body.a.data = operand(a);
    body.b.data = operand(b);
    body.a.stride[3] = 1;
    body.b.stride[3] = 1;
    const hw::Section epilogue{.acc_group = 1,
                               .streams = {row(to)},
                               .coords = {coord(1, kNumbers, {{3, 1}})},
                               .constants = {0x3d000000u, 0x3f800000u},
                               .phases = {once(2)},
                               .instrs = {instr(KAWARA_OP_mad, kF32, 0, accumulator(0), constant(0), constant(1)), store(kF32, 0, 0)}};
    return hw::encode(body, &epilogue);
  }

  std::mt19937 random_;
  std::vector<Step> steps_;  // of the segment
  std::array<uint32_t, KAWARA_ENGINE_COUNT> issued_{};
};

// All memory after the job, run under the seed.
std::vector<std::byte> memory_after(std::span<const std::byte> commands, std::span<const uint32_t> offsets, std::optional<uint64_t> seed) {
  const std::vector<float> numbers = noise(kRegions * kRegionBytes / sizeof(float), 1);
  std::vector<std::byte> memory(kRegions * kRegionBytes);
  std::memcpy(memory.data(), numbers.data(), memory.size());
  std::vector<emulator::Region> regions;
  for (uint64_t i = 0; i < kRegions; ++i)
    regions.push_back({emulator::Region::Place::local, true, true, kRegionBytes, memory.data() + i * kRegionBytes, {}});
  const emulator::Job job{.commands = commands, .offsets = offsets, .table = {}, .regions = regions};
  run_segments(emulator::reference_executor({.order = seed})({}, {}), job);
  return memory;
}

std::vector<kawara_region> table() {
  std::vector<kawara_region> regions(kRegions);
  for (uint32_t i = 0; i < kRegions; ++i)
    regions[i] = {.address = (i + 1) << 16, .size = kRegionBytes, .flags = 0, .reserved0 = 0, .reserved1 = 0};
  return regions;
}

// Calls the function with the job without one of its waits, for each of them.
template <typename Call>
void without_each_wait(std::span<const std::byte> commands, std::span<const uint32_t> offsets, Call&& call) {
  std::vector<std::byte> changed(commands.begin(), commands.end());
  for (const uint32_t offset : offsets)
    for (kawara_type_wait& wait : reinterpret_cast<kawara_header*>(changed.data() + offset)->wait) {
      if (wait == 0) continue;
      const kawara_type_wait kept = std::exchange(wait, 0);
      call(changed);
      wait = kept;
    }
}

TEST(SeededRaces, AJobWithAllItsWaitsGivesTheSameBitsInEveryOrder) {
  for (uint32_t number = 0; number < 20; ++number) {
    const hw::Commands commands = RandomJob(number).commands;
    EXPECT_FALSE(find_race(commands.bytes(), table()));
    EXPECT_THAT(races(commands.bytes(), commands.offsets()), IsEmpty());
    const auto expected = memory_after(commands.bytes(), commands.offsets(), std::nullopt);
    for (uint64_t seed = 0; seed < 50; ++seed)
      EXPECT_EQ(memory_after(commands.bytes(), commands.offsets(), seed), expected) << "job " << number << ", seed " << seed;
  }
}

// The check flags exactly the jobs in which two commands without an order meet. Those it lets pass give the same bits in every
// order, and most of the others do not.
TEST(SeededRaces, AJobWithoutOneOfItsWaitsIsFlaggedOrGivesTheSameBitsStill) {
  int harmless = 0, racing = 0, shown = 0;
  for (uint32_t number = 0; number < 8; ++number) {
    const hw::Commands commands = RandomJob(number).commands;
    const auto expected = memory_after(commands.bytes(), commands.offsets(), std::nullopt);
    without_each_wait(commands.bytes(), commands.offsets(), [&](const std::vector<std::byte>& changed) {
      const bool race = find_race(changed, table()).has_value();
      EXPECT_EQ(race, !races(changed, commands.offsets()).empty());
      bool differs = false;
      for (uint64_t seed = 0; seed < 20 && !differs; ++seed) differs = memory_after(changed, commands.offsets(), seed) != expected;
      EXPECT_TRUE(race || !differs);
      (race ? racing : harmless) += 1;
      shown += differs;
    });
  }
  EXPECT_GT(harmless, 20);
  EXPECT_GT(racing, 50);
  EXPECT_GT(shown, racing * 2 / 3);  // the others race for bytes that are written again
}

// Every wait of a compiled program is there for a reason, and some order shows it.
TEST(SeededRaces, OfCompiledProgramsShowUnderSomeSeed) {
  int racing = 0, shown = 0;
  for (const std::string& text : model_texts()) {
    const Program program = compile_text(text);
    std::vector<std::vector<std::byte>> inputs;
    for (const TensorInfo& input : program.inputs()) {
      const std::vector<float> values = noise(input.size_bytes / sizeof(float), static_cast<uint32_t>(inputs.size()) + 1);
      const auto bytes = std::as_bytes(std::span(values));
      inputs.emplace_back(bytes.begin(), bytes.end());
    }
    const auto expected = run_program(program, inputs);
    for (uint64_t seed = 0; seed < 50; ++seed) EXPECT_EQ(run_program(program, inputs, {.order = seed}), expected) << text;
    without_each_wait(program.commands(), command_offsets(program), [&](const std::vector<std::byte>& changed) {
      EXPECT_TRUE(find_race(changed, file::region_table(program.regions())));
      bool differs = false;
      for (uint64_t seed = 0; seed < 50 && !differs; ++seed) differs = run_program(program, inputs, {.order = seed}, changed) != expected;
      ++racing;
      shown += differs;
    });
  }
  EXPECT_GT(racing, 20);
  EXPECT_GT(shown, racing * 9 / 10);
}

}  // namespace
}  // namespace kawara::test
