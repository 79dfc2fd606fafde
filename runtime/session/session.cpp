// SPDX-License-Identifier: Apache-2.0
#include "kawara/session.h"

#include <unistd.h>
#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>

#include "job_capture.h"
#include "kawara/error.h"
#include "kawara/log.h"
#include "slot.h"

namespace kawara {

namespace {

constexpr std::chrono::milliseconds kLook{1};

// In a forked child nothing of the parent's is destroyed: whoever waited at one of its locks is not there to stop waiting.
template <typename State>
void leave(std::shared_ptr<State> state) {
  new std::shared_ptr<State>(std::move(state));
}

}  // namespace

// What one run needs for itself. A session has as many as slots, and each serves one run after another.
struct Run::State {
  Session::State* session = nullptr;
  Slot slot;
  std::vector<std::pair<std::span<std::byte>, const Buffer*>> outputs;
  bool used = false;
  bool arena_was_zero = true;       // before the run; else what earlier ones left
  std::filesystem::path capture{};  // asked for; empty: none
  RegionBytes captured_inputs{};    // for that
  Fence fence;
  bool busy = false;
  bool dropped = false;  // nobody waits for it: free when its fence is done
};

struct Session::State {
  State(Device device, Program program, Buffer weights, Buffer commands, bool keep_faults)
      : device(std::move(device)),
        program(std::move(program)),
        weights(std::move(weights)),
        commands(std::move(commands)),
        keep_faults(keep_faults && leaves_inputs(this->program)) {}

  const pid_t process = getpid();
  Device device;
  Program program;
  Buffer weights, commands;
  const bool keep_faults;
  std::vector<std::unique_ptr<Run::State>> runs;
  std::mutex mutex;
  std::condition_variable freed;
  std::mutex fault_mutex;
  std::optional<std::pair<Fault, std::filesystem::path>> kept_fault;  // the last, and where

  bool forked() const { return process != getpid(); }
  void check_process() const {
    if (forked()) throw fail(Code::forked, "the session was opened by process {}", process);
  }
  // Null when the time passed first.
  Run::State* acquire(std::chrono::nanoseconds timeout) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point now = Clock::now(), end = timeout > Clock::time_point::max() - now ? Clock::time_point::max() : now + timeout;
    const auto is_free = [](const auto& run) { return !run->busy || (run->dropped && run->fence.done()); };
    std::unique_lock lock(mutex);
    for (;;) {
      if (const auto run = std::ranges::find_if(runs, is_free); run != runs.end()) {
        (*run)->busy = true;
        (*run)->dropped = false;
        (*run)->fence = {};
        return run->get();
      }
      if (Clock::now() >= end) return nullptr;
      // Nobody tells of the end of a run that was dropped.
      const bool dropped = std::ranges::any_of(runs, [](const auto& run) { return run->dropped; });
      freed.wait_until(lock, dropped ? std::min(end, Clock::now() + kLook) : end);
    }
  }
  void release(Run::State& run) {
    run.outputs.clear();
    for (Buffer& buffer : run.slot.held) buffer = {};
    {
      std::lock_guard lock(mutex);
      run.busy = false;
    }
    freed.notify_one();
  }
  void drop(Run::State& run) {
    run.outputs.clear();
    {
      std::lock_guard lock(mutex);
      run.dropped = true;
    }
    freed.notify_one();
  }
  // What the caller asked to have kept of a run that has ended.
  void save_capture(Run::State& run) const {
    CaptureContents contents = captured(device, program, run.slot, std::move(run.captured_inputs), run.fence);
    Capture(std::move(contents)).save(std::exchange(run.capture, {}));
  }
  // Where a run that faulted is kept; none where it is not. Throws nothing: the fault is what the caller must hear of.
  std::optional<std::filesystem::path> keep(Run::State& run) try {
    const auto fault = run.fence.fault();
    if (!fault) return std::nullopt;
    const std::lock_guard lock(fault_mutex);
    if (!run.capture.empty()) {
      kept_fault.emplace(*fault, run.capture);
      save_capture(run);
      return kept_fault->second;
    }
    if (!keep_faults) return std::nullopt;
    std::error_code gone;
    if (kept_fault && same_fault(kept_fault->first, *fault) && std::filesystem::exists(kept_fault->second, gone)) return kept_fault->second;
    CaptureContents contents = captured(device, program, run.slot, bytes_of_inputs(program, run.slot), run.fence);
    contents.arena_was_zero = run.arena_was_zero;
    const auto path = keep_fault(Capture(std::move(contents)));
    if (path) kept_fault.emplace(*fault, *path);
    return path;
  } catch (const std::exception& error) {
    log(LogLevel::warning, "the job that faulted is not kept: {}", error.what());
    return std::nullopt;
  }
  Fence start(const Slot& slot) const {
    const DeviceJob job{.commands = &commands,
                        .command_bytes = static_cast<uint32_t>(program.commands().size()),
                        .regions = &slot.regions,
                        .region_count = static_cast<uint32_t>(program.regions().size())};
    try {
      return device.submit(job);
    } catch (const Error& error) {
      if (error.code() != Code::queue_dead) throw;
    }
    // A run that faulted has told its caller; the next one gets a new queue.
    device.renew_queue();
    return device.submit(job);
  }
};

Run::Run(std::shared_ptr<State> state) : state_(std::move(state)) {}
Run::Run(Run&&) noexcept = default;
Run& Run::operator=(Run other) noexcept {
  std::swap(state_, other.state_);
  std::swap(ended_, other.ended_);
  return *this;
}

Run::~Run() {
  if (!state_) return;
  if (state_->session->forked())
    leave(std::move(state_));
  else
    state_->session->drop(*state_);
}

bool Run::wait(std::chrono::nanoseconds timeout) {
  if (!state_) return true;
  try {
    if (state_->fence.wait(timeout) == WaitResult::timed_out) return false;
  } catch (const Error& error) {
    if (error.code() != Code::device_fault) throw;
    const auto path = state_->session->keep(*state_);
    if (!path) throw;
    throw fail(Code::device_fault, "{}. The job is kept: `kawara replay {}` runs it again", error.what(), path->string());
  }
  finish();
  return true;
}

void Run::wait() { wait(std::chrono::nanoseconds::max()); }

void Run::finish() {
  for (const auto& [bytes, buffer] : state_->outputs)
    if (!bytes.empty()) std::memcpy(bytes.data(), buffer->bytes().data(), bytes.size());
  const std::shared_ptr<State> ended = std::move(state_);
  ended_ = ended->fence;
  struct Release {
    State& run;
    ~Release() { run.session->release(run); }
  } const release{*ended};
  if (!ended->capture.empty()) ended->session->save_capture(*ended);
}

std::optional<Fault> Run::fault() const { return state_ ? state_->fence.fault() : std::nullopt; }

namespace {

// What makes a program run on this device, as the end of a message.
std::string remedy_for(const Device& device, const Program& program) {
  if (program.graph().empty()) return "it carries no portable graph to make another from: compile the model again";
  return fmt::format("relower(program, \"{}\") makes one for it, as an InferenceSession does by itself", device.config());
}

void check_version(const Device& device, const Program& program) {
  if (program.isa_version() != device.isa_version())
    throw fail(Code::version_mismatch, "the program is written in version {} of the command set, and {} runs version {}; {}",
               program.isa_version(), device.name(), device.isa_version(), remedy_for(device, program));
  for (const ProgramRegion& region : program.regions())
    if (region.role == ProgramRegion::Role::sram && region.size_bytes > device.sram_bytes())
      throw fail(Code::version_mismatch, "the program, compiled for {}, needs {} bytes of SRAM, and {} has {}; {}", program.target(),
                 region.size_bytes, device.name(), device.sram_bytes(), remedy_for(device, program));
}

Buffer uploaded_weights(const Device& device, const Program& program) {
  Buffer buffer = allocate(device, program.weights().size(), Memory::local, "the weights");
  program.copy_weights(buffer.bytes());
  return buffer;
}

Buffer uploaded(const Device& device, std::span<const std::byte> bytes, std::string_view what) {
  Buffer buffer = allocate(device, bytes.size(), Memory::local, what);
  if (!bytes.empty()) std::memcpy(buffer.bytes().data(), bytes.data(), bytes.size());
  return buffer;
}

std::string names(std::span<const TensorInfo> tensors) {
  std::string text;
  for (const TensorInfo& tensor : tensors) text += fmt::format("{}'{}'", text.empty() ? "" : ", ", tensor.name);
  return text;
}

const TensorInfo& find(std::span<const TensorInfo> tensors, std::string_view name, std::string_view role) {
  const auto tensor = std::ranges::find(tensors, name, &TensorInfo::name);
  if (tensor == tensors.end()) throw fail(Code::wrong_input, "the program has no {} '{}'; it has {}", role, name, names(tensors));
  return *tensor;
}

void check_buffer(const Session& session, const TensorInfo& tensor, const Buffer& buffer, std::string_view role) {
  if (!session.device().owns(buffer))
    throw fail(Code::wrong_input, "{} '{}': its buffer must be of the session's device", role, tensor.name);
  if (buffer.memory() != Memory::system)
    throw fail(Code::wrong_input, "{} '{}': its buffer must be of Memory::system, got Memory::local", role, tensor.name);
  const uint64_t needed = session.program().regions()[tensor.region].size_bytes;
  if (buffer.size_bytes() < needed)
    throw fail(Code::wrong_input, "{} '{}' needs a buffer of {} bytes, got {}", role, tensor.name, needed, buffer.size_bytes());
}

template <typename Binding>
void check(const Session& session, std::span<const TensorInfo> tensors, const Binding& binding, std::string_view role) {
  const TensorInfo& tensor = find(tensors, binding.name, role);
  if (binding.buffer) {
    if (!binding.bytes.empty()) throw fail(Code::wrong_input, "{} '{}' is bound to bytes and to a buffer", role, tensor.name);
    check_buffer(session, tensor, *binding.buffer, role);
  } else if (tensor.size_bytes != binding.bytes.size()) {
    throw fail(Code::wrong_input, "{} '{}' holds {} bytes ({} of [{}]), got {}", role, tensor.name, tensor.size_bytes, name(tensor.dtype),
               fmt::join(tensor.shape, ", "), binding.bytes.size());
  }
}

auto named(std::string_view name) {
  return [name](const auto& binding) { return binding.name == name; };
}

}  // namespace

Session::Session(Device device, Program program, SessionOptions options) {
  check_version(device, program);
  if (options.slots == 0) throw Error(Code::invalid_argument, "a session needs at least one slot");
  Buffer weights = uploaded_weights(device, program);
  Buffer commands = uploaded(device, program.commands(), "the command buffer");
  state_ = std::make_shared<State>(std::move(device), std::move(program), std::move(weights), std::move(commands), options.keep_faults);
  for (unsigned i = 0; i < options.slots; ++i) {
    auto& run = *state_->runs.emplace_back(std::make_unique<Run::State>());
    run.session = state_.get();
    run.slot = make_slot(state_->device, state_->program, state_->weights);
    run.outputs.reserve(outputs().size());
  }
}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&& other) noexcept {
  Session taken(std::move(other));
  std::swap(state_, taken.state_);
  return *this;
}
Session::~Session() {
  if (state_ && state_->forked()) leave(std::move(state_));
}

std::span<const TensorInfo> Session::inputs() const { return state_->program.inputs(); }
std::span<const TensorInfo> Session::outputs() const { return state_->program.outputs(); }
const Program& Session::program() const { return state_->program; }
const Device& Session::device() const { return state_->device; }

Run Session::submit(const Bindings& bindings) { return *submit(bindings, std::chrono::nanoseconds::max()); }

std::optional<Run> Session::submit(const Bindings& bindings, std::chrono::nanoseconds timeout) {
  state_->check_process();
  // Everything is checked before a place is taken.
  for (auto binding = bindings.inputs.begin(); binding != bindings.inputs.end(); ++binding) {
    check(*this, inputs(), *binding, "input");
    if (std::find_if(bindings.inputs.begin(), binding, named(binding->name)) != binding)
      throw fail(Code::wrong_input, "input '{}' is bound twice", binding->name);
  }
  for (const TensorInfo& input : inputs())
    if (std::ranges::none_of(bindings.inputs, named(input.name)))
      throw fail(Code::wrong_input, "input '{}' is not bound; the program needs {}", input.name, names(inputs()));
  for (const OutputBinding& binding : bindings.outputs) check(*this, outputs(), binding, "output");
  if (!bindings.capture.empty() && !leaves_inputs(program()))
    throw Error(Code::invalid_argument, "the program writes its inputs or weights: what they were before a run can't be captured after it");

  Run::State* const acquired = state_->acquire(timeout);
  if (!acquired) return std::nullopt;
  Run run(std::shared_ptr<Run::State>(state_, acquired));  // frees the slot when something throws
  Run::State& taken = *acquired;
  for (const InputBinding& binding : bindings.inputs) {
    const TensorInfo& input = find(inputs(), binding.name, "input");
    place(taken.slot, input.region, binding.buffer);
    if (!binding.bytes.empty()) std::memcpy(taken.slot.of_region[input.region]->bytes().data(), binding.bytes.data(), binding.bytes.size());
  }
  for (const TensorInfo& output : outputs()) place(taken.slot, output.region, nullptr);
  for (const OutputBinding& binding : bindings.outputs) {
    const TensorInfo& output = find(outputs(), binding.name, "output");
    if (binding.buffer)
      place(taken.slot, output.region, binding.buffer);
    else
      taken.outputs.emplace_back(binding.bytes, taken.slot.of_region[output.region]);
  }
  taken.arena_was_zero = !std::exchange(taken.used, true) || !bindings.capture.empty();
  taken.capture = bindings.capture;
  if (!taken.capture.empty()) {
    clear(program(), taken.slot);
    taken.captured_inputs = bytes_of_inputs(program(), taken.slot);
  }
  taken.fence = state_->start(taken.slot);
  return std::optional<Run>(std::move(run));
}

}  // namespace kawara
