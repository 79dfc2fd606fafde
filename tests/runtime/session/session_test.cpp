// SPDX-License-Identifier: Apache-2.0
// A program on a device: bindings, slots, versions, faults. The model is y = relu(x) of four floats.
#include <gmock/gmock.h>

#include <array>
#include <cstring>
#include <functional>
#include <optional>

#include "build.h"
#include "emit.h"
#include "graph_text.h"
#include "kawara/error.h"
#include "kawara/hw/commands.h"
#include "kawara/inference_session.h"
#include "kawara/session.h"
#include "specialise.h"
#include "support/contents_of.h"

namespace kawara::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* kDevice = "emulator:reference,config=k1-mini";
using Four = std::array<float, 4>;

Program relu(std::string_view target = "k1-mini") {
  compiler::Graph graph = compiler::parse_graph("graph \"g\" opset 14 (%x: f32[4]) {\n %y = Relu(%x)\n return %y\n}");
  compiler::specialise(graph, {});
  return compiler::build(std::move(graph), compiler::find_target(target));
}

// The same program with something of it changed.
Program changed(const std::function<void(ProgramContents&)>& change) {
  ProgramContents contents = contents_of(relu());
  change(contents);
  return Program(std::move(contents));
}

Bindings bound(const Four& x, Four& y) {
  return {.inputs = {{"x", std::as_bytes(std::span(x))}}, .outputs = {{"y", std::as_writable_bytes(std::span(y))}}};
}

// Code and message of what the call throws.
template <typename Call>
std::pair<std::optional<Code>, std::string> complaint(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

TEST(Session, RunsAProgramAgainAndAgain) {
  Session session(Device::open(kDevice), relu());
  Four y{};
  for (float scale : {1.0f, 2.0f}) {
    const Four x{-1 * scale, 0, 1 * scale, 5 * scale};
    session.submit(bound(x, y)).wait();
    EXPECT_THAT(y, ElementsAre(0, 0, scale, 5 * scale));
  }
}

TEST(Session, TwoSlotsHoldTwoRunsAtOnce) {
  Session session(Device::open(kDevice), relu(), {.slots = 2});
  Four a{}, b{};
  const Four one{1, -1, 1, -1}, two{2, -2, 2, -2};
  kawara::Run first = session.submit(bound(one, a)), second = session.submit(bound(two, b));  // one slot would wait here for ever
  second.wait();
  first.wait();
  EXPECT_THAT(a, ElementsAre(1, 0, 1, 0));
  EXPECT_THAT(b, ElementsAre(2, 0, 2, 0));
}

TEST(Session, ADroppedRunFreesItsSlot) {
  Session session(Device::open(kDevice), relu());
  Four y{};
  const Four x{3, 3, 3, 3};
  {
    const kawara::Run dropped = session.submit(bound(x, y));
  }
  session.submit(bound(x, y)).wait();
  EXPECT_THAT(y, ElementsAre(3, 3, 3, 3));
}

TEST(Session, ARunOutlivesItsSession) {
  std::optional<Session> session(std::in_place, Device::open(kDevice), relu());
  Four y{};
  const Four x{-1, 1, -1, 1};
  kawara::Run run = session->submit(bound(x, y));
  session.reset();
  EXPECT_TRUE(run.wait(10s));
  EXPECT_THAT(y, ElementsAre(0, 1, 0, 1));
}

TEST(Session, WaitingTwiceIsWaitingOnce) {
  Session session(Device::open(kDevice), relu());
  Four y{};
  const Four x{1, 1, 1, 1};
  kawara::Run run = session.submit(bound(x, y));
  run.wait();
  EXPECT_TRUE(run.wait(0s));
}

TEST(Session, RefusesBindingsThatTheProgramDoesNotHave) {
  Session session(Device::open(kDevice), relu());
  Four x{}, y{};
  const auto bytes = std::as_bytes(std::span(x));
  const auto refused = [&](Bindings bindings) { return complaint([&] { session.submit(bindings); }); };

  const std::vector<std::pair<Bindings, std::string>> cases = {
      {{.inputs = {}, .outputs = {}}, "input 'x' is not bound"},
      {{.inputs = {{"z", bytes}}, .outputs = {}}, "no input 'z'; it has 'x'"},
      {{.inputs = {{"x", bytes.first(12)}}, .outputs = {}}, "input 'x' holds 16 bytes (f32 of [4]), got 12"},
      {{.inputs = {{"x", bytes}, {"x", bytes}}, .outputs = {}}, "input 'x' is bound twice"},
      {{.inputs = {{"x", bytes}}, .outputs = {{"q", std::as_writable_bytes(std::span(y))}}}, "no output 'q'; it has 'y'"},
  };
  for (const auto& [bindings, words] : cases) {
    const auto [code, message] = refused(bindings);
    EXPECT_EQ(code, Code::wrong_input) << words;
    EXPECT_THAT(message, HasSubstr(words));
  }
  session.submit(bound({1, 1, 1, 1}, y)).wait();  // nothing was lost
  EXPECT_THAT(y, ElementsAre(1, 1, 1, 1));
}

TEST(Session, RefusesAProgramOfAnotherCommandSetAndNamesTheWayOut) {
  const auto [code, message] =
      complaint([] { Session(Device::open(kDevice), changed([](ProgramContents& contents) { contents.isa_version = 99; })); });
  EXPECT_EQ(code, Code::version_mismatch);
  EXPECT_THAT(message, HasSubstr("version 99"));
  EXPECT_THAT(message, HasSubstr("relower(program, \"k1-mini\")"));
}

TEST(Session, RefusesAProgramThatNeedsMoreScratchpad) {
  const auto add_sram = [](ProgramContents& contents) {
    contents.target = "k1";
    contents.regions.push_back({.role = ProgramRegion::Role::sram, .size_bytes = 1u << 30, .writable = true});
  };
  const auto [code, message] = complaint([&] { Session(Device::open(kDevice), changed(add_sram)); });
  EXPECT_EQ(code, Code::version_mismatch);
  EXPECT_THAT(message, HasSubstr("compiled for k1, needs 1073741824 bytes of SRAM"));
  EXPECT_THAT(message, HasSubstr("relower(program, \"k1-mini\")"));
}

TEST(Session, SaysWhereThereIsNoGraphToLowerAgain) {
  const auto bare = [](ProgramContents& contents) {
    contents.isa_version = 99;
    contents.graph.clear();
    contents.constants.clear();
  };
  for (const auto& call : {std::function<void()>([&] { Session(Device::open(kDevice), changed(bare)); }),
                           std::function<void()>([&] { InferenceSession(changed(bare), kDevice); })}) {
    const auto [code, message] = complaint(call);
    EXPECT_EQ(code, Code::version_mismatch);
    EXPECT_THAT(message, HasSubstr("carries no portable graph to make another from: compile the model again"));
  }
}

// The same program with its first command's header and body changed.
Program with_first_command(const std::function<void(kawara_copy&)>& change) {
  return changed([&](ProgramContents& contents) { change(*reinterpret_cast<kawara_copy*>(contents.commands.data())); });
}

TEST(InferenceSession, RefusesAProgramThatTheCompilerWouldNotHaveMade) {
  // Without its first copy, that of the input; with all commands waiting for nothing; with a command that no chip has.
  const auto lost = with_first_command([](kawara_copy& copy) { copy.extent[5] = 0; });
  const auto raced = changed([](ProgramContents& contents) {
    for (size_t at = 0; at < contents.commands.size();) {
      auto& header = *reinterpret_cast<kawara_header*>(contents.commands.data() + at);
      std::ranges::fill(header.wait, 0);
      at += header.size16 * size_t{16};
    }
  });
  const auto broken = with_first_command([](kawara_copy& copy) { copy.header.opcode = 0xff; });
  const std::vector<std::pair<Program, std::string>> cases = {
      {lost, "which no command before it has written"}, {raced, "without an order"}, {broken, "breaks a rule of the chip: bad_command"}};
  for (const auto& [program, words] : cases) {
    const auto [code, message] = complaint([&] { InferenceSession(program, kDevice); });
    EXPECT_EQ(code, Code::invalid_program) << words;
    EXPECT_THAT(message, HasSubstr(words));
  }
  EXPECT_NO_THROW(InferenceSession(relu(), kDevice));
}

std::span<float> floats(std::span<std::byte> bytes) { return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)}; }
std::span<float> floats(const Buffer& buffer) { return floats(buffer.bytes()).first(4); }

TEST(Session, ReadsAndWritesBuffersWhereTheyLie) {
  Session session(Device::open(kDevice), relu());
  const Buffer x = session.device().allocate(16, Memory::system), y = session.device().allocate(16, Memory::system);
  std::ranges::copy(Four{-1, 2, -3, 4}, floats(x).begin());
  kawara::Run run =
      session.submit({.inputs = {{.name = "x", .bytes = {}, .buffer = &x}}, .outputs = {{.name = "y", .bytes = {}, .buffer = &y}}});
  run.wait();
  EXPECT_THAT(floats(y), ElementsAre(0, 2, 0, 4));
  // The next run on the same slot is bound elsewhere, and leaves the buffers alone.
  const Four other{5, 5, 5, 5};
  Four result{};
  session.submit(bound(other, result)).wait();
  EXPECT_THAT(result, ElementsAre(5, 5, 5, 5));
  EXPECT_THAT(floats(y), ElementsAre(0, 2, 0, 4));
  EXPECT_THAT(floats(x), ElementsAre(-1, 2, -3, 4));
}

TEST(Session, RefusesBuffersThatTheChipCannotUse) {
  Session session(Device::open(kDevice), relu());
  const Device other = Device::open(kDevice);
  const Four x{};
  Four y{};
  const Buffer foreign = other.allocate(16, Memory::system), local = session.device().allocate(16, Memory::local), none;
  const auto refused = [&](const Buffer& buffer) {
    Bindings bindings = bound(x, y);
    bindings.outputs = {{.name = "y", .bytes = {}, .buffer = &buffer}};
    return complaint([&] { session.submit(bindings); }).second;
  };
  EXPECT_THAT(refused(foreign), HasSubstr("output 'y': its buffer must be of the session's device"));
  EXPECT_THAT(refused(none), HasSubstr("of the session's device"));
  EXPECT_THAT(refused(local), HasSubstr("output 'y': its buffer must be of Memory::system"));
  const Buffer good = session.device().allocate(16, Memory::system);
  Bindings both = bound(x, y);
  both.inputs.front().buffer = &good;
  EXPECT_THAT(complaint([&] { session.submit(both); }).second, HasSubstr("input 'x' is bound to bytes and to a buffer"));
}

TEST(Session, RefusesABufferThatIsTooSmall) {
  const Program program = changed([](ProgramContents& contents) {
    for (ProgramRegion& region : contents.regions)
      if (region.role == ProgramRegion::Role::input) region.size_bytes = 4097;
  });
  Session session(Device::open(kDevice), program);
  const Buffer page = session.device().allocate(1, Memory::system);
  EXPECT_THAT(complaint([&] { session.submit({.inputs = {{.name = "x", .bytes = {}, .buffer = &page}}, .outputs = {}}); }).second,
              HasSubstr("input 'x' needs a buffer of 4097 bytes, got 4096"));
}

TEST(Session, ARunReportsOnceItHasEnded) {
  Session session(Device::open(kDevice), relu());
  Four y{};
  const Four x{};
  kawara::Run run = session.submit(bound(x, y));
  EXPECT_EQ(run.report().cycles, 0u);
  run.wait();
  EXPECT_GT(run.report().cycles, 0u);
  EXPECT_GT(run.report().commands, 0u);
}

InputTensor four_of(const Four& x) { return {.name = "x", .dtype = DType::f32, .shape = {4}, .bytes = std::as_bytes(std::span(x))}; }
const InputTensor kOwnX{.name = "x", .dtype = DType::f32, .shape = {4}, .bytes = {}};

TEST(Binding, RunsInMemoryOfItsOwnAndOutlivesItsSession) {
  std::optional<InferenceSession> session(std::in_place, relu(), kDevice);
  Binding binding = session->bind({kOwnX});
  session.reset();
  for (const float scale : {1.0f, 2.0f}) {
    std::ranges::copy(Four{-scale, scale, 0, 3}, floats(binding.inputs().at(0).bytes).begin());
    binding.run();
    EXPECT_THAT(floats(binding.outputs().at(0).bytes), ElementsAre(0, scale, 0, 3));
  }
  EXPECT_GT(binding.report().cycles, 0u);
}

TEST(Binding, ReadsAndFillsMemoryOfTheCaller) {
  InferenceSession session(relu(), kDevice);
  Four x{-1, 1, -1, 1}, y{};
  Binding binding =
      session.bind({four_of(x)}, {{.name = "y", .dtype = DType::f32, .shape = {4}, .bytes = std::as_writable_bytes(std::span(y))}});
  EXPECT_TRUE(binding.inputs().at(0).bytes.empty() && binding.outputs().at(0).bytes.empty());
  binding.run();
  EXPECT_THAT(y, ElementsAre(0, 1, 0, 1));
  x = {7, -7, 7, -7};
  binding.run();
  EXPECT_THAT(y, ElementsAre(7, 0, 7, 0));
}

TEST(Binding, RefusesPlacesThatAreNotTheModels) {
  InferenceSession session(relu(), kDevice);
  Four y{};
  const OutputPlace good{.name = "y", .dtype = DType::f32, .shape = {4}, .bytes = std::as_writable_bytes(std::span(y))};
  const auto refused = [&](const std::vector<OutputPlace>& places) { return complaint([&] { session.bind({kOwnX}, places); }); };
  OutputPlace name = good, dtype = good, shape = good, small = good;
  name.name = "z", dtype.dtype = DType::i32, shape.shape = {2, 2}, small.bytes = small.bytes.first(12);
  using ::testing::Pair;
  EXPECT_THAT(refused({name}), Pair(Code::not_found, HasSubstr("no output 'z'; it has 'y'")));
  EXPECT_THAT(refused({dtype}), Pair(Code::invalid_argument, HasSubstr("output 'y' is f32, got a place for i32")));
  EXPECT_THAT(refused({shape}), Pair(Code::invalid_argument, HasSubstr("output 'y' has shape [4], got a place of [2, 2]")));
  EXPECT_THAT(refused({small}), Pair(Code::invalid_argument, HasSubstr("output 'y' holds 16 bytes, got a place of 12")));
  EXPECT_THAT(refused({good, good}), Pair(Code::invalid_argument, HasSubstr("output 'y' is named twice")));
}

TEST(Binding, HasOneRunAtATime) {
  compiler::Graph slow = compiler::parse_graph("graph \"g\" opset 14 (%x: f32[1200,1200]) {\n %y = MatMul(%x, %x)\n return %y\n}");
  compiler::specialise(slow, {});
  InferenceSession products(compiler::build(std::move(slow), compiler::find_target("k1-mini")), kDevice);
  Binding product = products.bind({{.name = "x", .dtype = DType::f32, .shape = {1200, 1200}, .bytes = {}}});
  std::pair<std::optional<Code>, std::string> said;
  EXPECT_THROW(product.run([&] {
    said = complaint([&] { product.run(); });
    throw std::runtime_error("nobody waits");
  }),
               std::runtime_error);
  EXPECT_THAT(said, ::testing::Pair(Code::invalid_argument, HasSubstr("still under way")));
}

TEST(InferenceSession, NeedsASlot) {
  EXPECT_THAT(complaint([] { InferenceSession(relu(), kDevice, {}, {.slots = 0}); }),
              ::testing::Pair(Code::invalid_argument, HasSubstr("at least one slot")));
}

std::vector<float> run_once(InferenceSession& session) {
  const Four x{-1, 0, 2, 3};
  const auto outputs = session.run({}, {{.name = "x", .dtype = DType::f32, .shape = {4}, .bytes = std::as_bytes(std::span(x))}});
  std::vector<float> y(4);
  std::memcpy(y.data(), outputs.at(0).bytes.data(), sizeof x);
  return y;
}

TEST(InferenceSession, LowersAProgramForAnotherChipAgainAndSaysSo) {
  for (const auto& [from, to] : {std::pair("k1", "k1-mini"), std::pair("k1-mini", "k1")}) {
    InferenceSession session(relu(from), fmt::format("emulator:reference,config={}", to));
    EXPECT_EQ(session.program()->target(), to);
    EXPECT_THAT(session.program()->report(), HasSubstr(fmt::format("\"target\": \"{}\"", from)));
    EXPECT_THAT(session.program()->report(), HasSubstr("relowered_from"));
    EXPECT_THAT(run_once(session), ElementsAre(0, 0, 2, 3));
  }
}

TEST(InferenceSession, LowersAProgramOfAnotherCommandSetAgain) {
  InferenceSession session(changed([](ProgramContents& contents) {
                             contents.isa_version = 99;
                             contents.commands.assign(contents.commands.size(), std::byte{0xff});
                           }),
                           kDevice);
  EXPECT_EQ(session.program()->isa_version(), session.device().isa_version());
  EXPECT_THAT(run_once(session), ElementsAre(0, 0, 2, 3));
}

TEST(InferenceSession, LeavesAProgramThatFitsAsItIs) {
  InferenceSession session(relu(), kDevice);
  EXPECT_THAT(session.program()->report(), ::testing::Not(HasSubstr("relowered_from")));
  EXPECT_THAT(run_once(session), ElementsAre(0, 0, 2, 3));
}

TEST(Session, AFaultNamesCommandAndFieldAndTheNextSessionWorks) {
  const Device device = Device::open(kDevice);
  // The first command, copy in, gets a flag that no copy has.
  Session broken(device, changed([](ProgramContents& contents) { contents.commands[offsetof(kawara_copy, flags)] = std::byte{0x80}; }));
  Four y{};
  const Four x{1, -1, 2, -2};
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto [code, message] = complaint([&] { broken.submit(bound(x, y)).wait(); });
    EXPECT_EQ(code, Code::device_fault);
    EXPECT_THAT(message, HasSubstr("bad_command"));
    EXPECT_THAT(message, HasSubstr("flags"));
  }
  Session session(device, relu());
  session.submit(bound(x, y)).wait();
  EXPECT_THAT(y, ElementsAre(1, 0, 2, 0));
}

}  // namespace
}  // namespace kawara::test
