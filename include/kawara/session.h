// SPDX-License-Identifier: Apache-2.0
// A Program loaded on a Device: weights, code and command buffer in place, once; inputs in, outputs out, each run.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "kawara/buffer.h"
#include "kawara/device.h"
#include "kawara/export.h"
#include "kawara/fence.h"
#include "kawara/program.h"

namespace kawara {

// A tensor, dense and row-major, in one of two places that must live until the run has ended:
//   bytes   memory of the caller, of exactly TensorInfo::size_bytes; copied to where the chip reads, or from where it writes
//   buffer  the session's device's, of Memory::system and at least ProgramRegion::size_bytes; the chip reads or writes its first
//           bytes in place, and nothing is copied on the host. The run shares it.
struct InputBinding {
  std::string_view name;
  std::span<const std::byte> bytes;
  const Buffer* buffer = nullptr;
};
struct OutputBinding {
  std::string_view name;
  std::span<std::byte> bytes;
  const Buffer* buffer = nullptr;
};
struct Bindings {
  std::vector<InputBinding> inputs;    // every input, once
  std::vector<OutputBinding> outputs;  // those that are wanted
  // A file (capture.h) that keeps the job whole, with what became of it; empty: none. The job finds its arena zeroed, and when its
  // end is waited for the file is written, which may throw io_failed: the outputs are in place by then.
  std::filesystem::path capture = {};
};

// One run under way. Destroyed early, it leaves the chip to end it: its outputs are lost, and its slot is free once it has
// ended. It may outlive its session.
class KAWARA_API Run {
 public:
  Run(Run&&) noexcept;
  Run& operator=(Run) noexcept;
  ~Run();

  // True when the outputs are in place; false when the time passed first. Throws device_fault, device_lost, queue_dead. A job
  // that faulted is kept as a capture, and the message says where: see SessionOptions::keep_faults.
  bool wait(std::chrono::nanoseconds timeout);
  void wait();
  std::optional<Fault> fault() const;  // as Fence has it
  // What the chip says of the run; zero until a wait has told that it ended well.
  JobReport report() const { return ended_.report(); }

 private:
  friend class Session;
  struct State;
  explicit Run(std::shared_ptr<State> state);
  void finish();
  std::shared_ptr<State> state_;  // a place of its session's; none once the run has ended
  Fence ended_;                   // that of the run, from then on
};

struct SessionOptions {
  unsigned slots = 1;  // runs that may be under way at once; each has an arena of its own
  // Jobs that fault are kept in the fault folder (cache.h), each fault once, and never where a program writes its inputs or weights.
  bool keep_faults = true;
};

// Thread-safe. submit() waits for a free slot.
class KAWARA_API Session {
 public:
  // Throws version_mismatch, out_of_memory, device_unavailable.
  Session(Device device, Program program, SessionOptions options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  std::span<const TensorInfo> inputs() const;
  std::span<const TensorInfo> outputs() const;
  const Program& program() const;
  const Device& device() const;

  // Throws wrong_input, naming the binding and the rule; invalid_argument for a capture of a program that writes its inputs or
  // weights; queue_dead.
  Run submit(const Bindings& bindings);
  // The same, or nothing when no slot was free in that time.
  std::optional<Run> submit(const Bindings& bindings, std::chrono::nanoseconds timeout);

 private:
  friend class Run;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace kawara
