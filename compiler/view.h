// SPDX-License-Identifier: Apache-2.0
// Views of a value: what the view operators share, and how constants are moved through them.
#pragma once

#include "operator.h"

namespace kawara::compiler {

// Row-major, without gaps.
View dense_view(const Shape& shape);
// The same elements in the same order under another shape; nullopt when no strides give that.
std::optional<View> reshape_view(const View& view, const Shape& from, const Shape& to);
// For operators whose output holds the input's elements in the input's order.
std::optional<View> reshape_node_view(const Graph& graph, const Node& node, const View& input);
// The elements that `view` (in elements of `tensor`, 8 bits or more each) shows, as a dense tensor.
Tensor gather(const Tensor& tensor, const View& view, const Shape& shape);

}  // namespace kawara::compiler
