// SPDX-License-Identifier: Apache-2.0
#include "kawara/capture.h"

#include <algorithm>

#include "capture_file.h"
#include "job_fidelity.h"
#include "kawara/error.h"
#include "kawara/file/content_hash.h"
#include "kawara/version.h"
#include "mapped_file.h"
#include "new_file.h"
#include "program_file.h"

namespace kawara {

// Inputs and outputs lie in `own` where the capture was made here, in `file` where it was loaded.
struct Capture::State {
  CaptureHead head;
  Program program;
  std::vector<std::vector<std::byte>> own{};
  std::shared_ptr<const MappedFile> file{};
  std::vector<std::span<const std::byte>> inputs{}, outputs{};
};

namespace {

// The table of the program's section: all of the program but its portable graph, which no job reads.
std::vector<std::byte> program_head(const Program& program) {
  const auto list = [](const auto& span) { return std::vector(span.begin(), span.end()); };
  return write_program_head({.target = program.target(),
                             .isa_version = program.isa_version(),
                             .commands = list(program.commands()),
                             .regions = list(program.regions()),
                             .inputs = list(program.inputs()),
                             .outputs = list(program.outputs()),
                             .debug = list(program.debug()),
                             .metadata = list(program.metadata()),
                             .report = program.report(),
                             .weights = {},
                             .graph = {},
                             .constants = {}},
                            program.weights().size(), 0);
}

std::vector<uint64_t> sizes_of(std::span<const std::span<const std::byte>> sections) {
  std::vector<uint64_t> sizes;
  for (const auto& section : sections) sizes.push_back(section.size());
  return sizes;
}

void check(const CaptureHead& head, const Program& program, std::span<const std::span<const std::byte>> inputs,
           std::span<const std::span<const std::byte>> outputs) {
  const auto require = [](bool rule, std::string_view sentence) {
    if (!rule) throw fail(Code::invalid_capture, "{}", sentence);
  };
  require(inputs.size() == program.inputs().size(), "it must hold every input of its program");
  for (size_t i = 0; i < inputs.size(); ++i)
    require(inputs[i].size() == program.regions()[program.inputs()[i].region].size_bytes, "an input must be as large as its region");
  require(outputs.size() == (head.fault ? 0 : program.outputs().size()),
          "it must hold every output of its program, and none after a fault");
  for (size_t i = 0; i < outputs.size(); ++i)
    require(outputs[i].size() == program.outputs()[i].size_bytes, "an output must be as large as its tensor");
}

// Hashes what it writes.
class Writer {
 public:
  explicit Writer(const std::filesystem::path& path) : file_(path) {}

  void add(std::span<const std::byte> bytes) {
    file_.write(bytes);
    hash_.add(bytes);
    at_ += bytes.size();
  }
  // The next section: from here on, at a multiple of 4096.
  void begin() { add(std::vector<std::byte>(page_gap(at_))); }
  void finish() {
    file_.write(hash_.bytes());
    file_.commit();
  }

 private:
  NewFile file_;
  file::ContentHash hash_;
  uint64_t at_ = 0;
};

}  // namespace

Capture::Capture(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Capture::Capture(CaptureContents contents) {
  auto state = std::make_shared<State>(State{.head = {.kawara = std::string(version()),
                                                      .device = std::move(contents.device),
                                                      .executor = std::move(contents.executor),
                                                      .computes_on = std::move(contents.computes_on),
                                                      .arena_was_zero = contents.arena_was_zero,
                                                      .fault = contents.fault,
                                                      .report = contents.report},
                                             .program = std::move(contents.program)});
  const auto keep = [&](std::vector<std::vector<std::byte>>& from, std::vector<std::span<const std::byte>>& to) {
    for (auto& bytes : from) to.push_back(state->own.emplace_back(std::move(bytes)));
  };
  state->own.reserve(contents.inputs.size() + contents.outputs.size());
  keep(contents.inputs, state->inputs);
  keep(contents.outputs, state->outputs);
  check(state->head, state->program, state->inputs, state->outputs);
  state_ = std::move(state);
}

Capture Capture::load(const std::filesystem::path& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  try {
    ParsedCapture parsed = parse_capture(file->bytes());
    file->forget(file->bytes());  // the hash has read them all
    auto state = std::make_shared<State>(State{.head = std::move(parsed.head), .program = Program::mapped(file, parsed.program)});
    state->file = file;
    state->inputs = std::move(parsed.inputs);
    state->outputs = std::move(parsed.outputs);
    check(state->head, state->program, state->inputs, state->outputs);
    return Capture(std::shared_ptr<const State>(std::move(state)));
  } catch (const Error& error) {
    if (error.code() == Code::invalid_program) throw fail(Code::invalid_capture, "{}: its program: {}", path.string(), error.what());
    throw fail(error.code(), "{}: {}", path.string(), error.what());
  }
}

void Capture::save(const std::filesystem::path& path) const {
  const auto head = program_head(state_->program);
  const auto weights = state_->program.weights();
  Writer writer(path);
  writer.add(write_capture_head(
      state_->head, {.program = head.size() + weights.size(), .inputs = sizes_of(state_->inputs), .outputs = sizes_of(state_->outputs)}));
  writer.add(head);
  writer.add(weights);
  for (const auto* sections : {&state_->inputs, &state_->outputs}) {
    for (const auto& section : *sections) {
      writer.begin();
      writer.add(section);
    }
  }
  writer.finish();
}

uint64_t Capture::file_bytes() const {
  const CaptureSizes sizes{.program = program_head(state_->program).size() + state_->program.weights().size(),
                           .inputs = sizes_of(state_->inputs),
                           .outputs = sizes_of(state_->outputs)};
  uint64_t bytes = write_capture_head(state_->head, sizes).size() + sizes.program;
  for (const auto* sections : {&sizes.inputs, &sizes.outputs})
    for (const uint64_t section : *sections) bytes += page_gap(bytes) + section;
  return bytes + sizeof(file::ContentHash::Bytes);
}

const Program& Capture::program() const { return state_->program; }
const std::string& Capture::device() const { return state_->head.device; }
const std::string& Capture::executor() const { return state_->head.executor; }
const std::string& Capture::computes_on() const { return state_->head.computes_on; }
const std::string& Capture::kawara() const { return state_->head.kawara; }
bool Capture::arena_was_zero() const { return state_->head.arena_was_zero; }
std::span<const std::byte> Capture::input(size_t index) const { return state_->inputs.at(index); }
std::span<const std::byte> Capture::output(size_t index) const { return state_->outputs.at(index); }
const std::optional<Fault>& Capture::fault() const { return state_->head.fault; }

JobReport Capture::report() const {
  JobReport report = state_->head.report;
  if (!state_->head.fault) report.fidelity = fidelity_of(state_->program.commands());
  return report;
}

}  // namespace kawara
