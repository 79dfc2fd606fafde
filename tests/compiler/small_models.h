// SPDX-License-Identifier: Apache-2.0
// Small ONNX files that together use most kinds of operators: where tests need models, and not one in particular.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "compiler/onnx/model_writer.h"
#include "specialise.h"

namespace kawara::compiler {

inline constexpr int64_t kOpenDimension = 2;

// Each open dimension becomes 2.
inline InputShapes shapes_of(const Graph& graph) {
  InputShapes shapes;
  for (const ValueId id : graph.inputs) {
    Shape shape = graph.values[id].shape.value_or(Shape{kOpenDimension, kOpenDimension});
    for (int64_t& extent : shape)
      if (extent < 0) extent = kOpenDimension;
    shapes[graph.values[id].name] = shape;
  }
  return shapes;
}

inline std::string integer_list_attribute(const std::string& name, const std::vector<int64_t>& values) {
  return message([&](auto& fields) {
    fields.add_string(1, name);
    for (const int64_t value : values) fields.add_int64(8, value);
    fields.add_int32(20, 7);
  });
}
inline std::string integer_attribute(const std::string& name, int64_t value) {
  return message([&](auto& fields) {
    fields.add_string(1, name);
    fields.add_int64(3, value);
    fields.add_int32(20, 2);
  });
}
inline std::string integers_tensor(const std::string& name, const std::vector<int64_t>& values) {
  return tensor(name, 7, {static_cast<int64_t>(values.size())},
                {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(int64_t)});
}
inline std::string floats_tensor(const std::string& name, const std::vector<int64_t>& dims) {
  int64_t count = 1;
  for (const int64_t dim : dims) count *= dim;
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.25f * static_cast<float>(i % 9) - 1;
  return tensor(name, 1, dims, raw(values));
}

inline std::string picture_model() {
  GraphParts parts;
  parts.inputs = {value_info("x", 1, {1, 2, 6, 6})};
  parts.outputs = {value_info("y", 1, {1, 3}), value_info("pooled", 1, {1, 4, 3, 3})};
  parts.initializers = {floats_tensor("w", {4, 2, 3, 3}), floats_tensor("b", {4}), floats_tensor("fc", {4, 3}), floats_tensor("fcb", {3})};
  parts.nodes = {
      node("Conv", {"x", "w", "b"}, {"c"},
           {integer_list_attribute("pads", {1, 1, 1, 1}), integer_list_attribute("kernel_shape", {3, 3}), integer_attribute("group", 1)}),
      node("BatchNormalization", {"c", "b", "b", "b", "b"}, {"n"}),
      node("Relu", {"n"}, {"r"}),
      node("MaxPool", {"r"}, {"pooled"}, {integer_list_attribute("kernel_shape", {2, 2}), integer_list_attribute("strides", {2, 2})}),
      node("AveragePool", {"r"}, {"averaged"},
           {integer_list_attribute("kernel_shape", {3, 3}), integer_list_attribute("pads", {1, 1, 1, 1})}),
      node("HardSwish", {"averaged"}, {"h"}),
      node("GlobalAveragePool", {"h"}, {"g"}),
      node("Flatten", {"g"}, {"f"}, {integer_attribute("axis", 1)}),
      node("Gemm", {"f", "fc", "fcb"}, {"z"}),
      node("Softmax", {"z"}, {"y"}, {integer_attribute("axis", 1)})};
  return model(parts, 8, 14);
}

inline std::string sequence_model() {
  GraphParts parts;
  parts.inputs = {value_info("x", 1, {-1, 3, 4}), value_info("i", 7, {-1})};
  parts.outputs = {value_info("y", 1, {-1, 4, 3}), value_info("s", 1, {-1, 3}), value_info("picked", 1, {-1, 2})};
  parts.initializers = {floats_tensor("w", {4, 4}),       floats_tensor("scale", {4}),  floats_tensor("table", {5, 2}),
                        integers_tensor("starts", {0}),   integers_tensor("ends", {2}), integers_tensor("axes", {1}),
                        integers_tensor("shape", {-1, 4})};
  parts.nodes = {node("MatMul", {"x", "w"}, {"m"}),
                 node("LayerNormalization", {"m", "scale", "scale"}, {"n"}, {integer_attribute("axis", -1)}),
                 node("Erf", {"n"}, {"e"}),
                 node("Add", {"e", "x"}, {"a"}),
                 node("Transpose", {"a"}, {"y"}, {integer_list_attribute("perm", {0, 2, 1})}),
                 node("ReduceMean", {"a"}, {"s"}, {integer_list_attribute("axes", {2}), integer_attribute("keepdims", 0)}),
                 node("Reshape", {"a", "shape"}, {"flat"}),
                 node("Slice", {"flat", "starts", "ends", "axes"}, {"cut"}),
                 node("Concat", {"cut", "cut"}, {"joined"}, {integer_attribute("axis", 0)}),
                 node("Gather", {"table", "i"}, {"picked"}, {integer_attribute("axis", 0)}),
                 node("Unsqueeze", {"joined", "axes"}, {"wide"}),
                 node("Squeeze", {"wide", "axes"}, {"narrow"}),
                 node("Cast", {"narrow"}, {"whole"}, {integer_attribute("to", 6)})};
  return model(parts, 8, 17);
}

inline std::string folded_model() {
  GraphParts parts = small_parts();
  parts.initializers.push_back(integers_tensor("starts", {0}));
  parts.initializers.push_back(integers_tensor("ends", {1}));
  parts.nodes.push_back(node("Shape", {"y"}, {"shape"}));
  parts.nodes.push_back(node("Slice", {"shape", "starts", "ends"}, {"first"}));
  parts.nodes.push_back(node("Concat", {"first", "ends"}, {"wanted"}, {integer_attribute("axis", 0)}));
  parts.nodes.push_back(node("Expand", {"w", "wanted"}, {"wide"}));
  parts.nodes.push_back(node("Range", {"starts", "ends", "ends"}, {"range"}));
  parts.nodes.push_back(node("ConstantOfShape", {"wanted"}, {"zeros"}));
  parts.nodes.push_back(node("Gather", {"wide", "range"}, {"gathered"}, {integer_attribute("axis", 0)}));
  parts.nodes.push_back(node("Mul", {"y", "wide"}, {"z"}));
  parts.outputs.push_back(value_info("z", 1, {-1, 2}));
  return model(parts);
}

// Name and bytes.
inline std::vector<std::pair<std::string, std::string>> small_models() {
  return {{"small", model(small_parts())}, {"picture", picture_model()}, {"sequence", sequence_model()}, {"folded", folded_model()}};
}

}  // namespace kawara::compiler
