// SPDX-License-Identifier: Apache-2.0
// A model ready to run, the way ONNX Runtime's users expect it: shapes that the model leaves open are taken from the inputs,
// and each new set of shapes is compiled once and kept.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kawara/compiler.h"
#include "kawara/device.h"
#include "kawara/export.h"
#include "kawara/session.h"

namespace kawara {

// A caller's tensor, dense and row-major.
struct InputTensor {
  std::string name;
  DType dtype = DType::none;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

struct OutputTensor {
  std::string name;
  DType dtype = DType::none;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;
};

// An output of a Binding that goes to the caller's memory.
struct OutputPlace {
  std::string name;
  DType dtype = DType::none;
  std::vector<int64_t> shape;
  std::span<std::byte> bytes;
};

// A tensor of a Binding. `bytes` is where it lies in the binding's own memory; empty where that is the caller's.
struct BoundTensor {
  std::string name;
  DType dtype = DType::none;
  std::vector<int64_t> shape;
  std::span<std::byte> bytes;
};

// Fixed places for a model's inputs and outputs, for many runs. Made by InferenceSession::bind, which it may outlive.
class KAWARA_API Binding {
 public:
  Binding(Binding&&) noexcept;
  Binding& operator=(Binding&&) noexcept;
  ~Binding();

  const std::vector<BoundTensor>& inputs() const;   // in the model's order
  const std::vector<BoundTensor>& outputs() const;  // likewise

  // Reads the inputs from their places and writes every output to its own. Thread-safe, but one run at a time: throws
  // invalid_argument while another is under way, and what InferenceSession::run throws. `waiting` as there.
  void run(const std::function<void()>& waiting = {});
  // What the chip says of the last run that ended well; zero before.
  JobReport report() const;

 private:
  friend class InferenceSession;
  struct State;
  explicit Binding(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class KAWARA_API InferenceSession {
 public:
  // path: .onnx or .kwr. A model whose shapes are all known compiles here; others at the first run. They are compiled for the
  // device's configuration, whatever options.target says. A program for another configuration or command set is re-lowered for
  // the device (see relower in compiler.h; its report has "relowered_from"). Throws invalid_program for one that verify() refuses.
  // session.slots: how many calls of run() may be under way at once; others wait for their turn.
  InferenceSession(const std::filesystem::path& path, const std::string& device = "auto", const CompileOptions& options = {},
                   const SessionOptions& session = {});
  // `waiting` as in CompileOptions, which are of the other constructor.
  InferenceSession(Program program, const std::string& device = "auto", const std::function<void()>& waiting = {},
                   const SessionOptions& session = {});
  InferenceSession(InferenceSession&&) noexcept;
  InferenceSession& operator=(InferenceSession&&) noexcept;
  ~InferenceSession();

  // As the model states them: open dimensions are -1.
  const std::vector<ModelTensor>& inputs() const;
  const std::vector<ModelTensor>& outputs() const;
  const std::vector<std::pair<std::string, std::string>>& metadata() const;
  const Device& device() const;
  // The program that the last run used, or that the constructor compiled; nothing before.
  std::optional<Program> program() const;

  // Outputs in the order of `names`, or all when it is empty. Every input once, by name. Throws wrong_input (a name, type or
  // shape that is not the model's: the message lists what it wants), not_found (an output's name), and what compile and
  // Session throw. `waiting` is called every 20 ms or so while compiler or chip are at work; when it throws, the compilation
  // ends, and a run is left to itself: the next one waits for its end, but the session's own end does not.
  // `capture`: as Bindings has it.
  std::vector<OutputTensor> run(const std::vector<std::string>& names, const std::vector<InputTensor>& inputs,
                                const std::function<void()>& waiting = {}, const std::filesystem::path& capture = {});

  // Places for many runs at the shapes of these inputs, which may be new. Every input once, by name. An input without memory
  // (bytes.data() is null), and each output that is not named, lies in memory of the binding's own, which the chip reads and
  // writes in place: nothing is copied on the host. The caller's memory is copied once a run, and must live as long as the binding.
  // Throws what run() throws, and invalid_argument: an output's type, shape or size is not the model's, or it is named twice.
  Binding bind(const std::vector<InputTensor>& inputs, const std::vector<OutputPlace>& outputs = {},
               const std::function<void()>& waiting = {});

 private:
  friend class Binding;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace kawara
