// SPDX-License-Identifier: Apache-2.0
// The public C++ API as a Python module. Conversions only: what users see is written in kawara/*.py.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "kawara/cache.h"
#include "kawara/capture.h"
#include "kawara/compiler.h"
#include "kawara/device.h"
#include "kawara/environment.h"
#include "kawara/error.h"
#include "kawara/inference_session.h"
#include "kawara/profile.h"
#include "kawara/program.h"
#include "kawara/replay.h"
#include "kawara/version.h"
#include "kawara/vulkan_devices.h"

namespace py = pybind11;
using namespace kawara;

namespace {

DType chip_dtype(const std::string& text) {
  if (const auto dtype = kawara::dtype_named(text)) return *dtype;
  throw fail(Code::invalid_argument, "'{}' is not an element type of the chip", text);
}

// (name, dtype, array) with a dense array, checked in Python.
using Feed = std::tuple<std::string, std::string, py::array>;

InputTensor input_of(const Feed& feed) {
  const auto& [input_name, dtype, array] = feed;
  InputTensor tensor{.name = input_name, .dtype = chip_dtype(dtype), .shape = {}, .bytes = {}};
  tensor.shape.assign(array.shape(), array.shape() + array.ndim());
  tensor.bytes = {static_cast<const std::byte*>(array.data()), static_cast<size_t>(array.nbytes())};
  return tensor;
}

// (name, dtype, shape, bytes): the array of bytes owns the result, so nothing is copied.
py::tuple output_of(OutputTensor&& tensor) {
  auto* owned = new std::vector<std::byte>(std::move(tensor.bytes));
  py::capsule owner(owned, [](void* bytes) { delete static_cast<std::vector<std::byte>*>(bytes); });
  py::array_t<uint8_t> bytes(static_cast<py::ssize_t>(owned->size()), reinterpret_cast<const uint8_t*>(owned->data()), owner);
  return py::make_tuple(std::move(tensor.name), std::string(name(tensor.dtype)), std::move(tensor.shape), std::move(bytes));
}

// (name, dtype, shape, array or None), and what the binding's arrays share the memory with.
using BoundFeed = std::tuple<std::string, std::string, std::vector<int64_t>, std::optional<py::array>>;

InputTensor input_of(const BoundFeed& feed) {
  const auto& [input_name, dtype, shape, array] = feed;
  InputTensor tensor{.name = input_name, .dtype = chip_dtype(dtype), .shape = shape, .bytes = {}};
  if (array) tensor.bytes = {static_cast<const std::byte*>(array->data()), static_cast<size_t>(array->nbytes())};
  return tensor;
}

OutputPlace place_of(const Feed& feed) {
  auto [output_name, dtype, array] = feed;
  OutputPlace place{.name = output_name, .dtype = chip_dtype(dtype), .shape = {}, .bytes = {}};
  place.shape.assign(array.shape(), array.shape() + array.ndim());
  place.bytes = {static_cast<std::byte*>(array.mutable_data()), static_cast<size_t>(array.nbytes())};
  return place;
}

// Arrays of the binding's own memory keep the binding.
py::list bound(const py::object& self, const std::vector<BoundTensor>& tensors) {
  py::list list;
  for (const BoundTensor& tensor : tensors) {
    py::object bytes = py::none();
    if (tensor.bytes.data())
      bytes =
          py::array_t<uint8_t>(static_cast<py::ssize_t>(tensor.bytes.size()), reinterpret_cast<const uint8_t*>(tensor.bytes.data()), self);
    list.append(py::make_tuple(tensor.name, std::string(name(tensor.dtype)), tensor.shape, bytes));
  }
  return list;
}

py::tuple described(const ModelTensor& tensor) {
  return py::make_tuple(tensor.name, std::string(name(tensor.dtype)), tensor.shape, tensor.dimensions);
}

py::list described(const std::vector<ModelTensor>& tensors) {
  py::list list;
  for (const auto& tensor : tensors) list.append(described(tensor));
  return list;
}

py::list described(std::span<const TensorInfo> tensors) {
  py::list list;
  for (const auto& tensor : tensors)
    list.append(py::make_tuple(tensor.name, std::string(name(tensor.dtype)), tensor.shape, std::vector<std::string>(tensor.shape.size())));
  return list;
}

// The calls that are under way without the interpreter's lock. At its exit they come to their end first: a thread that asked for
// the lock of an interpreter that is gone would take the process down.
class Calls {
  struct State;

 public:
  ~Calls() { finish(); }

  // Made and destroyed with the interpreter's lock held.
  class Call {
   public:
    explicit Call(Calls& calls) : calls_(calls), state_(*calls.state_) { state_.begin(); }
    ~Call() {
      if (calls_.state_.get() == &state_) state_.end();
    }
    Call(const Call&) = delete;

   private:
    Calls& calls_;
    State& state_;
  };

  // Ctrl-C while Python waits: its handler runs here, and what it raises goes through.
  void look() {
    const py::gil_scoped_acquire held;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    const std::lock_guard lock(state_->mutex);
    if (!state_->over) return;
    PyErr_SetNone(PyExc_SystemExit);
    throw py::error_already_set();
  }
  // What cannot stop at once goes on in its thread when Ctrl-C ends the wait for it, until it sees that nobody waits.
  void leave_behind(std::thread thread) {
    const std::lock_guard lock(state_->mutex);
    state_->left_behind.push_back(std::move(thread));
  }
  void finish() {
    std::vector<std::thread> threads;
    {
      std::unique_lock lock(state_->mutex);
      state_->over = true;
      state_->ended.wait(lock, [this] { return state_->under_way == 0; });
      threads.swap(state_->left_behind);
    }
    for (std::thread& thread : threads) thread.join();
  }
  // In the child of a fork. The calls and threads are the parent's, and so may be the hold on the lock: nothing of it is touched.
  void forked() {
    state_.release();
    state_ = std::make_unique<State>();
  }

 private:
  struct State {
    void begin() {
      {
        const std::lock_guard lock(mutex);
        if (!over) {
          ++under_way;
          return;
        }
      }
      // The interpreter ends, and with it this thread.
      const py::gil_scoped_release released;
      for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
    void end() {
      const std::lock_guard lock(mutex);
      --under_way;
      ended.notify_all();
    }

    std::mutex mutex;
    std::condition_variable ended;
    unsigned under_way = 0;
    bool over = false;
    std::vector<std::thread> left_behind;
  };
  std::unique_ptr<State> state_ = std::make_unique<State>();
};

using Waiting = std::function<void()>;
struct NobodyWaits {};

// Calls `work` without the interpreter's lock, and lets signals in meanwhile. `work` owns what it uses, and no Python object. What
// it is given to call throws once nobody waits for it any more.
template <typename Work>
auto interruptible(Calls& calls, Work work) {
  const Calls::Call call(calls);
  const py::gil_scoped_release released;
  const auto left = std::make_shared<std::atomic<bool>>(false);
  const auto waiting = [left] {
    if (*left) throw NobodyWaits();
  };
  std::packaged_task<decltype(work(Waiting()))()> task([work = std::move(work), waiting] { return work(waiting); });
  auto result = task.get_future();
  std::thread thread(std::move(task));
  try {
    while (result.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) calls.look();
  } catch (...) {
    *left = true;
    calls.leave_behind(std::move(thread));
    throw;
  }
  thread.join();
  return result.get();
}

DType precision_of(const std::string& text) {
  if (const auto dtype = kawara::dtype_named(text)) return *dtype;
  throw fail(Code::invalid_argument, "precision must be f32, bf16 or f16, got '{}'", text);
}

CompileOptions options_of(const std::map<std::string, std::vector<int64_t>>& shapes, const std::string& target,
                          const std::string& precision, const Waiting& waiting) {
  return {.shapes = shapes, .target = target, .precision = precision_of(precision), .waiting = waiting};
}

py::dict described(const CacheUse& use) {
  py::dict result;
  result["programs"] = use.programs;
  result["program_bytes"] = use.program_bytes;
  result["shader_bytes"] = use.shader_bytes;
  result["faults"] = use.faults;
  result["fault_bytes"] = use.fault_bytes;
  return result;
}

// What a capture tells without being run.
py::dict described(const Capture& capture) {
  py::dict result;
  result["kawara"] = capture.kawara();
  result["device"] = capture.device();
  result["executor"] = capture.executor();
  result["computes_on"] = capture.computes_on();
  result["arena"] = capture.arena_was_zero() ? "zeros" : "unknown";
  result["fault"] = capture.fault() ? describe(*capture.fault(), capture.program().commands()) : std::string();
  result["cycles"] = capture.report().cycles;
  return result;
}

py::dict described(const Replay& replay) {
  py::list outputs;
  for (const OutputDifference& output : replay.outputs) {
    py::dict row;
    row["name"] = output.name;
    row["dtype"] = std::string(name(output.dtype));
    row["elements"] = output.elements;
    row["different"] = output.different;
    row["max_abs"] = output.max_abs;
    row["max_ulp"] = output.max_ulp;
    row["tolerance"] = output.tolerance;
    row["within"] = output.within;
    outputs.append(row);
  }
  py::dict result;
  result["device"] = replay.device;
  result["executor"] = replay.executor;
  result["computes_on"] = replay.computes_on;
  result["captured_fault"] = replay.captured_fault;
  result["fault"] = replay.fault;
  result["captured_cycles"] = replay.captured_report.cycles;
  result["cycles"] = replay.report.cycles;
  result["bits_promised"] = replay.bits_promised;
  result["relative_tolerance"] = replay.relative_tolerance;
  result["outputs"] = outputs;
  result["equal"] = replay.equal;
  result["as_promised"] = replay.as_promised;
  return result;
}

}  // namespace

PYBIND11_MODULE(_kawara, module) {
  module.doc() = "Kawara's C++ API; use the package kawara.";

  // kawara/errors.py sets the class; it carries code, node, message and remedy.
  // Held for ever: the translator may run until the interpreter is gone.
  static PyObject* error_class = PyExc_RuntimeError;
  module.def("set_error_class", [](py::object type) { error_class = type.release().ptr(); }, py::arg("type"));
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const Error& error) {
      // A path may be no text at all.
      const auto message = py::reinterpret_steal<py::str>(
          PyUnicode_DecodeUTF8(error.what(), static_cast<Py_ssize_t>(std::strlen(error.what())), "backslashreplace"));
      py::object value = py::handle(error_class)(message, std::string(name(error.code())), error.node(), std::string(cause(error.code())),
                                                 std::string(remedy(error.code())));
      PyErr_SetObject(error_class, value.ptr());
    }
  });

  module.def("built_version", [] { return KAWARA_BUILT_VERSION; });
  module.def("version", &kawara::version);
  module.def("errors", [] {
    py::dict rows;
    for (const Code code : kCodes) rows[py::str(std::string(name(code)))] = py::make_tuple(cause(code), remedy(code));
    return rows;
  });
  module.def("variables", [] {
    py::list rows;
    for (const VariableRow& row : kVariables) rows.append(py::make_tuple(row.name, environment(row.variable), row.standard, row.meaning));
    return rows;
  });
  module.def("unknown_variables", &unknown_variables);
  module.def("cache_folder", &cache_folder);
  module.def("fault_folder", &fault_folder);
  module.def("cache_limits", [] {
    const CacheLimits limits = cache_limits();
    return py::make_tuple(limits.program_bytes, limits.shader_bytes, limits.fault_bytes);
  });
  module.def("cache_use", [] { return described(cache_use()); });
  module.def("clear_cache", [] { return described(clear_cache()); });
  module.def("vulkan_devices", [] {
    py::list rows;
    for (const VulkanDeviceDescription& device : vulkan_devices()) {
      py::dict entry;
      entry["name"] = device.name;
      entry["driver"] = device.driver;
      entry["lacks"] = device.lacks;
      rows.append(entry);
    }
    return rows;
  });

  const auto calls = std::make_shared<Calls>();
  py::module_::import("atexit").attr("register")(py::cpp_function([calls] {
    const py::gil_scoped_release released;
    calls->finish();
  }));
  // What was registered before this call does not run when the process ends; what comes later does, and output is written out.
  module.def("skip_exit_handlers", [] {
    on_exit(
        [](int status, void*) {
          std::fflush(nullptr);
          _exit(status);
        },
        nullptr);
  });
  py::module_::import("os").attr("register_at_fork")(py::arg("after_in_child") = py::cpp_function([calls] { calls->forked(); }));

  py::class_<Program>(module, "Program")
      .def_static(
          "load",
          [calls](const std::filesystem::path& path) { return interruptible(*calls, [=](const Waiting&) { return Program::load(path); }); },
          py::arg("path"))
      .def(
          "save",
          [calls](const Program& program, const std::filesystem::path& path) {
            return interruptible(*calls, [=](const Waiting&) { program.save(path); });
          },
          py::arg("path"))
      .def_property_readonly("target", &Program::target)
      .def_property_readonly("isa_version", &Program::isa_version)
      .def_property_readonly("inputs", [](const Program& program) { return described(program.inputs()); })
      .def_property_readonly("outputs", [](const Program& program) { return described(program.outputs()); })
      .def_property_readonly(
          "metadata",
          [](const Program& program) { return std::map<std::string, std::string>(program.metadata().begin(), program.metadata().end()); })
      .def_property_readonly("command_bytes", [](const Program& program) { return program.commands().size(); })
      .def_property_readonly("weight_bytes", [](const Program& program) { return program.weights().size(); })
      .def_property_readonly("graph_bytes", [](const Program& program) { return program.graph().size(); })
      .def_property_readonly("constant_bytes", [](const Program& program) { return program.constants().size(); })
      .def_property_readonly("format_version", [](const Program&) { return Program::kFormatVersion; })
      .def_property_readonly("report", &Program::report);

  module.def(
      "relower",
      [calls](const Program& program, const std::string& target) {
        return interruptible(*calls, [=](const Waiting& waiting) { return kawara::relower(program, target, waiting); });
      },
      py::arg("program"), py::arg("target"));

  module.def(
      "compile",
      [calls](const std::filesystem::path& model, const std::map<std::string, std::vector<int64_t>>& shapes, const std::string& target,
              const std::string& precision) {
        return interruptible(
            *calls, [=](const Waiting& waiting) { return kawara::compile(model, options_of(shapes, target, precision, waiting)); });
      },
      py::arg("model"), py::arg("shapes"), py::arg("target"), py::arg("precision"));

  module.def(
      "inspect",
      [calls](const std::filesystem::path& model) {
        const ModelInfo info = interruptible(*calls, [=](const Waiting&) { return kawara::inspect(model); });
        py::dict result;
        result["name"] = info.name;
        result["producer"] = info.producer;
        result["ir_version"] = info.ir_version;
        result["opsets"] = info.opsets;
        result["inputs"] = described(info.inputs);
        result["outputs"] = described(info.outputs);
        result["metadata"] = std::map<std::string, std::string>(info.metadata.begin(), info.metadata.end());
        result["operators"] = info.operators;
        result["constant_bytes"] = info.constant_bytes;
        return result;
      },
      py::arg("model"));

  module.def(
      "explain",
      [calls](const std::filesystem::path& model, const std::map<std::string, std::vector<int64_t>>& shapes, const std::string& target,
              const std::string& precision) {
        const std::vector<NodePlacement> rows = interruptible(
            *calls, [=](const Waiting& waiting) { return kawara::explain(model, options_of(shapes, target, precision, waiting)); });
        py::list result;
        for (const NodePlacement& row : rows) {
          py::dict entry;
          entry["node"] = row.node;
          entry["op"] = row.op;
          entry["supported"] = row.supported;
          entry["engine"] = row.engine;
          entry["command"] = row.command;
          entry["operands"] = row.operands;
          entry["group"] = row.group;
          entry["rule"] = row.rule;
          result.append(entry);
        }
        return result;
      },
      py::arg("model"), py::arg("shapes"), py::arg("target"), py::arg("precision"));

  module.def(
      "profile",
      [calls](const Program& program) {
        const Profile profile = interruptible(*calls, [=](const Waiting&) { return kawara::profile(program); });
        py::dict engines;
        for (const EngineProfile& row : profile.engines) engines[py::str(row.engine)] = row.busy;
        py::list commands;
        for (const CommandProfile& row : profile.commands) {
          py::dict entry;
          entry["node"] = row.node;
          entry["op"] = row.op;
          entry["command"] = row.command;
          entry["engine"] = row.engine;
          entry["start"] = row.start;
          entry["cycles"] = row.cycles;
          entry["alone"] = row.alone;
          entry["bound"] = row.bound;
          entry["host_bytes"] = row.host_bytes;
          entry["local_bytes"] = row.local_bytes;
          entry["sram_bytes"] = row.sram_bytes;
          commands.append(entry);
        }
        py::dict result;
        result["cycles"] = profile.cycles;
        result["clock_mhz"] = profile.clock_mhz;
        result["engines"] = engines;
        result["commands"] = commands;
        return result;
      },
      py::arg("program"));

  module.def(
      "capture_info",
      [calls](const std::filesystem::path& path) {
        const Capture capture = interruptible(*calls, [=](const Waiting&) { return Capture::load(path); });
        return py::make_tuple(capture.program(), described(capture));
      },
      py::arg("path"));

  module.def(
      "replay",
      [calls](const std::filesystem::path& path, const std::string& device) {
        return described(interruptible(*calls, [=](const Waiting& waiting) { return replay(Capture::load(path), device, waiting); }));
      },
      py::arg("path"), py::arg("device"));

  module.def(
      "device_config",
      [calls](const std::string& device) { return interruptible(*calls, [=](const Waiting&) { return Device::open(device).config(); }); },
      py::arg("device"));

  module.def("devices", [] {
    py::list result;
    for (const DeviceDescription& device : Device::list()) {
      py::dict entry;
      entry["name"] = device.name;
      entry["kind"] = device.kind;
      entry["config"] = device.config;
      entry["local_bytes"] = device.local_bytes;
      entry["sram_bytes"] = device.sram_bytes;
      result.append(entry);
    }
    return result;
  });

  py::class_<Binding>(module, "Binding")
      .def_property_readonly("inputs", [](const py::object& self) { return bound(self, self.cast<Binding&>().inputs()); })
      .def_property_readonly("outputs", [](const py::object& self) { return bound(self, self.cast<Binding&>().outputs()); })
      .def_property_readonly("cycles", [](const Binding& binding) { return binding.report().cycles; })
      .def("run", [calls](Binding& binding) {
        const Calls::Call call(*calls);
        const py::gil_scoped_release released;
        binding.run([&] { calls->look(); });
      });

  py::class_<InferenceSession>(module, "InferenceSession")
      .def(py::init([calls](const std::filesystem::path& path, const std::string& device,
                            const std::map<std::string, std::vector<int64_t>>& shapes, bool cache, unsigned slots,
                            const std::string& precision) {
             return interruptible(*calls, [=](const Waiting& waiting) {
               const CompileOptions options{.shapes = shapes, .precision = precision_of(precision), .cache = cache, .waiting = waiting};
               return std::make_unique<InferenceSession>(path, device, options, SessionOptions{.slots = slots});
             });
           }),
           py::arg("path"), py::arg("device"), py::arg("shapes"), py::arg("cache"), py::arg("slots"), py::arg("precision"))
      .def(py::init([calls](const Program& program, const std::string& device, unsigned slots) {
             return interruptible(*calls, [=](const Waiting& waiting) {
               return std::make_unique<InferenceSession>(program, device, waiting, SessionOptions{.slots = slots});
             });
           }),
           py::arg("program"), py::arg("device"), py::arg("slots"))
      .def_property_readonly("inputs", [](const InferenceSession& session) { return described(session.inputs()); })
      .def_property_readonly("outputs", [](const InferenceSession& session) { return described(session.outputs()); })
      .def_property_readonly("metadata",
                             [](const InferenceSession& session) {
                               return std::map<std::string, std::string>(session.metadata().begin(), session.metadata().end());
                             })
      .def_property_readonly("device", [](const InferenceSession& session) { return std::string(session.device().name()); })
      // Another thread may compile meanwhile, and ask for the interpreter's lock.
      .def_property_readonly("program", py::cpp_function(&InferenceSession::program, py::call_guard<py::gil_scoped_release>()))
      .def(
          "run",
          [calls](InferenceSession& session, const std::vector<std::string>& names, const std::vector<Feed>& feeds,
                  const std::filesystem::path& capture) {
            std::vector<InputTensor> inputs;
            for (const Feed& feed : feeds) inputs.push_back(input_of(feed));
            std::vector<OutputTensor> outputs;
            {
              const Calls::Call call(*calls);
              const py::gil_scoped_release released;
              outputs = session.run(names, inputs, [&] { calls->look(); }, capture);
            }
            py::list result;
            for (OutputTensor& output : outputs) result.append(output_of(std::move(output)));
            return result;
          },
          py::arg("names"), py::arg("feeds"), py::arg("capture"))
      .def(
          "bind",
          [calls](InferenceSession& session, const std::vector<BoundFeed>& feeds, const std::vector<Feed>& outputs) {
            std::vector<InputTensor> inputs;
            for (const BoundFeed& feed : feeds) inputs.push_back(input_of(feed));
            std::vector<OutputPlace> places;
            for (const Feed& feed : outputs) places.push_back(place_of(feed));
            const Calls::Call call(*calls);
            const py::gil_scoped_release released;
            return session.bind(inputs, places, [&] { calls->look(); });
          },
          py::arg("feeds"), py::arg("places"));
}
