// SPDX-License-Identifier: Apache-2.0
// Range: start, start + delta, … below limit, for constant scalars.
#include <cmath>

#include "elementwise.h"
#include "kawara/error.h"

namespace kawara::compiler {

namespace {

// Number of elements as ONNX defines it: ceil((limit - start) / delta), computed in double.
double count_of(const Tensor& start, const Tensor& limit, const Tensor& delta) {
  const auto read = [](const Tensor& tensor) {
    return tensor.dtype == DType::f32 ? double{tensor.as<float>()[0]} : static_cast<double>(integers_of(tensor)[0]);
  };
  return std::max(std::ceil((read(limit) - read(start)) / read(delta)), 0.0);
}

void infer(Inference& inference) {
  const DType dtype = inference.dtype(0);
  inference.require(dtype == DType::f32 || dtype == DType::i16 || dtype == DType::i32 || dtype == DType::i64,
                    "elements must be f32, i16, i32 or i64");
  for (size_t i : {0, 1, 2}) {
    inference.require(inference.has(i) && inference.constant(i), "start, limit and delta must be constant once the input shapes are known");
    inference.require(inference.dtype(i) == dtype && element_count(inference.shape(i)) == 1,
                      "start, limit and delta must be scalars of one type");
  }
  const double count = count_of(*inference.constant(0), *inference.constant(1), *inference.constant(2));
  inference.require(count <= 1 << 24, "delta is 0, or more than 2^24 elements");  // false for NaN too
  inference.set(0, dtype, {static_cast<int64_t>(count)});
}

std::vector<Tensor> fold(const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
  const Value& output = graph.values[node.outputs[0]];
  const int64_t count = (*output.shape)[0];
  if (output.dtype == DType::f32) {
    std::vector<float> elements;
    const float start = inputs[0]->as<float>()[0], delta = inputs[2]->as<float>()[0];
    for (int64_t i = 0; i < count; ++i) elements.push_back(start + static_cast<float>(i) * delta);
    return {Tensor::copy_of(DType::f32, *output.shape, std::as_bytes(std::span(elements)))};
  }
  std::vector<int64_t> elements;
  const auto start = static_cast<uint64_t>(integers_of(*inputs[0])[0]), delta = static_cast<uint64_t>(integers_of(*inputs[2])[0]);
  for (int64_t i = 0; i < count; ++i) elements.push_back(static_cast<int64_t>(start + static_cast<uint64_t>(i) * delta));
  return {tensor_of(output.dtype, *output.shape, elements)};
}

}  // namespace

const Operator range_operator = {.name = "Range", .kind = OperatorKind::rewritten, .infer = infer, .fold = fold};

}  // namespace kawara::compiler
