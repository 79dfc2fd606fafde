// SPDX-License-Identifier: Apache-2.0
#include "kawara/session.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>

#include "kawara/error.h"
#include "slot.h"

namespace kawara {

struct Session::State {
  State(Device device, Program program, Buffer weights, Buffer commands)
      : device(std::move(device)), program(std::move(program)), weights(std::move(weights)), commands(std::move(commands)) {}

  const pid_t process = getpid();
  Device device;
  Program program;
  Buffer weights, commands;
  std::vector<std::unique_ptr<Slot>> slots;
  std::mutex mutex;
  std::condition_variable freed;

  Slot& acquire() {
    std::unique_lock lock(mutex);
    Slot* found = nullptr;
    freed.wait(lock, [&] {
      const auto slot = std::ranges::find_if(slots, [](const auto& candidate) { return !candidate->busy; });
      if (slot != slots.end()) found = slot->get();
      return found != nullptr;
    });
    found->busy = true;
    return *found;
  }
  void release(Slot& slot) {
    {
      std::lock_guard lock(mutex);
      slot.busy = false;
    }
    freed.notify_one();
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

struct Run::State {
  std::shared_ptr<Session::State> session;
  Slot* slot = nullptr;
  Fence fence;
  std::vector<std::pair<std::span<std::byte>, const Buffer*>> outputs;
  bool ended = false;

  ~State() {
    if (ended) return;
    try {
      fence.wait();
    } catch (const std::exception&) {
      // Whoever drops a run does not ask how it ended.
    }
    session->release(*slot);
  }
  void finish() {
    for (const auto& [bytes, buffer] : outputs)
      if (!bytes.empty()) std::memcpy(bytes.data(), buffer->bytes().data(), bytes.size());
    ended = true;
    session->release(*slot);
  }
};

Run::Run(std::unique_ptr<State> state) : state_(std::move(state)) {}
Run::Run(Run&&) noexcept = default;
Run& Run::operator=(Run&&) noexcept = default;
Run::~Run() = default;

bool Run::wait(std::chrono::nanoseconds timeout) {
  if (state_->ended) return true;
  if (state_->fence.wait(timeout) == WaitResult::timed_out) return false;
  state_->finish();
  return true;
}

void Run::wait() {
  if (state_->ended) return;
  state_->fence.wait();
  state_->finish();
}

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
  Buffer buffer = device.allocate(std::max<size_t>(program.weights().size(), 1), Memory::local);
  program.copy_weights(buffer.bytes());
  return buffer;
}

Buffer uploaded(const Device& device, std::span<const std::byte> bytes, Memory memory) {
  Buffer buffer = device.allocate(std::max<size_t>(bytes.size(), 1), memory);
  if (!bytes.empty()) std::memcpy(buffer.bytes().data(), bytes.data(), bytes.size());
  return buffer;
}

std::string names(std::span<const TensorInfo> tensors) {
  std::string text;
  for (const TensorInfo& tensor : tensors) text += fmt::format("{}'{}'", text.empty() ? "" : ", ", tensor.name);
  return text;
}

const TensorInfo& find(std::span<const TensorInfo> tensors, std::string_view name, size_t bytes, std::string_view role) {
  const auto tensor = std::ranges::find(tensors, name, &TensorInfo::name);
  if (tensor == tensors.end()) throw fail(Code::wrong_input, "the program has no {} '{}'; it has {}", role, name, names(tensors));
  if (tensor->size_bytes != bytes)
    throw fail(Code::wrong_input, "{} '{}' holds {} bytes ({} of [{}]), got {}", role, name, tensor->size_bytes,
               kawara::name(tensor->dtype), fmt::join(tensor->shape, ", "), bytes);
  return *tensor;
}

}  // namespace

Session::Session(Device device, Program program, SessionOptions options) {
  check_version(device, program);
  if (options.slots == 0) throw Error(Code::invalid_argument, "a session needs at least one slot");
  Buffer weights = uploaded_weights(device, program);
  Buffer commands = uploaded(device, program.commands(), Memory::local);
  state_ = std::make_shared<State>(std::move(device), std::move(program), std::move(weights), std::move(commands));
  for (unsigned i = 0; i < options.slots; ++i)
    state_->slots.push_back(std::make_unique<Slot>(make_slot(state_->device, state_->program, state_->weights)));
}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

std::span<const TensorInfo> Session::inputs() const { return state_->program.inputs(); }
std::span<const TensorInfo> Session::outputs() const { return state_->program.outputs(); }
const Program& Session::program() const { return state_->program; }
const Device& Session::device() const { return state_->device; }

Run Session::submit(const Bindings& bindings) {
  // A child has no mapping of the buffers: a write to them would end it.
  if (getpid() != state_->process) throw fail(Code::forked, "the session was opened by process {}", state_->process);
  // Everything is checked before a slot is taken.
  std::vector<const InputBinding*> given(inputs().size(), nullptr);
  for (const InputBinding& binding : bindings.inputs) {
    auto& place = given[&find(inputs(), binding.name, binding.bytes.size(), "input") - inputs().data()];
    if (place) throw fail(Code::wrong_input, "input '{}' is bound twice", binding.name);
    place = &binding;
  }
  for (size_t i = 0; i < given.size(); ++i)
    if (!given[i]) throw fail(Code::wrong_input, "input '{}' is not bound; the program needs {}", inputs()[i].name, names(inputs()));
  std::vector<const TensorInfo*> wanted;
  for (const OutputBinding& binding : bindings.outputs) wanted.push_back(&find(outputs(), binding.name, binding.bytes.size(), "output"));

  auto run = std::make_unique<Run::State>();
  run->session = state_;
  run->slot = &state_->acquire();
  const auto buffer_of = [&](const TensorInfo& tensor) { return run->slot->of_region[tensor.region]; };
  for (size_t i = 0; i < given.size(); ++i)
    if (!given[i]->bytes.empty()) std::memcpy(buffer_of(inputs()[i])->bytes().data(), given[i]->bytes.data(), given[i]->bytes.size());
  for (size_t i = 0; i < wanted.size(); ++i) run->outputs.emplace_back(bindings.outputs[i].bytes, buffer_of(*wanted[i]));
  run->fence = state_->start(*run->slot);
  return Run(std::move(run));
}

}  // namespace kawara
