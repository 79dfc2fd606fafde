// SPDX-License-Identifier: Apache-2.0
#include "view.h"

#include <cstring>

#include "kawara/error.h"

namespace kawara::compiler {

View dense_view(const Shape& shape) {
  View view{.strides = std::vector<int64_t>(shape.size())};
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0; stride *= shape[i]) view.strides[i] = stride;
  return view;
}

std::optional<View> reshape_view(const View& view, const Shape& from, const Shape& to) {
  View result = dense_view(to);
  result.buffer = view.buffer;
  result.offset = view.offset;
  if (element_count(from) == 0) return result;
  // From the innermost dimension outwards: runs of `from` that lie densely in each other are cut into dimensions of `to`.
  size_t source = from.size(), target = to.size();
  while (source > 0) {
    --source;
    if (from[source] == 1) continue;
    int64_t run = from[source];
    const int64_t stride = view.strides[source];
    while (source > 0 && (from[source - 1] == 1 || view.strides[source - 1] == stride * run)) run *= from[--source];
    int64_t cut = 1;
    while (target > 0 && cut < run) {
      --target;
      result.strides[target] = stride * cut;
      cut *= to[target];
    }
    if (cut != run) return std::nullopt;
  }
  return result;
}

std::optional<View> reshape_node_view(const Graph& graph, const Node& node, const View& input) {
  return reshape_view(input, *graph.values[node.inputs[0]].shape, *graph.values[node.outputs[0]].shape);
}

Tensor gather(const Tensor& tensor, const View& view, const Shape& shape) {
  if (bits(tensor.dtype) < 8) throw fail(Code::internal, "{} elements can't be moved one by one", name(tensor.dtype));
  const size_t size = bits(tensor.dtype) / 8;
  const int64_t count = element_count(shape);
  std::vector<std::byte> bytes(static_cast<size_t>(count) * size);
  std::vector<int64_t> index(shape.size(), 0);
  int64_t offset = view.offset;
  for (int64_t at = 0; at < count; ++at) {
    std::memcpy(bytes.data() + at * size, tensor.bytes.data() + offset * static_cast<int64_t>(size), size);
    for (size_t i = shape.size(); i-- > 0;) {
      offset += view.strides[i];
      if (++index[i] < shape[i]) break;
      offset -= view.strides[i] * shape[i];
      index[i] = 0;
    }
  }
  return Tensor::copy_of(tensor.dtype, shape, bytes);
}

}  // namespace kawara::compiler
