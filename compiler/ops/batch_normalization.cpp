// SPDX-License-Identifier: Apache-2.0
// BatchNormalization: (a - mean) / sqrt(variance + epsilon) * scale + bias per channel. The pass fold_batch_norm replaces it
// by weights, or by a product and a sum.
#include "kawara/error.h"
#include "operator.h"

namespace kawara::compiler {

namespace {

void infer(Inference& inference) {
  const Shape& shape = inference.shape(0);
  inference.require(inference.dtype(0) == DType::f32, fmt::format("elements must be f32, got {}", name(inference.dtype(0))));
  inference.require(inference.attribute("training_mode", int64_t{0}) == 0, "training_mode must be 0");
  inference.require(inference.node().opset >= 9 || inference.attribute("spatial", int64_t{1}) == 1, "spatial must be 1");
  inference.attribute("epsilon", 1e-5f);  // is a float
  // Version 6 and before have `is_test`, and more outputs, for training only.
  for (size_t i = 1; i < inference.node().outputs.size(); ++i)
    inference.require(inference.node().outputs[i] == kAbsent, "only the first output may be used");
  const int64_t channels = shape.size() > 1 ? shape[1] : 1;
  for (size_t i : {1, 2, 3, 4}) {
    const Tensor* parameter = inference.constant(i);
    inference.require(parameter && parameter->dtype == DType::f32, "scale, bias, mean and variance must be constant and f32");
    inference.require(parameter->shape == Shape{channels},
                      fmt::format("scale, bias, mean and variance must have one element for each of {} channels", channels));
  }
  inference.set(0, DType::f32, shape);
}

}  // namespace

const Operator batch_normalization_operator = {.name = "BatchNormalization", .kind = OperatorKind::rewritten, .infer = infer};

}  // namespace kawara::compiler
