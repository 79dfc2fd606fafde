// SPDX-License-Identifier: Apache-2.0
#include "inference_session_state.h"

#include <algorithm>

#include "kawara/error.h"

namespace kawara {

InferenceSession::InferenceSession(const std::filesystem::path& path, const std::string& device, const CompileOptions& options,
                                   const SessionOptions& session)
    : state_(std::make_shared<State>(device, session)) {
  if (path.extension() == ".kwr") {
    if (options.precision != DType::f32)
      throw fail(Code::invalid_argument, "{}: a program has the precision that it was compiled with: compile the model in {}",
                 path.string(), name(options.precision));
    state_->take(Program::load(path), options.waiting);
    return;
  }
  if (path.extension() == ".kwj")
    throw fail(Code::invalid_argument, "{}: a captured job has its own inputs: replay() runs it, and so does `kawara replay`",
               path.string());
  state_->path = path;
  state_->options = options;
  state_->options.target = state_->device.config();
  state_->options.waiting = {};
  state_->take_model(options.waiting);
}

InferenceSession::InferenceSession(Program program, const std::string& device, const std::function<void()>& waiting,
                                   const SessionOptions& session)
    : state_(std::make_shared<State>(device, session)) {
  state_->take(std::move(program), waiting);
}

InferenceSession::InferenceSession(InferenceSession&&) noexcept = default;
InferenceSession& InferenceSession::operator=(InferenceSession&& other) noexcept {
  InferenceSession taken(std::move(other));
  std::swap(state_, taken.state_);
  return *this;
}

InferenceSession::~InferenceSession() {
  // In a forked child its locks and pages are the parent's: nothing of it is touched.
  if (state_ && state_->forked()) new std::shared_ptr<State>(std::move(state_));
}

const std::vector<ModelTensor>& InferenceSession::inputs() const { return state_->inputs; }
const std::vector<ModelTensor>& InferenceSession::outputs() const { return state_->outputs; }
const std::vector<std::pair<std::string, std::string>>& InferenceSession::metadata() const { return state_->metadata; }
const Device& InferenceSession::device() const { return state_->device; }

std::optional<Program> InferenceSession::program() const {
  state_->check_process();
  std::lock_guard lock(state_->mutex);
  if (state_->sessions.empty()) return std::nullopt;
  return state_->sessions.front().session->program();
}

std::vector<OutputTensor> InferenceSession::run(const std::vector<std::string>& names, const std::vector<InputTensor>& inputs,
                                                const std::function<void()>& waiting, const std::filesystem::path& capture) {
  state_->check_process();
  const auto given = matched(state_->inputs, inputs);
  const auto look = seldom(waiting);
  const auto session = state_->session_for(given, look);
  Bindings bindings{.inputs = {}, .outputs = {}, .capture = capture};
  for (const InputTensor* input : given) bindings.inputs.push_back({input->name, input->bytes});

  std::vector<OutputTensor> results;
  const auto want = [&](const TensorInfo& tensor) {
    results.push_back(
        {.name = tensor.name, .dtype = tensor.dtype, .shape = tensor.shape, .bytes = std::vector<std::byte>(tensor.size_bytes)});
  };
  if (names.empty()) std::ranges::for_each(session->outputs(), want);
  for (const std::string& wanted : names) {
    const auto tensor = std::ranges::find(session->outputs(), wanted, &TensorInfo::name);
    if (tensor == session->outputs().end())
      throw fail(Code::not_found, "the model has no output '{}'; it has {}", wanted, names_text(state_->outputs));
    want(*tensor);
  }
  for (OutputTensor& result : results) bindings.outputs.push_back({result.name, result.bytes});
  state_->finished_run(*session, bindings, look);
  return results;
}

}  // namespace kawara
