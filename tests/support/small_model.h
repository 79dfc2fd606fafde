// SPDX-License-Identifier: Apache-2.0
// y = op(x) as an ONNX file's bytes, for tests that see public headers alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kawara::test {

inline std::string field(int number, std::string_view bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())}.append(bytes);  // below 128 bytes
}
inline std::string field(int number, uint8_t value) { return {static_cast<char>(number << 3), static_cast<char>(value)}; }

// f32[dims]; a dimension of -1 is open and named "n".
inline std::string small_model(std::string_view op = "Relu", const std::vector<int>& dims = {4}) {
  std::string shape;
  for (const int dim : dims) shape += field(1, dim < 0 ? field(2, "n") : field(1, static_cast<uint8_t>(dim)));
  const auto tensor = [&](std::string_view name) { return field(1, name) + field(2, field(1, field(1, uint8_t{1}) + field(2, shape))); };
  const std::string node = field(1, "x") + field(2, "y") + field(3, "the_node") + field(4, op);
  const std::string graph = field(1, node) + field(2, "small") + field(11, tensor("x")) + field(12, tensor("y"));
  return field(1, uint8_t{8}) + field(7, graph) + field(8, field(1, "") + field(2, uint8_t{17}));
}

}  // namespace kawara::test
