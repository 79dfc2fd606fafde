// SPDX-License-Identifier: Apache-2.0
#include "kawara/program.h"

#include <algorithm>
#include <cstring>

#include "kawara/error.h"
#include "new_file.h"
#include "program_check.h"
#include "program_file.h"
#include "program_state.h"

namespace kawara {

Program::Program(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Program::Program(ProgramContents contents) {
  check_program(contents, contents.weights.size(), contents.constants.size());
  auto state = std::make_shared<State>();
  state->contents = std::move(contents);
  state->weights = state->contents.weights;
  state->constants = state->contents.constants;
  state_ = std::move(state);
}

Program Program::load(const std::filesystem::path& path) {
  auto file = std::make_shared<const MappedFile>(path);
  try {
    const auto bytes = file->bytes();
    return mapped(std::move(file), bytes);
  } catch (const Error& error) {
    throw fail(error.code(), "{}: {}", path.string(), error.what());
  }
}

Program Program::mapped(std::shared_ptr<const MappedFile> file, std::span<const std::byte> bytes) {
  auto state = std::make_shared<State>();
  ParsedProgram parsed = parse_program(bytes);
  check_program(parsed.contents, parsed.weights.size(), parsed.constants.size());
  state->contents = std::move(parsed.contents);
  state->file = std::move(file);
  state->weights = parsed.weights;
  state->constants = parsed.constants;
  return Program(std::shared_ptr<const State>(std::move(state)));
}

void Program::save(const std::filesystem::path& path) const {
  NewFile file(path);
  file.write(write_program_head(state_->contents, state_->weights.size(), state_->constants.size()));
  file.write(state_->weights);
  // Without constants the file ends with the weights.
  if (!state_->constants.empty()) file.write(std::vector<std::byte>(page_gap(state_->weights.size())));
  file.write(state_->constants);
  file.commit();
}

void Program::copy_weights(std::span<std::byte> to) const {
  constexpr size_t kAtOnce = size_t{8} << 20;  // bytes, whole pages
  std::span<const std::byte> left = state_->weights;
  if (to.size() < left.size()) throw fail(Code::invalid_argument, "{} bytes of weights don't fit {} bytes", left.size(), to.size());
  while (!left.empty()) {
    const auto part = left.first(std::min(left.size(), kAtOnce));
    std::memcpy(to.data(), part.data(), part.size());
    if (state_->file) state_->file->forget(part);
    to = to.subspan(part.size());
    left = left.subspan(part.size());
  }
}

const std::string& Program::target() const { return state_->contents.target; }
uint32_t Program::isa_version() const { return state_->contents.isa_version; }
std::span<const std::byte> Program::commands() const { return state_->contents.commands; }
std::span<const ProgramRegion> Program::regions() const { return state_->contents.regions; }
std::span<const TensorInfo> Program::inputs() const { return state_->contents.inputs; }
std::span<const TensorInfo> Program::outputs() const { return state_->contents.outputs; }
std::span<const DebugEntry> Program::debug() const { return state_->contents.debug; }
std::span<const std::pair<std::string, std::string>> Program::metadata() const { return state_->contents.metadata; }
std::span<const std::byte> Program::weights() const { return state_->weights; }
std::span<const std::byte> Program::graph() const { return state_->contents.graph; }
std::span<const std::byte> Program::constants() const { return state_->constants; }
const std::string& Program::report() const { return state_->contents.report; }

}  // namespace kawara
