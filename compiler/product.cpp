// SPDX-License-Identifier: Apache-2.0
#include "product.h"

#include "kawara/error.h"

namespace kawara::compiler {

namespace {

constexpr size_t kBatchLoops = 2;  // g and h

}  // namespace

void lower_product(Lowering& lowering, const Node& group, Product product, const std::function<Register(Section&, Register)>& result) {
  Section section(product.loops);
  const Register value = result(section, section.points.accumulator(0, DType::f32));
  lowering.finish(section, group, value, product.loop_of);

  std::vector<int64_t>* const others[] = {&product.a_strides, &product.b_strides};
  size_t batch = section.merge_loops(0, section.loops() - 2, others);
  if (batch > kBatchLoops)
    throw fail(Code::unsupported, "a product has at most {} batch dimensions that can't be joined, this needs {}", kBatchLoops, batch);
  for (; batch < kBatchLoops; ++batch) section.insert_loop(0, others);

  auto body = hw::blank<kawara_gemm>();
  body.G = extent_field(section.extent(0));
  body.H = extent_field(section.extent(1));
  body.M = extent_field(section.extent(2));
  body.N = extent_field(section.extent(3));
  body.K = extent_field(product.depth);
  body.acc_dtype = KAWARA_DTYPE_f32;
  const auto operand = [&](kawara_matrix& matrix, const View& view, DType dtype, const std::vector<int64_t>& strides, int64_t along_depth,
                           bool rows_are_depth) {
    matrix.stride[0] = strides[0];
    matrix.stride[1] = strides[1];
    matrix.stride[2] = rows_are_depth ? along_depth : strides[2];
    matrix.stride[3] = rows_are_depth ? strides[3] : along_depth;
    std::vector<int64_t> extents, steps = strides;
    for (size_t i = 0; i < section.loops(); ++i) extents.push_back(section.extent(i));
    extents.push_back(product.depth);
    steps.push_back(along_depth);
    return Lowering::Operand{view, dtype, std::move(extents), std::move(steps)};
  };
  const auto a = operand(body.a, product.a, product.a_dtype, product.a_strides, product.a_depth, false);
  const auto b = operand(body.b, product.b, product.b_dtype, product.b_strides, product.b_depth, true);
  lowering.gemm(group, body, a, b, std::move(section));
}

}  // namespace kawara::compiler
