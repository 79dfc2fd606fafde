// SPDX-License-Identifier: Apache-2.0
// Reads ONNX's TensorProto.
#pragma once

#include <string>

#include "graph.h"
#include "onnx/external_data.h"
#include "onnx/message.h"

namespace kawara::compiler {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// Where the data of a model's tensors may lie.
struct TensorSource {
  std::shared_ptr<const void> owner;  // of the model file's bytes
  ExternalData external;
};

// The tensor's bytes stay in their file where they are aligned there. Throws invalid_model, unsupported for element types
// that the chip doesn't have, and what ExternalData throws.
NamedTensor read_tensor(Message message, TensorSource& source);

}  // namespace kawara::compiler
