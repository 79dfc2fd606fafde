// SPDX-License-Identifier: Apache-2.0
// Health: NaN, infinities, values that did not fit, dropped stores. Both executors count the same.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "emulator/reference/machine.h"
#include "emulator/vulkan/random_program.h"
#include "emulator/vulkan/twins.h"

namespace kawara::test {
namespace {

template <typename Body>
emulator::Health same_health(Twins& twins, Body body, const hw::Section* section = nullptr) {
  body.header.flags = KAWARA_HEADER_LIMIT_NONE | KAWARA_HEADER_HEALTH;
  hw::Commands commands;
  commands.append(hw::encode(body, section));
  const auto [vulkan, reference] = twins.run(commands);
  EXPECT_EQ(vulkan.nan, reference.nan);
  EXPECT_EQ(vulkan.inf, reference.inf);
  EXPECT_EQ(vulkan.saturated, reference.saturated);
  EXPECT_EQ(vulkan.dropped, reference.dropped);
  return reference;
}

// Stores every value, computed in `type`, to elements of `dtype`.
template <typename T>
emulator::Health stored(const std::vector<T>& values, uint8_t type, uint8_t dtype, bool saturate) {
  Twins twins;
  const auto count = static_cast<uint32_t>(values.size());
  const auto in = twins.local(values), out = twins.local(std::vector<uint64_t>(count));
  hw::Section section;
  section.extent = {count};
  section.n_par = 1;
  section.n_in = 1;
  section.coords = {coord(1, count, {{0, 1}})};
  section.streams = {stream(in, type, 0, 1), stream(out, dtype, 0, 1, 0, saturate ? KAWARA_STREAM_SATURATE : 0)};
  section.instrs = {load(type, 0, 0), store(type, 0, 1)};
  section.phases = {once(2)};
  SCOPED_TRACE(testing::Message() << "type " << int{type} << " to " << int{dtype} << ", saturate " << saturate);
  return same_health(twins, hw::blank<kawara_vector>(), &section);
}

// Both sides of every format's ends, and what is special.
std::vector<float> edges() {
  std::vector<float> values = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, -NAN};
  for (const double end : {6.0,    7.0,    8.0,     15.0,    16.0,       127.0,      128.0,     255.0,         256.0,   448.0,
                           464.0,  480.0,  32767.0, 32768.0, 57344.0,    61440.0,    65504.0,   65520.0,       65535.0, 65536.0,
                           0x1p31, 0x1p32, 0x1p63,  0x1p64,  0x1.fep127, 0x1.ffp127, 0x1.8p127, 0x1.fffffep127})
    for (const float sign : {1.0f, -1.0f})
      for (const float value :
           {static_cast<float>(end) - 0.5f, std::nextafter(static_cast<float>(end), 0.0f), static_cast<float>(end),
            std::nextafter(static_cast<float>(end), INFINITY), static_cast<float>(end) + 0.5f, static_cast<float>(end) + 1.0f})
        values.push_back(sign * value);
  for (const float value : {0.5f, 1.0f, 1.5f}) values.push_back(-value);
  if (values.size() % 2 != 0) values.push_back(1.0f);  // four-bit stores write whole bytes
  return values;
}

TEST(Health, OfStoredFloatsIsTheSame) {
  for (uint8_t dtype = KAWARA_DTYPE_f32; dtype <= KAWARA_DTYPE_boolean; ++dtype) {
    for (const bool saturate : {false, true}) {
      const emulator::Health health = stored(edges(), kF32, dtype, saturate);
      EXPECT_EQ(health.nan, 2u);
      EXPECT_GE(health.inf, 2u);
      EXPECT_EQ(health.saturated > 0, dtype != KAWARA_DTYPE_f32 && dtype != KAWARA_DTYPE_boolean) << int{dtype};
    }
  }
}

TEST(Health, OfStoredIntegersIsTheSame) {
  std::vector<int32_t> narrow;
  std::vector<int64_t> wide;
  for (const int64_t end :
       {0ll, 7ll, 15ll, 127ll, 255ll, 448ll, 465ll, 32767ll, 61440ll, 65519ll, 65535ll, 0x7fffffffll, 0xffffffffll, 0x7ffffffffffffffell})
    for (const int64_t value : {end - 1, end, end + 1, -end - 1, -end, 1 - end}) {
      wide.push_back(value);
      narrow.push_back(static_cast<int32_t>(value));
    }
  for (uint8_t dtype = KAWARA_DTYPE_f32; dtype <= KAWARA_DTYPE_boolean; ++dtype) {
    for (const bool saturate : {false, true}) {
      stored(narrow, kI32, dtype, saturate);
      stored(narrow, kU32, dtype, saturate);
      const emulator::Health health = stored(wide, KAWARA_DTYPE_i64, dtype, saturate);
      if (dtype == KAWARA_DTYPE_i8) {
        EXPECT_EQ(health.saturated > 0, saturate);  // without the flag integers wrap
      }
    }
  }
}

TEST(Health, OfAnEpilogueIsTheSame) {
  Twins twins;
  const auto a = twins.local(std::vector<int8_t>(64, 100)), b = twins.local(std::vector<int8_t>(64, 100)),
             out = twins.local(std::vector<int8_t>(64));
  auto gemm = hw::blank<kawara_gemm>();
  gemm.M = gemm.N = gemm.K = 8;
  gemm.acc_dtype = kI32, gemm.a.dtype = gemm.b.dtype = KAWARA_DTYPE_i8;
  gemm.a.data = hw::operand(a, 0), gemm.b.data = hw::operand(b, 0);
  gemm.a.stride[2] = gemm.b.stride[2] = 8, gemm.a.stride[3] = gemm.b.stride[3] = 1;
  hw::Section section;
  section.acc_group = 1;
  section.coords = {coord(8, 8, {{2, 1}}), coord(1, 5, {{3, 1}})};  // three columns have no place
  section.streams = {stream(out, KAWARA_DTYPE_i8, 0, 2, 0, KAWARA_STREAM_SATURATE)};
  section.instrs = {store(kI32, accumulator(0), 0)};
  section.phases = {once(1)};
  const emulator::Health health = same_health(twins, gemm, &section);
  EXPECT_EQ(health.saturated, 40u);
}

TEST(Health, OfAScatterIsTheSameInLocalAndInHostMemory) {
  for (const bool to_host : {false, true}) {
    for (const uint32_t dim : {4u, 5u}) {
      Twins twins;
      const auto in = twins.local(std::vector<int32_t>(24, 3)), list = twins.local(std::vector<int32_t>{0, -1, 3, 4});
      const std::vector<int32_t> room(64);
      const auto out = to_host ? twins.host(room, 40) : twins.local(room);
      auto copy = hw::blank<kawara_copy>();
      copy.header.engine = KAWARA_ENGINE_DMA_OUT;
      copy.dtype = KAWARA_DTYPE_i32;
      copy.flags = KAWARA_COPY_SCATTER;
      copy.index_dtype = KAWARA_DTYPE_i32;
      copy.index_dim = static_cast<uint8_t>(dim);
      copy.index_extent = 4;
      copy.src = hw::operand(in, 0), copy.dst = hw::operand(out, 0), copy.index = hw::operand(list, 0);
      copy.extent[dim] = copy.src_extent[dim] = 4;
      copy.extent[9 - dim] = copy.src_extent[9 - dim] = 6;
      copy.src_stride[4] = copy.dst_stride[4] = dim == 4 ? 6 : 4;
      copy.src_stride[5] = copy.dst_stride[5] = 1;
      EXPECT_EQ(same_health(twins, copy).dropped, 12u);
    }
  }
}

}  // namespace
}  // namespace kawara::test
