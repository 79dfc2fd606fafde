// SPDX-License-Identifier: Apache-2.0
// Element types, as hw/dtypes.def numbers them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace kawara {

enum class DType : uint8_t {
  none = 0,
#define DTYPE(code, name, bits, kind, doc) name = code,
#include "kawara/hw/dtypes.def"
};

enum class DTypeKind { none, FLOAT, SIGNED, UNSIGNED, BOOLEAN };

constexpr std::string_view name(DType dtype) {
  switch (dtype) {
    case DType::none: return "none";
#define DTYPE(code, name, bits, kind, doc) \
  case DType::name: return #name;
#include "kawara/hw/dtypes.def"
  }
  return "invalid";
}

// The type of that name; none for a name that is not in the table.
constexpr std::optional<DType> dtype_named(std::string_view text) {
#define DTYPE(code, name, bits, kind, doc) \
  if (text == #name) return DType::name;
#include "kawara/hw/dtypes.def"
  return std::nullopt;
}

constexpr unsigned bits(DType dtype) {
  switch (dtype) {
    case DType::none: return 0;
#define DTYPE(code, name, bits, kind, doc) \
  case DType::name: return bits;
#include "kawara/hw/dtypes.def"
  }
  return 0;
}

constexpr DTypeKind kind(DType dtype) {
  switch (dtype) {
    case DType::none: return DTypeKind::none;
#define DTYPE(code, name, bits, kind, doc) \
  case DType::name: return DTypeKind::kind;
#include "kawara/hw/dtypes.def"
  }
  return DTypeKind::none;
}

// Bytes of `elements` packed elements; four-bit types round up.
constexpr uint64_t bytes_of(DType dtype, uint64_t elements) { return (elements * bits(dtype) + 7) / 8; }

}  // namespace kawara
