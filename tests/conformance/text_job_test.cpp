// SPDX-License-Identifier: Apache-2.0
// A job as people write it, from its text to its fence; and the same text with one mistake, to the name of the field.
#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "conformance/client.h"
#include "kawara/hw/decode.h"
#include "kawara/hw/field_name.h"
#include "kawara/hw/text.h"

namespace kawara::conformance {
namespace {

using TextJobs = Conformance;
INSTANTIATE_TEST_SUITE_P(Node, TextJobs, testing::ValuesIn(subjects()), name_of);

constexpr uint32_t kCount = 16;

// output[i] = max(input[i], 0)
constexpr std::string_view kCommands = R"(
copy {  # the input, to the first half of the arena
  header { engine = DMA_IN, debug_id = 11 }
  dtype = f32, extent = [1, 1, 1, 1, 1, 16], src_extent = [1, 1, 1, 1, 1, 16]
  src = 0:0x0, src_stride = [0, 0, 0, 0, 0, 1]
  dst = 1:0x0, dst_stride = [0, 0, 0, 0, 0, 1]
}
vector {  # from there to the second half
  header { debug_id = 12, wait = [DMA_IN:1] }
  section { extent = [16], n_par = 1 }
  input { data = 1:0x0, dtype = f32, n_coord = 1 }
  output { data = 1:0x40, dtype = f32, n_coord = 1 }
  coord { stride = 1, extent = 16, coef = [1] }
  constants [0x0]
  phase { step = 3, after = 3, end = 3 }
  load.f32 r0, s0
  max.f32 r1, r0, c0
  store.f32 s1, r1
}
copy {  # and out
  header { engine = DMA_OUT, debug_id = 13, wait = [VE:1] }
  dtype = f32, extent = [1, 1, 1, 1, 1, 16], src_extent = [1, 1, 1, 1, 1, 16]
  src = 1:0x40, src_stride = [0, 0, 0, 0, 0, 1]
  dst = 2:0x0, dst_stride = [0, 0, 0, 0, 0, 1]
}
)";

// The words in capitals stand for the buffers' addresses.
constexpr std::string_view kRegions = R"(
region memory INPUT + 0x40 read
region memory ARENA + 0x80 read write
region memory OUTPUT + 0x40 write
)";

// Replaces what stands in the text once; false where it does not.
bool replace_once(std::string& text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  if (at == std::string::npos || text.find(from, at + 1) != std::string::npos) return false;
  text.replace(at, from.size(), to);
  return true;
}

// The texts as a job, between buffers that hold 0xee where nobody has written yet.
struct TextJob {
  TextJob(Client& client, std::string_view commands, std::string regions)
      : input(client.buffer(Memory::system, kPage)),
        arena(client.buffer(Memory::local, kPage)),
        output(client.buffer(Memory::system, kPage)) {
    for (const TestBuffer* buffer : {&arena, &output}) std::ranges::fill(buffer->mapping.bytes(), std::byte{0xee});
    EXPECT_TRUE(replace_once(regions, "INPUT", fmt::format("{:#x}", input.address)));
    EXPECT_TRUE(replace_once(regions, "ARENA", fmt::format("{:#x}", arena.address)));
    EXPECT_TRUE(replace_once(regions, "OUTPUT", fmt::format("{:#x}", output.address)));
    job = client.job(hw::assemble(commands), hw::assemble_regions(regions));
  }

  TestBuffer input, arena, output;
  TestJob job;
};

bool is_untouched(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0xee}; });
}

TEST_P(TextJobs, ComputeWhatTheirTextSays) {
  using Limits = std::numeric_limits<float>;
  constexpr uint32_t nan = 0x7fc00000, infinity = std::bit_cast<uint32_t>(Limits::infinity());
  const auto bits = [](float value) { return std::bit_cast<uint32_t>(value); };
  const struct {
    uint32_t in, out;
  } rows[kCount] = {
      {bits(1.5f), bits(1.5f)},
      {bits(-1.5f), 0},
      {bits(0.0f), 0},
      {bits(-0.0f), 0},  // -0 < +0
      {0x7fc00000, nan},
      {0xffc00000, nan},  // either sign and every payload end as the one NaN
      {0x7fc12345, nan},
      {0x7f800001, nan},  // a signalling one
      {0xffffffff, nan},
      {infinity, infinity},
      {bits(-Limits::infinity()), 0},
      {bits(Limits::max()), bits(Limits::max())},
      {bits(Limits::lowest()), 0},
      {bits(Limits::min()), bits(Limits::min())},
      {bits(-Limits::min()), 0},
      {bits(16777215.0f), bits(16777215.0f)},
  };

  Client client(open());
  const TextJob text(client, kCommands, std::string(kRegions));
  for (uint32_t i = 0; i < kCount; ++i) text.input.as<uint32_t>()[i] = rows[i].in;
  ASSERT_TRUE(client.run(text.job));

  const QueueState state = client.state();
  EXPECT_EQ(state.kind, QueueState::Kind::ready) << describe(state.fault, text.job.commands.mapping.bytes());
  EXPECT_EQ(state.completed, 1u);
  EXPECT_TRUE(text.job.done());
  EXPECT_EQ(text.job.result().commands, 3u);
  EXPECT_EQ(text.job.result().tag, text.job.job.tag);
  for (uint32_t i = 0; i < kCount; ++i) {
    EXPECT_EQ(text.arena.as<uint32_t>()[i], rows[i].in) << i << ": a copy moves bits";
    EXPECT_EQ(text.output.as<uint32_t>()[i], rows[i].out) << fmt::format("{}: of {:#010x}", i, rows[i].in);
  }
  EXPECT_TRUE(is_untouched(text.arena.mapping.bytes().subspan(2 * kCount * sizeof(float))));
  EXPECT_TRUE(is_untouched(text.output.mapping.bytes().subspan(kCount * sizeof(float))));
}

// The last number of the input is how many the vector computes; then the job tells what it has cost so far.
TEST_P(TextJobs, StopAtALimitAndTellWhatTheyCost) {
  constexpr uint32_t limit = 5;
  std::string commands(kCommands), regions(kRegions);
  ASSERT_TRUE(replace_once(commands, "wait = [DMA_IN:1] }", "wait = [DMA_IN:1], flags = 0, limit = 1:0x3c }"));
  ASSERT_TRUE(replace_once(regions, "OUTPUT + 0x40", "OUTPUT + 0x80"));
  commands += "event { header { wait = [DMA_OUT:1] }  dst = 2:0x40 }";
  Client client(open());
  const TextJob text(client, commands, regions);
  for (uint32_t i = 0; i < kCount; ++i) text.input.as<float>()[i] = static_cast<float>(i) - 2;
  text.input.as<uint32_t>()[kCount - 1] = limit;
  ASSERT_TRUE(client.run(text.job));

  const QueueState state = client.state();
  ASSERT_EQ(state.kind, QueueState::Kind::ready) << describe(state.fault, text.job.commands.mapping.bytes());
  for (uint32_t i = 0; i < limit; ++i) EXPECT_EQ(text.output.as<float>()[i], std::max(static_cast<float>(i) - 2, 0.0f)) << i;
  const auto bytes = std::as_bytes(text.output.mapping.bytes());
  EXPECT_TRUE(is_untouched(bytes.subspan(limit * sizeof(float), (kCount - limit) * sizeof(float))));
  const auto& cost = text.output.as<kawara_counters>()[1];
  EXPECT_EQ(cost.commands, 3u);
  EXPECT_EQ(cost.bytes_host, 2 * kCount * sizeof(float));
  EXPECT_GT(cost.busy_ve, 0u);
  EXPECT_GE(cost.cycles, cost.busy_ve + cost.busy_dma) << "each of the three waits for the one before";
  EXPECT_GE(text.job.result().cycles, cost.cycles);
}

// What the chip must tell.
struct Told {
  kawara_fault_code code;
  uint32_t command;  // its place in the text
  std::string_view field;
  bool write = false;
  const TestBuffer TextJob::* near = nullptr;  // the buffer that `address` counts from; none: the fault has no address
  uint64_t address = 0;
};

struct Mistake {
  std::string_view name;
  std::string_view right, wrong;  // in the commands or in the regions
  Told told;
};

constexpr Mistake kMistakes[] = {
    {.name = "an operation that microcode.def does not have",
     .right = "max.f32 r1, r0, c0",
     .wrong = "instr { op = 63, dst = 1, a = 0, b = 32, type = f32 }",
     .told = {.code = KAWARA_FAULT_bad_microcode, .command = 1, .field = "instr[1].op"}},
    {.name = "a reserved operation",
     .right = "max.f32 r1, r0, c0",
     .wrong = "instr { op = 0, dst = 1, a = 0, b = 32, type = f32 }",
     .told = {.code = KAWARA_FAULT_bad_microcode, .command = 1, .field = "instr[1].op"}},
    {.name = "a register that nobody has written",
     .right = "store.f32 s1, r1",
     .wrong = "store.f32 s1, r2",
     .told = {.code = KAWARA_FAULT_bad_microcode, .command = 1, .field = "instr[2].a"}},
    {.name = "a wait for a later command",
     .right = "wait = [DMA_IN:1]",
     .wrong = "wait = [DMA_IN:1, DMA_OUT:1]",
     .told = {.code = KAWARA_FAULT_wait_forward, .command = 1, .field = "header.wait[1]"}},
    {.name = "a wait for itself",
     .right = "wait = [VE:1]",
     .wrong = "wait = [VE:1, none, DMA_OUT:1]",
     .told = {.code = KAWARA_FAULT_wait_forward, .command = 2, .field = "header.wait[2]"}},
    {.name = "a copy that leaves its region",
     .right = "dst = 2:0x0",
     .wrong = "dst = 2:0x4",
     .told = {.code = KAWARA_FAULT_region_bounds, .command = 2, .field = "dst", .write = true, .near = &TextJob::output, .address = 0x43}},
    {.name = "a stream that leaves its region",
     .right = "output { data = 1:0x40",
     .wrong = "output { data = 1:0x44",
     .told = {.code = KAWARA_FAULT_region_bounds,
              .command = 1,
              .field = "stream[1].data",
              .write = true,
              .near = &TextJob::arena,
              .address = 0x83}},
    {.name = "a region that the table does not have",
     .right = "src = 0:0x0",
     .wrong = "src = 3:0x0",
     .told = {.code = KAWARA_FAULT_bad_command, .command = 0, .field = "src"}},
    {.name = "a write to a region that is only read",
     .right = "OUTPUT + 0x40 write",
     .wrong = "OUTPUT + 0x40 read",
     .told = {.code = KAWARA_FAULT_read_only, .command = 2, .field = "dst", .write = true, .near = &TextJob::output}},
    {.name = "a region that reaches into a page that nothing maps",
     .right = "OUTPUT + 0x40",
     .wrong = "OUTPUT + 0x1040",
     .told = {.code = KAWARA_FAULT_page_fault, .command = 2, .field = "dst", .write = true, .near = &TextJob::output, .address = kPage}},
};

// The place of a command, as the chip tells it, in the order of the text; nothing where no command starts.
std::optional<uint32_t> index_at(std::span<const std::byte> commands, uint32_t offset) {
  uint32_t at = 0;
  for (uint32_t index = 0; at < commands.size(); ++index) {
    if (at == offset) return index;
    at += hw::CommandView(commands, at).size_bytes();
  }
  return std::nullopt;
}

void expect_told(const QueueState& state, const TextJob& text, const Told& expected) {
  EXPECT_EQ(state.kind, QueueState::Kind::faulted);
  EXPECT_EQ(state.completed, 0u);
  EXPECT_FALSE(text.job.done());
  const Fault& fault = state.fault;
  const auto commands = std::as_bytes(text.job.commands.mapping.bytes().first(text.job.job.command_bytes));
  EXPECT_EQ(fault.code, static_cast<uint32_t>(expected.code));
  EXPECT_EQ(fault.tag, text.job.job.tag);
  EXPECT_EQ(fault.write, expected.write);
  ASSERT_EQ(index_at(commands, fault.command), expected.command) << "at byte " << fault.command;
  EXPECT_EQ(fault.debug_id, 11 + expected.command);
  EXPECT_EQ(fault.engine, static_cast<uint32_t>(hw::CommandView(commands, fault.command).engine()));
  EXPECT_EQ(hw::field_name(commands.subspan(fault.command), fault.field), expected.field) << "at byte " << fault.field;
  EXPECT_EQ(fault.address, expected.near ? (text.*expected.near).address + expected.address : 0);
  EXPECT_TRUE(is_untouched(text.arena.mapping.bytes())) << "nothing of the job has run";
  EXPECT_TRUE(is_untouched(text.output.mapping.bytes()));
}

TEST_P(TextJobs, WithAMistakeNameItsCommandAndField) {
  for (const Mistake& mistake : kMistakes) {
    SCOPED_TRACE(mistake.name);
    std::string commands(kCommands), regions(kRegions);
    ASSERT_NE(replace_once(commands, mistake.right, mistake.wrong), replace_once(regions, mistake.right, mistake.wrong));
    Client client(open());
    const TextJob text(client, commands, regions);
    ASSERT_TRUE(client.run(text.job)) << "the point of a job that failed is reached";
    expect_told(client.state(), text, mistake.told);
  }
}

// What the text cannot say, because it is the page tables': the same job finds its output bound otherwise.
TEST_P(TextJobs, NameTheOperandThatIsNotMapped) {
  Client client(open());
  const TextJob text(client, kCommands, std::string(kRegions));
  client.unbind(text.output);
  ASSERT_TRUE(client.run(text.job));
  expect_told(client.state(), text,
              {.code = KAWARA_FAULT_page_fault, .command = 2, .field = "dst", .write = true, .near = &TextJob::output});
}

TEST_P(TextJobs, NameTheOperandThatIsMappedReadOnly) {
  Client client(open());
  const TextJob text(client, kCommands, std::string(kRegions));
  client.unbind(text.output);
  const BindOp read_only{.bo = text.output.bo, .address = DeviceAddress{text.output.address}, .size_bytes = kPage, .read_only = true};
  client.node->bind(client.vm, {&read_only, 1});
  ASSERT_TRUE(client.run(text.job));
  expect_told(client.state(), text,
              {.code = KAWARA_FAULT_read_only, .command = 2, .field = "dst", .write = true, .near = &TextJob::output});
}

}  // namespace
}  // namespace kawara::conformance
