// SPDX-License-Identifier: Apache-2.0
// Lines on stderr about what Kawara does, as many as KAWARA_LOG asks for.
#pragma once

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kawara/export.h"

namespace kawara {

enum class LogLevel { off, error, warning, info, debug };

// Throws invalid_argument for a word that is no level. Empty is the default.
KAWARA_API LogLevel log_level_named(std::string_view text);

// KAWARA_LOG's, as it was when first asked for. Throws invalid_argument.
KAWARA_API LogLevel log_level();

// Writes one line, whatever the level; lines of several threads stay whole.
KAWARA_API void log_line(LogLevel level, std::string_view text);

// log(LogLevel::info, "opened {}", name)
template <typename... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (level <= log_level()) log_line(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace kawara
