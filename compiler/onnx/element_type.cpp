// SPDX-License-Identifier: Apache-2.0
#include "onnx/element_type.h"

namespace kawara::compiler {

namespace {

struct Row {
  int64_t element_type;
  DType dtype;
  const char* name;
};

constexpr Row kRows[] = {
    {1, DType::f32, "float"},
    {2, DType::u8, "uint8"},
    {3, DType::i8, "int8"},
    {4, DType::u16, "uint16"},
    {5, DType::i16, "int16"},
    {6, DType::i32, "int32"},
    {7, DType::i64, "int64"},
    {8, DType::none, "string"},
    {9, DType::boolean, "bool"},
    {10, DType::f16, "float16"},
    {11, DType::none, "double"},
    {12, DType::u32, "uint32"},
    {13, DType::u64, "uint64"},
    {14, DType::none, "complex64"},
    {15, DType::none, "complex128"},
    {16, DType::bf16, "bfloat16"},
    {17, DType::f8e4m3, "float8e4m3fn"},
    {18, DType::none, "float8e4m3fnuz"},
    {19, DType::f8e5m2, "float8e5m2"},
    {20, DType::none, "float8e5m2fnuz"},
    {21, DType::u4, "uint4"},
    {22, DType::i4, "int4"},
    {23, DType::f4e2m1, "float4e2m1"},
    {24, DType::e8m0, "float8e8m0"},
};

}  // namespace

DType dtype_of_element_type(int64_t element_type) {
  for (const Row& row : kRows)
    if (row.element_type == element_type) return row.dtype;
  return DType::none;
}

std::string element_type_name(int64_t element_type) {
  for (const Row& row : kRows)
    if (row.element_type == element_type) return row.name;
  return "number " + std::to_string(element_type) + " (unknown)";
}

int64_t element_type_of(DType dtype) {
  for (const Row& row : kRows)
    if (row.dtype == dtype) return row.element_type;
  return 0;
}

}  // namespace kawara::compiler
