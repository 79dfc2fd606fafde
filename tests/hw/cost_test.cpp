// SPDX-License-Identifier: Apache-2.0
// The work clock: what commands and jobs cost, worked out by hand for k1-mini, whose clock is 1 GHz: 10 bytes a cycle of
// host memory, 100 of local memory, 800 of SRAM.
#include "kawara/hw/cost.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <vector>

#include "hw/check_fixture.h"

namespace kawara::hw {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kStartMe = 64 + 32 + 32, kStartVe = 64, kStartDma = 256, kStartCp = 8;

// Bytes in a row from one region to another. Regions: 0 host, 1 local, 2 SRAM.
std::vector<std::byte> move(uint32_t bytes, uint32_t from, uint32_t to, kawara_engine engine = KAWARA_ENGINE_DMA_IN) {
  auto copy = blank<kawara_copy>();
  copy.header.engine = static_cast<uint8_t>(engine);
  copy.dtype = KAWARA_DTYPE_u8;
  copy.src = operand(from, 0);
  copy.dst = operand(to, 0);
  copy.extent[5] = copy.src_extent[5] = bytes;
  copy.src_stride[5] = copy.dst_stride[5] = 1;
  return encode(copy);
}

// A product with operands and result in local memory.
std::vector<std::byte> product(uint32_t m, uint32_t n, uint32_t k, kawara_dtype dtype = KAWARA_DTYPE_f32) {
  auto gemm = blank<kawara_gemm>();
  gemm.M = m;
  gemm.N = n;
  gemm.K = k;
  gemm.acc_dtype = dtype == KAWARA_DTYPE_i8 ? KAWARA_DTYPE_i32 : KAWARA_DTYPE_f32;
  gemm.a.dtype = gemm.b.dtype = static_cast<uint8_t>(dtype);
  gemm.a.data = gemm.b.data = operand(1, 0);
  gemm.a.stride[2] = k;
  gemm.b.stride[2] = n;
  gemm.a.stride[3] = gemm.b.stride[3] = 1;
  const Section epilogue{.acc_group = 1,
                         .streams = {stream(operand(1, 0), 0, 2)},
                         .coords = {coord(2, m, n), coord(3, n, 1)},
                         .phases = {phase(0, 0, 0, 0, 1)},
                         .instrs = {store(0, kAccumulator)}};
  return encode(gemm, &epilogue);
}

// `instrs` additions for each of `points` points, with a load and a store in local memory.
std::vector<std::byte> additions(uint32_t points, int instrs) {
  Section section = relu_section();
  section.extent[0] = section.coords[0].extent = points;
  section.streams = {stream(operand(1, 0), 0, 1), stream(operand(1, 0), 0, 1)};
  section.constants.clear();
  section.instrs = {load(0, 0)};
  for (int i = 0; i < instrs; ++i) section.instrs.push_back(instr(KAWARA_OP_add, 0, 0, 0));
  section.instrs.push_back(store(1, 0));
  section.phases = {phase(0, 0, 0, 0, static_cast<uint16_t>(section.instrs.size()))};
  return encode(blank<kawara_vector>(), &section);
}

std::vector<std::byte> nop() { return encode(blank<kawara_nop>()); }

kawara_header& header_of(std::vector<std::byte>& bytes) { return *reinterpret_cast<kawara_header*>(bytes.data()); }
std::vector<std::byte> waiting(std::vector<std::byte> bytes, kawara_engine engine, uint32_t count) {
  header_of(bytes).wait[0] = kawara_wait(engine, count);
  return bytes;
}
std::vector<std::byte> ending_segment(std::vector<std::byte> bytes) {
  header_of(bytes).flags |= KAWARA_HEADER_SWITCH_POINT;
  return bytes;
}

struct JobCost : kawara_job_cost {
  std::vector<uint64_t> retired, started, alone;
  std::vector<uint32_t> engines;
};

class Cost : public ::testing::Test {
 protected:
  kawara_cost alone(const std::vector<std::byte>& bytes) const {
    kawara_cost cost;
    kawara_cost_command(reinterpret_cast<const kawara_header*>(bytes.data()), &view, &cost);
    return cost;
  }

  JobCost job(const std::vector<std::vector<std::byte>>& commands) const {
    Commands buffer;
    std::vector<uint32_t> offsets;
    JobCost cost{};
    for (const auto& command : commands) {
      offsets.push_back(static_cast<uint32_t>(buffer.bytes().size()));
      buffer.append(command);
      cost.alone.push_back(alone(command).alone);
      cost.engines.push_back(alone(command).engine);
    }
    cost.retired.resize(commands.size());
    cost.started.resize(commands.size());
    const kawara_cost_trace trace{.retired = cost.retired.data(), .started = cost.started.data(), .events = nullptr};
    const auto bytes = buffer.bytes();
    kawara_cost_job(bytes.data(), offsets.data(), static_cast<uint32_t>(offsets.size()), &view, &cost, &trace);
    return cost;
  }

  const std::vector<uint8_t> memories = {KAWARA_MEMORY_HOST, KAWARA_MEMORY_LOCAL, KAWARA_MEMORY_SRAM, KAWARA_MEMORY_SRAM};
  const std::vector<kawara_region> regions = sample_regions();
  const kawara_cost_view view{.config = &sample_config, .regions = regions.data(), .n_regions = 4, .memories = memories.data()};
};

TEST_F(Cost, OfAProductIsItsTilesTimesItsRows) {
  const kawara_cost cost = alone(product(100, 65, 33));  // 3 tiles of columns, 2 of terms; f32 takes four cycles
  EXPECT_EQ(cost.engine, uint32_t{KAWARA_ENGINE_ME});
  EXPECT_EQ(cost.start, kStartMe);
  EXPECT_EQ(cost.unit, 100u * 3 * 2 * 4);
  EXPECT_THAT(cost.bytes, ElementsAre(0, 4 * (100 * 33 + 33 * 65 + 100 * 65), 0));
  EXPECT_EQ(cost.alone, kStartMe + 2400);
}

TEST_F(Cost, OfNarrowProductsIsAQuarterAndAnEighth) {
  EXPECT_EQ(alone(product(64, 32, 1024)).unit, 64u * 32 * 4);
  EXPECT_EQ(alone(product(64, 32, 1024, KAWARA_DTYPE_bf16)).unit, 64u * 32);
  EXPECT_EQ(alone(product(64, 32, 1024, KAWARA_DTYPE_i8)).unit, 64u * 32 / 2);
  EXPECT_EQ(alone(product(64, 32, 1024, KAWARA_DTYPE_i4)).unit, 64u * 32 / 4);
}

TEST_F(Cost, OfOneRowIsTheWeightsBytes) {
  const kawara_cost cost = alone(product(1, 1024, 1024));
  EXPECT_EQ(cost.unit, 32u * 32 * 4);
  EXPECT_EQ(cost.alone, kStartMe + (4ull * (1024 * 1024 + 2 * 1024) + 99) / 100);
}

TEST_F(Cost, OfAnOperandThatBroadcastsIsWhatIsThere) {
  auto bytes = product(64, 64, 64);
  auto& gemm = *reinterpret_cast<kawara_gemm*>(bytes.data());
  gemm.H = 8;
  gemm.a.stride[1] = 64 * 64;
  EXPECT_EQ(alone(bytes).bytes[KAWARA_MEMORY_LOCAL], 4u * (8 * 64 * 64 + 64 * 64 + 64 * 64));
}

TEST_F(Cost, OfAConvolutionIsThatOfItsProduct) {
  Draft draft(conv());
  auto& body = draft.body<kawara_conv>();
  // 16 positions, 27 terms, 4 columns: one tile. The epilogue has 2 instructions for 32 pairs.
  EXPECT_EQ(alone(draft.bytes()).unit, 16u * 4);
  body.IC = 64;  // 576 terms: 18 tiles
  EXPECT_EQ(alone(draft.bytes()).unit, 16u * 18 * 4);
  body.flags = KAWARA_CONV_TRANSPOSED;  // 36 inputs, 64 terms, 36 columns
  EXPECT_EQ(alone(draft.bytes()).unit, 36u * 2 * 2 * 4);
}

TEST_F(Cost, OfALongEpilogueIsItsOwn) {
  auto gemm = blank<kawara_gemm>();
  gemm.M = 32;
  gemm.N = gemm.K = 32;
  gemm.acc_dtype = gemm.a.dtype = gemm.b.dtype = KAWARA_DTYPE_f32;
  gemm.a.data = gemm.b.data = operand(1, 0);
  Section epilogue{.acc_group = 1,
                   .streams = {stream(operand(1, 0), 0, 1)},
                   .coords = {coord(3, 32, 1)},
                   .phases = {phase(0, 0, 0, 0, 2)},
                   .instrs = {instr(KAWARA_OP_div, 0, kAccumulator, kAccumulator), store(0, 0)}};
  EXPECT_EQ(alone(encode(gemm, &epilogue)).unit, 32u * 9);  // 8 cycles for the division, one for the store
}

TEST_F(Cost, OfAVectorIsPointsTimesInstructions) {
  const kawara_cost cost = alone(additions(6400, 20));
  EXPECT_EQ(cost.unit, 6400u * 22 / 64);
  EXPECT_THAT(cost.bytes, ElementsAre(0, 2 * 4 * 6400, 0));
  EXPECT_EQ(cost.alone, kStartVe + 2200);
  EXPECT_EQ(alone(additions(6400, 0)).alone, kStartVe + 512);  // bytes bind
}

TEST_F(Cost, OfASequenceIsWhatItsStepsCost) {
  Section section = relu_section();
  section.extent[0] = section.coords[0].extent = 64;
  uint64_t steps = 0;
#define STEP(name, op, type, dst, a, b, c) \
  steps += std::string_view(#name) != "tanh" ? 0 : std::string_view(#op) == "div" || std::string_view(#op) == "sqrt" ? 8 : 1;
#include "kawara/hw/sequences.def"
  section.instrs[1] = instr(KAWARA_OP_tanh, 1, 0);
  ASSERT_GT(steps, 10u);
  EXPECT_EQ(alone(encode(blank<kawara_vector>(), &section)).unit, steps + 2);
}

TEST_F(Cost, OfALongReductionIsItsChain) {
  Section section = row_sum_section();
  section.extent[6] = section.coords[1].extent = 6400;
  section.coords[0].stride = 6400;
  // 4 points keep 128 partials busy, more than there are lanes: 4 * (2 + 2 * 6400) / 64; the chain is 2 + 2 * 200.
  EXPECT_EQ(alone(encode(blank<kawara_vector>(), &section)).unit, 801u);
  section.extent[0] = section.coords[0].extent = 1;
  EXPECT_EQ(alone(encode(blank<kawara_vector>(), &section)).unit, 402u);
  section.phases[0].mode = KAWARA_PHASE_ORDERED;
  EXPECT_EQ(alone(encode(blank<kawara_vector>(), &section)).unit, 2u + 2 * 6400);
}

TEST_F(Cost, OfAStreamIsItsElementsOnceAPhaseButNoMoreThanItsAccesses) {
  // A window of 3 over 1002 elements: 3000 loads of 1002 elements.
  Section section = row_sum_section();
  section.extent = {1000, 1, 1, 1, 1, 1, 3, 1, 1};
  section.streams = {stream(operand(1, 0), 0, 1), stream(operand(1, 0), 1, 1)};
  section.coords = {coord(0, 1002, 1), coord(0, 1000, 1)};
  section.coords[0].coef[6] = 1;
  EXPECT_EQ(alone(encode(blank<kawara_vector>(), &section)).bytes[KAWARA_MEMORY_LOCAL], 4u * (1002 + 1000));
  // Every third of 3000: the gaps are not read.
  section.coords[0].coef[0] = 3;
  section.coords[0].coef[6] = 0;
  section.coords[0].extent = 3000;
  EXPECT_EQ(alone(encode(blank<kawara_vector>(), &section)).bytes[KAWARA_MEMORY_LOCAL], 4u * (1000 + 1000));
  // An index from a register: a table of 30000 is not read whole for 3000 loads.
  section.coords[0] = kawara_coord{};
  section.coords[0].stride = section.coords[0].den = 1;
  section.coords[0].extent = 30000;
  section.coords[0].flags = KAWARA_COORD_INDEXED;
  EXPECT_EQ(alone(encode(blank<kawara_vector>(), &section)).bytes[KAWARA_MEMORY_LOCAL], 4u * (3000 + 1000));
}

TEST_F(Cost, OfACopyIsTheSlowerMemory) {
  EXPECT_EQ(alone(move(64000, 0, 1)).alone, kStartDma + 6400);
  EXPECT_EQ(alone(move(64000, 1, 0)).alone, kStartDma + 6400);
  EXPECT_EQ(alone(move(64000, 1, 1)).alone, kStartDma + 1280);
  EXPECT_EQ(alone(move(64000, 2, 2)).alone, kStartDma + 250);  // a thousand requests, four a cycle
  EXPECT_THAT(alone(move(64000, 2, 1)).bytes, ElementsAre(0, 64000, 64000));
}

TEST_F(Cost, OfACopyWithGapsIsARequestForEachRun) {
  auto bytes = move(64, 1, 1);
  auto& copy = *reinterpret_cast<kawara_copy*>(bytes.data());
  copy.extent[4] = copy.src_extent[4] = 100;
  copy.src_stride[4] = copy.dst_stride[4] = 64;
  EXPECT_EQ(alone(bytes).unit, 25u);  // merged
  copy.dst_stride[4] = 65;
  EXPECT_EQ(alone(bytes).unit, 25u);
  copy.src_stride[4] = 1;
  copy.src_stride[5] = 100;  // a transpose: every byte for itself
  EXPECT_EQ(alone(bytes).unit, 1600u);
}

TEST_F(Cost, OfPaddingIsNotRead) {
  Draft draft(copy());  // 4 x 6 of 8 x 8
  EXPECT_THAT(alone(draft.bytes()).bytes, ElementsAre(24 * 4, 64 * 4, 0));
  draft.body<kawara_copy>().pad_lo[4] = -3;  // one row is left
  EXPECT_EQ(alone(draft.bytes()).bytes[0], 6u * 4);
  draft.body<kawara_copy>().pad_lo[4] = 8;
  EXPECT_EQ(alone(draft.bytes()).bytes[0], 0u);
}

TEST_F(Cost, OfAGatherIsItsListAndItsRows) {
  EXPECT_THAT(alone(gather()).bytes, ElementsAre(5 * 8, 5 * 8 * 4, 5 * 8 * 4));  // the list is in host memory, the table in SRAM
}

TEST_F(Cost, OfNothingIsItsStart) {
  EXPECT_EQ(alone(nop()).alone, kStartCp);
  EXPECT_EQ(alone(move(0, 0, 1)).alone, kStartDma);
  EXPECT_EQ(alone(product(0, 4, 4)).alone, kStartMe);
  EXPECT_EQ(alone(additions(0, 3)).alone, kStartVe);
  EXPECT_EQ(alone(additions(0, 3)).bytes[KAWARA_MEMORY_LOCAL], 0u);
}

TEST_F(Cost, WithoutPageTablesIsNoLessThanWithAny) {
  kawara_cost_view supposed = view;
  supposed.memories = nullptr;
  for (const auto& bytes : {gemm(), conv(), relu(), row_sum(), copy(), gather(), nop()}) {
    kawara_cost worst;
    kawara_cost_command(reinterpret_cast<const kawara_header*>(bytes.data()), &supposed, &worst);
    for (const uint8_t memory : {KAWARA_MEMORY_HOST, KAWARA_MEMORY_LOCAL}) {
      if (memory == KAWARA_MEMORY_HOST && worst.engine < KAWARA_ENGINE_DMA_IN) continue;  // ME and VE have no way there
      const std::vector<uint8_t> all(4, memory);
      kawara_cost_view known = view;
      known.memories = all.data();
      kawara_cost cost;
      kawara_cost_command(reinterpret_cast<const kawara_header*>(bytes.data()), &known, &cost);
      EXPECT_LE(cost.alone, worst.alone);
    }
  }
}

TEST_F(Cost, NeverFallsWhenADimensionGrows) {
  std::mt19937 random(1);
  for (const auto& bytes : {gemm(), conv(), relu(), row_sum(), copy(), gather()}) {
    Draft draft(bytes);
    const StructRow& row = *find_command(draft.header().opcode)->body;
    std::vector<uint32_t*> extents;
    for (const Field& field : row.fields)
      if (field.type == "u32" && field.role != Role::reserved && field.name != "flags" && field.name != "n_groups" &&
          field.name != "pad_value")
        for (uint32_t i = 0; i < field.count; ++i) extents.push_back(reinterpret_cast<uint32_t*>(draft.bytes().data() + field.offset) + i);
    if (draft.header().opcode == KAWARA_COMMAND_vector)
      for (uint32_t& extent : draft.section().extent) extents.push_back(&extent);
    for (int i = 0; i < 2000; ++i) {
      for (uint32_t* extent : extents) *extent = random() % 4 == 0 ? random() : random() % 300;
      const uint64_t before = alone(draft.bytes()).alone;
      uint32_t& grown = *extents[random() % extents.size()];
      grown = std::max(grown, static_cast<uint32_t>(grown + random() % 300 * 4));
      EXPECT_GE(alone(draft.bytes()).alone, before);
    }
  }
}

TEST_F(Cost, SaturatesWhereNumbersEnd) {
  Draft product(gemm()), window(conv()), nest(relu());
  auto& gemm = product.body<kawara_gemm>();
  gemm.G = gemm.H = gemm.M = gemm.N = gemm.K = ~0u;
  EXPECT_EQ(alone(product.bytes()).alone, ~0ull);
  auto& conv = window.body<kawara_conv>();
  conv.N = conv.IC = conv.OC = ~0u;
  for (int i = 0; i < 3; ++i) conv.in[i] = conv.out[i] = conv.kernel[i] = ~0u;
  EXPECT_EQ(alone(window.bytes()).alone, ~0ull);
  for (uint32_t& extent : nest.section().extent) extent = ~0u;
  EXPECT_EQ(alone(nest.bytes()).alone, kStartVe + (~0ull / 64 + 1));  // what saturated, over 64 lanes
  const JobCost twice = job({product.bytes(), product.bytes()});
  EXPECT_EQ(twice.cycles, 2 * (KAWARA_COST_COMMAND_MAX + kStartMe));
  EXPECT_GE(twice.bytes[KAWARA_MEMORY_SRAM], ~0ull / 8);
}

TEST_F(Cost, OfAJobWithoutCommandsIsNothing) {
  const JobCost cost = job({});
  EXPECT_EQ(cost.cycles, 0u);
}

TEST_F(Cost, OfOneEngineIsTheSum) {
  const JobCost cost = job({move(64000, 0, 1), move(64000, 0, 1)});
  EXPECT_THAT(cost.retired, ElementsAre(kStartDma + 6400, 2 * (kStartDma + 6400)));
  EXPECT_THAT(cost.started, ElementsAre(0, kStartDma + 6400));
  EXPECT_EQ(cost.cycles, 2 * (kStartDma + 6400));
  EXPECT_THAT(cost.busy, ElementsAre(0, 0, 0, cost.cycles, 0));
  EXPECT_THAT(cost.bytes, ElementsAre(2 * 64000, 2 * 64000, 0));
}

TEST_F(Cost, OfEnginesThatDoNotMeetIsTheLonger) {
  const JobCost cost = job({product(100, 65, 33), move(64000, 0, 2), nop()});
  EXPECT_THAT(cost.retired, ElementsAre(kStartMe + 2400, kStartDma + 6400, kStartCp));
  EXPECT_EQ(cost.cycles, kStartDma + 6400);
  EXPECT_THAT(cost.busy, ElementsAre(kStartCp, kStartMe + 2400, 0, kStartDma + 6400, 0));
}

TEST_F(Cost, OfTwoCopiesOverOneBusIsHalfSpeedEach) {
  const JobCost cost = job({move(64000, 0, 1, KAWARA_ENGINE_DMA_IN), move(32000, 2, 0, KAWARA_ENGINE_DMA_OUT)});
  // Both at half speed until the shorter has moved its 32000 bytes; the rest of the longer goes at full speed.
  EXPECT_THAT(cost.retired, ElementsAre(kStartDma + 6400 + 3200, kStartDma + 6400));
}

TEST_F(Cost, OfThreeThatShareAMemoryIsInProportion) {
  // Each alone asks for all of local memory's 100 bytes a cycle: 1280 cycles for 128000 bytes.
  const JobCost cost = job({additions(16000, 0), move(64000, 1, 1, KAWARA_ENGINE_DMA_IN), move(64000, 1, 1, KAWARA_ENGINE_DMA_OUT)});
  // The vector engine starts 192 cycles earlier; what is left of its 1280 then goes at a third.
  EXPECT_NEAR(static_cast<double>(cost.retired[0]), 256 + 3 * (1280 - 192), 1);
  // 1088 of each copy went by meanwhile; then the two copies share.
  EXPECT_NEAR(static_cast<double>(cost.retired[1]), 256 + 3 * 1088 + 2 * 192, 1);
  EXPECT_EQ(cost.retired[1], cost.retired[2]);
}

TEST_F(Cost, OfACommandThatAsksForLittleIsHardlyMore) {
  // The product asks for a quarter of what local memory can do, the copy for all of it: each gets four fifths.
  const auto multiply = product(1024, 32, 32);
  const kawara_cost little = alone(multiply);
  const double asked = static_cast<double>(little.bytes[KAWARA_MEMORY_LOCAL]) / static_cast<double>(little.unit) / 100;
  ASSERT_GT(asked, 0.1);
  ASSERT_LT(asked, 1);
  const JobCost cost = job({multiply, move(12800000, 1, 1)});
  const double before = kStartDma - kStartMe;  // until the copy's first byte
  EXPECT_NEAR(static_cast<double>(cost.retired[0]), kStartDma + (static_cast<double>(little.unit) - before) * (1 + asked), 2);
}

TEST_F(Cost, OfACommandThatWaitsBeginsWhenTheOtherRetires) {
  const JobCost cost = job({move(64000, 0, 1), waiting(product(100, 65, 33), KAWARA_ENGINE_DMA_IN, 1),
                            waiting(move(64000, 1, 0, KAWARA_ENGINE_DMA_OUT), KAWARA_ENGINE_ME, 1)});
  EXPECT_THAT(cost.retired, ElementsAre(6656, 6656 + 2528, 6656 + 2528 + 6656));
}

TEST_F(Cost, OfANopPassesItsWaitsOn) {
  const JobCost cost = job({move(64000, 0, 1), waiting(nop(), KAWARA_ENGINE_DMA_IN, 1), waiting(nop(), KAWARA_ENGINE_CP, 1)});
  EXPECT_THAT(cost.retired, ElementsAre(6656, 6656 + kStartCp, 6656 + 2 * kStartCp));
}

TEST_F(Cost, OfASegmentEndsBeforeTheNextBegins) {
  const JobCost cost = job({move(64000, 0, 2), ending_segment(nop()), product(100, 65, 33), move(64000, 0, 2),
                            ending_segment(product(100, 65, 33)), additions(64, 0)});
  EXPECT_THAT(cost.retired, ElementsAre(6656, kStartCp, 6656 + 2528, 2 * 6656, 6656 + 2 * 2528, 2 * 6656 + kStartVe + 6));
}

TEST_F(Cost, OfAnyJobLiesBetweenItsBusiestEngineAndTheSumOfAll) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::vector<std::byte>> commands;
    uint32_t issued[KAWARA_ENGINE_COUNT] = {};
    for (int i = 0; i < 40; ++i) {
      const uint32_t size = random() % 5000, from = random() % 3, to = random() % 3;
      std::vector<std::byte> command;
      switch (random() % 6) {
        case 0: command = nop(); break;
        case 1: command = product(size % 200, size % 70, size % 300); break;
        case 2: command = additions(size, static_cast<int>(size % 40)); break;
        default: command = move(size * 10, from, to, random() % 2 ? KAWARA_ENGINE_DMA_IN : KAWARA_ENGINE_DMA_OUT);
      }
      const uint32_t other = random() % KAWARA_ENGINE_COUNT;
      if (issued[other] && random() % 3 == 0) header_of(command).wait[1] = kawara_wait(other, 1 + random() % issued[other]);
      if (random() % 10 == 0) command = ending_segment(command);
      ++issued[header_of(command).engine];
      commands.push_back(command);
    }
    const JobCost cost = job(commands);
    uint64_t engines[KAWARA_ENGINE_COUNT] = {};
    for (size_t i = 0; i < commands.size(); ++i) engines[cost.engines[i]] += cost.alone[i];
    for (uint32_t i = 0; i < KAWARA_ENGINE_COUNT; ++i) {
      EXPECT_GE(cost.cycles, engines[i]);
      EXPECT_GE(cost.busy[i], engines[i]);
      EXPECT_LE(cost.busy[i], cost.cycles);
    }
    EXPECT_LE(cost.cycles, std::accumulate(cost.alone.begin(), cost.alone.end(), uint64_t{0}));
    EXPECT_EQ(cost.cycles, *std::ranges::max_element(cost.retired));
  }
}

TEST_F(Cost, IsTheSameEachTime) {
  const std::vector<std::vector<std::byte>> commands{move(1234, 0, 1), additions(777, 3), product(33, 44, 55),
                                                     move(4321, 1, 0, KAWARA_ENGINE_DMA_OUT)};
  const JobCost one = job(commands), other = job(commands);
  EXPECT_EQ(one.retired, other.retired);
}

// Generous by a factor of ten where nothing else runs: a job of two thousand commands takes a millisecond or two.
TEST_F(Cost, OfTwoThousandCommandsIsToldInLessThanTwentyMilliseconds) {
  std::vector<std::vector<std::byte>> commands;
  for (int i = 0; i < 500; ++i) {
    commands.push_back(move(6400, 0, 1));
    commands.push_back(product(100, 65, 33));
    commands.push_back(additions(6400, 20));
    commands.push_back(move(6400, 1, 0, KAWARA_ENGINE_DMA_OUT));
  }
  Commands buffer;
  std::vector<uint32_t> offsets;
  for (const auto& command : commands) {
    offsets.push_back(static_cast<uint32_t>(buffer.bytes().size()));
    buffer.append(command);
  }
  auto least = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 5; ++i) {
    kawara_job_cost cost;
    const auto begin = std::chrono::steady_clock::now();
    kawara_cost_job(buffer.bytes().data(), offsets.data(), static_cast<uint32_t>(offsets.size()), &view, &cost, nullptr);
    least = std::min(least, std::chrono::steady_clock::now() - begin);
  }
  RecordProperty("microseconds", static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(least).count()));
  EXPECT_LT(least, std::chrono::milliseconds(20));
}

TEST_F(Cost, ShowsAnEventWhatTheJobHasCostAtItsStart) {
  std::vector<std::byte> bytes;
  std::vector<uint32_t> offsets;
  for (const auto& command : {move(64000, 0, 1), product(100, 65, 33), event(), waiting(event(), KAWARA_ENGINE_ME, 1),
                              waiting(event(), KAWARA_ENGINE_DMA_IN, 1)}) {
    offsets.push_back(static_cast<uint32_t>(bytes.size()));
    bytes.insert(bytes.end(), command.begin(), command.end());
  }
  kawara_job_cost cost;
  kawara_counters events[3];
  const kawara_cost_trace trace{.retired = nullptr, .started = nullptr, .events = events};
  kawara_cost_job(bytes.data(), offsets.data(), 5, &view, &cost, &trace);
  const uint64_t multiplied = kStartMe + 2400, moved = kStartDma + 6400, matrices = 4 * (100 * 33 + 33 * 65 + 100 * 65);
  const auto values = [](const kawara_counters& c) {
    return std::vector{c.cycles, c.commands, c.busy_me, c.busy_ve, c.busy_dma, c.bytes_local, c.bytes_host, c.bytes_sram};
  };
  EXPECT_THAT(values(events[0]), ElementsAre(0, 0, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(values(events[1]), ElementsAre(multiplied, 2, multiplied, 0, multiplied, matrices, 0, 0));  // the copy is under way
  EXPECT_THAT(values(events[2]), ElementsAre(moved, 4, multiplied, 0, moved, matrices + 64000, 64000, 0));
}

class SegmentLimit : public Check {};

TEST_F(SegmentLimit, RefusesWhatAddsUpToMore) {
  const auto bytes = relu();
  kawara_cost cost;
  const kawara_cost_view view{.config = limits.config, .regions = regions.data(), .n_regions = 4, .memories = nullptr};
  kawara_cost_command(reinterpret_cast<const kawara_header*>(bytes.data()), &view, &cost);
  Commands three;
  for (int i = 0; i < 3; ++i) three.append(bytes);
  auto job = three.bytes();
  limits.segment_cycles_max = 3 * cost.alone;
  EXPECT_EQ(check(job), 3);
  limits.segment_cycles_max = 3 * cost.alone - 1;
  EXPECT_EQ(check(job), -1);
  EXPECT_EQ(fault_name(fault.code), "segment_too_long");
  EXPECT_EQ(fault.command, 2 * bytes.size());
  EXPECT_EQ(fault.field, offsetof(kawara_header, flags));
  EXPECT_EQ(fault.debug_id, 7u);
  // A switch point on the second begins a new segment behind it; on the third it comes too late.
  reinterpret_cast<kawara_header*>(job.data() + bytes.size())->flags |= KAWARA_HEADER_SWITCH_POINT;
  EXPECT_EQ(check(job), 3);
  reinterpret_cast<kawara_header*>(job.data() + bytes.size())->flags = KAWARA_HEADER_LIMIT_NONE;
  reinterpret_cast<kawara_header*>(job.data() + 2 * bytes.size())->flags |= KAWARA_HEADER_SWITCH_POINT;
  EXPECT_EQ(check(job), -1);
}

TEST_F(SegmentLimit, CountsCopiesAsHostMemoryAndEnginesAsLocal) {
  Draft draft(copy());
  limits.segment_cycles_max = kStartDma + (24 * 4 + 64 * 4 + 9) / 10;
  expect_accepted(draft);
  --limits.segment_cycles_max;
  EXPECT_EQ(check(draft.bytes()), -1);
  draft.body<kawara_copy>().dst = operand(3, 0);  // SRAM is known
  limits.segment_cycles_max = kStartDma + (24 * 4 + 9) / 10;
  expect_accepted(draft);
}

TEST_F(SegmentLimit, RefusesTheLongestCommandThatTheFieldsAllow) {
  Draft draft(gemm());
  auto& gemm = draft.body<kawara_gemm>();
  limits.segment_cycles_max = uint64_t{1} << KAWARA_SEGMENT_CYCLES_LOG2;
  gemm.M = 1 << 16;
  gemm.K = 1 << 16;
  gemm.a.stride[2] = gemm.a.stride[3] = gemm.b.stride[2] = 0;
  for (int i = 0; i < 2; ++i) draft.coord(i).stride = 0;
  expect_refused(draft, KAWARA_FAULT_segment_too_long, &draft.header().flags);
}

}  // namespace
}  // namespace kawara::hw
