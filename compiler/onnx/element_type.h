// SPDX-License-Identifier: Apache-2.0
// ONNX's numbers for element types (TensorProto.DataType), as they stand in files and in attributes such as Cast's `to`.
#pragma once

#include <cstdint>
#include <string>

#include "kawara/dtype.h"

namespace kawara::compiler {

DType dtype_of_element_type(int64_t element_type);    // none: the chip doesn't have it
std::string element_type_name(int64_t element_type);  // as ONNX spells it, "double"
int64_t element_type_of(DType dtype);

}  // namespace kawara::compiler
