// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "inference_session_state.h"
#include "kawara/error.h"
#include "slot.h"

namespace kawara {

struct Binding::State {
  std::shared_ptr<InferenceSession::State> owner;
  std::shared_ptr<Session> session;
  std::vector<std::unique_ptr<Buffer>> buffers;
  Bindings bindings;  // the names are the program's
  std::vector<BoundTensor> inputs, outputs;
  std::atomic_flag busy;
  mutable std::mutex mutex;
  std::optional<Run> last;  // that ended well

  // Memory of the binding's own for a tensor of the program.
  const Buffer* add_buffer(const TensorInfo& tensor, std::vector<BoundTensor>& bound, std::string_view role) {
    const uint64_t size = session->program().regions()[tensor.region].size_bytes;
    buffers.push_back(std::make_unique<Buffer>(
        allocate(session->device(), size, Memory::system, fmt::format("the binding's {} '{}'", role, tensor.name))));
    bound.back().bytes = buffers.back()->bytes().first(tensor.size_bytes);
    return buffers.back().get();
  }
  void add_input(const TensorInfo& tensor, std::span<const std::byte> bytes) {
    inputs.push_back({.name = tensor.name, .dtype = tensor.dtype, .shape = tensor.shape, .bytes = {}});
    if (bytes.data())
      bindings.inputs.push_back({.name = tensor.name, .bytes = bytes});
    else
      bindings.inputs.push_back({.name = tensor.name, .bytes = {}, .buffer = add_buffer(tensor, inputs, "input")});
  }
  void add_output(const TensorInfo& tensor, const OutputPlace* place) {
    outputs.push_back({.name = tensor.name, .dtype = tensor.dtype, .shape = tensor.shape, .bytes = {}});
    if (place)
      bindings.outputs.push_back({.name = tensor.name, .bytes = place->bytes});
    else
      bindings.outputs.push_back({.name = tensor.name, .bytes = {}, .buffer = add_buffer(tensor, outputs, "output")});
  }
};

Binding::Binding(std::unique_ptr<State> state) : state_(std::move(state)) {}
Binding::Binding(Binding&&) noexcept = default;
Binding& Binding::operator=(Binding&& other) noexcept {
  Binding taken(std::move(other));
  std::swap(state_, taken.state_);
  return *this;
}
Binding::~Binding() {
  if (!state_) return;
  if (state_->owner->forked())
    (void)state_.release();  // its locks and pages are the parent's
  else if (state_->owner->left)
    state_->owner->device.leave_jobs();  // else the end of its buffers would wait for a run that nobody waits for
}

const std::vector<BoundTensor>& Binding::inputs() const { return state_->inputs; }
const std::vector<BoundTensor>& Binding::outputs() const { return state_->outputs; }

void Binding::run(const std::function<void()>& waiting) {
  state_->owner->check_process();
  if (state_->busy.test_and_set())
    throw Error(Code::invalid_argument, "the binding's last run is still under way: wait for its end, or make another binding");
  struct Free {
    std::atomic_flag& busy;
    ~Free() { busy.clear(); }
  } const free{state_->busy};
  Run run = state_->owner->finished_run(*state_->session, state_->bindings, seldom(waiting));
  const std::lock_guard lock(state_->mutex);
  state_->last = std::move(run);
}

JobReport Binding::report() const {
  state_->owner->check_process();
  const std::lock_guard lock(state_->mutex);
  return state_->last ? state_->last->report() : JobReport{};
}

namespace {

void check_place(const OutputPlace& place, std::span<const TensorInfo> outputs, const std::vector<ModelTensor>& model) {
  const auto tensor = std::ranges::find(outputs, place.name, &TensorInfo::name);
  if (tensor == outputs.end()) throw fail(Code::not_found, "the model has no output '{}'; it has {}", place.name, names_text(model));
  if (place.dtype != tensor->dtype)
    throw fail(Code::invalid_argument, "output '{}' is {}, got a place for {}", place.name, name(tensor->dtype), name(place.dtype));
  if (place.shape != tensor->shape)
    throw fail(Code::invalid_argument, "output '{}' has shape [{}], got a place of [{}]", place.name, fmt::join(tensor->shape, ", "),
               fmt::join(place.shape, ", "));
  if (place.bytes.size() != tensor->size_bytes)
    throw fail(Code::invalid_argument, "output '{}' holds {} bytes, got a place of {}", place.name, tensor->size_bytes, place.bytes.size());
}

}  // namespace

Binding InferenceSession::bind(const std::vector<InputTensor>& inputs, const std::vector<OutputPlace>& outputs,
                               const std::function<void()>& waiting) {
  state_->check_process();
  const auto given = matched(state_->inputs, inputs);
  auto state = std::make_unique<Binding::State>();
  state->owner = state_;
  state->session = state_->session_for(given, seldom(waiting));
  const auto program_outputs = state->session->outputs();
  for (auto place = outputs.begin(); place != outputs.end(); ++place) {
    check_place(*place, program_outputs, state_->outputs);
    if (std::find_if(outputs.begin(), place, [&](const OutputPlace& other) { return other.name == place->name; }) != place)
      throw fail(Code::invalid_argument, "output '{}' is named twice", place->name);
  }
  const auto program_inputs = state->session->inputs();
  for (size_t i = 0; i < given.size(); ++i) state->add_input(program_inputs[i], given[i]->bytes);
  for (const TensorInfo& output : program_outputs) {
    const auto place = std::ranges::find(outputs, output.name, &OutputPlace::name);
    state->add_output(output, place == outputs.end() ? nullptr : &*place);
  }
  return Binding(std::move(state));
}

}  // namespace kawara
