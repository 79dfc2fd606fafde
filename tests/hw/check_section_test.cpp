// SPDX-License-Identifier: Apache-2.0
// Loop nests: extents, phases, streams, and where coordinates may reach.
#include "hw/check_fixture.h"

namespace kawara::hw {
namespace {

class CheckSection : public Check {};

TEST_F(CheckSection, UnusedExtentsAreOne) {
  Draft draft(row_sum());
  for (int i : {1, 5, 7, 8}) {
    expect_refused_with(draft, draft.section().extent[i], 2, KAWARA_FAULT_bad_command);
    expect_refused_with(draft, draft.section().extent[i], 0, KAWARA_FAULT_bad_command);
  }
}

TEST_F(CheckSection, ExtentsMultiplyToLessThanTwoToTheFortieth) {
  Draft draft(relu());
  for (int i = 0; i < 2; ++i) draft.stream(i).n_coord = 0;  // a scalar fits, however often it is visited
  draft.section().n_par = 2;
  draft.section().extent[0] = 1u << 20;
  draft.section().extent[1] = (1u << 20) - 1;
  expect_accepted(draft);
  expect_refused_with(draft, draft.section().extent[1], 1u << 20, KAWARA_FAULT_bad_command);
}

TEST_F(CheckSection, AVectorCommandHasNoAccumulatorsAndAnEpilogueNoExtents) {
  Draft vector(relu());
  expect_refused_with(vector, vector.section().acc_group, 1, KAWARA_FAULT_bad_command);
  Draft epilogue(gemm());
  expect_refused_with(epilogue, epilogue.section().extent[0], 1, KAWARA_FAULT_bad_command);
  expect_refused_with(epilogue, epilogue.section().extent[8], 1, KAWARA_FAULT_bad_command);
  expect_refused_with(epilogue, epilogue.section().n_par, 4, KAWARA_FAULT_bad_command);
  expect_refused_with(epilogue, epilogue.section().n_red, 1, KAWARA_FAULT_bad_command);
}

TEST_F(CheckSection, TheAccumulatorGroupDividesTheColumns) {
  Draft draft(gemm());  // 6 columns
  expect_refused_with(draft, draft.section().acc_group, 4, KAWARA_FAULT_bad_command);
  for (int group : {0, 1, 2, 3}) {
    draft.section().acc_group = static_cast<uint8_t>(group);
    expect_accepted(draft);
  }
}

TEST_F(CheckSection, RefusesValuesOutsideTheRowsOfItsArrays) {
  Draft draft(relu());
  expect_refused_with(draft, draft.stream(0).dtype, 0, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.stream(1).dtype, 19, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.stream(0).flags, 4, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.stream(0).n_coord, 5, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.stream(0).first_coord, 48, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.coord(0).den, 0, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.coord(0).den, 0x80000000u, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.coord(0).flags, 16, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.coord(0).reg, 32, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.phase(0).mode, 2, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.phase(0).red_dims, 8, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.phase(0).end, 257, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.section().index64, 2, KAWARA_FAULT_bad_command);
}

TEST_F(CheckSection, PaddingBetweenItsArraysIsZero) {
  Draft draft(relu());
  expect_refused_with(draft, draft.constant(1), 1u, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.instr(3).op, 1, KAWARA_FAULT_bad_command);
}

TEST_F(CheckSection, StreamsUseCoordinatesThatAreThere) {
  Draft draft(relu());
  expect_refused_with(draft, draft.stream(0).first_coord, 1, KAWARA_FAULT_bad_command);
  draft.stream(0).n_coord = 2;
  expect_refused(draft, KAWARA_FAULT_bad_command, &draft.stream(0).first_coord);
}

TEST_F(CheckSection, PhasesAreInOrderAndCoverTheInstructions) {
  Draft draft(row_sum());  // before 0, step 1, after 3, end 4
  expect_refused_with(draft, draft.phase(0).before, 1, KAWARA_FAULT_bad_command);
  draft.phase(0).step = 4;  // then `after` lies before it
  expect_refused(draft, KAWARA_FAULT_bad_command, &draft.phase(0).after);
}

TEST_F(CheckSection, APhaseThatEndsEarlyOrLateIsRefused) {
  Draft draft(row_sum());
  expect_refused_with(draft, draft.phase(0).end, 3, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.phase(0).end, 5, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.phase(0).end, 2, KAWARA_FAULT_bad_command);
}

TEST_F(CheckSection, TheNextPhaseStartsWhereTheLastEnded) {
  Section section = relu_section();
  section.phases = {phase(0, 0, 0, 0, 2), phase(0, 2, 2, 2, 3)};
  Draft draft(encode(blank<kawara_vector>(), &section));
  expect_accepted(draft);
  expect_refused_with(draft, draft.phase(1).before, 1, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.phase(1).step, 1, KAWARA_FAULT_bad_command);
  draft.phase(1).step = 3;
  expect_refused(draft, KAWARA_FAULT_bad_command, &draft.phase(1).after);
}

TEST_F(CheckSection, PhasesSweepReducedDimensionsThatExist) {
  Draft draft(row_sum());
  expect_refused_with(draft, draft.phase(0).red_dims, 2, KAWARA_FAULT_bad_command);
}

TEST_F(CheckSection, OrderedPhasesNeedTheFeature) {
  Section section = relu_section();
  section.phases[0].mode = KAWARA_PHASE_ORDERED;
  Draft draft(encode(blank<kawara_vector>(), &section));
  expect_refused(draft, KAWARA_FAULT_bad_command, &draft.phase(0).mode);
  limits.features |= KAWARA_PUT(GLOBAL_FEATURES_ORDERED, 1u);
  expect_accepted(draft);
}

TEST_F(CheckSection, AFootprintMayFillItsRegionAndNotLeaveIt) {
  Draft draft(relu());  // 32 bytes
  draft.stream(0).data = operand(0, 4096 - 32);
  expect_accepted(draft);
  expect_refused_with(draft, draft.stream(0).data, operand(0, 4096 - 28), KAWARA_FAULT_region_bounds);
  EXPECT_EQ(check(draft.bytes()), 1);
  draft.stream(0).data = operand(0, 4096 - 28);
  check(draft.bytes());
  EXPECT_EQ(fault.address, 0x10000u + 4096 + 3);  // the last byte it would touch
  EXPECT_EQ(fault.write, 0u);
}

TEST_F(CheckSection, ANegativeStrideReachesBelowItsOffset) {
  Draft draft(relu());
  draft.coord(0).stride = -1;
  draft.stream(0).data = draft.stream(1).data = 0;
  draft.stream(0).data = operand(0, 28);
  draft.stream(1).data = operand(1, 24);
  expect_refused(draft, KAWARA_FAULT_region_bounds, &draft.stream(1).data);
  EXPECT_EQ(fault.write, 1u);
  EXPECT_EQ(fault.address, 0x20000u - 4);
  draft.stream(1).data = operand(1, 28);
  expect_accepted(draft);
}

TEST_F(CheckSection, OnlyValuesInsideTheExtentCount) {
  Section section = relu_section();
  section.extent[0] = 4096;  // 16 KiB of loop over a tensor of 32 bytes at the region's end
  section.coords[0].base = -100;
  section.streams[0].data = operand(0, 4096 - 32);
  section.streams[1].data = operand(1, 4096 - 32);
  Draft draft(encode(blank<kawara_vector>(), &section));
  expect_accepted(draft);
  draft.coord(0).extent = 9;
  expect_refused(draft, KAWARA_FAULT_region_bounds, &draft.stream(0).data);
}

TEST_F(CheckSection, CoordinatesThatNeverFallInsideTouchNothing) {
  Draft draft(relu());
  draft.coord(0).stride = 1ll << 40;
  draft.coord(0).base = -100;
  expect_accepted(draft);
  draft.coord(0).flags = KAWARA_COORD_CLAMP;  // all clamped to 0
  expect_accepted(draft);
  draft.coord(0).base = 100;  // all clamped to 7
  expect_refused(draft, KAWARA_FAULT_bad_command, &draft.section().index64);
}

TEST_F(CheckSection, AnEmptyLoopOrTensorTouchesNothing) {
  Draft draft(relu());
  draft.stream(0).data = operand(0, 4096);
  expect_refused(draft, KAWARA_FAULT_region_bounds, &draft.stream(0).data);
  draft.section().extent[0] = 0;
  expect_accepted(draft);
  draft.section().extent[0] = 8;
  draft.coord(0).extent = 0;
  expect_accepted(draft);
}

TEST_F(CheckSection, AnEmptyReductionStillStores) {
  Draft draft(row_sum());
  draft.section().extent[6] = 0;
  expect_accepted(draft);
  expect_refused_with(draft, draft.stream(1).data, operand(1, 4096 - 12), KAWARA_FAULT_region_bounds);
}

TEST_F(CheckSection, ADenominatorRoundsTowardsMinusInfinity) {
  Draft draft(relu());
  draft.coord(0).den = 4;  // values 0, 1
  draft.stream(0).data = operand(0, 4096 - 8);
  expect_accepted(draft);
  draft.coord(0).base = -8;  // values -2, -1
  draft.stream(0).data = operand(0, 4096);
  draft.stream(1).data = operand(1, 4096);
  expect_accepted(draft);
  draft.coord(0).base = -7;  // the last is 0
  expect_refused(draft, KAWARA_FAULT_region_bounds, &draft.stream(0).data);
}

TEST_F(CheckSection, AnIndexedCoordinateMayReachItsWholeExtent) {
  Section section = relu_section();
  section.coords.push_back(coord(0, 1024, 1));
  section.coords[1].coef[0] = 0;
  section.coords[1].flags = KAWARA_COORD_INDEXED;
  section.coords[1].reg = 3;
  section.streams[0].first_coord = 1;
  section.phases = {phase(0, 0, 0, 0, 4)};
  section.instrs.insert(section.instrs.begin(), instr(KAWARA_OP_mov, 3, kIndex, 0, 0, 0, KAWARA_DTYPE_i32));
  Draft draft(encode(blank<kawara_vector>(), &section));
  expect_accepted(draft);
  draft.coord(1).extent = 1025;
  expect_refused(draft, KAWARA_FAULT_region_bounds, &draft.stream(0).data);
}

TEST_F(CheckSection, AnIndexedCoordinateHasNoSumBesideIt) {
  Section section = relu_section();
  section.coords.push_back(section.coords[0]);
  section.streams[0].first_coord = 1;
  section.phases = {phase(0, 0, 0, 0, 4)};
  section.instrs.insert(section.instrs.begin(), instr(KAWARA_OP_mov, 0, kIndex, 0, 0, 0, KAWARA_DTYPE_i32));
  Draft draft(encode(blank<kawara_vector>(), &section));
  expect_refused_with(draft, draft.coord(1).flags, KAWARA_COORD_INDEXED, KAWARA_FAULT_bad_command);
}

TEST_F(CheckSection, ExactAndClampExcludeEachOtherAndBIndexNeedsAGroupTable) {
  Draft draft(relu());
  expect_refused_with(draft, draft.coord(0).flags, KAWARA_COORD_EXACT | KAWARA_COORD_CLAMP, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.coord(0).flags, KAWARA_COORD_BG, KAWARA_FAULT_bad_command);
}

TEST_F(CheckSection, SumsFitThirtyTwoBitsUnlessIndex64) {
  Draft draft(relu());
  draft.coord(0).coef[0] = 0x10000000;  // times 7 is below 2^31
  expect_accepted(draft);
  draft.coord(0).base = 0x10000000;
  expect_refused(draft, KAWARA_FAULT_bad_command, draft.coord(0).coef);
  draft.section().index64 = 1;
  expect_accepted(draft);
}

TEST_F(CheckSection, SumsFitSixtyTwoBits) {
  Section section = relu_section();
  section.index64 = true;
  section.extent = {0xffffffff, 1, 1, 1, 1, 1};
  section.coords[0].coef[0] = INT32_MAX;  // 2^63
  Draft draft(encode(blank<kawara_vector>(), &section));
  expect_refused(draft, KAWARA_FAULT_bad_command, draft.coord(0).coef);
  draft.coord(0).coef[0] = INT32_MAX / 4;
  expect_accepted(draft);
}

TEST_F(CheckSection, FootprintsStayBelowTwoGibibytesUnlessIndex64) {
  regions[2].size = 1ull << 36;
  Section section = relu_section();
  section.streams[0].data = operand(2, 0);
  section.coords.push_back(coord(0, 8, 0x10000000));  // 7 * 2^28 elements of 4 bytes
  section.streams[0].first_coord = 1;
  Draft draft(encode(blank<kawara_vector>(), &section));
  expect_refused(draft, KAWARA_FAULT_bad_command, &draft.section().index64);
  draft.section().index64 = 1;
  expect_accepted(draft);
  draft.coord(1).stride = INT64_MAX;
  expect_refused(draft, KAWARA_FAULT_region_bounds, &draft.stream(0).data);
  draft.coord(1).stride = INT64_MIN;
  expect_refused(draft, KAWARA_FAULT_region_bounds, &draft.stream(0).data);
}

TEST_F(CheckSection, OperandsNameARegionOfTheTable) {
  Draft draft(relu());
  expect_refused_with(draft, draft.stream(0).data, operand(4, 0), KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.stream(1).data, KAWARA_OPERAND_ABSENT, KAWARA_FAULT_bad_command);
}

TEST_F(CheckSection, OffsetsAreMultiplesOfTheElement) {
  Draft draft(relu());
  expect_refused_with(draft, draft.stream(0).data, operand(0, 2), KAWARA_FAULT_bad_command);
  Section section = relu_section();
  section.streams[0] = stream(operand(0, 2), 0, 1, KAWARA_DTYPE_f16);
  expect_accepted(encode(blank<kawara_vector>(), &section));
  section.streams[0] = stream(operand(0, 3), 0, 1, KAWARA_DTYPE_f8e4m3);
  expect_accepted(encode(blank<kawara_vector>(), &section));
}

TEST_F(CheckSection, RegionsAllowWhatStreamsDo) {
  Draft draft(relu());
  expect_refused_with(draft, draft.stream(1).data, operand(0, 8), KAWARA_FAULT_read_only);
  draft.stream(1).data = operand(0, 8);
  check(draft.bytes());
  EXPECT_EQ(fault.write, 1u);
  EXPECT_EQ(fault.address, 0x10008u);
  draft.stream(1).data = operand(1, 8);
  regions[0].flags = KAWARA_REGION_WRITE;
  expect_refused(draft, KAWARA_FAULT_bad_command, &draft.stream(0).data);
  EXPECT_EQ(fault.write, 0u);
}

TEST_F(CheckSection, SramIsAPlaceLikeMemory) {
  Draft draft(relu());
  draft.stream(0).data = operand(3, 0);
  draft.stream(1).data = operand(3, 64);
  expect_accepted(draft);
}

Section nibble_section() {
  Section section = relu_section();
  section.extent = {4, 8};
  section.n_par = 2;
  section.coords = {coord(0, 4, 8), coord(1, 8, 1)};
  section.streams = {stream(operand(0, 0), 0, 2, KAWARA_DTYPE_u4), stream(operand(1, 0), 0, 2, KAWARA_DTYPE_u4)};
  section.instrs = {load(0, 0, KAWARA_DTYPE_u32), instr(KAWARA_OP_max, 1, 0, kConstant, 0, 0, KAWARA_DTYPE_u32),
                    store(1, 1, KAWARA_DTYPE_u32)};
  return section;
}

TEST_F(CheckSection, FourBitFootprintsCountNibbles) {
  const Section section = nibble_section();  // 32 nibbles
  Draft draft(encode(blank<kawara_vector>(), &section));
  draft.stream(0).data = operand(0, 4096 - 16);
  expect_accepted(draft);
  expect_refused_with(draft, draft.stream(0).data, operand(0, 4096 - 15), KAWARA_FAULT_region_bounds);
}

TEST_F(CheckSection, AFourBitStoreWritesWholeBytes) {
  const Section section = nibble_section();
  Draft draft(encode(blank<kawara_vector>(), &section));
  expect_refused_with(draft, draft.coord(0).stride, 7, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.coord(1).stride, 2, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.coord(1).extent, 7, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.coord(1).base, 1, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.coord(1).coef[1], 2, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.coord(1).coef[0], 1, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.coord(1).den, 2, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.coord(1).flags, KAWARA_COORD_CLAMP, KAWARA_FAULT_bad_command);
  draft.section().extent[1] = 7;
  expect_refused(draft, KAWARA_FAULT_bad_command, &draft.stream(1).dtype);
}

TEST_F(CheckSection, AnEpilogueLoopsOverTheOutputOfItsCommand) {
  Draft draft(gemm());  // 4 rows, 6 columns of f32
  draft.stream(1).data = operand(1, 4096 - 96);
  expect_accepted(draft);
  draft.coord(0).extent = 5;  // the tensor has another row, the loop does not
  expect_accepted(draft);
  expect_refused_with(draft, draft.stream(1).data, operand(1, 4096 - 92), KAWARA_FAULT_region_bounds);
  draft.section().acc_group = 3;  // 2 steps over columns
  draft.stream(1).data = operand(1, 4096 - 80);
  expect_accepted(draft);
}

}  // namespace
}  // namespace kawara::hw
