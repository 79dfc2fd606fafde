// SPDX-License-Identifier: Apache-2.0
#include "kawara/hw/text.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "hw/sample_commands.h"

namespace kawara::hw {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

std::vector<uint32_t> words(std::span<const std::byte> bytes) {
  std::vector<uint32_t> result(bytes.size() / 4);
  std::memcpy(result.data(), bytes.data(), bytes.size());
  return result;
}

// What the Error of assemble or disassemble says.
std::string refusal(auto call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return error.what();
  }
  return "accepted";
}
std::string refusal_of(std::string_view text) {
  return refusal([&] { assemble(text); });
}

constexpr std::string_view kRelu = R"(vector {
  header { debug_id = 7 }
  section { extent = [8], n_par = 1 }
  input { data = 0:0x0, dtype = f32, n_coord = 1 }
  output { data = 1:0x0, dtype = f32, n_coord = 1 }
  coord { stride = 1, extent = 8, coef = [1] }
  constants [0x0]
  phase { end = 3 }
  load.f32 r0, s0
  max.f32 r1, r0, c0
  store.f32 s1, r1
}
)";

TEST(Text, ReluByHandIsTheEncodersRelu) {
  EXPECT_EQ(disassemble(relu()), kRelu);
  EXPECT_EQ(assemble(kRelu), relu());
}

TEST(Text, ANopHasItsPublishedEncoding) {
  const auto bytes = assemble("nop { header { debug_id = 7, wait = [none, VE:3] } }");
  EXPECT_THAT(words(bytes), ElementsAre(0x00020001, 7, 15, 0, 0x32, 0, 0, 0xffff0000));
  EXPECT_EQ(assemble(disassemble(bytes)), bytes);
}

TEST(Text, AFillHasItsPublishedEncoding) {
  const auto bytes = assemble(
      "copy { header { engine = DMA_OUT } extent = [1, 1, 1, 1, 2, 3] dst = 1:0x40 dst_stride = [0, 0, 0, 0, -3, 1] dtype = i8 flags = 0x4 "
      "pad = 255 }");
  EXPECT_THAT(words(bytes), ElementsAreArray({0x000f0430, 0,      15,   0,       0, 0, 0, -65536,  // copy on DMA out, no limit
                                              1,          1,      1,    1,       2, 3,             // extent
                                              0,          -65536, 0x40, 0x10000,                   // src absent, dst region 1
                                              0,          0,      0,    0,       0, 0, 0, 0,      0,  0,  0, 0,  // src_stride
                                              0,          0,      0,    0,       0, 0, 0, 0,      -3, -1, 1, 0,  // dst_stride
                                              0x0000040b, 0,                                                     // i8, fill; no index
                                              0,          0,      0,    0,       0, 0, 1, 1,      1,  1,  1, 1,  // pad_lo, src_extent
                                              255,        0,      0,    -65536}));                               // pad, index absent
  EXPECT_EQ(assemble(disassemble(bytes)), bytes);
}

TEST(Text, AnInstructionHasItsPublishedEncoding) {
  const auto bytes = assemble("vector { select.i64 r3, r1, c2, i4\n cvt.i32.f32 r31, acc3\n load.u32 r2, s7\n store.f32 s258, b_index }");
  const auto all = words(bytes);
  EXPECT_THAT(std::vector<uint32_t>(all.end() - 8, all.end()),
              ElementsAre(0x22010305, 0x00000864, 0x006c1f04, 0x00010900, 0x00000201, 0x00070e00, 0x006d0002, 0x01020100));
  EXPECT_EQ(assemble(disassemble(bytes)), bytes);
}

// KAWARA_UPDATE_GOLDEN=1 rewrites the file; the difference is reviewed.
TEST(Text, TheSamplesReadAsInTheGoldenFile) {
  Commands buffer;
  for (const auto& command : {relu(), row_sum(), gemm(), conv(), copy(), gather(), event(), encode(blank<kawara_nop>())})
    buffer.append(command);
  const std::string path = KAWARA_SOURCE_DIR "/tests/hw/samples.commands";
  if (std::getenv("KAWARA_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << disassemble(buffer.bytes());
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(disassemble(buffer.bytes()), golden.str());
  EXPECT_EQ(assemble(golden.str()), buffer.bytes());
}

TEST(Text, ValuesThatTheChipRefusesHaveATextToo) {
  Draft draft(relu());
  draft.header().engine = 9;
  draft.header().wait[0] = ~0u;
  draft.header().limit = KAWARA_OPERAND_ABSENT + 4;
  draft.section().reserved1[3] = 5;
  draft.stream(0).dtype = 200;
  draft.coord(0).den = 0;
  draft.instr(0).b = 3;  // load reads no b: no short form
  draft.instr(1).op = 0;
  const std::string text = disassemble(draft.bytes());
  EXPECT_THAT(text, HasSubstr("instr { op = 1, b = 3, type = f32 }"));
  EXPECT_THAT(text, HasSubstr("engine = 9"));
  EXPECT_EQ(assemble(text), draft.bytes());
}

TEST(Text, CommentsAndLayoutMeanNothing) {
  std::string loose = "# a comment before\n\n";
  for (char c : kRelu) loose += c == '\n' ? " # {\r\n\t" : c == ',' ? " " : std::string(1, c);
  EXPECT_EQ(assemble(loose), relu());
  EXPECT_TRUE(assemble(" # nothing\n").empty());
}

TEST(Text, ErrorsNameTheLineAndWhatWasExpected) {
  EXPECT_EQ(refusal_of("\n\nvektor {"), "line 3: expected a command, got 'vektor'");
  EXPECT_EQ(refusal_of("nop"), "line 1: expected '{', got the end");
  EXPECT_EQ(refusal_of("nop {\n size = 3 }"), "line 2: expected a member of nop or '}', got 'size'");
  EXPECT_EQ(refusal_of("nop { header {\n debug = 3 } }"), "line 2: expected a member of header or '}', got 'debug'");
  EXPECT_EQ(refusal_of("nop { header { debug_id = 0x100000000 } }"), "line 1: expected a number of 32 bits, got '0x100000000'");
  EXPECT_EQ(refusal_of("nop { header { debug_id = -1 } }"), "line 1: expected a number of 32 bits, got '-1'");
  EXPECT_EQ(refusal_of("nop { header { engine = GPU } }"), "line 1: expected an engine, got 'GPU'");
  EXPECT_EQ(refusal_of("nop { header { wait = [VE] } }"), "line 1: expected ':', got ']'");
  EXPECT_EQ(refusal_of("nop { header { wait = [none none\n none none] } }"), "line 2: expected ']': wait has 3 values, got 'none'");
  EXPECT_EQ(refusal_of("nop { load.f32 r0, s0 }"), "line 1: expected a member of nop or '}', got 'load.f32'");
  EXPECT_EQ(refusal_of("vector { input { dtype = f33 } }"), "line 1: expected an element type, got 'f33'");
  EXPECT_EQ(refusal_of("vector { input { data = 0:0x1000000000000 } }"), "line 1: expected an offset of 48 bits, got '0x1000000000000'");
  EXPECT_EQ(refusal_of("vector {\n load.f32 r32, s0 }"), "line 2: expected a register, r0 to r31, got 'r32'");
  EXPECT_EQ(refusal_of("vector { mov.f32 r0, s0 }"), "line 1: expected a source: r0-r31, c0-c63, i0-i8, acc0-acc3 or b_index, got 's0'");
  EXPECT_EQ(refusal_of("vector { lode.f32 r0, s0 }"), "line 1: expected an instruction of microcode.def, got 'lode.f32'");
  EXPECT_EQ(refusal_of("vector { load.f31 r0, s0 }"), "line 1: expected one type behind the instruction, got 'load.f31'");
  EXPECT_EQ(refusal_of("vector { cvt.f32 r0, r1 }"), "line 1: expected cvt.TO.FROM, got 'cvt.f32'");
  EXPECT_EQ(refusal_of("vector { constants [1 0x1g] }"), "line 1: expected a 32-bit word or ']', got '0x1g'");
}

TEST(Text, CountsThatNoFieldHoldsAreRefused) {
  std::string many = "vector {";
  for (int i = 0; i < 256; ++i) many += " phase {}";
  EXPECT_THAT(refusal_of(many + " }"), HasSubstr("expected at most 255 phases"));
  many = "vector {";
  for (int i = 0; i < 65536; ++i) many += " mov.f32 r0, r0";
  EXPECT_THAT(refusal_of(many + " }"), HasSubstr("expected at most 65535 instructions"));
}

TEST(Text, BytesThatAreNoCommandsAreRefused) {
  const auto text_of = [](std::vector<std::byte> bytes) { return refusal([&] { disassemble(bytes); }); };
  auto bytes = relu();
  EXPECT_EQ(text_of({bytes.begin(), bytes.begin() + 16}), "the command at byte 0 is cut off");
  EXPECT_EQ(text_of({bytes.begin(), bytes.end() - 16}), "the command at byte 0 is cut off");
  bytes[0] = std::byte{99};
  EXPECT_EQ(text_of(bytes), "the command at byte 0 has an opcode that no row names");
  Draft draft(relu());
  draft.header().size16 += 1;
  EXPECT_EQ(text_of(draft.bytes()), "the command at byte 0 has another size than its arrays need");
  Draft padded(relu());
  padded.constant(1) = 1;
  EXPECT_EQ(text_of(padded.bytes()), "the command at byte 0 has padding that is not zero");
}

TEST(RegionText, ATableReadsBackAsItWas) {
  constexpr std::string_view text =
      "region memory 0x10000 + 0x1000 read\n"
      "region memory 0x20000 + 0x1000 read write alias = 3\n"
      "region sram 0x0 + 0x200 read write\n";
  const std::vector<kawara_region> table = assemble_regions(text);
  ASSERT_EQ(table.size(), 3u);
  EXPECT_EQ(table[1].address, 0x20000u);
  EXPECT_EQ(table[1].size, 0x1000u);
  EXPECT_EQ(table[1].flags, 0x00030030u);
  EXPECT_EQ(table[2].flags, 0x31u);
  EXPECT_EQ(disassemble_regions(table), text);
}

TEST(RegionText, ErrorsNameTheLineAndWhatWasExpected) {
  const auto refused = [](std::string_view text) { return refusal([&] { assemble_regions(text); }); };
  EXPECT_EQ(refused("region memory 0x0 + 16 read\nregion disk 0"), "line 2: expected 'memory', got 'disk'");
  EXPECT_EQ(refused("region memory 0x0 16"), "line 1: expected '+', got '16'");
  EXPECT_EQ(refused("region memory 0 + 1 execute"), "line 1: expected read, write, alias or region, got 'execute'");
  EXPECT_EQ(refused("region memory 0 + 1 alias = 65536"), "line 1: expected an alias group, 1 to 65535, got '65536'");
  kawara_region odd{};
  odd.flags = 2;
  EXPECT_EQ(refusal([&] { disassemble_regions({&odd, 1}); }), "region 0 has a reserved bit");
}

}  // namespace
}  // namespace kawara::hw
