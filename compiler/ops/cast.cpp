// SPDX-License-Identifier: Apache-2.0
// Cast: an element in another type. Floats to integers truncate; to boolean: true unless zero.
#include "elementwise.h"
#include "kawara/error.h"
#include "onnx/element_type.h"

namespace kawara::compiler {

namespace {

// Large constants are widened by the chip at each run: a table of bytes stays one, in the file and in the chip's memory.
constexpr int64_t kMostWidenedElements = 1 << 16;

bool is_castable(DType dtype) {
  return dtype == DType::boolean || (is_float(dtype) && bits(dtype) >= 16) || (is_integer(dtype) && bits(dtype) >= 8);
}

void infer(Inference& inference) {
  const int64_t to = inference.attribute("to", int64_t{0});
  const DType dtype = dtype_of_element_type(to);
  inference.require(dtype != DType::none, fmt::format("the chip has no elements of type {}", element_type_name(to)));
  inference.require(is_castable(inference.dtype(0)) && is_castable(dtype),
                    fmt::format("{} can't be cast to {}: only floats of 16 bits or more, integers of 8 bits or more and booleans",
                                name(inference.dtype(0)), name(dtype)));
  inference.set(0, dtype, inference.shape(0));
}

std::vector<Tensor> fold(const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
  const Tensor& input = *inputs[0];
  const Value& output = graph.values[node.outputs[0]];
  if (input.dtype == output.dtype) return {input};
  if (bits(output.dtype) > bits(input.dtype) && element_count(input.shape) > kMostWidenedElements) return {};
  if (!is_float(input.dtype) && output.dtype == DType::f32) {
    std::vector<float> result;
    for (int64_t element : integers_of(input)) result.push_back(static_cast<float>(element));
    return {Tensor::copy_of(DType::f32, *output.shape, std::as_bytes(std::span(result)))};
  }
  if (input.dtype == DType::f32 && !is_float(output.dtype)) {
    std::vector<int64_t> result;
    for (float element : input.as<float>()) {
      // Out of range is undefined in ONNX: left to the chip.
      if (!(element > -2147483648.0f && element < 2147483648.0f)) return {};
      result.push_back(output.dtype == DType::boolean ? element != 0 : static_cast<int64_t>(element));
    }
    return {tensor_of(output.dtype, *output.shape, result)};
  }
  if (output.dtype == DType::boolean)
    return fold_points(graph, node, inputs, [](std::span<const int64_t> x) { return int64_t{x[0] != 0}; }, nullptr);
  return fold_points(graph, node, inputs, [](std::span<const int64_t> x) { return x[0]; }, nullptr);
}

Register point(Points& points, const Graph& graph, const Node& node, std::span<const Register> inputs) {
  const DType dtype = graph.values[node.outputs[0]].dtype;
  const Register a = inputs[0];
  if (dtype == DType::boolean)
    return points.emit(KAWARA_OP_ne, a.type, a, a.type == DType::f32 ? points.constant(0.0f) : points.constant(a.type, 0));
  return wrap(points, dtype, points.convert(compute_type(dtype), a));
}

}  // namespace

const Operator cast_operator = {.name = "Cast", .kind = OperatorKind::elementwise, .infer = infer, .fold = fold, .point = point};

}  // namespace kawara::compiler
