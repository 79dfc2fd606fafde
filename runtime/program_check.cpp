// SPDX-License-Identifier: Apache-2.0
#include "program_check.h"

#include <set>
#include <string_view>

#include "kawara/error.h"
#include "kawara/hw/hw.h"
#include "kawara/utf8.h"

namespace kawara {
namespace {

using Role = ProgramRegion::Role;

constexpr uint64_t kRegionBytesMax = uint64_t{1} << 40;
constexpr size_t kRankMax = 32;

std::string_view spelled(Role role) {
  switch (role) {
    case Role::weights: return "weights";
    case Role::arena: return "arena";
    case Role::input: return "input";
    case Role::output: return "output";
    case Role::sram: return "sram";
  }
  return "";
}

// Bytes of a dense tensor; nothing when a dimension is negative or the product is more than a region can hold.
bool dense_bytes(const TensorInfo& tensor, uint64_t& bytes) {
  uint64_t elements = 1;
  bool empty = false;
  for (const int64_t extent : tensor.shape) {
    if (extent < 0) return false;
    if (extent == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(elements, static_cast<uint64_t>(extent), &elements) || elements > kRegionBytesMax * 2) {
      return false;
    }
  }
  bytes = empty ? 0 : bytes_of(tensor.dtype, elements);
  return bytes <= kRegionBytesMax;
}

void check_tensors(const ProgramContents& contents, std::span<const TensorInfo> tensors, Role role) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorInfo& tensor = tensors[i];
    const auto broken = [&](std::string_view rule) {
      return fail(Code::invalid_program, "{} {} '{}': {}", spelled(role), i, tensor.name, rule);
    };
    if (tensor.name.empty()) throw broken("a name must not be empty");
    if (!names.insert(tensor.name).second) throw broken("two have this name");
    if (bits(tensor.dtype) == 0) throw broken("its dtype is not one of the chip's");
    if (tensor.shape.size() > kRankMax) throw broken("more than 32 dimensions");
    uint64_t bytes = 0;
    if (!dense_bytes(tensor, bytes)) throw broken("a dimension is negative, or the tensor is larger than 2^40 bytes");
    if (tensor.size_bytes != bytes) throw broken("size_bytes must be that of the dense tensor");
    if (tensor.region >= contents.regions.size()) throw broken("its region does not exist");
    const ProgramRegion& region = contents.regions[tensor.region];
    if (region.role != role || region.index != i) throw broken("its region belongs to something else");
    if (region.size_bytes < bytes) throw broken("its region is smaller than the tensor");
  }
}

void check_regions(const ProgramContents& contents, uint64_t weights_bytes) {
  if (contents.regions.size() > KAWARA_REGION_COUNT_MAX) {
    throw fail(Code::invalid_program, "{} regions; the chip takes {}", contents.regions.size(), KAWARA_REGION_COUNT_MAX);
  }
  bool weights = false;
  for (size_t i = 0; i < contents.regions.size(); ++i) {
    const ProgramRegion& region = contents.regions[i];
    const auto broken = [&](std::string_view rule) { return fail(Code::invalid_program, "region {}: {}", i, rule); };
    if (region.size_bytes > kRegionBytesMax) throw broken("larger than 2^40 bytes");
    switch (region.role) {
      case Role::weights:
        if (weights) throw broken("a second weights region");
        if (region.size_bytes < weights_bytes) throw broken("smaller than the weights");
        weights = true;
        continue;
      case Role::input:
        if (region.index >= contents.inputs.size() || contents.inputs[region.index].region != i) throw broken("no input uses it");
        continue;
      case Role::output:
        if (region.index >= contents.outputs.size() || contents.outputs[region.index].region != i) throw broken("no output uses it");
        continue;
      case Role::arena:
      case Role::sram: continue;
    }
    throw broken("its role is unknown");
  }
  if (weights_bytes && !weights) throw fail(Code::invalid_program, "there are weights, but no region for them");
}

// Whoever shows a program prints these, and Python has no other text.
void check_texts(const ProgramContents& contents) {
  const auto require = [](std::string_view text, std::string_view what) {
    if (!is_utf8(text)) throw fail(Code::invalid_program, "{} is not UTF-8", what);
  };
  require(contents.target, "its target");
  require(contents.report, "its report");
  for (const TensorInfo& tensor : contents.inputs) require(tensor.name, "the name of an input");
  for (const TensorInfo& tensor : contents.outputs) require(tensor.name, "the name of an output");
  for (const DebugEntry& entry : contents.debug) require(entry.node, "the name of a node"), require(entry.op, "the name of an operator");
  for (const auto& [key, value] : contents.metadata) require(key, "a key of its metadata"), require(value, "a value of its metadata");
}

}  // namespace

void check_program(const ProgramContents& contents, uint64_t weights_bytes, uint64_t constants_bytes) {
  check_texts(contents);
  if (contents.target.empty()) throw fail(Code::invalid_program, "it names no target");
  if (contents.commands.size() % 16 != 0) {
    throw fail(Code::invalid_program, "its {} bytes of commands are not a multiple of 16", contents.commands.size());
  }
  if (contents.commands.size() > KAWARA_COMMAND_BYTES_MAX) {
    throw fail(Code::invalid_program, "{} bytes of commands; the chip takes {}", contents.commands.size(), KAWARA_COMMAND_BYTES_MAX);
  }
  if (constants_bytes && contents.graph.empty()) throw fail(Code::invalid_program, "there are constants, but no graph that names them");
  check_regions(contents, weights_bytes);
  check_tensors(contents, contents.inputs, Role::input);
  check_tensors(contents, contents.outputs, Role::output);
}

}  // namespace kawara
