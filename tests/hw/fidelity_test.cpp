// SPDX-License-Identifier: Apache-2.0
// What each kind of command promises of its numbers, case by case.
#include "kawara/hw/fidelity.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <vector>

#include "hw/check_fixture.h"
#include "kawara/hw/sequences.h"

namespace kawara::hw {
namespace {

class FidelityOf : public Check {
 protected:
  // Of one command, which the chip accepts.
  kawara_command_fidelity of(std::span<const std::byte> bytes) {
    expect_accepted(bytes);
    return kawara_fidelity_of_command(reinterpret_cast<const kawara_header*>(bytes.data()));
  }

  void expect_exact(std::span<const std::byte> bytes) {
    const kawara_command_fidelity fidelity = of(bytes);
    EXPECT_EQ(fidelity.kind, KAWARA_FIDELITY_EXACT);
    EXPECT_EQ(fidelity.ulp_times_1000, 0u);
    EXPECT_EQ(fidelity.depth, 0u);
  }

  void expect_sums(std::span<const std::byte> bytes, uint64_t depth) {
    const kawara_command_fidelity fidelity = of(bytes);
    EXPECT_EQ(fidelity.kind, KAWARA_FIDELITY_DEVICE_DEPENDENT);
    EXPECT_EQ(fidelity.depth, depth);
  }
};

// output[i] = the functions of input[i], one after another.
std::vector<std::byte> functions(std::initializer_list<kawara_microcode> ops) {
  Section section = relu_section();
  section.constants.clear();
  section.instrs = {load(0, 0)};
  for (const kawara_microcode op : ops) section.instrs.push_back(instr(op, 0, 0));
  section.instrs.push_back(store(1, 0));
  section.phases = {phase(0, 0, 0, 0, static_cast<uint16_t>(section.instrs.size()))};
  return encode(blank<kawara_vector>(), &section);
}

// The sample product with other types: i8 by i8 into i32, which is what its epilogue stores.
std::vector<std::byte> integer_gemm() {
  Draft draft(gemm());
  auto& body = draft.body<kawara_gemm>();
  body.acc_dtype = KAWARA_DTYPE_i32;
  body.a.dtype = body.b.dtype = KAWARA_DTYPE_i8;
  for (int i = 0; i < 2; ++i) draft.stream(i).dtype = KAWARA_DTYPE_i32;
  for (int i = 0; i < 3; ++i) draft.instr(i).type = KAWARA_DTYPE_i32;
  return draft.bytes();
}

// The sample product with exp between its bias and its store.
std::vector<std::byte> gemm_with_exp(std::vector<std::byte> of) {
  Draft draft(std::move(of));
  draft.instr(1).op = KAWARA_OP_exp;
  draft.instr(1).a = kAccumulator;
  draft.instr(1).b = 0;
  return draft.bytes();
}

TEST_F(FidelityOf, CopiesIsExact) {
  expect_exact(copy());
  expect_exact(gather());
}

TEST_F(FidelityOf, TheCommandProcessorIsExact) {
  expect_exact(encode(blank<kawara_nop>()));
  expect_exact(event());
}

TEST_F(FidelityOf, RoundedInstructionsIsExact) {
  expect_exact(relu());
  expect_exact(functions({KAWARA_OP_sqrt, KAWARA_OP_rint}));
}

TEST_F(FidelityOf, AReductionOnTheVectorEngineIsExactForItsOrderIsFixed) { expect_exact(row_sum()); }

TEST_F(FidelityOf, ASequenceIsBoundedByItsRow) {
  for (const SequenceBound& bound : kSequenceBounds) {
    const kawara_command_fidelity fidelity = of(functions({bound.sequence}));
    EXPECT_EQ(fidelity.kind, KAWARA_FIDELITY_BOUNDED) << bound.name;
    EXPECT_EQ(fidelity.ulp_times_1000, bound.ulp_times_1000) << bound.name;
    EXPECT_EQ(fidelity.depth, 0u) << bound.name;
  }
}

TEST_F(FidelityOf, SeveralSequencesIsTheWorstWhereverItStands) {
  const auto bound_of = [](kawara_microcode op) {
    return std::ranges::find(kSequenceBounds, op, &SequenceBound::sequence)->ulp_times_1000;
  };
  ASSERT_GT(bound_of(KAWARA_OP_tanh), bound_of(KAWARA_OP_exp));
  EXPECT_EQ(of(functions({KAWARA_OP_exp, KAWARA_OP_tanh, KAWARA_OP_exp})).ulp_times_1000, bound_of(KAWARA_OP_tanh));
  EXPECT_EQ(of(functions({KAWARA_OP_tanh, KAWARA_OP_exp})).ulp_times_1000, bound_of(KAWARA_OP_tanh));
}

TEST_F(FidelityOf, AFloatProductDependsOnTheDeviceByItsTerms) {
  expect_sums(gemm(), 8);
  EXPECT_EQ(of(gemm()).ulp_times_1000, 0u);
}

TEST_F(FidelityOf, AFloatProductWithASequenceBehindItKeepsBothBounds) {
  const auto bytes = gemm_with_exp(gemm());
  expect_sums(bytes, 8);
  EXPECT_EQ(of(bytes).ulp_times_1000, kawara_ulp_bound(KAWARA_OP_exp));
}

TEST_F(FidelityOf, AProductWithoutTermsIsExact) {
  Draft draft(gemm());
  draft.body<kawara_gemm>().K = 0;
  expect_exact(draft.bytes());
  EXPECT_EQ(of(gemm_with_exp(draft.bytes())).kind, KAWARA_FIDELITY_BOUNDED);
}

TEST_F(FidelityOf, AnIntegerProductIsExact) { expect_exact(integer_gemm()); }

TEST_F(FidelityOf, AConvolutionCountsEveryTapOfEveryChannel) { expect_sums(conv(), 3 * 3 * 3); }

TEST_F(FidelityOf, AJobCountsItsCommandsByKindAndKeepsTheWorst) {
  Commands commands;
  for (const auto& command : {copy(), functions({KAWARA_OP_exp}), gemm(), functions({KAWARA_OP_tanh}), gemm_with_exp(gemm()), conv(),
                              functions({KAWARA_OP_log}), relu(), row_sum(), integer_gemm()})
    commands.append(command);
  kawara_fidelity fidelity;
  ASSERT_EQ(kawara_fidelity_of_job(commands.bytes().data(), commands.bytes().size(), &fidelity), 1);
  EXPECT_EQ(fidelity.exact, 4u);
  EXPECT_EQ(fidelity.bounded, 3u);
  EXPECT_EQ(fidelity.device_dependent, 3u);
  EXPECT_EQ(fidelity.bounded_ulp_times_1000, kawara_ulp_bound(KAWARA_OP_tanh));
  EXPECT_EQ(fidelity.depth_max, 27u);
}

TEST_F(FidelityOf, AJobTakesNoBoundFromTheSequencesOfADeviceDependentCommand) {
  const auto bytes = gemm_with_exp(gemm());
  kawara_fidelity fidelity;
  ASSERT_EQ(kawara_fidelity_of_job(bytes.data(), bytes.size(), &fidelity), 1);
  EXPECT_EQ(fidelity.bounded_ulp_times_1000, 0u);
}

TEST_F(FidelityOf, BytesThatAreNoCommandsIsNotTold) {
  Commands commands;
  commands.append(gemm());
  commands.append(relu());
  const auto whole = commands.bytes();
  const auto told = [](std::span<const std::byte> bytes) {
    const std::vector<std::byte> copy(bytes.begin(), bytes.end());  // of its own length, so that a sanitizer sees a read behind it
    kawara_fidelity fidelity;
    std::memset(&fidelity, 0xff, sizeof fidelity);
    const int whole = kawara_fidelity_of_job(copy.data(), copy.size(), &fidelity);
    EXPECT_EQ(fidelity.exact + fidelity.bounded + fidelity.device_dependent + fidelity.depth_max == 0, whole == 0);
    return whole;
  };
  EXPECT_EQ(told(whole), 1);
  for (size_t bytes = 16; bytes < whole.size(); bytes += 16)
    EXPECT_EQ(told(std::span(whole).first(bytes)), bytes == gemm().size()) << bytes;
  Draft zeros(relu()), long_section(relu()), no_command(relu());
  zeros.header().size16 = 0;
  long_section.section().n_instr = 256;
  no_command.header().opcode = 0xff;
  for (Draft* draft : {&zeros, &long_section, &no_command}) EXPECT_EQ(told(draft->bytes()), 0);
}

}  // namespace
}  // namespace kawara::hw
