// SPDX-License-Identifier: Apache-2.0
// What the compiler knows of one ONNX operator. ops.def lists them; ops/<name>.cpp defines `const Operator <name>_operator`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph.h"
#include "points.h"

namespace kawara::compiler {

class Lowering;  // lowering.h: emits commands for one group

// Input dtypes, shapes and constants of one node; the operator sets the outputs'.
class Inference {
 public:
  Inference(Graph& graph, const Node& node) : graph_(graph), node_(node) {}
  const Graph& graph() const { return graph_; }
  const Node& node() const { return node_; }
  bool has(size_t input) const { return input < node_.inputs.size() && node_.inputs[input] != kAbsent; }
  DType dtype(size_t input) const;
  const Shape& shape(size_t input) const;             // all dimensions known
  const Tensor* constant(size_t input) const;         // null when it is not constant
  std::vector<int64_t> integers(size_t input) const;  // of a constant i32 or i64 tensor; throws unsupported otherwise
  int64_t attribute(std::string_view name, int64_t otherwise) const;
  float attribute(std::string_view name, float otherwise) const;
  std::string attribute(std::string_view name, std::string_view otherwise) const;
  std::vector<int64_t> attribute(std::string_view name, std::vector<int64_t> otherwise) const;
  // Axes as ONNX writes them, negative ones counted from the back; throw unsupported outside the rank or when one stands twice.
  size_t axis(int64_t axis, size_t rank) const;
  std::vector<size_t> axes(const std::vector<int64_t>& axes, size_t rank) const;
  // A rule of the operator: its sentence is both error message and documentation.
  void require(bool rule, std::string sentence) const;  // throws unsupported, naming the node
  void set(size_t output, DType dtype, Shape shape);

 private:
  Graph& graph_;
  const Node& node_;
};

enum class OperatorKind {
  elementwise,  // one point of the output from one point of each input, with broadcasting: `point`
  view,         // the output is the input's memory, seen through other strides: `view`
  root,         // runs commands: `lower`; elementwise nodes may be fused behind it
  rewritten,    // an earlier pass replaces it (Constant, Identity, BatchNormalization, Shape)
};

// How a value lies in a buffer: element offset and a stride per dimension of its shape, in elements.
struct View {
  uint32_t buffer = ~0u;
  int64_t offset = 0;
  std::vector<int64_t> strides;
};

struct Operator {
  std::string_view name;
  OperatorKind kind;
  // Sets dtype and shape of every output; states every rule by require().
  void (*infer)(Inference&);
  // Evaluates the node on constants (views need none: their elements are moved as `view` says), for shape arithmetic and moves; null: never
  // folded on the host. An absent input is null; no result: this one is left to the chip. Called when every input is constant, or at once
  // if fold_from_shapes.
  std::vector<Tensor> (*fold)(const Graph&, const Node&, std::span<const Tensor* const> inputs) = nullptr;
  // One register per input of the node, of compute_type(its dtype); an absent input has type none.
  Register (*point)(Points&, const Graph&, const Node&, std::span<const Register> inputs) = nullptr;
  // The output's view of the input's, or nullopt when it can't be one (then a copy is made first).
  std::optional<View> (*view)(const Graph&, const Node&, const View& input) = nullptr;
  void (*lower)(Lowering&, const Node& group) = nullptr;
  bool fold_from_shapes = false;  // Shape, Size: the inputs' contents don't matter, and null stands for what isn't constant
  bool epilogue = true;           // of a root: elementwise nodes may be fused behind it
};

#define OPERATOR(onnx, name) extern const Operator name##_operator;
#include "ops.def"

// The row of ops.def for a node, or null.
const Operator* find_operator(const Node& node);

}  // namespace kawara::compiler
