// SPDX-License-Identifier: Apache-2.0
#include "hw/check_fixture.h"

namespace kawara::hw {
namespace {

constexpr kawara_dtype kF32 = KAWARA_DTYPE_f32, kI32 = KAWARA_DTYPE_i32, kU32 = KAWARA_DTYPE_u32, kI64 = KAWARA_DTYPE_i64;

class CheckMicrocode : public Check {
 protected:
  // relu's loop nest around other instructions.
  static Draft program(std::vector<kawara_instr> instrs, std::vector<uint32_t> constants = {0}) {
    Section section = relu_section();
    section.phases = {phase(0, 0, 0, 0, static_cast<uint16_t>(instrs.size()))};
    section.instrs = std::move(instrs);
    section.constants = std::move(constants);
    return Draft(encode(blank<kawara_vector>(), &section));
  }
  // row_sum's loop nest: instructions before, at each step, after.
  static Draft reduction(const std::vector<kawara_instr>& before, const std::vector<kawara_instr>& step,
                         const std::vector<kawara_instr>& after) {
    Section section = row_sum_section();
    section.instrs = before;
    section.instrs.insert(section.instrs.end(), step.begin(), step.end());
    section.instrs.insert(section.instrs.end(), after.begin(), after.end());
    const auto at = [](size_t n) { return static_cast<uint16_t>(n); };
    section.phases = {phase(1, 0, at(before.size()), at(before.size() + step.size()), at(section.instrs.size()))};
    return Draft(encode(blank<kawara_vector>(), &section));
  }
  void expect_bad(Draft draft, int number, auto kawara_instr::* member, std::source_location here = std::source_location::current()) {
    expect_refused(draft, KAWARA_FAULT_bad_microcode, &(draft.instr(number).*member), here);
  }
  void expect_good(Draft draft, std::source_location here = std::source_location::current()) { expect_accepted(draft, here); }
};

kawara_instr mov(uint8_t dst, uint8_t a, kawara_dtype type = kF32) { return instr(KAWARA_OP_mov, dst, a, 0, 0, 0, type); }
kawara_instr add(uint8_t dst, uint8_t a, uint8_t b, kawara_dtype type = kF32) { return instr(KAWARA_OP_add, dst, a, b, 0, 0, type); }
kawara_instr red_add(uint8_t dst, uint8_t a, kawara_dtype type = kF32) { return instr(KAWARA_OP_red_add, dst, a, 0, 0, 0, type); }

TEST_F(CheckMicrocode, RefusesAnInstructionThatNoRowNames) {
  Draft draft(relu());
  for (int op : {0, 6, 255}) expect_refused_with(draft, draft.instr(1).op, op, KAWARA_FAULT_bad_microcode);
}

TEST_F(CheckMicrocode, RefusesFieldsOutsideTheRow) {
  Draft draft(relu());
  expect_refused_with(draft, draft.instr(1).dst, 32, KAWARA_FAULT_bad_microcode);
  expect_refused_with(draft, draft.instr(1).a, 110, KAWARA_FAULT_bad_microcode);
  expect_refused_with(draft, draft.instr(1).b, 255, KAWARA_FAULT_bad_microcode);
  expect_refused_with(draft, draft.instr(1).type, 19, KAWARA_FAULT_bad_microcode);
}

TEST_F(CheckMicrocode, RefusesATypeThatTheInstructionDoesNotHave) {
  const std::pair<kawara_microcode, kawara_dtype> wrong[] = {{KAWARA_OP_sqrt, kI32},   {KAWARA_OP_mod, kF32},
                                                             {KAWARA_OP_umulhi, kI32}, {KAWARA_OP_neg, kU32},
                                                             {KAWARA_OP_and, kF32},    {KAWARA_OP_add, KAWARA_DTYPE_f16},
                                                             {KAWARA_OP_isnan, kI64},  {KAWARA_OP_mov, KAWARA_DTYPE_u64}};
  for (auto [op, type] : wrong)
    expect_bad(program({mov(0, kConstant), instr(op, 1, 0, 0, 0, 0, type), store(1, 0)}), 1, &kawara_instr::type);
}

TEST_F(CheckMicrocode, RegistersAreWrittenBeforeTheyAreRead) {
  expect_good(program({load(0, 0), add(1, 0, 0), store(1, 1)}));
  expect_bad(program({add(1, 0, 0), load(0, 0), store(1, 1)}), 0, &kawara_instr::a);
  expect_bad(program({load(0, 0), add(1, 0, 2), store(1, 1)}), 1, &kawara_instr::b);
  expect_bad(program({load(0, 0), instr(KAWARA_OP_mad, 1, 0, 0, 31), store(1, 1)}), 1, &kawara_instr::c);
  expect_bad(program({load(0, 0), store(1, 1)}), 1, &kawara_instr::a);
}

TEST_F(CheckMicrocode, OperandsThatAFormDoesNotReadAreZero) {
  expect_bad(program({load(0, 0), add(1, 0, 0), {.op = KAWARA_OP_store, .dst = 1, .a = 1, .b = 0, .c = 0, .type = kF32, .imm = 1}}), 2,
             &kawara_instr::dst);
  expect_bad(program({instr(KAWARA_OP_load, 0, 1), store(1, 0)}), 0, &kawara_instr::a);
  expect_bad(program({load(0, 0), instr(KAWARA_OP_mov, 1, 0, kIndex), store(1, 1)}), 1, &kawara_instr::b);
  expect_bad(program({load(0, 0), instr(KAWARA_OP_add, 1, 0, 0, kIndex), store(1, 1)}), 1, &kawara_instr::c);
  expect_bad(program({load(0, 0), instr(KAWARA_OP_add, 1, 0, 0, 0, 1), store(1, 1)}), 1, &kawara_instr::imm);
}

TEST_F(CheckMicrocode, ConstantsAreThoseOfTheSection) {
  expect_good(program({mov(0, kConstant + 1), store(1, 0)}, {1, 2}));
  expect_bad(program({mov(0, kConstant + 2), store(1, 0)}, {1, 2}), 0, &kawara_instr::a);
  expect_bad(program({mov(0, kConstant + 63), store(1, 0)}, {1, 2}), 0, &kawara_instr::a);
}

TEST_F(CheckMicrocode, AWideConstantTakesTwoWordsAtAnEvenIndex) {
  expect_good(program({mov(0, kConstant + 2, kI64), store(1, 0, kI64)}, {0, 0, 1, 2}));
  expect_bad(program({mov(0, kConstant + 1, kI64), store(1, 0, kI64)}, {0, 0, 1, 2}), 0, &kawara_instr::a);
  expect_bad(program({mov(0, kConstant + 2, kI64), store(1, 0, kI64)}, {0, 0, 1}), 0, &kawara_instr::a);
}

TEST_F(CheckMicrocode, WideAndNarrowValuesDoNotMix) {
  const kawara_instr widen = instr(KAWARA_OP_cvt, 1, 0, 0, 0, kI32, kI64);
  expect_good(program({mov(0, kIndex, kI32), widen, add(2, 1, 1, kI64), store(1, 2, kI64)}));
  expect_bad(program({mov(0, kIndex, kI32), add(2, 0, 0, kI64), store(1, 2, kI64)}), 1, &kawara_instr::a);
  expect_bad(program({mov(0, kIndex, kI64), add(2, 0, 0, kI32), store(1, 2, kI32)}), 1, &kawara_instr::a);
  // A comparison of wide values gives 32 bits, and select reads its condition as such.
  const kawara_instr less = instr(KAWARA_OP_lt, 1, 0, 0, 0, 0, kI64);
  expect_good(program({mov(0, kIndex, kI64), less, instr(KAWARA_OP_select, 2, 1, 0, 0, 0, kI64), store(1, 2, kI64)}));
  expect_bad(program({mov(0, kIndex, kI64), less, instr(KAWARA_OP_select, 2, 0, 0, 0, 0, kI64), store(1, 2, kI64)}), 2, &kawara_instr::a);
  expect_bad(program({mov(0, kIndex, kI64), less, store(1, 1, kI64)}), 2, &kawara_instr::a);
}

TEST_F(CheckMicrocode, LoopIndicesAreReadableAccumulatorsOnlyInEpilogues) {
  expect_good(program({mov(0, kIndex + 8, kU32), store(1, 0, kU32)}));
  expect_bad(program({mov(0, kAccumulator), store(1, 0)}), 0, &kawara_instr::a);
  Draft epilogue(gemm());
  expect_refused_with(epilogue, epilogue.instr(1).a, kAccumulator + 1, KAWARA_FAULT_bad_microcode);
  epilogue.section().acc_group = 2;
  epilogue.instr(1).a = kAccumulator + 1;
  expect_accepted(epilogue);
  expect_refused_with(epilogue, epilogue.instr(1).a, kAccumulator + 2, KAWARA_FAULT_bad_microcode);
  expect_refused_with(epilogue, epilogue.instr(1).a, KAWARA_SOURCE_B_INDEX, KAWARA_FAULT_bad_microcode);
}

TEST_F(CheckMicrocode, AccumulatorsAreNarrow) {
  Draft epilogue(gemm());
  epilogue.instr(1) = mov(1, kAccumulator, kI64);
  expect_refused(epilogue, KAWARA_FAULT_bad_microcode, &epilogue.instr(1).a);
}

TEST_F(CheckMicrocode, LoadsReadInputsAndStoresWriteOutputs) {
  expect_bad(program({load(0, 1), store(1, 0)}), 0, &kawara_instr::imm);
  expect_bad(program({load(0, 0), store(0, 0)}), 1, &kawara_instr::imm);
  expect_bad(program({load(0, 0), store(2, 0)}), 1, &kawara_instr::imm);
  expect_bad(program({load(0, 256), store(1, 0)}), 0, &kawara_instr::imm);
}

TEST_F(CheckMicrocode, ALoadGivesTheTypeThatItsElementsWidenTo) {
  const std::pair<kawara_dtype, kawara_dtype> widened[] = {{KAWARA_DTYPE_f16, kF32},     {KAWARA_DTYPE_f8e5m2, kF32},
                                                           {KAWARA_DTYPE_i8, kI32},      {KAWARA_DTYPE_u8, kU32},
                                                           {KAWARA_DTYPE_boolean, kU32}, {KAWARA_DTYPE_u64, kI64}};
  for (auto [element, type] : widened) {
    for (kawara_dtype loaded : {kF32, kI32, kU32, kI64}) {
      Draft draft = program({load(0, 0, loaded), store(1, 0, loaded)});
      draft.stream(0).dtype = static_cast<uint8_t>(element);
      if (loaded == type)
        expect_accepted(draft);
      else
        expect_refused(draft, KAWARA_FAULT_bad_microcode, &draft.instr(0).type);
    }
  }
}

TEST_F(CheckMicrocode, AConversionNamesTheTypeItReads) {
  const auto cvt = [](uint16_t from, kawara_dtype to) { return instr(KAWARA_OP_cvt, 1, 0, 0, 0, from, to); };
  expect_good(program({load(0, 0), cvt(kF32, kI32), store(1, 1, kI32)}));
  for (uint16_t from : {0, 2, 11, 255, 256 + 1})
    expect_bad(program({load(0, 0), cvt(from, kI32), store(1, 1, kI32)}), 1, &kawara_instr::imm);
  expect_bad(program({load(0, 0), cvt(kI64, kI32), store(1, 1, kI32)}), 1, &kawara_instr::a);
}

TEST_F(CheckMicrocode, AnIndexRegisterHoldsAnI32WhenItsStreamIsUsed) {
  const auto indexed = [](std::vector<kawara_instr> instrs) {
    Section section = relu_section();
    section.coords.push_back(coord(0, 8, 1));
    section.coords[1].coef[0] = 0;
    section.coords[1].flags = KAWARA_COORD_INDEXED;
    section.coords[1].reg = 3;
    section.streams[0].first_coord = 1;
    section.phases = {phase(0, 0, 0, 0, static_cast<uint16_t>(instrs.size()))};
    section.instrs = std::move(instrs);
    return Draft(encode(blank<kawara_vector>(), &section));
  };
  expect_good(indexed({mov(3, kIndex, kI32), load(0, 0), store(1, 0)}));
  expect_bad(indexed({mov(3, kIndex, kU32), load(0, 0), store(1, 0)}), 1, &kawara_instr::imm);
  expect_bad(indexed({mov(3, kIndex, kI64), load(0, 0), store(1, 0)}), 1, &kawara_instr::imm);
  expect_bad(indexed({load(0, 0), mov(3, kIndex, kI32), store(1, 0)}), 0, &kawara_instr::imm);
}

TEST_F(CheckMicrocode, ReductionsStandInStepsOnly) {
  expect_good(reduction({}, {load(0, 0), red_add(1, 0)}, {store(1, 1)}));
  expect_bad(reduction({load(0, 0), red_add(1, 0)}, {}, {store(1, 1)}), 1, &kawara_instr::op);
  expect_bad(reduction({}, {load(0, 0)}, {load(2, 0), red_add(1, 2), store(1, 1)}), 2, &kawara_instr::op);
}

TEST_F(CheckMicrocode, AReducedRegisterIsTouchedByItsReductionAlone) {
  expect_bad(reduction({}, {load(0, 0), red_add(1, 0), red_add(1, 0)}, {store(1, 1)}), 2, &kawara_instr::dst);
  expect_bad(reduction({}, {load(0, 0), red_add(1, 0), mov(1, 0)}, {store(1, 1)}), 2, &kawara_instr::dst);
  expect_bad(reduction({}, {load(0, 0), mov(1, 0), red_add(1, 0)}, {store(1, 1)}), 1, &kawara_instr::dst);
  expect_bad(reduction({mov(1, kIndex)}, {load(0, 0), add(2, 1, 0), red_add(1, 0)}, {store(1, 1)}), 2, &kawara_instr::a);
  expect_bad(reduction({}, {load(0, 0), red_add(1, 0), store(1, 1)}, {store(1, 1)}), 2, &kawara_instr::a);
  expect_bad(reduction({}, {red_add(1, 1)}, {store(1, 1)}), 0, &kawara_instr::a);
}

TEST_F(CheckMicrocode, StepsOfATreeCarryNothingElse) {
  expect_good(reduction({mov(3, kIndex)}, {load(0, 0), add(2, 0, 3), red_add(1, 2)}, {add(1, 1, 3), store(1, 1)}));
  // r3 would carry from step to step
  expect_bad(reduction({mov(3, kIndex)}, {load(0, 0), add(3, 3, 0), red_add(1, 0)}, {store(1, 1)}), 2, &kawara_instr::dst);
  expect_bad(reduction({mov(3, kIndex)}, {load(0, 0), add(2, 3, 0), mov(3, 2), red_add(1, 0)}, {store(1, 1)}), 3, &kawara_instr::dst);
  // r0 is the last step's, and there is no last one
  expect_bad(reduction({}, {load(0, 0), red_add(1, 0)}, {add(2, 1, 0), store(1, 2)}), 2, &kawara_instr::b);
  expect_bad(reduction({mov(0, kIndex)}, {load(0, 0), red_add(1, 0)}, {add(2, 1, 0), store(1, 2)}), 3, &kawara_instr::b);
}

TEST_F(CheckMicrocode, ResultsReachLaterPhases) {
  Section section = row_sum_section();
  section.phases = {phase(1, 0, 0, 2, 2), phase(1, 2, 2, 5, 6)};
  section.instrs = {load(0, 0), instr(KAWARA_OP_red_max, 1, 0), load(0, 0), instr(KAWARA_OP_sub, 2, 0, 1), red_add(3, 2), store(1, 3)};
  Draft draft(encode(blank<kawara_vector>(), &section));
  expect_accepted(draft);
  expect_refused_with(draft, draft.instr(3).b, 4, KAWARA_FAULT_bad_microcode);
}

TEST_F(CheckMicrocode, OrderedStepsCarryRegistersOfOneTypeAndNoReductions) {
  limits.features |= KAWARA_PUT(GLOBAL_FEATURES_ORDERED, 1u);
  const auto ordered = [](Draft draft) {
    draft.phase(0).mode = KAWARA_PHASE_ORDERED;
    return draft;
  };
  expect_good(ordered(reduction({mov(3, kIndex)}, {load(0, 0), add(3, 3, 0)}, {store(1, 3)})));
  expect_bad(ordered(reduction({mov(3, kIndex)}, {load(0, 0), mov(3, 0, kI32)}, {store(1, 3)})), 2, &kawara_instr::dst);
  expect_bad(ordered(reduction({}, {load(0, 0)}, {store(1, 0)})), 1, &kawara_instr::a);  // no step, no value
  expect_bad(ordered(reduction({}, {load(0, 0), red_add(1, 0)}, {store(1, 1)})), 1, &kawara_instr::op);
}

}  // namespace
}  // namespace kawara::hw
