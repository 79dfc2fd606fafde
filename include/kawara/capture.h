// SPDX-License-Identifier: Apache-2.0
// One job in one file (.kwj): all that it takes to run it again, and what became of it. Written where Bindings::capture says,
// and by itself when a job faults; replay.h runs it. Immutable, cheap to copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kawara/export.h"
#include "kawara/fault.h"
#include "kawara/fence.h"
#include "kawara/program.h"

namespace kawara {

// Inputs and outputs in the program's order.
struct CaptureContents {
  Program program;                                // the file has it without its portable graph
  std::string device;                             // that ran it: "emulator:vulkan,config=k1"
  std::string executor;                           // of an emulator: "vulkan" or "reference"
  std::string computes_on;                        // what that runs on: Device::computes_on
  bool arena_was_zero = true;                     // before the job; else what earlier runs had left
  std::vector<std::vector<std::byte>> inputs;     // as the job found them: ProgramRegion::size_bytes of each
  std::vector<std::vector<std::byte>> outputs{};  // as it left them: TensorInfo::size_bytes of each; none after a fault
  std::optional<Fault> fault{};                   // none: it ended well
  JobReport report{};                             // zero after a fault
};

class KAWARA_API Capture {
 public:
  static constexpr uint32_t kFormatVersion = 1;  // of the .kwj files that this kawara writes and reads

  // Throws invalid_capture.
  explicit Capture(CaptureContents contents);
  // Maps the file; all of it is verified before use. Throws not_found, io_failed, invalid_capture, version_mismatch.
  static Capture load(const std::filesystem::path& path);
  // The file is whole or not there. Throws io_failed.
  void save(const std::filesystem::path& path) const;
  uint64_t file_bytes() const;  // of what save() writes

  const Program& program() const;
  const std::string& device() const;
  const std::string& executor() const;
  const std::string& computes_on() const;
  const std::string& kawara() const;  // version of the one that made it
  bool arena_was_zero() const;
  std::span<const std::byte> input(size_t index) const;
  std::span<const std::byte> output(size_t index) const;  // of a job that ended well
  const std::optional<Fault>& fault() const;
  JobReport report() const;

 private:
  struct State;
  explicit Capture(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

// Saves it in the fault folder (cache.h), where the newest eight stay, within the folder's bytes. None where that is off; nothing
// is thrown: what fails is logged.
KAWARA_API std::optional<std::filesystem::path> keep_fault(const Capture& capture) noexcept;

}  // namespace kawara
