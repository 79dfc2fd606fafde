// SPDX-License-Identifier: Apache-2.0
// Frames, single values, waits, limits: the rules that hold for every command.
#include "hw/check_fixture.h"
#include "kawara/hw/rows.h"

extern "C" int check_in_c(const void* commands, size_t bytes, kawara_check_fault* fault);

namespace kawara::hw {
namespace {

using ::testing::ElementsAre;

std::vector<std::byte> sequence(std::vector<std::vector<std::byte>> commands) {
  Commands buffer;
  for (const auto& command : commands) buffer.append(command);
  return buffer.bytes();
}

TEST_F(Check, AcceptsTheSamplesAndTellsWhereEachCommandStands) {
  const auto bytes = sequence({relu(), row_sum(), gemm(), conv(), copy(), gather(), event(), encode(blank<kawara_nop>())});
  ASSERT_EQ(check(bytes), 8) << fault_name(fault.code) << " in command at " << fault.command << ", field " << fault.field;
  const uint32_t second = static_cast<uint32_t>(relu().size()), third = second + static_cast<uint32_t>(row_sum().size());
  EXPECT_EQ(offsets[0], 0u);
  EXPECT_EQ(offsets[1], second);
  EXPECT_EQ(offsets[2], third);
  EXPECT_EQ(fault.code, 0u);
}

TEST_F(Check, AcceptsAJobWithoutCommands) { EXPECT_EQ(check({}), 0); }

TEST_F(Check, ReadsTheSameInC) {
  kawara_check_fault c_fault{};
  const auto nop = encode(blank<kawara_nop>());
  EXPECT_EQ(check_in_c(nop.data(), nop.size(), &c_fault), 1);
  const auto bytes = relu();  // names region 0, and the job of check_in_c has none
  EXPECT_EQ(check_in_c(bytes.data(), bytes.size(), &c_fault), -1);
  EXPECT_EQ(c_fault.code, KAWARA_FAULT_bad_command);
  EXPECT_EQ(c_fault.field, 96u);
}

TEST_F(Check, NamesCommandEngineAndDebugIdOfALaterCommand) {
  auto bytes = sequence({encode(blank<kawara_nop>()), relu()});
  bytes[32 + offsetof(kawara_header, flags)] = std::byte{0x40};
  EXPECT_EQ(check(bytes), -1);
  EXPECT_EQ(fault.command, 32u);
  EXPECT_EQ(fault.engine, uint32_t{KAWARA_ENGINE_VE});
  EXPECT_EQ(fault.debug_id, 7u);
  EXPECT_EQ(fault.field, offsetof(kawara_header, flags));
}

TEST_F(Check, RefusesAnOpcodeThatNoRowNames) {
  Draft draft(relu());
  for (int opcode : {0, 0x03, 0x11, 0x50, 255}) expect_refused_with(draft, draft.header().opcode, opcode, KAWARA_FAULT_bad_command);
}

TEST_F(Check, RefusesAnEngineThatDoesNotRunTheCommand) {
  Draft draft(relu());
  for (int engine : {0, 1, 3, 4, 5, 15, 18, 255}) expect_refused_with(draft, draft.header().engine, engine, KAWARA_FAULT_bad_command);
}

TEST_F(Check, RefusesASizeThatIsNotBodyPlusArrays) {
  for (const auto& bytes : {relu(), copy(), encode(blank<kawara_nop>())}) {
    Draft draft(bytes);
    const int size = draft.header().size16;
    for (int wrong : {0, 1, size - 1, size + 1, 4095, 65535})
      expect_refused_with(draft, draft.header().size16, wrong, KAWARA_FAULT_bad_command);
  }
}

TEST_F(Check, RefusesCountsThatTheSizeDoesNotCover) {
  Draft draft(relu());
  draft.section().n_coord = 200;
  expect_refused(draft, KAWARA_FAULT_bad_command, &draft.header().size16);
}

TEST_F(Check, RefusesACommandThatTheBufferCutsOff) {
  const auto whole = gemm();
  for (size_t size = 16; size < whole.size(); size += 16) {
    Draft draft({whole.begin(), whole.begin() + static_cast<long>(size)});
    EXPECT_EQ(check(draft.bytes()), -1) << size;
    EXPECT_EQ(fault.field, offsetof(kawara_header, size16)) << size;
  }
}

TEST_F(Check, RefusesReservedHeaderFlags) {
  Draft draft(relu());
  expect_refused_with(draft, draft.header().flags, 0x4f, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.header().flags, 0x8000000f, KAWARA_FAULT_bad_command);
  draft.header().flags = KAWARA_HEADER_LIMIT_NONE | KAWARA_HEADER_SWITCH_POINT | KAWARA_HEADER_HEALTH;
  expect_accepted(draft);
}

// Every row, on every sample: one value below and one above what it allows. Which member is blamed is the row's own.
TEST_F(Check, RefusesEveryValueOutsideItsRow) {
  for (const auto& bytes : {gemm(), conv(), gather(), relu(), event()}) {
    Draft draft(bytes);
    const StructRow& row = *find_command(draft.header().opcode)->body;
    for (const Field& field : row.fields) {
      if (field.kind == Kind::structure || bytes_of(field.kind) == 8) continue;
      for (uint32_t i = 0; i < field.count; ++i) {
        std::byte* at = draft.bytes().data() + field.offset + i * bytes_of(field.kind);
        const int64_t before = read_value(field, at);
        for (int64_t wrong : {field.low - 1, field.high + 1}) {
          write_value(field, at, wrong);
          if (read_value(field, at) != wrong) {  // the field cannot even hold it
            write_value(field, at, before);
            continue;
          }
          SCOPED_TRACE(std::string(row.name) + "." + std::string(field.name));
          expect_refused(draft, KAWARA_FAULT_bad_command, at);
          write_value(field, at, before);
        }
      }
    }
  }
}

TEST_F(Check, RefusesReservedBytes) {
  Draft draft(gemm());
  expect_refused_with(draft, draft.body<kawara_gemm>().reserved0[2], 1, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.body<kawara_gemm>().reserved1[0], 1, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.body<kawara_gemm>().a.reserved0[0], 1, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.section().reserved0[0], 1, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.stream(1).reserved1[0], 1, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.coord(1).reserved0[5], 1, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.phase(0).reserved0[0], 1, KAWARA_FAULT_bad_command);
}

TEST_F(Check, RefusesAWaitForACommandThatIsNotEarlier) {
  auto wait_for = [&](uint32_t engine, uint32_t count) {
    auto nop = blank<kawara_nop>();
    nop.header.wait[1] = kawara_wait(engine, count);
    return sequence({relu(), relu(), copy(), encode(nop), relu()});
  };
  expect_accepted(wait_for(KAWARA_ENGINE_VE, 2));
  expect_accepted(wait_for(KAWARA_ENGINE_DMA_IN, 1));
  expect_accepted(wait_for(KAWARA_ENGINE_CP, 0));
  for (auto [engine, count] : {std::pair{KAWARA_ENGINE_VE, 3}, {KAWARA_ENGINE_DMA_IN, 2}, {KAWARA_ENGINE_CP, 1}, {KAWARA_ENGINE_ME, 1}}) {
    EXPECT_EQ(check(wait_for(engine, count)), -1);
    EXPECT_EQ(fault_name(fault.code), "wait_forward");
    EXPECT_EQ(fault.field, offsetof(kawara_header, wait) + 4);
    EXPECT_EQ(fault.command, 2 * relu().size() + copy().size());
  }
}

TEST_F(Check, RefusesAWaitForAnEngineThatIsNotThere) {
  Draft draft(relu());
  for (uint32_t engine : {5u, 15u}) expect_refused_with(draft, draft.header().wait[2], kawara_wait(engine, 0), KAWARA_FAULT_bad_command);
}

TEST_F(Check, RefusesALimitWithoutTheFeature) {
  Draft draft(relu());
  expect_refused_with(draft, draft.header().flags, 0, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.header().limit, operand(0, 0), KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.header().limit, KAWARA_OPERAND_ABSENT + 4, KAWARA_FAULT_bad_command);
}

TEST_F(Check, ALimitNamesADimensionAndAnI32InsideItsRegion) {
  limits.features |= KAWARA_PUT(GLOBAL_FEATURES_LIMIT, 1u);
  Draft draft(copy());
  draft.header().flags = 5;
  draft.header().limit = operand(0, 4092);
  expect_accepted(draft);
  expect_refused_with(draft, draft.header().flags, 6, KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.header().limit, operand(0, 4096), KAWARA_FAULT_region_bounds);
  expect_refused_with(draft, draft.header().limit, operand(0, 2), KAWARA_FAULT_bad_command);
  expect_refused_with(draft, draft.header().limit, KAWARA_OPERAND_ABSENT, KAWARA_FAULT_bad_command);
}

TEST_F(Check, RefusesALimitOnTheChannelsOfSeveralGroups) {
  limits.features |= KAWARA_GLOBAL_FEATURES_LIMIT;
  Draft draft(conv());
  draft.header().limit = operand(0, 0);
  draft.body<kawara_conv>().OC = 2;
  draft.body<kawara_conv>().groups = 2;
  for (int stride : {0, 1}) draft.body<kawara_conv>().a_stride[stride] = 0;
  for (const uint32_t dim : {0u, 2u, 4u, 5u, 6u}) {
    draft.header().flags = dim;
    expect_accepted(draft);
  }
  for (const uint32_t dim : {1u, 3u}) {
    draft.header().flags = dim;
    expect_refused(draft, KAWARA_FAULT_bad_command, &draft.header().flags);
  }
}

}  // namespace
}  // namespace kawara::hw
