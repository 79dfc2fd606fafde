// SPDX-License-Identifier: Apache-2.0
#include "kawara/hw/encode.h"

#include <gmock/gmock.h>

#include "kawara/hw/check.h"
#include "kawara/hw/decode.h"

namespace kawara::hw {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<uint32_t> words(std::span<const std::byte> bytes) {
  std::vector<uint32_t> result(bytes.size() / 4);
  std::memcpy(result.data(), bytes.data(), bytes.size());
  return result;
}

// What encode's Error says.
template <typename Body>
std::string refusal(Body body, const Section* section = nullptr) {
  try {
    encode(body, section);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return error.what();
  }
  return "accepted";
}

kawara_stream f32_stream(uint32_t region, uint8_t first_coord) {
  kawara_stream stream{};
  stream.data = operand(region, 0);
  stream.dtype = KAWARA_DTYPE_f32;
  stream.first_coord = first_coord;
  stream.n_coord = 1;
  return stream;
}

Section one_load_and_store() {
  Section section;
  section.extent[0] = 8;
  section.n_par = 1;
  section.n_in = 1;
  section.streams = {f32_stream(0, 0), f32_stream(1, 0)};
  kawara_coord coord{};
  coord.stride = 1;
  coord.extent = 8;
  coord.coef[0] = 1;
  coord.den = 1;
  section.coords = {coord};
  section.constants = {0x3f800000};
  section.phases = {kawara_phase{.mode = KAWARA_PHASE_TREE, .red_dims = 0, .before = 0, .step = 0, .after = 0, .end = 2, .reserved0 = {}}};
  section.instrs = {kawara_instr{.op = KAWARA_OP_load, .dst = 0, .a = 0, .b = 0, .c = 0, .type = KAWARA_DTYPE_f32, .imm = 0},
                    kawara_instr{.op = KAWARA_OP_store, .dst = 0, .a = 0, .b = 0, .c = 0, .type = KAWARA_DTYPE_f32, .imm = 1}};
  return section;
}

TEST(Encode, ANopHasItsPublishedEncoding) {
  auto nop = blank<kawara_nop>();
  nop.header.debug_id = 7;
  nop.header.wait[0] = wait(KAWARA_ENGINE_VE, 3);
  EXPECT_THAT(words(encode(nop)), ElementsAre(0x00020001, 7, 15, 0x32, 0, 0, 0, 0xffff0000));
}

TEST(Encode, LaysTheArraysOfASectionOutInTheTablesOrder) {
  const Section section = one_load_and_store();
  const std::vector<std::byte> bytes = encode(blank<kawara_vector>(), &section);
  // header 32, section 64, two streams 64, coord 64, one constant in 16, phase 16, two instructions 16
  ASSERT_EQ(bytes.size(), 32u + 64 + 64 + 64 + 16 + 16 + 16);
  const CommandView command(bytes, 0);
  EXPECT_EQ(command.opcode(), KAWARA_COMMAND_vector);
  EXPECT_EQ(command.engine(), KAWARA_ENGINE_VE);
  EXPECT_EQ(command.size_bytes(), bytes.size());
  const SectionView view = command.section();
  EXPECT_THAT(view.fields().extent, ElementsAre(8, 1, 1, 1, 1, 1, 1, 1, 1));
  EXPECT_EQ(view.inputs().size(), 1u);
  EXPECT_EQ(view.outputs().size(), 1u);
  EXPECT_EQ(kawara_operand_region(view.outputs()[0].data), 1u);
  EXPECT_EQ(view.coords(view.inputs()[0])[0].coef[0], 1);
  EXPECT_THAT(view.constants(), ElementsAre(0x3f800000u));
  EXPECT_EQ(view.phases()[0].end, 2);
  EXPECT_EQ(view.instrs()[1].op, KAWARA_OP_store);
}

TEST(Encode, RefusesAValueThatNoRowAllowsAndNamesTheField) {
  auto conv = blank<kawara_conv>();
  conv.acc_dtype = conv.a_dtype = conv.b_dtype = KAWARA_DTYPE_f32;
  conv.stride[1] = 0;
  Section section = one_load_and_store();
  section.extent[0] = section.n_par = 0;
  EXPECT_THAT(refusal(conv, &section), HasSubstr("conv.stride[1] must be within 1 and 65535, got 0"));
}

TEST(Encode, RefusesMoreStreamsThanTheChipHas) {
  Section section = one_load_and_store();
  section.streams.resize(6, section.streams[1]);
  EXPECT_THAT(refusal(blank<kawara_vector>(), &section), HasSubstr("vector.section.n_out must be at most 4, got 5"));
}

TEST(Encode, RefusesAnEngineThatDoesNotRunTheCommand) {
  auto copy = blank<kawara_copy>();
  copy.dtype = KAWARA_DTYPE_u8;
  EXPECT_THAT(refusal(copy), HasSubstr("copy.header.engine: engine 0 does not run it"));
  copy.header.engine = KAWARA_ENGINE_DMA_OUT;
  EXPECT_EQ(refusal(copy), "accepted");
}

TEST(Encode, RefusesASectionWhereTheCommandHasNone) {
  const Section section = one_load_and_store();
  EXPECT_THAT(refusal(blank<kawara_nop>(), &section), HasSubstr("command nop has no section"));
  EXPECT_THAT(refusal(blank<kawara_vector>()), HasSubstr("command vector needs a section"));
}

TEST(Encode, RefusesOffsetsAndCountsThatDoNotFit) {
  EXPECT_THROW(operand(0, 1ull << 48), Error);
  EXPECT_THROW(operand(4096, 0), Error);
  EXPECT_THROW(wait(KAWARA_ENGINE_ME, 1u << 28), Error);
  EXPECT_THROW(wait(5, 0), Error);
  EXPECT_EQ(operand(3, 0x40), 0x0003000000000040u);
}

TEST(Commands, AppendReturnsTheIndexAndKeepsTheOffsets) {
  Commands commands;
  EXPECT_EQ(commands.append(encode(blank<kawara_nop>())), 0u);
  const Section section = one_load_and_store();
  EXPECT_EQ(commands.append(encode(blank<kawara_vector>(), &section)), 1u);
  EXPECT_THAT(commands.offsets(), ElementsAre(0, 32));
}

}  // namespace
}  // namespace kawara::hw
