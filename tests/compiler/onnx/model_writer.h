// SPDX-License-Identifier: Apache-2.0
// Writes small ONNX files, right and wrong ones, field by field.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include <protozero/pbf_writer.hpp>

#include "graph.h"
#include "kawara/error.h"
#include "onnx/model.h"

namespace kawara::compiler {

// A message by its fields: write<...>([&](protozero::pbf_writer& fields) { … }).
template <typename Fill>
std::string message(Fill fill) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  fill(writer);
  return bytes;
}

inline std::string raw(const std::vector<float>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float)};
}

inline std::string tensor(const std::string& name, int64_t element_type, const std::vector<int64_t>& dims, const std::string& raw_data) {
  return message([&](auto& fields) {
    fields.add_packed_int64(1, dims.begin(), dims.end());
    fields.add_int32(2, static_cast<int32_t>(element_type));
    fields.add_string(8, name);
    fields.add_bytes(9, raw_data);
  });
}

// A tensor whose data lies in another file, with these entries ("location", "offset", "length").
inline std::string external_tensor(const std::string& name, int64_t element_type, const std::vector<int64_t>& dims,
                                   const std::vector<std::pair<std::string, std::string>>& entries) {
  return message([&](auto& fields) {
    fields.add_packed_int64(1, dims.begin(), dims.end());
    fields.add_int32(2, static_cast<int32_t>(element_type));
    fields.add_string(8, name);
    for (const auto& [key, value] : entries)
      fields.add_message(13, message([&](auto& entry) {
                           entry.add_string(1, key);
                           entry.add_string(2, value);
                         }));
    fields.add_int32(14, 1);
  });
}

// name: element_type[dims]; a dimension of -1 is written as the parameter "n".
inline std::string value_info(const std::string& name, int64_t element_type, const std::vector<int64_t>& dims) {
  const std::string shape = message([&](auto& fields) {
    for (int64_t dim : dims)
      fields.add_message(1, message([&](auto& dimension) {
                           if (dim < 0)
                             dimension.add_string(2, "n");
                           else
                             dimension.add_int64(1, dim);
                         }));
  });
  return message([&](auto& fields) {
    fields.add_string(1, name);
    fields.add_message(2, message([&](auto& type) {
                         type.add_message(1, message([&](auto& tensor_type) {
                                            tensor_type.add_int32(1, static_cast<int32_t>(element_type));
                                            tensor_type.add_message(2, shape);
                                          }));
                       }));
  });
}

inline std::string node(const std::string& op, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
                        const std::vector<std::string>& attributes = {}, const std::string& domain = "") {
  return message([&](auto& fields) {
    for (const std::string& input : inputs) fields.add_string(1, input);
    for (const std::string& output : outputs) fields.add_string(2, output);
    fields.add_string(4, op);
    for (const std::string& attribute : attributes) fields.add_message(5, attribute);
    if (!domain.empty()) fields.add_string(7, domain);
  });
}

struct GraphParts {
  std::vector<std::string> nodes, initializers, inputs, outputs;
};

inline std::string model(const GraphParts& parts, int64_t ir_version = 8, int64_t opset = 13) {
  return message([&](auto& fields) {
    fields.add_int64(1, ir_version);
    fields.add_message(7, message([&](auto& graph) {
                         for (const std::string& each : parts.nodes) graph.add_message(1, each);
                         graph.add_string(2, "g");
                         for (const std::string& each : parts.initializers) graph.add_message(5, each);
                         for (const std::string& each : parts.inputs) graph.add_message(11, each);
                         for (const std::string& each : parts.outputs) graph.add_message(12, each);
                       }));
    fields.add_message(8, message([&](auto& import) { import.add_int64(2, opset); }));
    fields.add_message(14, message([&](auto& pair) {
                         pair.add_string(1, "author");
                         pair.add_string(2, "test");
                       }));
  });
}

// y = Relu(x + w), w constant: right in every respect.
inline GraphParts small_parts() {
  return {.nodes = {node("Add", {"x", "w"}, {"sum"}), node("Relu", {"sum"}, {"y"})},
          .initializers = {tensor("w", 1, {2}, raw({1, 2}))},
          .inputs = {value_info("x", 1, {-1, 2})},
          .outputs = {value_info("y", 1, {-1, 2})}};
}

inline Graph read(const std::string& bytes) {
  // Owned by the graph: tensors may point into the file.
  auto copy = std::make_shared<std::string>(bytes);
  return read_onnx(std::as_bytes(std::span(copy->data(), copy->size())), copy);
}

}  // namespace kawara::compiler
