// SPDX-License-Identifier: Apache-2.0
// What elementwise operators share: ONNX broadcasting, rules on dtypes, folding of constants.
#pragma once

#include "operator.h"

namespace kawara::compiler {

inline bool is_float(DType dtype) { return kind(dtype) == DTypeKind::FLOAT; }
inline bool is_integer(DType dtype) { return kind(dtype) == DTypeKind::SIGNED || kind(dtype) == DTypeKind::UNSIGNED; }

// ONNX's multidirectional broadcasting of two shapes; nullopt when they don't fit.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);
// Of all inputs that are given.
Shape broadcast(const Inference& inference);

void infer_unary(Inference& inference);       // a float or integer; the same out
void infer_signed(Inference& inference);      // a float or signed integer; the same out
void infer_float(Inference& inference);       // one float; the same out
void infer_arithmetic(Inference& inference);  // two floats or integers of one dtype; the same out
void infer_variadic(Inference& inference);    // one to eight of them, as many as the chip reads at a point
void infer_comparison(Inference& inference);  // numbers or booleans of one dtype; boolean out
void infer_order(Inference& inference);       // floats or integers up to i64 (not u64: 64-bit registers are signed); boolean out
void infer_logic(Inference& inference);       // booleans

float float_attribute(const Node& node, const std::string& name, float otherwise);

// A register that holds what a store of `dtype` and a load would give: integers below 32 bits wrap. Operators that may
// leave the range of such a dtype end with it, because a fused consumer reads the register and not the memory.
Register wrap(Points& points, DType dtype, Register value);

// Evaluates a node on constants: integers and booleans as int64_t, wrapping; f32 as float. No result for other dtypes or
// where the function is null. The float functions are those that the chip rounds correctly too, so the bits agree.
using IntegerFunction = int64_t (*)(std::span<const int64_t> inputs);
using FloatFunction = float (*)(std::span<const float> inputs);
std::vector<Tensor> fold_points(const Graph& graph, const Node& node, std::span<const Tensor* const> inputs, IntegerFunction integer,
                                FloatFunction real);

// The elements of an integer or boolean tensor of 8 bits or more; and the way back.
std::vector<int64_t> integers_of(const Tensor& tensor);
Tensor tensor_of(DType dtype, Shape shape, std::span<const int64_t> elements);

}  // namespace kawara::compiler
