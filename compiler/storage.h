// SPDX-License-Identifier: Apache-2.0
// Where the graph's values lie: each value is a view of a buffer. Views cost nothing, and a concatenation's pieces are
// written where they belong by the commands that compute them.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "command.h"
#include "graph.h"
#include "operator.h"

namespace kawara::compiler {

std::vector<int64_t> dense_strides(const Shape& shape);

class Storage {
 public:
  explicit Storage(const Graph& graph);

  // A value that exists: a constant, or one that place() or set() gave a view.
  const View& view(ValueId value);
  // Where the command that computes a value shall write it: a new dense buffer, or its part of a concatenation.
  const View& place(ValueId value);
  void set(ValueId value, View view);
  bool has_view(ValueId value) const { return views_[value].has_value(); }
  // A dense buffer for elements of a shape.
  View create(Buffer::Role role, DType dtype, const Shape& shape, uint32_t index = 0);
  View create_constant(Tensor tensor);

  const std::vector<Buffer>& buffers() const { return buffers_; }

 private:
  // Part of the output of a concatenation.
  struct Part {
    ValueId whole;
    size_t axis;
    int64_t start;
  };
  void plan_concatenations();

  const Graph& graph_;
  std::vector<std::optional<View>> views_;  // per value
  std::map<ValueId, Part> parts_;
  std::vector<Buffer> buffers_;
};

// The view of [start, …) along one axis.
View part_of(const View& whole, size_t axis, int64_t start);

}  // namespace kawara::compiler
