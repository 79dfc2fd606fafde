// SPDX-License-Identifier: Apache-2.0
#include "kawara/fault.h"

#include <cstddef>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kawara/hw/encode.h"
#include "kawara/hw/field_name.h"

namespace kawara {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::vector<std::byte> commands() {
  auto copy = hw::blank<kawara_copy>();
  copy.header.engine = KAWARA_ENGINE_DMA_IN;
  copy.src = hw::operand(0, 0);
  copy.dst = hw::operand(1, 0);
  copy.dtype = KAWARA_DTYPE_u8;
  kawara_stream stream{};
  stream.dtype = KAWARA_DTYPE_f32;
  kawara_coord coord{};
  coord.den = 1;
  kawara_phase phase{};
  phase.end = 1;
  kawara_instr load{};
  load.op = KAWARA_OP_load;
  load.type = KAWARA_DTYPE_f32;
  const hw::Section section{
      .n_par = 1, .n_in = 1, .streams = {stream, stream}, .coords = {coord}, .constants = {5}, .phases = {phase}, .instrs = {load}};
  std::vector<std::byte> bytes = hw::encode(copy);
  const std::vector<std::byte> vector = hw::encode(hw::blank<kawara_vector>(), &section);
  bytes.insert(bytes.end(), vector.begin(), vector.end());
  return bytes;
}

TEST(Fault, NamesCommandFieldAndRemedy) {
  const Fault fault{.code = KAWARA_FAULT_bad_command, .debug_id = 9, .field = offsetof(kawara_copy, src_stride) + 16};
  EXPECT_THAT(describe(fault, commands()),
              AllOf(HasSubstr("bad_command: a command's field holds"), HasSubstr("command 0 (copy) at byte 0x0"),
                    HasSubstr("field src_stride[2] at byte 88"), HasSubstr("debug_id 9"), HasSubstr("Correct the field")));
}

TEST(Fault, NamesFieldsBehindASection) {
  const auto bytes = commands();
  const std::span<const std::byte> vector = std::span(bytes).subspan(sizeof(kawara_copy));
  const uint32_t section = sizeof(kawara_vector), streams = section + sizeof(kawara_section), coords = streams + 2 * sizeof(kawara_stream);
  const uint32_t constants = coords + sizeof(kawara_coord), phases = constants + 16, instrs = phases + sizeof(kawara_phase);
  EXPECT_EQ(hw::field_name(vector, 4), "header.debug_id");
  EXPECT_EQ(hw::field_name(vector, 16), "header.wait[1]");
  EXPECT_EQ(hw::field_name(vector, section + 4), "section.extent[1]");
  EXPECT_EQ(hw::field_name(vector, section + 44), "section.n_instr");
  EXPECT_EQ(hw::field_name(vector, streams + 32 + 8), "stream[1].dtype");
  EXPECT_EQ(hw::field_name(vector, coords + 52), "coord[0].den");
  EXPECT_EQ(hw::field_name(vector, constants), "constant[0]");
  EXPECT_EQ(hw::field_name(vector, phases + 8), "phase[0].end");
  EXPECT_EQ(hw::field_name(vector, instrs + 5), "instr[0].type");
  EXPECT_EQ(hw::field_name(vector, instrs + 16), "");
  EXPECT_THAT(
      describe({.code = KAWARA_FAULT_bad_microcode, .engine = KAWARA_ENGINE_VE, .command = sizeof(kawara_copy), .field = instrs + 5},
               bytes),
      AllOf(HasSubstr("command 1 (vector) at byte 0xf0, field instr[0].type"), HasSubstr("vector engine")));
}

TEST(Fault, NamesFieldsOfAStructInsideACommand) {
  std::vector<std::byte> bytes(sizeof(kawara_gemm));
  bytes[0] = std::byte{KAWARA_COMMAND_gemm};
  EXPECT_EQ(hw::field_name(bytes, offsetof(kawara_gemm, b) + offsetof(kawara_matrix, scale_stride) + 8), "b.scale_stride[2]");
}

TEST(Fault, TellsAnAddress) {
  EXPECT_THAT(describe({.code = KAWARA_FAULT_page_fault, .write = true, .address = 0x123000}, commands()),
              HasSubstr("writing address 0x123000"));
}

TEST(Fault, OfAPacketNamesNoCommand) { EXPECT_THAT(describe({.code = KAWARA_FAULT_bad_packet}, commands()), Not(HasSubstr("command 0"))); }

TEST(Fault, TellsOffsetsWhereTheCommandsAreNotThere) {
  EXPECT_THAT(describe({.code = KAWARA_FAULT_bad_command, .command = 0x40, .field = 12}, {}),
              HasSubstr("command at byte 0x40, field at byte 12"));
  EXPECT_THAT(describe({.code = KAWARA_FAULT_bad_command, .command = 0x41}, commands()), HasSubstr("command at byte 0x41"));
  EXPECT_THAT(describe({.code = 200}, {}), HasSubstr("fault 200"));
}

TEST(Fault, IsDescribedWhateverTheBufferHolds) {
  std::mt19937 random(5);
  const auto good = commands();
  for (int round = 0; round < 20000; ++round) {
    auto bytes = good;
    bytes.resize(random() % (bytes.size() + 1));
    for (int flips = 0; flips < 4 && !bytes.empty(); ++flips) bytes[random() % bytes.size()] = std::byte(random());
    const Fault fault{.code = static_cast<uint32_t>(random() % 16),
                      .command = static_cast<uint32_t>(random() % 600),
                      .field = static_cast<uint32_t>(random() % 5000)};
    EXPECT_FALSE(describe(fault, bytes).empty());
  }
}

}  // namespace
}  // namespace kawara
