// SPDX-License-Identifier: Apache-2.0
#include "kawara/replay.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <string_view>

#include "difference.h"
#include "kawara/error.h"
#include "kawara/hw/commands.h"
#include "kawara/session.h"

namespace kawara {
namespace {

constexpr std::chrono::milliseconds kLook{20};

// An emulator of the capture's configuration, where the name leaves that open.
std::string name_of(const Capture& capture, const std::string& device) {
  constexpr std::string_view kEmulator = "emulator";
  const std::string config = "config=" + capture.program().target();
  if (device.empty()) return capture.executor().empty() ? capture.device() : fmt::format("emulator:{},{}", capture.executor(), config);
  if (!device.starts_with(kEmulator) || device.find("config=") != std::string::npos) return device;
  return device + (device == kEmulator ? ":" : ",") + config;
}

void check_version(const Capture& capture, const Device& device) {
  const uint32_t version = capture.program().isa_version();
  if (version != device.isa_version())
    throw fail(Code::version_mismatch,
               "the captured commands are of version {} of the command set, {} runs version {}: replay them by kawara {}", version,
               device.name(), device.isa_version(), capture.kawara());
}

std::string text_of(const std::optional<Fault>& fault, const Program& program) {
  return fault ? describe(*fault, program.commands()) : std::string();
}

// What a product's operands in 16 bits may add to the difference of two executors: see Replay::relative_tolerance.
double narrow_tolerance(std::span<const std::byte> commands) {
  constexpr double kBf16 = 0x1p-8, kF16 = 0x1p-11;  // unit roundoffs
  double squares = 0;
  for (size_t at = 0; at < commands.size();) {  // commands that a chip has run
    const auto* header = reinterpret_cast<const kawara_header*>(commands.data() + at);
    at += header->size16 * size_t{16};
    std::array<uint8_t, 2> types{};
    if (header->opcode == KAWARA_COMMAND_gemm) {
      const auto* gemm = reinterpret_cast<const kawara_gemm*>(header);
      types = {gemm->a.dtype, gemm->b.dtype};
    } else if (header->opcode == KAWARA_COMMAND_conv) {
      const auto* conv = reinterpret_cast<const kawara_conv*>(header);
      types = {conv->a_dtype, conv->b_dtype};
    }
    double most = 0;
    for (const uint8_t type : types) most = std::max(most, type == KAWARA_DTYPE_bf16 ? kBf16 : type == KAWARA_DTYPE_f16 ? kF16 : 0.0);
    squares += most * most;
  }
  return 2 * std::sqrt(squares);
}

// The job's inputs, whole regions in memory that the chip reads in place, and room for its outputs.
struct Places {
  Places(const Capture& capture, const Device& device) {
    const auto inputs = capture.program().inputs();
    buffers.reserve(inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto bytes = capture.input(i);
      const Buffer& buffer = buffers.emplace_back(device.allocate(std::max<uint64_t>(bytes.size(), 1), Memory::system));
      std::ranges::copy(bytes, buffer.bytes().begin());
      bindings.inputs.push_back({.name = inputs[i].name, .bytes = {}, .buffer = &buffer});
    }
    outputs.reserve(capture.program().outputs().size());
    for (const TensorInfo& output : capture.program().outputs())
      bindings.outputs.push_back({.name = output.name, .bytes = outputs.emplace_back(output.size_bytes)});
  }

  std::vector<Buffer> buffers;
  std::vector<std::vector<std::byte>> outputs;
  Bindings bindings;
};

// Waits for the run's end; its fault, if it met one.
std::optional<Fault> finish(const Device& device, Run& run, const std::function<void()>& waiting) {
  try {
    while (!run.wait(kLook)) {
      try {
        if (waiting) waiting();
      } catch (...) {
        device.leave_jobs();
        throw;
      }
    }
    return std::nullopt;
  } catch (const Error& error) {
    if (error.code() != Code::device_fault) throw;
    return run.fault();
  }
}

OutputDifference compare(const TensorInfo& output, std::span<const std::byte> captured, std::span<const std::byte> got,
                         const Replay& replay) {
  const Difference found = difference(output.dtype, captured, got);
  OutputDifference result{.name = output.name,
                          .dtype = output.dtype,
                          .elements = bits(output.dtype) < 8 ? captured.size() : captured.size() / (bits(output.dtype) / 8),
                          .different = found.different,
                          .max_abs = found.max_abs,
                          .max_ulp = found.max_ulp};
  if (!replay.bits_promised && kind(output.dtype) == DTypeKind::FLOAT) result.tolerance = replay.relative_tolerance * found.magnitude;
  result.within = found.different == 0 || (result.tolerance > 0 && found.max_abs <= result.tolerance);
  return result;
}

}  // namespace

Replay replay(const Capture& capture, const std::string& name, const std::function<void()>& waiting) {
  const Program& program = capture.program();
  const Device device = Device::open(name_of(capture, name));
  check_version(capture, device);
  Replay result{.device = device.name(),
                .executor = device.executor(),
                .computes_on = device.computes_on(),
                .captured_fault = text_of(capture.fault(), program),
                .fault = {},
                .captured_report = capture.report(),
                .report = {},
                .outputs = {}};
  const Fidelity promise = result.captured_report.fidelity;
  result.bits_promised =
      promise.device_dependent == 0 || (device.executor() == capture.executor() && device.computes_on() == capture.computes_on());

  Session session(device, program, {.slots = 1, .keep_faults = false});
  Places places(capture, device);
  Run run = session.submit(places.bindings);
  const auto fault = finish(device, run, waiting);
  result.fault = text_of(fault, program);
  if (fault || capture.fault()) {
    result.equal = fault && capture.fault() && same_fault(*fault, *capture.fault());
    result.as_promised = result.equal;
    if (!fault) result.report = run.report();
    return result;
  }
  result.report = run.report();
  if (!result.bits_promised)
    result.relative_tolerance =
        std::ldexp(2.0 * static_cast<double>(promise.depth_max + 2) * promise.device_dependent, -24) + narrow_tolerance(program.commands());
  for (size_t i = 0; i < places.outputs.size(); ++i)
    result.outputs.push_back(compare(program.outputs()[i], capture.output(i), places.outputs[i], result));
  result.equal = std::ranges::all_of(result.outputs, [](const OutputDifference& output) { return output.different == 0; });
  result.as_promised = std::ranges::all_of(result.outputs, &OutputDifference::within);
  return result;
}

}  // namespace kawara
