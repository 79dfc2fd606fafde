// SPDX-License-Identifier: Apache-2.0
// Reads ONNX's AttributeProto.
#pragma once

#include <optional>
#include <string>

#include "graph.h"
#include "onnx/message.h"
#include "onnx/tensor.h"

namespace kawara::compiler {

struct NamedAttribute {
  std::string name;
  std::optional<Attribute> value;  // nothing for what a Node doesn't hold: graphs, types and sparse tensors
};

NamedAttribute read_attribute(Message message, TensorSource& source);

}  // namespace kawara::compiler
