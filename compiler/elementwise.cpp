// SPDX-License-Identifier: Apache-2.0
#include "elementwise.h"

#include <algorithm>
#include <cstring>

#include "kawara/error.h"

namespace kawara::compiler {

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < result.size(); ++i) {
    // Counted from the innermost dimension; missing ones are 1.
    const int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) return std::nullopt;
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

Shape broadcast(const Inference& inference) {
  Shape result;
  for (size_t i = 0; i < inference.node().inputs.size(); ++i) {
    if (!inference.has(i)) continue;
    const auto wider = broadcast(result, inference.shape(i));
    inference.require(wider.has_value(), fmt::format("input {} of shape [{}] can't be broadcast with [{}]", i,
                                                     fmt::join(inference.shape(i), ","), fmt::join(result, ",")));
    result = *wider;
  }
  return result;
}

namespace {

void require_inputs(const Inference& inference, size_t least, size_t most) {
  const size_t count = inference.node().inputs.size();
  inference.require(count >= least && count <= most,
                    fmt::format("{} inputs, but the operator takes {}", count,
                                least == most ? std::to_string(least) : fmt::format("{} to {}", least, most)));
  for (size_t i = 0; i < count; ++i) inference.require(inference.has(i), fmt::format("input {} must be given", i));
}

void require_one_dtype(const Inference& inference) {
  for (size_t i = 1; i < inference.node().inputs.size(); ++i)
    if (inference.has(i))
      inference.require(inference.dtype(i) == inference.dtype(0),
                        fmt::format("all inputs must have one type, got {} and {}", name(inference.dtype(0)), name(inference.dtype(i))));
}

void require_number(const Inference& inference) {
  const DType dtype = inference.dtype(0);
  inference.require((is_float(dtype) && bits(dtype) >= 16) || (is_integer(dtype) && bits(dtype) >= 8),
                    fmt::format("elements must be f32, f16, bf16 or integers of 8 bits or more, got {}", name(dtype)));
}

}  // namespace

void infer_unary(Inference& inference) {
  require_number(inference);
  inference.set(0, inference.dtype(0), inference.shape(0));
}

void infer_signed(Inference& inference) {
  infer_unary(inference);
  inference.require(kind(inference.dtype(0)) != DTypeKind::UNSIGNED, "elements must have a sign");
}

void infer_float(Inference& inference) {
  const DType dtype = inference.dtype(0);
  inference.require(is_float(dtype) && bits(dtype) >= 16, fmt::format("elements must be f32, f16 or bf16, got {}", name(dtype)));
  inference.set(0, dtype, inference.shape(0));
}

void infer_arithmetic(Inference& inference) {
  require_inputs(inference, 2, 2);
  infer_variadic(inference);
}

void infer_variadic(Inference& inference) {
  require_inputs(inference, 1, 8);
  require_number(inference);
  require_one_dtype(inference);
  inference.set(0, inference.dtype(0), broadcast(inference));
}

void infer_comparison(Inference& inference) {
  require_inputs(inference, 2, 2);
  if (inference.dtype(0) != DType::boolean) require_number(inference);
  require_one_dtype(inference);
  inference.set(0, DType::boolean, broadcast(inference));
}

void infer_order(Inference& inference) {
  infer_comparison(inference);
  require_number(inference);
  inference.require(inference.dtype(0) != DType::u64, "u64 can't be compared: 64-bit registers are signed");
}

void infer_logic(Inference& inference) {
  const size_t inputs = inference.node().op == "Not" ? 1 : 2;
  require_inputs(inference, inputs, inputs);
  inference.require(inference.dtype(0) == DType::boolean, fmt::format("elements must be boolean, got {}", name(inference.dtype(0))));
  require_one_dtype(inference);
  inference.set(0, DType::boolean, broadcast(inference));
}

float float_attribute(const Node& node, const std::string& name, float otherwise) {
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end()) return otherwise;
  if (const float* value = std::get_if<float>(&found->second)) return *value;
  throw Error(Code::invalid_model, fmt::format("{} '{}': attribute '{}' must be a float", node.op, node.name, name), node.name);
}

Register wrap(Points& points, DType dtype, Register value) {
  if (!is_integer(dtype) || bits(dtype) >= 32) return value;
  const Register shift = points.constant(value.type, 32 - bits(dtype));
  return points.emit(KAWARA_OP_shr, value.type, points.emit(KAWARA_OP_shl, value.type, value, shift), shift);
}

namespace {

template <typename T>
std::vector<int64_t> widen(const Tensor& tensor) {
  const auto elements = tensor.as<T>();
  return {elements.begin(), elements.end()};
}

template <typename T>
Tensor narrow(DType dtype, Shape shape, std::span<const int64_t> elements) {
  std::vector<T> data;
  for (int64_t element : elements) data.push_back(static_cast<T>(element));
  return Tensor::copy_of(dtype, std::move(shape), std::as_bytes(std::span(data)));
}

}  // namespace

std::vector<int64_t> integers_of(const Tensor& tensor) {
  switch (tensor.dtype) {
    case DType::i64:
    case DType::u64: return widen<int64_t>(tensor);
    case DType::i32: return widen<int32_t>(tensor);
    case DType::u32: return widen<uint32_t>(tensor);
    case DType::i16: return widen<int16_t>(tensor);
    case DType::u16: return widen<uint16_t>(tensor);
    case DType::i8: return widen<int8_t>(tensor);
    case DType::u8:
    case DType::boolean: return widen<uint8_t>(tensor);
    case DType::none:
    case DType::f32:
    case DType::f16:
    case DType::bf16:
    case DType::f8e4m3:
    case DType::f8e5m2:
    case DType::f4e2m1:
    case DType::e8m0:
    case DType::i4:
    case DType::u4: break;
  }
  throw fail(Code::internal, "{} elements can't be read as integers", name(tensor.dtype));
}

Tensor tensor_of(DType dtype, Shape shape, std::span<const int64_t> elements) {
  switch (bits(dtype)) {
    case 64: return narrow<int64_t>(dtype, std::move(shape), elements);
    case 32: return narrow<int32_t>(dtype, std::move(shape), elements);
    case 16: return narrow<int16_t>(dtype, std::move(shape), elements);
    default: return narrow<int8_t>(dtype, std::move(shape), elements);
  }
}

namespace {

// For each element of the output, the elements of the (broadcast) inputs that it comes from.
template <typename T, typename Write>
void for_each_point(const Shape& output, std::span<const Shape> shapes, std::span<const std::span<const T>> elements, Write write) {
  const int64_t count = element_count(output);
  std::vector<T> point(shapes.size());
  for (int64_t at = 0; at < count; ++at) {
    for (size_t input = 0; input < shapes.size(); ++input) {
      const Shape& shape = shapes[input];
      int64_t rest = at, stride = 1, offset = 0;
      for (size_t i = 0; i < output.size(); ++i) {
        const int64_t extent = output[output.size() - 1 - i], index = rest % extent;
        rest /= extent;
        if (i >= shape.size()) break;
        const int64_t own = shape[shape.size() - 1 - i];
        if (own != 1) offset += index * stride;
        stride *= own;
      }
      point[input] = elements[input][offset];
    }
    write(point);
  }
}

}  // namespace

std::vector<Tensor> fold_points(const Graph& graph, const Node& node, std::span<const Tensor* const> inputs, IntegerFunction integer,
                                FloatFunction real) {
  const Value& output = graph.values[node.outputs.at(0)];
  std::vector<Shape> shapes;
  bool floats = true, integers = true;
  for (const Tensor* input : inputs) {
    if (!input) return {};
    shapes.push_back(input->shape);
    floats &= input->dtype == DType::f32;
    integers &= (is_integer(input->dtype) && bits(input->dtype) >= 8) || input->dtype == DType::boolean;
  }
  if (floats && real && output.dtype == DType::f32) {
    std::vector<std::span<const float>> elements;
    for (const Tensor* input : inputs) elements.push_back(input->as<float>());
    std::vector<float> result;
    for_each_point<float>(*output.shape, shapes, elements, [&](std::span<const float> point) { result.push_back(real(point)); });
    return {Tensor::copy_of(DType::f32, *output.shape, std::as_bytes(std::span(result)))};
  }
  if (integers && integer && !is_float(output.dtype)) {
    std::vector<std::vector<int64_t>> widened;
    for (const Tensor* input : inputs) widened.push_back(integers_of(*input));
    const std::vector<std::span<const int64_t>> elements(widened.begin(), widened.end());
    std::vector<int64_t> result;
    for_each_point<int64_t>(*output.shape, shapes, elements, [&](std::span<const int64_t> point) { result.push_back(integer(point)); });
    return {tensor_of(output.dtype, *output.shape, result)};
  }
  return {};
}

}  // namespace kawara::compiler
