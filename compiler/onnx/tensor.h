// SPDX-License-Identifier: Apache-2.0
// Reads ONNX's TensorProto.
#pragma once

#include <string>

#include "graph.h"
#include "onnx/message.h"

namespace kawara::compiler {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// The tensor's bytes stay in the file where they are aligned there; `owner` keeps it. Throws invalid_model, and unsupported
// for element types that the chip doesn't have and for data in other files.
NamedTensor read_tensor(Message message, const std::shared_ptr<const void>& owner);

}  // namespace kawara::compiler
