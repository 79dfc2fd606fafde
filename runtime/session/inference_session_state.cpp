// SPDX-License-Identifier: Apache-2.0
#include "inference_session_state.h"

#include <algorithm>
#include <optional>

#include "kawara/error.h"
#include "kawara/log.h"
#include "program_cache.h"

namespace kawara {

namespace {

// Sessions of one model at different shapes; beyond these the one least recently used is dropped.
constexpr size_t kShapesKept = 8;

bool is_open(const ModelTensor& tensor) { return std::ranges::find(tensor.shape, -1) != tensor.shape.end(); }

std::vector<ModelTensor> tensors_of(std::span<const TensorInfo> infos) {
  std::vector<ModelTensor> tensors;
  for (const TensorInfo& info : infos)
    tensors.push_back(
        {.name = info.name, .dtype = info.dtype, .shape = info.shape, .dimensions = std::vector<std::string>(info.shape.size())});
  return tensors;
}

std::string dims_text(const ModelTensor& tensor) {
  std::string text;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    const std::string dim = tensor.shape[i] >= 0           ? std::to_string(tensor.shape[i])
                            : tensor.dimensions[i].empty() ? "?"
                                                           : tensor.dimensions[i];
    text += (i ? ", " : "") + dim;
  }
  return "[" + text + "]";
}

bool fits(const std::vector<int64_t>& shape, const ModelTensor& tensor) {
  return std::ranges::equal(shape, tensor.shape, [](int64_t got, int64_t want) { return want < 0 ? got >= 0 : got == want; });
}

}  // namespace

std::function<void()> seldom(const std::function<void()>& waiting) {
  if (!waiting) return [] {};
  return [&waiting, last = std::chrono::steady_clock::now()]() mutable {
    const auto now = std::chrono::steady_clock::now();
    if (now - last < kLook) return;
    last = now;
    waiting();
  };
}

std::string names_text(const std::vector<ModelTensor>& tensors) {
  std::string text;
  for (const ModelTensor& tensor : tensors)
    text += fmt::format("{}'{}' ({} {})", text.empty() ? "" : ", ", tensor.name, name(tensor.dtype), dims_text(tensor));
  return text;
}

std::vector<const InputTensor*> matched(const std::vector<ModelTensor>& wanted, const std::vector<InputTensor>& given) {
  std::vector<const InputTensor*> found(wanted.size(), nullptr);
  for (const InputTensor& input : given) {
    const auto tensor = std::ranges::find(wanted, input.name, &ModelTensor::name);
    if (tensor == wanted.end()) throw fail(Code::wrong_input, "the model has no input '{}'; it has {}", input.name, names_text(wanted));
    if (input.dtype != tensor->dtype)
      throw fail(Code::wrong_input, "input '{}' must be {}, got {}; nothing is cast silently", input.name, name(tensor->dtype),
                 name(input.dtype));
    if (!fits(input.shape, *tensor))
      throw fail(Code::wrong_input, "input '{}' must have shape {}, got [{}]", input.name, dims_text(*tensor),
                 fmt::join(input.shape, ", "));
    auto& place = found[tensor - wanted.begin()];
    if (place) throw fail(Code::wrong_input, "input '{}' is given twice", input.name);
    place = &input;
  }
  for (size_t i = 0; i < wanted.size(); ++i)
    if (!found[i]) throw fail(Code::wrong_input, "input '{}' is missing; the model needs {}", wanted[i].name, names_text(wanted));
  return found;
}

InferenceSession::State::State(const std::string& name, const SessionOptions& session)
    : device(Device::open(name)), session_options(session) {
  if (session.slots == 0) throw Error(Code::invalid_argument, "a session needs at least one slot");
}

InferenceSession::State::~State() {
  if (left) device.leave_jobs();
}

void InferenceSession::State::check_process() const {
  if (forked()) throw fail(Code::forked, "the session was opened by process {}", process);
}

// A program for another chip or command set becomes one for this device, if it carries the graph for that.
Program InferenceSession::State::fitted(Program program, const std::function<void()>& waiting) const {
  const bool fits = program.target() == device.config() && program.isa_version() == device.isa_version();
  if (fits || program.graph().empty()) return program;
  return relower(program, device.config(), waiting);
}

void InferenceSession::State::adopt(Program program) {
  ShapeKey key;
  for (const TensorInfo& input : program.inputs()) key.push_back(input.shape);
  sessions.push_front({std::move(key), std::make_shared<Session>(device, std::move(program), session_options)});
  if (sessions.size() > kShapesKept) sessions.pop_back();
}

void InferenceSession::State::take(Program program, const std::function<void()>& waiting) {
  inputs = tensors_of(program.inputs());
  outputs = tensors_of(program.outputs());
  metadata.assign(program.metadata().begin(), program.metadata().end());
  adopt(fitted(std::move(program), waiting));
  // What says why it can't run at all comes first.
  verify(sessions.front().session->program(), device.config());
}

void InferenceSession::State::take_model(const std::function<void()>& waiting) {
  ModelInfo info = inspect(path);
  inputs = std::move(info.inputs);
  outputs = std::move(info.outputs);
  metadata = std::move(info.metadata);
  const bool known =
      std::ranges::all_of(inputs, [&](const ModelTensor& input) { return !is_open(input) || options.shapes.contains(input.name); });
  if (!known && options.shapes.empty()) return;
  CompileOptions awaited = options;
  awaited.waiting = waiting;
  adopt(compile_or_recall(path, awaited));
}

std::shared_ptr<Session> InferenceSession::State::session_for(const std::vector<const InputTensor*>& given,
                                                              const std::function<void()>& waiting) {
  ShapeKey key;
  for (const InputTensor* input : given) key.push_back(input->shape);
  std::unique_lock lock(mutex, std::defer_lock);
  while (!lock.try_lock_for(kLook)) waiting();  // another thread compiles
  const auto known = std::ranges::find(sessions, key, &Specialised::key);
  if (known != sessions.end()) {
    sessions.splice(sessions.begin(), sessions, known);
  } else {
    CompileOptions specialised = options;
    specialised.waiting = waiting;
    for (size_t i = 0; i < inputs.size(); ++i)
      if (is_open(inputs[i])) specialised.shapes[inputs[i].name] = given[i]->shape;
    log(LogLevel::info, "'{}' meets new shapes", path.string());
    adopt(compile_or_recall(path, specialised));
  }
  return sessions.front().session;
}

Run InferenceSession::State::finished_run(Session& session, const Bindings& bindings, const std::function<void()>& look) {
  std::optional<Run> run;
  while (!(run = session.submit(bindings, kLook))) look();
  while (!run->wait(kLook)) {
    try {
      look();
    } catch (...) {
      left = true;
      throw;
    }
  }
  return std::move(*run);
}

}  // namespace kawara
