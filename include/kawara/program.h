// SPDX-License-Identifier: Apache-2.0
// A compiled model: what the compiler writes, a .kwr file holds and the runtime loads. Immutable, cheap to copy.
// It carries the portable graph that it was lowered from, so that relower() (compiler.h) can make it one for another chip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kawara/dtype.h"
#include "kawara/export.h"

namespace kawara {

class MappedFile;

// One input or output. Memory order is row-major and dense.
struct TensorInfo {
  std::string name;
  DType dtype = DType::none;
  std::vector<int64_t> shape;  // elements per dimension
  uint32_t region = 0;         // its entry in the region table
  uint64_t size_bytes = 0;
};

// Entry i of the region table: what the runtime puts there. All regions are memory but `sram`.
struct ProgramRegion {
  enum class Role : uint8_t { weights, arena, input, output, sram };
  Role role = Role::arena;
  uint32_t index = 0;  // which input or output
  uint64_t size_bytes = 0;
  bool readable = true;
  bool writable = false;
  uint16_t alias_group = 0;  // 0: disjoint from every other region
};

// Where a command comes from: header.debug_id -> the model's node.
struct DebugEntry {
  uint32_t id = 0;
  std::string node;  // name of the node in the model (or of its first output)
  std::string op;    // operator(s), e.g. "Conv+HardSwish"
};

struct ProgramContents {
  std::string target;  // a name of configs.def
  uint32_t isa_version = 0;
  std::vector<std::byte> commands;
  std::vector<ProgramRegion> regions;
  std::vector<TensorInfo> inputs, outputs;
  std::vector<DebugEntry> debug;
  std::vector<std::pair<std::string, std::string>> metadata;  // the model's own
  std::string report;                                         // JSON, see compiler/report
  std::vector<std::byte> weights;                             // contents of the weights region
  std::vector<std::byte> graph;                               // graph.fbs; empty: the program can't be re-lowered
  std::vector<std::byte> constants;                           // what the graph names beside the weights
};

class KAWARA_API Program {
 public:
  static constexpr uint32_t kFormatVersion = 2;  // of the .kwr files that this kawara writes and reads

  explicit Program(ProgramContents contents);
  // Maps a .kwr file; the file is verified before use. Throws not_found, io_failed, invalid_program, version_mismatch.
  static Program load(const std::filesystem::path& path);
  // Same model, options and version: same bytes.
  void save(const std::filesystem::path& path) const;

  const std::string& target() const;
  uint32_t isa_version() const;
  std::span<const std::byte> commands() const;
  std::span<const ProgramRegion> regions() const;
  std::span<const TensorInfo> inputs() const;
  std::span<const TensorInfo> outputs() const;
  std::span<const DebugEntry> debug() const;
  std::span<const std::pair<std::string, std::string>> metadata() const;
  // In the mapped file, if it was loaded from one.
  std::span<const std::byte> weights() const;
  // Copies the weights to memory of their size. Pages of the mapped file are given back as they are read, so that the process
  // does not hold the weights twice; they come back from the file when they are asked for.
  void copy_weights(std::span<std::byte> to) const;
  // The portable graph, as graph.fbs has it, and the constants that it names beside the weights. relower() checks them.
  std::span<const std::byte> graph() const;
  std::span<const std::byte> constants() const;
  const std::string& report() const;  // JSON

 private:
  friend class Capture;
  struct State;
  explicit Program(std::shared_ptr<const State> state);
  // `bytes` of the file are a .kwr file.
  static Program mapped(std::shared_ptr<const MappedFile> file, std::span<const std::byte> bytes);
  std::shared_ptr<const State> state_;
};

}  // namespace kawara
