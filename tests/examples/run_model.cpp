// SPDX-License-Identifier: Apache-2.0
// Compiles an ONNX model and runs it once on inputs of ones: run_model MODEL.onnx [DEVICE]
#include <chrono>
#include <cstdio>
#include <vector>

#include "kawara/compiler.h"
#include "kawara/device.h"
#include "kawara/error.h"
#include "kawara/session.h"

using namespace std::chrono_literals;

int main(int argc, char** argv) try {
  if (argc < 2) {
    std::fprintf(stderr, "usage: run_model MODEL.onnx [DEVICE]\n");
    return 2;
  }
  kawara::Program program = kawara::compile(argv[1]);
  kawara::Device device = kawara::Device::open(argc > 2 ? argv[2] : "auto");
  kawara::Session session(device, program);

  // One float buffer for each input and output, in the order of the program.
  std::vector<std::vector<float>> memory;
  kawara::Bindings bindings;
  for (const kawara::TensorInfo& input : session.inputs()) {
    memory.emplace_back(input.size_bytes / sizeof(float), 1.0f);
    bindings.inputs.push_back({input.name, std::as_bytes(std::span(memory.back()))});
  }
  for (const kawara::TensorInfo& output : session.outputs()) {
    memory.emplace_back(output.size_bytes / sizeof(float));
    bindings.outputs.push_back({output.name, std::as_writable_bytes(std::span(memory.back()))});
  }

  kawara::Run run = session.submit(bindings);
  while (!run.wait(100ms)) std::fprintf(stderr, "still running on %s\n", device.name().c_str());

  size_t next = session.inputs().size();
  for (const kawara::TensorInfo& output : session.outputs()) {
    const std::vector<float>& values = memory[next++];
    if (!values.empty()) std::printf("%s: %zu values, the first is %g\n", output.name.c_str(), values.size(), values.front());
  }
  return 0;
} catch (const kawara::Error& error) {
  std::fprintf(stderr, "error %s: %s\n  remedy: %s\n", name(error.code()).data(), error.what(), remedy(error.code()).data());
  return 1;
}
