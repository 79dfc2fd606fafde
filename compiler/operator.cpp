// SPDX-License-Identifier: Apache-2.0
#include "operator.h"

#include <algorithm>
#include <utility>

namespace kawara::compiler {

const Operator* find_operator(const Node& node) {
  static constexpr std::pair<std::string_view, const Operator*> rows[] = {
#define OPERATOR(onnx, name) {onnx, &name##_operator},
#include "ops.def"
  };
  const std::string name = node.domain.empty() || node.domain == "ai.onnx" ? node.op : node.domain + "." + node.op;
  const auto* row = std::ranges::find(rows, name, &std::pair<std::string_view, const Operator*>::first);
  return row == std::end(rows) ? nullptr : row->second;
}

}  // namespace kawara::compiler
