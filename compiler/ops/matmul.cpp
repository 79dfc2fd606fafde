// SPDX-License-Identifier: Apache-2.0
// MatMul: as numpy.matmul; the batch dimensions broadcast, and a vector is a row on the left and a column on the right.
#include "elementwise.h"
#include "product.h"

namespace kawara::compiler {

namespace {

// A shape's batch dimensions; its matrix is at least a row or column.
Shape batch_of(const Shape& shape) { return shape.size() < 2 ? Shape{} : Shape(shape.begin(), shape.end() - 2); }

void infer(Inference& inference) {
  const Shape &a = inference.shape(0), &b = inference.shape(1);
  const DType dtype = inference.dtype(0);
  inference.require(dtype == DType::f32, fmt::format("elements must be f32, got {}", name(dtype)));
  inference.require(inference.dtype(1) == dtype, "both inputs must have one type");
  inference.require(!a.empty() && !b.empty(), "both inputs must have at least one dimension");
  const int64_t depth = b.size() == 1 ? b[0] : b[b.size() - 2];
  inference.require(a.back() == depth, fmt::format("{} columns on the left must be the {} rows on the right", a.back(), depth));
  const auto batch = broadcast(batch_of(a), batch_of(b));
  inference.require(batch.has_value(), "the batch dimensions can't be broadcast");
  Shape shape = *batch;
  if (a.size() > 1) shape.push_back(a[a.size() - 2]);
  if (b.size() > 1) shape.push_back(b.back());
  inference.set(0, dtype, std::move(shape));
}

void lower(Lowering& lowering, const Node& group) {
  const Node& node = lowering.root(group);
  const Shape &a = lowering.shape(node.inputs[0]), &b = lowering.shape(node.inputs[1]), &output = lowering.shape(node.outputs[0]);
  Product product{.a = lowering.view(node.inputs[0]),
                  .b = lowering.view(node.inputs[1]),
                  .a_dtype = lowering.dtype(node.inputs[0]),
                  .b_dtype = lowering.dtype(node.inputs[1])};
  const size_t batch = output.size() - (a.size() > 1) - (b.size() > 1);
  product.loops.assign(output.begin(), output.begin() + static_cast<ptrdiff_t>(batch));
  product.loops.push_back(a.size() > 1 ? a[a.size() - 2] : 1);
  product.loops.push_back(b.size() > 1 ? b.back() : 1);
  for (size_t i = 0; i < batch; ++i) product.loop_of.push_back(i);
  if (a.size() > 1) product.loop_of.push_back(batch);
  if (b.size() > 1) product.loop_of.push_back(batch + 1);

  const auto along_batch = [&](const Shape& shape, const View& view) {
    std::vector<int64_t> strides(batch + 2);
    const Shape own = batch_of(shape);
    for (size_t i = 0; i < own.size(); ++i)
      if (own[i] != 1) strides[batch - own.size() + i] = view.strides[i];
    return strides;
  };
  product.a_strides = along_batch(a, product.a);
  product.b_strides = along_batch(b, product.b);
  product.depth = a.back();
  product.a_depth = product.a.strides.back();
  product.b_depth = b.size() > 1 ? product.b.strides[b.size() - 2] : product.b.strides[0];
  if (a.size() > 1) product.a_strides[batch] = product.a.strides[a.size() - 2];
  if (b.size() > 1) product.b_strides[batch + 1] = product.b.strides.back();
  lower_product(lowering, group, std::move(product), [](Section&, Register sum) { return sum; });
}

}  // namespace

const Operator matmul_operator = {.name = "MatMul", .kind = OperatorKind::root, .infer = infer, .lower = lower};

}  // namespace kawara::compiler
