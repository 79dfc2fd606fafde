// SPDX-License-Identifier: Apache-2.0
// From an ONNX file to a Program, and what can be said about a model without running it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kawara/dtype.h"
#include "kawara/export.h"
#include "kawara/program.h"

namespace kawara {

struct CompileOptions {
  // Dimensions per input, for inputs whose model leaves some open; -1 keeps the model's. An unknown input name is wrong_input.
  std::map<std::string, std::vector<int64_t>> shapes = {};
  std::string target = "k1";  // a name of configs.def
  // Of the operands of convolutions and matrix products, weights and others: f32, bf16 or f16. Sums and all else stay f32. What it costs
  // in exactness nobody knows before a run: Python's kawara.precision_error measures it.
  DType precision = DType::f32;
  // An InferenceSession takes compiled programs from the cache folder (kawara/cache.h) and keeps them there. compile() never does.
  bool cache = true;
  // Called again and again while the compiler is at work, on the caller's thread: what it throws ends the work and reaches the
  // caller.
  std::function<void()> waiting = {};
};

// Throws not_found, io_failed, invalid_model, shape_required, wrong_input, unsupported (all of the model's nodes at once),
// invalid_argument (another precision, or a weight that f16 can't hold).
KAWARA_API Program compile(const std::filesystem::path& model, const CompileOptions& options = {});

// The same program for another chip, or for the command set that this kawara writes: lowered again from the portable graph that
// the program carries. Inputs, outputs and their order stay, and the outputs are those that compiling the model for `target`
// gives. The report says where it came from ("relowered_from": target and isa_version).
// Throws invalid_argument (no such target), version_mismatch (it carries no portable graph, or one of another version),
// invalid_program (the graph breaks a rule), out_of_memory (the target's memory can't hold it), unsupported (nor can it run it).
// `waiting` as in CompileOptions.
KAWARA_API Program relower(const Program& program, const std::string& target, const std::function<void()>& waiting = {});

// Whether the target's chip takes a program's commands, and whether they give the same result each time: commands that meet in memory
// have an order, and none reads bytes of arena, outputs or SRAM that none before it has written. Every program that is compiled does; a
// file may hold any. An InferenceSession asks it of each program that it is given. Throws invalid_argument (no such target),
// invalid_program, which names the command and its node.
KAWARA_API void verify(const Program& program, const std::string& target);

// An input or output as the model states it, before any shape is bound.
struct ModelTensor {
  std::string name;
  DType dtype = DType::none;
  std::vector<int64_t> shape;           // -1: open
  std::vector<std::string> dimensions;  // the model's name of each open dimension, empty otherwise; same length as shape
};

struct ModelInfo {
  std::string name, producer;
  int64_t ir_version = 0;
  std::vector<std::pair<std::string, int64_t>> opsets;  // domain ("" is ai.onnx), version
  std::vector<ModelTensor> inputs, outputs;             // inputs: without initializers
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<std::pair<std::string, uint64_t>> operators;  // name, how many nodes; most frequent first
  uint64_t constant_bytes = 0;
};

// Reads the file; compiles nothing. Throws not_found, io_failed, invalid_model.
KAWARA_API ModelInfo inspect(const std::filesystem::path& model);

// One node of the model: where it went, or why it can't run.
struct NodePlacement {
  std::string node, op;
  bool supported = true;
  std::string engine;   // "matrix", "vector", "dma"; "" when it costs nothing (folded, a view, removed)
  std::string command;  // "conv", "gemm", "vector", "copy"; "folded", "view"; "removed": it changes nothing, or no output needs it
  std::string group;    // node that leads the command it was fused into, or whose weights or pattern it became part of; else its own name
  std::string rule;     // when not supported: the sentence of the rule it breaks
  std::string operands{};  // of a matrix command: "f32", or "bf16", or "f32 by bf16" where the two differ; "" otherwise
};

// Every node of the model in its order. Does not throw unsupported: that is what the rows say.
KAWARA_API std::vector<NodePlacement> explain(const std::filesystem::path& model, const CompileOptions& options = {});

}  // namespace kawara
