// SPDX-License-Identifier: Apache-2.0
// The check of reads beside an oracle that walks every element; and programs that lost a command.
#include "unwritten_check.h"

#include <gmock/gmock.h>

#include "compiler/compile_text.h"
#include "compiler/model_texts.h"
#include "footprint.h"
#include "hw/sample_commands.h"
#include "kawara/compiler.h"
#include "kawara/file/program_regions.h"
#include "kawara/hw/encode.h"
#include "mistake.h"

namespace kawara::test {
namespace {

using compiler::ByteRange;
using compiler::find_mistake;
using compiler::find_unwritten_read;
using compiler::UnwrittenRead;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::unique_ptr<bool[]> filled(const Program& program) {
  auto result = std::make_unique<bool[]>(program.regions().size());
  for (size_t i = 0; i < program.regions().size(); ++i)
    result[i] = program.regions()[i].role == ProgramRegion::Role::weights || program.regions()[i].role == ProgramRegion::Role::input;
  return result;
}

std::optional<UnwrittenRead> found_in(const Program& program, std::span<const std::byte> commands) {
  return find_unwritten_read(commands, file::region_table(program.regions()), {filled(program).get(), program.regions().size()});
}

// The first command that reads a byte that none before it wrote, walking every element. Regions do not overlap.
std::optional<uint32_t> first_unwritten_read(const Program& program, std::span<const std::byte> commands,
                                             std::span<const uint32_t> offsets) {
  std::vector<std::vector<bool>> written;
  for (size_t i = 0; i < program.regions().size(); ++i) written.emplace_back(program.regions()[i].size_bytes, filled(program)[i]);
  for (const uint32_t offset : offsets) {
    const hw::CommandView command(commands, offset);
    const Footprint footprint = footprint_of(command);
    for (const auto& [region, bytes] : footprint.read)
      for (size_t at = 0; at < bytes.size(); ++at)
        if (bytes[at] && !written[region][at]) return offset;
    for (const auto& [region, bytes] : footprint.written)
      for (size_t at = 0; at < bytes.size(); ++at)
        if (bytes[at]) written[region][at] = true;
    if (command.header().flags & KAWARA_HEADER_SWITCH_POINT)
      for (size_t i = 0; i < written.size(); ++i)
        if (program.regions()[i].role == ProgramRegion::Role::sram) written[i].assign(written[i].size(), false);
  }
  return std::nullopt;
}

TEST(UnwrittenCheck, LetsCompiledProgramsPass) {
  for (const std::string& text : model_texts()) {
    const Program program = compile_text(text);
    EXPECT_FALSE(first_unwritten_read(program, program.commands(), command_offsets(program)));
    EXPECT_FALSE(found_in(program, program.commands()));
  }
}

// The same places and waits, but the command at `offset` does nothing.
std::vector<std::byte> without_effect(const Program& program, uint32_t offset) {
  std::vector<std::byte> commands(program.commands().begin(), program.commands().end());
  auto* header = reinterpret_cast<kawara_header*>(commands.data() + offset);
  switch (header->opcode) {
    case KAWARA_COMMAND_copy: reinterpret_cast<kawara_copy*>(header)->extent[0] = 0; break;
    case KAWARA_COMMAND_gemm: reinterpret_cast<kawara_gemm*>(header)->M = 0; break;
    case KAWARA_COMMAND_conv: reinterpret_cast<kawara_conv*>(header)->N = 0; break;
    default: const_cast<kawara_section&>(hw::CommandView(commands, offset).section().fields()).extent[0] = 0;
  }
  return commands;
}

TEST(UnwrittenCheck, FindsTheReaderOfWhatALostCommandWouldHaveWritten) {
  int lost = 0, found = 0;
  for (const std::string& text : model_texts()) {
    const Program program = compile_text(text);
    const auto offsets = command_offsets(program);
    for (const uint32_t offset : offsets) {
      const auto commands = without_effect(program, offset);
      const auto expected = first_unwritten_read(program, commands, offsets);
      const auto read = found_in(program, commands);
      ASSERT_EQ(read ? std::optional(read->command) : std::nullopt, expected) << text;
      ++lost;
      if (!read) continue;  // an output's, or written again by another
      ++found;
      EXPECT_GT(read->command, offset);
      const Footprint footprint = footprint_of(hw::CommandView(commands, read->command));
      for (uint64_t at = read->bytes.begin; at < read->bytes.end; ++at)
        EXPECT_TRUE(footprint.read.at(read->region).at(at)) << "the bytes are some that it reads";
      const auto mistake = find_mistake(commands, program.regions(), program.debug(), compiler::find_target("k1"));
      ASSERT_TRUE(mistake);
      EXPECT_THAT(mistake->message,
                  HasSubstr(fmt::format("reads bytes [{}, {}) of region {}", read->bytes.begin, read->bytes.end, read->region)));
    }
  }
  EXPECT_GT(found, lost / 3);
}

// Beside what the chip's check counts, runs are exactly what a command touches.
TEST(UnwrittenCheck, KnowsTheExactBytesOfCompiledCommands) {
  for (const std::string& text : model_texts()) {
    const Program program = compile_text(text);
    for (const uint32_t offset : command_offsets(program)) {
      const hw::CommandView command(program.commands(), offset);
      Touched read, written;
      for (const compiler::Footprint& operand : compiler::footprints(command)) {
        ASSERT_TRUE(operand.runs);
        auto& bytes = (operand.write ? written : read)[operand.region];
        operand.runs->for_each_run([&](const ByteRange& run) {
          if (bytes.size() < run.end) bytes.resize(run.end);
          std::fill(bytes.begin() + static_cast<ptrdiff_t>(run.begin), bytes.begin() + static_cast<ptrdiff_t>(run.end), true);
          return true;
        });
      }
      const Footprint exact = footprint_of(command);
      EXPECT_EQ(read, exact.read) << text;
      EXPECT_EQ(written, exact.written) << text;
    }
  }
}

TEST(UnwrittenCheck, IsAskedOfEveryProgramFromAFile) {
  const Program program = compile_text(model_texts()[0]);
  EXPECT_NO_THROW(verify(program, "k1"));
  for (const uint32_t offset : command_offsets(program)) {
    ProgramContents contents;
    contents.target = program.target();
    contents.isa_version = program.isa_version();
    contents.commands = without_effect(program, offset);
    contents.regions.assign(program.regions().begin(), program.regions().end());
    contents.inputs.assign(program.inputs().begin(), program.inputs().end());
    contents.outputs.assign(program.outputs().begin(), program.outputs().end());
    contents.debug.assign(program.debug().begin(), program.debug().end());
    contents.weights.assign(program.weights().begin(), program.weights().end());
    if (!found_in(program, contents.commands)) continue;
    try {
      verify(Program(std::move(contents)), "k1");
      ADD_FAILURE() << "without the command at " << offset;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_program);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("the command of '"), HasSubstr("which no command before it has written")));
      EXPECT_NE(error.node(), "");
    }
  }
}

constexpr uint32_t kInput = 0, kArena = 1, kScratchpad = 2, kOutput = 3;
uint64_t at(uint32_t region, uint64_t offset = 0) { return kawara_operand(region, offset); }

// Of `rows` rows of `bytes` bytes; strides in bytes.
kawara_copy copy(uint64_t from, uint64_t to, uint32_t bytes, uint32_t rows = 1, int64_t from_stride = 0, int64_t to_stride = 0) {
  auto body = hw::blank<kawara_copy>();
  body.header.engine = KAWARA_ENGINE_DMA_IN;
  body.dtype = KAWARA_DTYPE_u8;
  body.extent[4] = body.src_extent[4] = rows;
  body.extent[5] = body.src_extent[5] = bytes;
  body.src_stride[4] = from_stride;
  body.dst_stride[4] = to_stride;
  body.src_stride[5] = body.dst_stride[5] = 1;
  body.src = from;
  body.dst = to;
  return body;
}

class UnwrittenReads : public ::testing::Test {
 protected:
  template <typename Body>
  void add(const Body& body, const hw::Section* section = nullptr) {
    job_.append(hw::encode(body, section));
  }
  std::optional<UnwrittenRead> found() const {
    std::vector<kawara_region> regions(4);
    for (uint32_t i = 0; i < 4; ++i)
      regions[i] = {.address = uint64_t{i + 1} << 32, .size = 4096, .flags = 0, .reserved0 = 0, .reserved1 = 0};
    regions[kScratchpad].flags = KAWARA_REGION_SRAM;
    regions[kScratchpad].address = regions[kInput].address;
    constexpr bool kFilled[] = {true, false, false, false};
    return find_unwritten_read(job_.bytes(), regions, kFilled);
  }
  void expect(uint32_t command, uint32_t region, ByteRange bytes) const {
    const auto read = found();
    ASSERT_TRUE(read);
    EXPECT_EQ(read->command, job_.offsets()[command]);
    EXPECT_EQ(read->region, region);
    EXPECT_EQ(read->bytes, bytes);
  }

  hw::Commands job_;
};

TEST_F(UnwrittenReads, OfAByteTooManyAreFound) {
  add(copy(at(kInput), at(kArena, 100), 64));
  add(copy(at(kArena, 100), at(kOutput), 64));
  EXPECT_FALSE(found());
  add(copy(at(kArena, 99), at(kOutput), 65));
  expect(2, kArena, {99, 100});
}

TEST_F(UnwrittenReads, OfOutputsAreReadsToo) {
  add(copy(at(kOutput), at(kArena), 16));
  expect(0, kOutput, {0, 16});
}

TEST_F(UnwrittenReads, OfWhatIsWrittenLaterAreFound) {
  add(copy(at(kArena), at(kOutput), 16));
  add(copy(at(kInput), at(kArena), 16));
  expect(0, kArena, {0, 16});
}

TEST_F(UnwrittenReads, OfAMemoryWithTheNumbersOfAnotherAreTheirOwn) {
  add(copy(at(kScratchpad), at(kArena), 16));
  expect(0, kScratchpad, {0, 16});
}

TEST_F(UnwrittenReads, SeeBetweenThePiecesOfATensor) {
  // Columns 0-3 and 8-11 of four rows of 16.
  add(copy(at(kInput), at(kArena, 0), 4, 4, 4, 16));
  add(copy(at(kInput), at(kArena, 8), 4, 4, 4, 16));
  add(copy(at(kArena, 8), at(kOutput), 4, 4, 16, 4));
  EXPECT_FALSE(found()) << "a piece may be read while others are missing";
  add(copy(at(kArena, 0), at(kOutput), 16, 4, 16, 16));
  expect(3, kArena, {4, 8});
}

TEST_F(UnwrittenReads, OfScratchpadBehindASwitchPointAreFound) {
  add(copy(at(kInput), at(kScratchpad), 16));
  add(copy(at(kInput), at(kArena), 16));
  auto last = copy(at(kScratchpad), at(kArena, 16), 16);
  last.header.flags |= KAWARA_HEADER_SWITCH_POINT;
  add(last);
  add(copy(at(kArena), at(kOutput), 32));
  EXPECT_FALSE(found()) << "the arena keeps what it holds";
  add(copy(at(kScratchpad), at(kOutput), 16));
  expect(4, kScratchpad, {0, 16});
}

TEST_F(UnwrittenReads, OfABorderAreNone) {
  add(copy(at(kInput), at(kArena, 16), 8));
  auto padded = copy(at(kArena, 16), at(kOutput), 16);
  padded.src_extent[5] = 8;
  padded.pad_lo[5] = 4;
  add(padded);
  EXPECT_FALSE(found());
  padded.src_extent[5] = 9;
  add(padded);
  expect(2, kArena, {24, 25});
}

TEST_F(UnwrittenReads, OfALimitAreReads) {
  auto limited = copy(at(kInput), at(kOutput), 16);
  limited.header.flags = 5;
  limited.header.limit = at(kArena, 8);
  add(limited);
  expect(0, kArena, {8, 12});
}

TEST_F(UnwrittenReads, OfAnIndexListAndOfAllThatItMayChoose) {
  add(copy(at(kInput), at(kArena), 8));
  auto gather = copy(at(kInput), at(kOutput), 4);
  gather.flags = KAWARA_COPY_GATHER;
  gather.index = at(kArena);
  gather.index_dtype = KAWARA_DTYPE_i32;
  gather.index_dim = 5;
  gather.index_extent = gather.src_extent[5] = 100;
  add(gather);
  expect(1, kArena, {8, 16});
  job_ = {};
  add(copy(at(kInput), at(kArena), 99));
  gather.src = at(kArena);
  gather.index = at(kInput);
  add(gather);
  expect(1, kArena, {99, 100});
}

TEST_F(UnwrittenReads, OfAnEventsCountersAreFound) {
  auto event = hw::blank<kawara_event>();
  event.dst = at(kArena);
  add(event);
  add(copy(at(kArena), at(kOutput), 8));
  expect(1, kArena, {0, 8});
}

// A window of 3 of one row of 8, every second element of which is there.
TEST_F(UnwrittenReads, OfAConvolutionAreThoseItsWindowsMeet) {
  auto conv = hw::blank<kawara_conv>();
  conv.IC = conv.OC = 1;
  conv.in[2] = 8;
  conv.out[2] = 4;
  conv.stride[2] = 2;
  conv.acc_dtype = conv.a_dtype = conv.b_dtype = KAWARA_DTYPE_f32;
  conv.a = at(kArena);
  conv.a_stride[5] = 1;
  conv.b = at(kInput);
  conv.b_stride[5] = 1;
  const hw::Section epilogue{.streams = {hw::stream(at(kOutput), 0, 1)},
                             .coords = {hw::coord(4, 4, 1)},
                             .phases = {hw::phase(0, 0, 0, 0, 1)},
                             .instrs = {hw::store(0, hw::kAccumulator)}};
  add(copy(at(kInput), at(kArena), 4, 4, 4, 8));
  add(conv, &epilogue);
  EXPECT_FALSE(found()) << "a kernel of one passes over the rest";
  conv.kernel[2] = 2;
  add(conv, &epilogue);
  expect(2, kArena, {4, 8});
}

// Beyond a million rows, all between the first and the last counts as written.
TEST_F(UnwrittenReads, AreNotLookedForBetweenTooManyRows) {
  for (const uint32_t rows : {1u << 19, 1u << 21}) {
    job_ = {};
    add(copy(at(kInput), at(kArena), 1, rows, 0, 2));
    add(copy(at(kArena, 1), at(kOutput), 1));
    EXPECT_EQ(found().has_value(), rows < 1u << 20);
  }
}

TEST_F(UnwrittenReads, TakeNoSquareOfTheLength) {
  for (uint32_t i = 0; i < 20000; ++i) add(copy(at(kInput), at(kArena, i % 2000 * 2), 1, 1));
  for (uint32_t i = 0; i < 20000; ++i) add(copy(at(kArena), at(kOutput), 1, 2000, 2, 0));
  EXPECT_FALSE(found());
}

}  // namespace
}  // namespace kawara::test
