// SPDX-License-Identifier: Apache-2.0
// Gemm: alpha * A * B + beta * C; either matrix may be transposed, which is a matter of strides.
#include "elementwise.h"
#include "product.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  const Shape &a = inference.shape(0), &b = inference.shape(1);
  const DType dtype = inference.dtype(0);
  inference.require(dtype == DType::f32, fmt::format("elements must be f32, got {}", name(dtype)));
  inference.require(inference.dtype(1) == dtype && (!inference.has(2) || inference.dtype(2) == dtype), "all inputs must have one type");
  inference.require(a.size() == 2 && b.size() == 2, "A and B must have two dimensions");
  inference.attribute("alpha", 1.0f);
  inference.attribute("beta", 1.0f);
  const bool a_turned = inference.attribute("transA", int64_t{0}) != 0, b_turned = inference.attribute("transB", int64_t{0}) != 0;
  inference.require(a[!a_turned] == b[b_turned], fmt::format("{} columns of A must be the {} rows of B", a[!a_turned], b[b_turned]));
  Shape shape{a[a_turned], b[!b_turned]};
  inference.require(!inference.has(2) || broadcast(shape, inference.shape(2)) == shape, "C must broadcast to the product's shape");
  inference.set(0, dtype, std::move(shape));
}

void lower(Lowering& lowering, const Node& group) {
  const Node& node = lowering.root(group);
  const Shape &a = lowering.shape(node.inputs[0]), &output = lowering.shape(node.outputs[0]);
  const bool a_turned = lowering.attribute(node, "transA", int64_t{0}) != 0, b_turned = lowering.attribute(node, "transB", int64_t{0}) != 0;
  const float alpha = lowering.attribute(node, "alpha", 1.0f), beta = lowering.attribute(node, "beta", 1.0f);
  Product product{.a = lowering.view(node.inputs[0]),
                  .b = lowering.view(node.inputs[1]),
                  .a_dtype = lowering.dtype(node.inputs[0]),
                  .b_dtype = lowering.dtype(node.inputs[1])};
  product.loops = output;
  product.loop_of = {0, 1};
  product.a_strides = {product.a.strides[a_turned], 0};
  product.b_strides = {0, product.b.strides[!b_turned]};
  product.depth = a[!a_turned];
  product.a_depth = product.a.strides[!a_turned];
  product.b_depth = product.b.strides[b_turned];
  lower_product(lowering, group, product, [&](Section& section, Register sum) {
    if (alpha != 1.0f) sum = section.points.mul(sum, section.points.constant(alpha));
    if (!lowering.has(node, 2) || beta == 0.0f) return sum;
    Register c = lowering.load(section, node.inputs[2], output, product.loop_of);
    if (beta != 1.0f) c = section.points.mul(c, section.points.constant(beta));
    return section.points.add(sum, c);
  });
}

}  // namespace

const Operator gemm_operator = {.name = "Gemm", .kind = OperatorKind::root, .infer = infer, .lower = lower};

}  // namespace kawara::compiler
