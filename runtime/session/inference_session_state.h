// SPDX-License-Identifier: Apache-2.0
// What an InferenceSession is made of, and its bindings share: a device, a model, and a Session for each set of shapes.
#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <list>
#include <string>
#include <vector>

#include "kawara/inference_session.h"
#include "patient_mutex.h"

namespace kawara {

inline constexpr std::chrono::milliseconds kLook{20};

// Calls `waiting` at most once in kLook, however often it is called itself.
std::function<void()> seldom(const std::function<void()>& waiting);

// "'x' (f32 [batch, 4]), …"
std::string names_text(const std::vector<ModelTensor>& tensors);

// The inputs in the model's order, each checked against what the model states.
std::vector<const InputTensor*> matched(const std::vector<ModelTensor>& wanted, const std::vector<InputTensor>& given);

struct InferenceSession::State {
  using ShapeKey = std::vector<std::vector<int64_t>>;
  struct Specialised {
    ShapeKey key;
    std::shared_ptr<Session> session;
  };

  const pid_t process = getpid();
  Device device;
  std::filesystem::path path;  // of the .onnx file; empty when a program was given
  CompileOptions options;      // without `waiting`: each call has its own
  SessionOptions session_options;
  std::vector<ModelTensor> inputs, outputs;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::atomic<bool> left = false;  // a run was, by whoever waited for it
  PatientMutex mutex;
  std::list<Specialised> sessions;  // most recently used first

  State(const std::string& name, const SessionOptions& session);
  ~State();

  bool forked() const { return process != getpid(); }
  // Before the lock is touched, which a thread of the parent may have held.
  void check_process() const;
  void take(Program program, const std::function<void()>& waiting);
  void take_model(const std::function<void()>& waiting);
  std::shared_ptr<Session> session_for(const std::vector<const InputTensor*>& given, const std::function<void()>& waiting);
  // Waits for a slot and for the run's end. When `look` throws, the run is left to itself.
  Run finished_run(Session& session, const Bindings& bindings, const std::function<void()>& look);

 private:
  Program fitted(Program program, const std::function<void()>& waiting) const;
  void adopt(Program program);
};

}  // namespace kawara
