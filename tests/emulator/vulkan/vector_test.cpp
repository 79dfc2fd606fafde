// SPDX-License-Identifier: Apache-2.0
// Sections on Vulkan against the reference, bit for bit.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "emulator/reference/machine.h"
#include "emulator/vulkan/random_program.h"
#include "emulator/vulkan/twins.h"
#include "emulator/vulkan/ways.h"

namespace kawara::test {
namespace {

// Loads of a linear stream of n elements, broadcast by extent-1 loops where a section has more.
kawara_coord linear(uint32_t n) { return coord(1, n, {{0, 1}}); }

void expect_same(const Twins& twins, uint32_t region, DType dtype) {
  const auto got = twins.vulkan<uint8_t>(region), want = twins.reference<uint8_t>(region);
  ASSERT_EQ(got.size(), want.size());
  EXPECT_EQ(first_difference(got, want, dtype), -1) << "element type " << name(dtype);
}

class VulkanWay : public testing::TestWithParam<int> {};

TEST_P(VulkanWay, RandomProgramsGiveTheReferencesBits) {
  for (uint32_t seed = 1; seed <= 24; ++seed) {
    Twins twins(kWays[GetParam()]);
    RandomProgram program(seed, [&](DType dtype, uint32_t n, uint32_t s) { return twins.local(random_elements(dtype, n, s)); });
    twins.run(hw::blank<kawara_vector>(), &program.section);
    for (const auto& [region, dtype] : program.outputs) {
      const auto got = twins.vulkan<uint8_t>(region), want = twins.reference<uint8_t>(region);
      ASSERT_EQ(first_difference(got, want, dtype), -1) << "seed " << seed << ", element type " << name(dtype);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Both, VulkanWay, testing::Values(0, 1));

class VulkanElement : public testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(VulkanElement, IsWidenedAndNarrowedAsTheManualSays) {
  const auto dtype = static_cast<DType>(std::get<1>(GetParam()));
  constexpr uint32_t kCount = 4096;
  const auto code = static_cast<uint8_t>(dtype);
  const uint8_t type = kind(dtype) == DTypeKind::FLOAT ? kF32 : bits(dtype) == 64 ? kI64 : kind(dtype) == DTypeKind::SIGNED ? kI32 : kU32;
  Twins twins(kWays[std::get<0>(GetParam())]);
  const auto codes = twins.local(random_elements(dtype, kCount, 5)), floats = twins.local(awkward_floats(kCount));
  const auto integers = twins.local(random_elements(DType::i64, kCount, 7));
  const auto widened = twins.local(std::vector<uint64_t>(kCount));
  std::vector<uint32_t> narrowed;
  for (int i = 0; i < 3; ++i) narrowed.push_back(twins.local(std::vector<uint8_t>(bytes_of(dtype, kCount))));
  hw::Section section;
  section.extent = {kCount};
  section.n_par = 1;
  section.n_in = 3;
  section.streams = {stream(codes, code, 0, 1),
                     stream(floats, kF32, 0, 1),
                     stream(integers, kI64, 0, 1),
                     stream(widened, type, 0, 1),
                     stream(narrowed[0], code, 0, 1),
                     stream(narrowed[1], code, 0, 1),
                     stream(narrowed[2], code, 0, 1, 0, KAWARA_STREAM_SATURATE)};
  section.coords = {linear(kCount)};
  section.instrs = {load(type, 0, 0),  load(kF32, 1, 1),  load(kI64, 2, 2), store(type, 0, 3),
                    store(kF32, 1, 4), store(kI64, 2, 5), store(kI64, 2, 6)};
  section.phases = {once(section.instrs.size())};
  twins.run(hw::blank<kawara_vector>(), &section);
  expect_same(twins, widened, static_cast<DType>(type));
  for (const uint32_t region : narrowed) expect_same(twins, region, dtype);
}

INSTANTIATE_TEST_SUITE_P(Every, VulkanElement, testing::Combine(testing::Values(0, 1), testing::Range(1, 19)), [](const auto& info) {
  return fmt::format("{}_{}", name(static_cast<DType>(std::get<1>(info.param))), std::get<0>(info.param) == 0 ? "by_lanes" : "by_points");
});

// out[c, y, x] = max over a 3x3 window with stride 2 and pad 1.
TEST(VulkanVector, PoolsWindowsThatHangOverTheBorder) {
  Twins twins;
  const auto in = twins.local(noise(5 * 9 * 11, 3)), out = twins.local(std::vector<float>(5 * 5 * 6));
  hw::Section section;
  section.extent = {5, 5, 6, 0, 0, 0, 3, 3};
  section.n_par = 3;
  section.n_red = 2;
  section.n_in = 1;
  section.streams = {stream(in, kF32, 0, 3, 0xff800000), stream(out, kF32, 3, 3)};
  section.coords = {coord(99, 5, {{0, 1}}),
                    coord(11, 9, {{1, 2}, {6, 1}}, -1),
                    coord(1, 11, {{2, 2}, {7, 1}}, -1),
                    coord(30, 5, {{0, 1}}),
                    coord(6, 5, {{1, 1}}),
                    coord(1, 6, {{2, 1}})};
  section.instrs = {load(kF32, 0, 0), instr(KAWARA_OP_red_max, kF32, 1, 0), store(kF32, 1, 1)};
  section.phases = {phase(KAWARA_PHASE_TREE, 3, 0, 0, 2, 3)};
  twins.run(hw::blank<kawara_vector>(), &section);
  expect_same(twins, out, DType::f32);
}

class VulkanSoftmax : public testing::TestWithParam<uint32_t> {};

TEST_P(VulkanSoftmax, SumsInTheManualsOrder) {
  const uint32_t rows = 7, width = GetParam();
  Twins twins;
  const auto in = twins.local(noise(rows * width, 4)), out = twins.local(std::vector<float>(rows * width));
  hw::Section section;
  section.extent = {rows, 0, 0, 0, 0, 0, width};
  section.n_par = 1;
  section.n_red = 1;
  section.n_in = 1;
  section.streams = {stream(in, kF32, 0, 2), stream(out, kF32, 0, 2)};
  section.coords = {coord(width, rows, {{0, 1}}), coord(1, width, {{6, 1}})};
  section.instrs = {load(kF32, 0, 0),
                    instr(KAWARA_OP_red_max, kF32, 1, 0),
                    load(kF32, 0, 0),
                    instr(KAWARA_OP_sub, kF32, 0, 0, 1),
                    instr(KAWARA_OP_exp, kF32, 0, 0),
                    instr(KAWARA_OP_red_add, kF32, 2, 0),
                    load(kF32, 0, 0),
                    instr(KAWARA_OP_sub, kF32, 0, 0, 1),
                    instr(KAWARA_OP_exp, kF32, 0, 0),
                    instr(KAWARA_OP_div, kF32, 0, 0, 2),
                    store(kF32, 0, 1)};
  section.phases = {phase(KAWARA_PHASE_TREE, 1, 0, 0, 2, 2), phase(KAWARA_PHASE_TREE, 1, 2, 2, 6, 6),
                    phase(KAWARA_PHASE_TREE, 1, 6, 6, 11, 11)};
  twins.run(hw::blank<kawara_vector>(), &section);
  expect_same(twins, out, DType::f32);
}
INSTANTIATE_TEST_SUITE_P(Widths, VulkanSoftmax, testing::Values(1, 64, 65, 97, 128, 1000, 3000));

TEST(VulkanVector, ReducesTwoDimensionsOfDifferentPitch) {
  Twins twins;
  const auto in = twins.local(noise(3 * 20 * 16, 8)), out = twins.local(std::vector<float>(3));
  hw::Section section;
  section.extent = {3, 0, 0, 0, 0, 0, 20, 11};
  section.n_par = 1;
  section.n_red = 2;
  section.n_in = 1;
  section.streams = {stream(in, kF32, 0, 3), stream(out, kF32, 3, 1)};
  section.coords = {coord(320, 3, {{0, 1}}), coord(16, 20, {{6, 1}}), coord(1, 16, {{7, 1}}), coord(1, 3, {{0, 1}})};
  section.instrs = {load(kF32, 0, 0), instr(KAWARA_OP_red_add, kF32, 1, 0), store(kF32, 1, 1)};
  section.phases = {phase(KAWARA_PHASE_TREE, 3, 0, 0, 2, 3)};
  twins.run(hw::blank<kawara_vector>(), &section);
  expect_same(twins, out, DType::f32);
}

// A running sum: registers carry from step to step, and a store stands in each.
TEST(VulkanVector, RunsOrderedStepsInOrder) {
  Twins twins;
  const auto in = twins.local(noise(4 * 100, 6)), out = twins.local(std::vector<float>(4 * 100));
  hw::Section section;
  section.extent = {4, 0, 0, 0, 0, 0, 100};
  section.n_par = 1;
  section.n_red = 1;
  section.n_in = 1;
  section.streams = {stream(in, kF32, 0, 2), stream(out, kF32, 0, 2)};
  section.coords = {coord(100, 4, {{0, 1}}), coord(1, 100, {{6, 1}})};
  section.constants = {0};
  section.instrs = {instr(KAWARA_OP_mov, kF32, 1, constant(0)), load(kF32, 0, 0), instr(KAWARA_OP_add, kF32, 1, 1, 0), store(kF32, 1, 1)};
  section.phases = {phase(KAWARA_PHASE_ORDERED, 1, 0, 1, 4, 4)};
  twins.run(hw::blank<kawara_vector>(), &section);
  expect_same(twins, out, DType::f32);
}

// The limit is read when the command starts: of a parallel loop, of one that is summed, and of nothing at all.
TEST(VulkanVector, ObeysALimitOfEachDimension) {
  for (const uint32_t dim : {0u, 1u, 6u}) {
    for (const int32_t limit : {0, -3, 5, 40, 100, 1000}) {
      Twins twins;
      const auto in = twins.local(noise(10 * 12 * 200, 3)), out = twins.local(noise(120, 4)),
                 limits = twins.local(std::vector<int32_t>{limit});
      hw::Section section;
      section.extent = {10, 12, 0, 0, 0, 0, 200};
      section.n_par = 2;
      section.n_red = 1;
      section.n_in = 1;
      section.streams = {stream(in, kF32, 0, 3), stream(out, kF32, 3, 2)};
      section.coords = {coord(2400, 10, {{0, 1}}), coord(200, 12, {{1, 1}}), coord(1, 200, {{6, 1}}), coord(12, 10, {{0, 1}}),
                        coord(1, 12, {{1, 1}})};
      section.instrs = {load(kF32, 0, 0), instr(KAWARA_OP_red_add, kF32, 1, 0), store(kF32, 1, 1)};
      section.phases = {phase(KAWARA_PHASE_TREE, 1, 0, 0, 2, 3)};
      auto vector = hw::blank<kawara_vector>();
      vector.header.flags = dim;
      vector.header.limit = hw::operand(limits, 0);
      twins.run(vector, &section);
      SCOPED_TRACE(testing::Message() << "dimension " << dim << ", limit " << limit);
      expect_same(twins, out, DType::f32);
    }
  }
}

TEST(VulkanVector, OfMorePointsThanASliceTakesMissesNone) {
  constexpr uint32_t kCount = 9'000'000;
  Twins twins;
  const auto in = twins.local(random_elements(DType::u8, kCount, 1)), out = twins.local(std::vector<uint8_t>(kCount));
  hw::Section section;
  section.extent = {kCount};
  section.n_par = 1;
  section.n_in = 1;
  section.streams = {stream(in, KAWARA_DTYPE_u8, 0, 1), stream(out, KAWARA_DTYPE_u8, 0, 1)};
  section.coords = {linear(kCount)};
  section.instrs = {load(kU32, 0, 0), instr(KAWARA_OP_not, kU32, 0, 0), store(kU32, 0, 1)};
  section.phases = {once(3)};
  twins.run(hw::blank<kawara_vector>(), &section);
  expect_same(twins, out, DType::u8);
}

// Upsampling by 3/2 (floor), every second element (exact), a clamped border and rows chosen by an index from memory.
TEST(VulkanVector, FindsElementsByEveryKindOfCoordinate) {
  Twins twins;
  const auto in = twins.local(noise(40 * 10, 9)), out = twins.local(std::vector<float>(4 * 60));
  const auto rows = twins.local(random_elements(DType::i32, 60, 11));
  hw::Section section;
  section.extent = {60};
  section.n_par = 1;
  section.n_in = 5;
  kawara_coord floor = coord(1, 400, {{0, 2}}, -7), exact = coord(1, 400, {{0, 1}}), clamp = coord(1, 20, {{0, 1}}, -10),
               indexed = coord(10, 40, {});
  floor.den = 3;
  exact.den = 2;
  exact.flags = KAWARA_COORD_EXACT;
  clamp.flags = KAWARA_COORD_CLAMP;
  indexed.flags = KAWARA_COORD_INDEXED;
  indexed.reg = 3;
  section.coords = {floor, exact, clamp, indexed, linear(60)};
  for (uint8_t i = 0; i < 4; ++i) section.streams.push_back(stream(in, kF32, i, 1, 0x40490fdb));
  section.streams.push_back(stream(rows, kI32, 4, 1));
  for (uint8_t i = 0; i < 4; ++i) {
    section.streams.push_back(stream(out, kF32, 4, 1));
    section.streams.back().data = hw::operand(out, 240u * i);
  }
  section.constants = {50};
  section.instrs = {load(kI32, 3, 4), instr(KAWARA_OP_mod, kI32, 3, 3, constant(0))};
  for (uint8_t i = 0; i < 4; ++i) {
    section.instrs.push_back(load(kF32, 0, i));
    section.instrs.push_back(store(kF32, 0, static_cast<uint16_t>(5 + i)));
  }
  section.phases = {once(section.instrs.size())};
  twins.run(hw::blank<kawara_vector>(), &section);
  expect_same(twins, out, DType::f32);
}

}  // namespace
}  // namespace kawara::test
