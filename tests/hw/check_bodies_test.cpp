// SPDX-License-Identifier: Apache-2.0
// gemm, conv and copy.
#include "hw/check_fixture.h"

namespace kawara::hw {
namespace {

class CheckGemm : public Check {
 protected:
  Draft draft{gemm()};  // [4, 8] x [8, 6], A at the start of region 0, B at 0x100 of region 2
  kawara_gemm& body = draft.body<kawara_gemm>();
};
class CheckConv : public Check {
 protected:
  Draft draft{conv()};  // [1, 3, 6, 6] * [4, 3, 3, 3]
  kawara_conv& body = draft.body<kawara_conv>();
};
class CheckCopy : public Check {
 protected:
  Draft draft{copy()};  // [4, 6] into [8, 8] at (2, 1)
  kawara_copy& body = draft.body<kawara_copy>();
};

constexpr kawara_dtype kFloatFactors[] = {KAWARA_DTYPE_f32, KAWARA_DTYPE_f16, KAWARA_DTYPE_bf16};

TEST_F(CheckGemm, MultipliesFloatsOfSixteenBitsOrMoreOrEightBitIntegers) {
  expect_refused_with(draft, body.acc_dtype, KAWARA_DTYPE_f16, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.a.dtype, KAWARA_DTYPE_f8e4m3, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.b.dtype, KAWARA_DTYPE_i8, KAWARA_FAULT_bad_command);
  for (auto a : kFloatFactors)
    for (auto b : kFloatFactors) {
      body.a.dtype = static_cast<uint8_t>(a);
      body.b.dtype = static_cast<uint8_t>(b);
      expect_accepted(draft);
    }
  body.acc_dtype = KAWARA_DTYPE_i32;
  for (auto a : {KAWARA_DTYPE_i8, KAWARA_DTYPE_u8})
    for (auto b : {KAWARA_DTYPE_i8, KAWARA_DTYPE_u8}) {
      body.a.dtype = static_cast<uint8_t>(a);
      body.b.dtype = static_cast<uint8_t>(b);
      expect_accepted(draft);
    }
  expect_refused_with(draft, body.a.dtype, KAWARA_DTYPE_f32, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.a.dtype, KAWARA_DTYPE_bf16, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.b.dtype, KAWARA_DTYPE_i4, KAWARA_FAULT_bad_command);
}

TEST_F(CheckGemm, FootprintsOfBothOperandsStayInside) {
  body.a.data = operand(0, 4096 - 4 * 32);
  expect_accepted(draft);
  expect_refused_with(draft, body.a.data, operand(0, 4096 - 4 * 31), KAWARA_FAULT_region_bounds);
  body.b.data = operand(2, 0x10000 - 4 * 48);
  expect_accepted(draft);
  expect_refused_with(draft, body.b.data, operand(2, 0x10000 - 4 * 47), KAWARA_FAULT_region_bounds);
  body.K = 9;
  expect_refused(draft, KAWARA_FAULT_region_bounds, &body.a.data);
}

TEST_F(CheckGemm, FootprintsCountEachOperandsOwnType) {
  body.a.dtype = KAWARA_DTYPE_f16;
  body.a.data = operand(0, 4096 - 2 * 32);
  expect_accepted(draft);
  expect_refused_with(draft, body.a.data, operand(0, 4096 - 2 * 31), KAWARA_FAULT_region_bounds);
}

TEST_F(CheckGemm, StridesOfEveryDimensionCount) {
  body.G = body.H = 2;
  expect_accepted(draft);  // stride 0: the same matrix again
  for (int i = 0; i < 4; ++i) {
    const int64_t before = body.a.stride[i];
    body.a.stride[i] = 4096;
    expect_refused(draft, KAWARA_FAULT_region_bounds, &body.a.data);
    body.a.stride[i] = -4096;
    expect_refused(draft, KAWARA_FAULT_region_bounds, &body.a.data);
    body.a.stride[i] = before;
    expect_accepted(draft);
  }
  for (int i = 0; i < 4; ++i) {
    const int64_t before = body.b.stride[i];
    body.b.stride[i] = INT64_MIN;
    expect_refused(draft, KAWARA_FAULT_region_bounds, &body.b.data);
    body.b.stride[i] = before;
  }
}

TEST_F(CheckGemm, EmptyOnesTouchNothing) {
  body.a.data = operand(0, 4096);
  body.b.data = operand(2, 0x10000);
  expect_refused(draft, KAWARA_FAULT_region_bounds, &body.a.data);
  body.K = 0;
  expect_accepted(draft);
  body.K = 8;
  body.M = 0;
  expect_accepted(draft);
  draft.stream(1).data = operand(1, 4096);
  expect_accepted(draft);
}

TEST_F(CheckGemm, OperandsAreThere) {
  expect_refused_with(draft, body.a.data, KAWARA_OPERAND_ABSENT, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.b.data, operand(4, 0), KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.b.data, operand(2, 2), KAWARA_FAULT_bad_command);
}

TEST_F(CheckGemm, ExtentsMultiplyToLessThanTwoToTheFortieth) {
  for (kawara_matrix* matrix : {&body.a, &body.b}) std::memset(matrix->stride, 0, sizeof(matrix->stride));
  draft.coord(0).stride = draft.coord(1).stride = 0;
  body.M = 1 << 16;
  body.N = 3 << 10;
  body.K = 1 << 12;
  expect_accepted(draft);
  expect_refused_with(draft, body.K, 1 << 14, KAWARA_FAULT_bad_command);
  body.M = 0xffffffff;  // N takes it past the bound
  expect_refused(draft, KAWARA_FAULT_bad_command, &body.N);
}

TEST_F(CheckGemm, HasNoPlanesAndNoGroupTableYet) {
  limits.features = ~0u;  // a bit alone allows nothing that this check does not know
  expect_refused_with(draft, body.group_table, operand(0, 0), KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.n_groups, 1, KAWARA_FAULT_bad_command);
  for (kawara_matrix* matrix : {&body.a, &body.b}) {
    expect_refused_with(draft, matrix->scale, operand(0, 0), KAWARA_FAULT_bad_command);
    expect_refused_with(draft, matrix->zero, operand(0, 0), KAWARA_FAULT_bad_command);
    expect_refused_with(draft, matrix->scale_dtype, KAWARA_DTYPE_f32, KAWARA_FAULT_bad_command);
    expect_refused_with(draft, matrix->zero_dtype, KAWARA_DTYPE_i8, KAWARA_FAULT_bad_command);
    expect_refused_with(draft, matrix->block_k, 16, KAWARA_FAULT_bad_command);
    expect_refused_with(draft, matrix->scale_stride[0], 1, KAWARA_FAULT_bad_command);
    expect_refused_with(draft, matrix->zero_stride[0], 1, KAWARA_FAULT_bad_command);
  }
}

TEST_F(CheckConv, MultipliesFloatsOfSixteenBitsOrMoreOrEightBitIntegers) {
  expect_refused_with(draft, body.acc_dtype, KAWARA_DTYPE_bf16, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.a_dtype, KAWARA_DTYPE_u8, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.b_dtype, KAWARA_DTYPE_e8m0, KAWARA_FAULT_bad_command);
  for (auto a : kFloatFactors)
    for (auto b : kFloatFactors) {
      body.a_dtype = static_cast<uint8_t>(a);
      body.b_dtype = static_cast<uint8_t>(b);
      expect_accepted(draft);
    }
}

TEST_F(CheckConv, FootprintsOfInputAndWeightsStayInside) {
  body.a = operand(0, 4096 - 108 * 4);
  expect_accepted(draft);
  expect_refused_with(draft, body.a, operand(0, 4096 - 107 * 4), KAWARA_FAULT_region_bounds);
  body.b = operand(2, 0x10000 - 108 * 4);
  expect_accepted(draft);
  expect_refused_with(draft, body.b, operand(2, 0x10000 - 107 * 4), KAWARA_FAULT_region_bounds);
  for (int i = 2; i < 6; ++i) {
    if (i == 3) continue;  // one plane: its stride does not matter
    const int64_t before = body.a_stride[i];
    body.a_stride[i] = -before;
    body.a = operand(0, 0);
    expect_refused(draft, KAWARA_FAULT_region_bounds, &body.a);
    body.a_stride[i] = before;
  }
}

TEST_F(CheckConv, EmptyOnesTouchNothing) {
  body.a = operand(0, 4096);
  body.b = operand(2, 0x10000);
  expect_refused(draft, KAWARA_FAULT_region_bounds, &body.a);
  body.IC = 0;  // sums of nothing
  expect_accepted(draft);
  body.IC = 3;
  body.out[2] = 0;
  expect_accepted(draft);
}

TEST_F(CheckConv, PositionsFitThirtyTwoBits) {
  expect_refused_with(draft, body.pad[1], INT32_MIN, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.pad[2], -INT32_MAX, KAWARA_FAULT_bad_command);
  body.pad[0] = INT32_MAX;
  expect_accepted(draft);
  body.pad[0] = 0;
  body.stride[1] = 0xffff;
  expect_accepted(draft);
  body.out[1] = 40000;  // 39999 * 65535 is above 2^31
  expect_refused(draft, KAWARA_FAULT_bad_command, &body.pad[1]);
  body.flags = KAWARA_CONV_TRANSPOSED;  // then the input takes the steps
  expect_accepted(draft);
}

TEST_F(CheckConv, ExtentsMultiplyToLessThanTwoToTheFortieth) {
  expect_refused_with(draft, body.kernel[2], 0x80000000, KAWARA_FAULT_bad_command);
  body.in[0] = 0x10000;  // the input is bounded by itself
  body.in[1] = 0x1000000;
  expect_refused(draft, KAWARA_FAULT_bad_command, &body.in[1]);
}

TEST_F(CheckConv, AllOutputChannelsFitThirtyTwoBits) {
  body.IC = 1;
  for (int i = 0; i < 3; ++i) body.in[i] = body.out[i] = body.kernel[i] = 1;
  body.groups = 1 << 17;
  body.OC = 1 << 15;
  expect_refused(draft, KAWARA_FAULT_bad_command, &body.OC);
}

TEST_F(CheckConv, HasNoPlanesYet) {
  limits.features = ~0u;
  expect_refused_with(draft, body.a_zero, operand(0, 0), KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.b_scale, operand(0, 0), KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.b_zero, operand(0, 0), KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.b_scale_dtype, 1, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.a_zero_dtype, 11, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.b_zero_dtype, 11, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.b_scale_stride[0], 1, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.b_zero_stride[0], 1, KAWARA_FAULT_bad_command);
}

TEST_F(CheckConv, ItsEpilogueCountsChannelsOfAllGroups) {
  body.groups = 2;  // 8 output channels, 4 pairs
  body.a_stride[1] = body.b_stride[0] = 0;
  draft.coord(0).extent = 4;  // of 32 floats each
  draft.stream(0).data = operand(1, 4096 - 4 * (3 * 32 + 16));
  draft.stream(1).data = operand(1, 0);
  expect_accepted(draft);
  expect_refused_with(draft, draft.stream(0).data, operand(1, 4096 - 4 * (3 * 32 + 15)), KAWARA_FAULT_region_bounds);
}

TEST_F(CheckCopy, ReadsOnlyInsideTheSource) {
  body.src = operand(0, 4096 - 4 * 24);
  expect_accepted(draft);
  expect_refused_with(draft, body.src, operand(0, 4096 - 4 * 23), KAWARA_FAULT_region_bounds);
  body.extent[4] = 5;  // rows -2 to 2: three of the four
  body.src = operand(0, 4096 - 4 * 18);
  expect_accepted(draft);
  expect_refused_with(draft, body.src, operand(0, 4096 - 4 * 17), KAWARA_FAULT_region_bounds);
  body.pad_lo[4] = 5;  // nothing but padding
  body.src = operand(0, 4096);
  expect_accepted(draft);
}

TEST_F(CheckCopy, WritesTheWholeExtent) {
  body.dst = operand(1, 4096 - 256);
  expect_accepted(draft);
  expect_refused_with(draft, body.dst, operand(1, 4096 - 252), KAWARA_FAULT_region_bounds);
  body.dst_stride[4] = -8;
  body.dst = operand(1, 0);
  expect_refused(draft, KAWARA_FAULT_region_bounds, &body.dst);
  EXPECT_EQ(fault.write, 1u);
}

TEST_F(CheckCopy, WritesOnlyWhereWritingIsAllowed) { expect_refused_with(draft, body.dst, operand(2, 0), KAWARA_FAULT_read_only); }

TEST_F(CheckCopy, DoesOneThingAtATime) {
  for (int flags : {3, 5, 6, 7}) expect_refused_with(draft, body.flags, flags, KAWARA_FAULT_bad_command);
}

TEST_F(CheckCopy, AFillHasNoSource) {
  body.flags = KAWARA_COPY_FILL;
  expect_refused(draft, KAWARA_FAULT_bad_command, &body.src);
  body.src = KAWARA_OPERAND_ABSENT;
  expect_accepted(draft);
  body.flags = 0;
  expect_refused(draft, KAWARA_FAULT_bad_command, &body.src);
}

TEST_F(CheckCopy, OnlyGatherAndScatterHaveAnIndexList) {
  expect_refused_with(draft, body.index, operand(0, 0), KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.index_dtype, KAWARA_DTYPE_i32, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.index_dim, 1, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.index_extent, 1, KAWARA_FAULT_bad_command);
  Draft list(gather());
  auto& gather = list.body<kawara_copy>();
  expect_refused_with(list, gather.index, KAWARA_OPERAND_ABSENT, KAWARA_FAULT_bad_command);
  expect_refused_with(list, gather.index, operand(0, 4096 - 32), KAWARA_FAULT_region_bounds);  // 5 of 8 bytes
  expect_refused_with(list, gather.index, operand(0, 4), KAWARA_FAULT_bad_command);
  expect_refused_with(list, gather.index_dtype, KAWARA_DTYPE_u32, KAWARA_FAULT_bad_command);
  expect_refused_with(list, gather.pad_lo[4], 1, KAWARA_FAULT_bad_command);
  expect_refused_with(list, gather.src_extent[4], 15, KAWARA_FAULT_bad_command);
}

TEST_F(CheckCopy, AGatherMayReadAnyIndexAndAScatterWriteAny) {
  Draft list(gather());  // 16 rows of 8 floats
  auto& gather = list.body<kawara_copy>();
  expect_refused_with(list, gather.src, operand(2, 0x10000 - 508), KAWARA_FAULT_region_bounds);
  gather.src = operand(2, 0x10000 - 512);
  expect_accepted(list);
  gather.flags = KAWARA_COPY_SCATTER;
  gather.dst = operand(1, 4096 - 512);
  expect_accepted(list);
  expect_refused_with(list, gather.dst, operand(1, 4096 - 508), KAWARA_FAULT_region_bounds);
}

TEST_F(CheckCopy, FourBitElementsAreWrittenInPairs) {
  body.dtype = KAWARA_DTYPE_i4;
  expect_accepted(draft);
  expect_refused_with(draft, body.dst_stride[5], 2, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.extent[5], 7, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, body.dst_stride[4], 9, KAWARA_FAULT_bad_command);
  Draft list(gather());
  auto& scatter = list.body<kawara_copy>();
  scatter.dtype = KAWARA_DTYPE_u4;
  scatter.flags = KAWARA_COPY_SCATTER;
  expect_accepted(list);
  scatter.index_dim = 5;
  expect_refused(list, KAWARA_FAULT_bad_command, &scatter.index_dim);
}

TEST_F(CheckCopy, ExtentsMultiplyToLessThanTwoToTheFortieth) {
  body.dst_stride[3] = body.dst_stride[4] = body.src_stride[4] = 0;
  body.extent[3] = 0x10000000;
  expect_accepted(draft);
  expect_refused_with(draft, body.extent[4], 0x1000, KAWARA_FAULT_bad_command);
}

class CheckEvent : public Check {};

TEST_F(CheckEvent, WritesSixtyFourBytesAtAMultipleOfEight) {
  Draft draft(event());
  auto& dst = draft.body<kawara_event>().dst;
  expect_accepted(draft);
  expect_refused_with(draft, dst, operand(1, 0x44), KAWARA_FAULT_bad_command);
  expect_refused_with(draft, dst, operand(1, 4096 - 56), KAWARA_FAULT_region_bounds);
  expect_refused_with(draft, dst, operand(0, 0x40), KAWARA_FAULT_read_only);
  expect_refused_with(draft, dst, operand(9, 0), KAWARA_FAULT_bad_command);
  expect_refused_with(draft, dst, KAWARA_OPERAND_ABSENT, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.body<kawara_event>().reserved0[0], 1, KAWARA_FAULT_bad_command);
  dst = operand(1, 4096 - 64);
  expect_accepted(draft);
}

}  // namespace
}  // namespace kawara::hw
