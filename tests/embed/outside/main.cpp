// SPDX-License-Identifier: Apache-2.0
// Runs a model of four floats on the emulator that needs nothing: outside MODEL.onnx
#include <kawara/compiler.h>
#include <kawara/device.h>
#include <kawara/error.h>
#include <kawara/session.h>
#include <kawara/version.h>

#include <array>
#include <cstdio>

static_assert(__cplusplus < 202302L, "built as C++20, as the headers promise");

int main(int, char** arguments) try {
  kawara::Session session(kawara::Device::open("emulator:reference"), kawara::compile(arguments[1]));
  const std::array<float, 4> x{-1, 0, 1, 5};
  std::array<float, 4> y{};
  session.submit({.inputs = {{"x", std::as_bytes(std::span(x))}}, .outputs = {{"y", std::as_writable_bytes(std::span(y))}}}).wait();
  std::printf("%s: %g %g %g %g\n", kawara::version().data(), y[0], y[1], y[2], y[3]);
  kawara::compile("absent.onnx");
} catch (const kawara::Error& error) {
  std::printf("%s\n", name(error.code()).data());  // caught across the library's border
}
