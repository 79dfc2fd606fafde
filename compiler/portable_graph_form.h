// SPDX-License-Identifier: Apache-2.0
// What graph.fbs says in words, for its writer and its reader.
#pragma once

#include <cstdint>
#include <variant>

#include "graph.h"

namespace kawara::compiler {

inline constexpr uint32_t kPortableGraphVersion = 1;
inline constexpr uint64_t kPortableAlignment = 8;  // of a constant, in bytes: no element is larger

enum class PortableSection : uint8_t { none, weights, constants };

// GraphAttribute.kind is the alternative's index.
static_assert(std::is_same_v<std::variant_alternative_t<0, Attribute>, int64_t>);
static_assert(std::is_same_v<std::variant_alternative_t<1, Attribute>, float>);
static_assert(std::is_same_v<std::variant_alternative_t<2, Attribute>, std::string>);
static_assert(std::is_same_v<std::variant_alternative_t<3, Attribute>, std::vector<int64_t>>);
static_assert(std::is_same_v<std::variant_alternative_t<4, Attribute>, std::vector<float>>);
static_assert(std::is_same_v<std::variant_alternative_t<5, Attribute>, std::vector<std::string>>);
static_assert(std::is_same_v<std::variant_alternative_t<6, Attribute>, Tensor>);

}  // namespace kawara::compiler
