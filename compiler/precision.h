// SPDX-License-Identifier: Apache-2.0
// Matrix products on floats of 16 bits: half the memory for weights, four times the chip's speed, and an error.
#pragma once

#include "graph.h"

namespace kawara::compiler {

// Conv, ConvTranspose, Gemm, MatMul: the matrix engine multiplies their inputs 0 and 1.
bool is_product(const Node& node);

// Throws invalid_argument unless it is f32, bf16 or f16.
void require_precision(DType precision);

// f32 elements rounded to bf16 or f16, to the nearest, ties to even. What is beyond the type becomes infinite.
Tensor rounded(const Tensor& tensor, DType to);

// Casts both operands of each product to `precision` and back to f32: constants here, other values where
// they are computed, on the far side of views. So the graph says in ONNX's own operators what is rounded, and means the same to
// every chip that it is lowered for; a chip pass takes the casts back to f32 out again. Nothing for f32. The graph is verified.
// Throws invalid_argument, naming the node and the tensor, where f16 can't hold a weight.
void narrow_products(Graph& graph, DType precision);

}  // namespace kawara::compiler
