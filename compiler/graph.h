// SPDX-License-Identifier: Apache-2.0
// A model between the ONNX file and the chip's commands: values, and nodes in topological order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kawara/dtype.h"

namespace kawara::compiler {

using Shape = std::vector<int64_t>;  // elements per dimension, outermost first

// Product of the dimensions; throws invalid_model when it overflows 2^40.
int64_t element_count(const Shape& shape);

// Constant data, row-major and dense, aligned to its elements. Copies share the bytes; `owner` keeps alive what they lie
// in (a mapped file).
struct Tensor {
  DType dtype = DType::none;
  Shape shape;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;

  static Tensor copy_of(DType dtype, Shape shape, std::span<const std::byte> bytes);
  template <typename T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

using Attribute = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>, std::vector<std::string>, Tensor>;

using ValueId = uint32_t;
inline constexpr ValueId kAbsent = ~0u;  // an optional input that is not given

// What ONNX calls a tensor. A dimension of -1 is not known yet; `dimension_names` gives the model's names for such.
struct Value {
  std::string name = {};
  DType dtype = DType::none;
  std::optional<Shape> shape = {};
  std::vector<std::string> dimension_names = {};
  std::optional<Tensor> constant = {};
};

// One operator, as ONNX defines it; after fusion, a group: `body` holds the nodes that one command runs. body[0] is the root
// (convolution, product, reduction, …, or the first of a chain of elementwise nodes); the others are elementwise over the
// root's output shape, in topological order. `inputs` and `outputs` of a group are what crosses its border.
struct Node {
  std::string op = {};      // ONNX operator, e.g. "Conv"; "Group" after fusion
  std::string domain = {};  // "" is ai.onnx; "kawara" is ours
  std::string name = {};    // as in the model, or the first output's
  int64_t opset = 0;        // version of its domain that the model imports
  std::vector<ValueId> inputs = {}, outputs = {};
  std::map<std::string, Attribute> attributes = {};
  std::vector<Node> body = {};
  uint32_t debug_id = 0;                // index of the model's node + 1
  std::vector<uint32_t> absorbed = {};  // debug_id of the nodes whose work a pass has given to this one
};

struct Graph {
  std::string name, producer;
  int64_t ir_version = 0;
  std::map<std::string, int64_t> opsets;  // versions by domain; "" is ai.onnx
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs, outputs;  // inputs: without initializers
  std::vector<std::pair<std::string, std::string>> metadata;

  ValueId add_value(Value value);
  // Consumers of a value among `nodes`, and whether it is an output of the graph.
  std::vector<size_t> consumers(ValueId value) const;
  bool is_output(ValueId value) const;
  // Throws internal, naming what is wrong: an undefined value, a cycle, a value with two producers.
  void verify() const;
};

}  // namespace kawara::compiler
