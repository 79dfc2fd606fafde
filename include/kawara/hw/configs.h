/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The rows of configs.def as a constexpr table: the chips that programs are written for. */
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

#include "kawara/hw/commands.h"

namespace kawara::hw {

inline constexpr kawara_config configs[] = {
#define CONFIG(name, spelled, ...) {spelled, __VA_ARGS__},
#include "kawara/hw/configs.def"
};

inline constexpr uint32_t kIsaVersion = 1;  // register ISA_VERSION of these chips

// Null: there is no such chip.
constexpr const kawara_config* find_config(std::string_view name) {
  const auto* const found = std::ranges::find(configs, name, &kawara_config::name);
  return found == std::end(configs) ? nullptr : found;
}

}  // namespace kawara::hw
