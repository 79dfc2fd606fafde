// SPDX-License-Identifier: Apache-2.0
#include "kawara/log.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "kawara/environment.h"
#include "kawara/error.h"

namespace kawara {
namespace {

constexpr std::string_view kLevels[] = {"off", "error", "warning", "info", "debug"};

}  // namespace

LogLevel log_level_named(std::string_view text) {
  if (text.empty()) return LogLevel::warning;
  const auto found = std::ranges::find(kLevels, text);
  if (found == std::end(kLevels)) {
    throw fail(Code::invalid_argument, "KAWARA_LOG: one of {}, got '{}'", fmt::join(kLevels, ", "), text);
  }
  return static_cast<LogLevel>(found - std::begin(kLevels));
}

LogLevel log_level() {
  static const LogLevel level = log_level_named(environment(Variable::log));
  return level;
}

void log_line(LogLevel level, std::string_view text) {
  const std::string line = fmt::format("kawara {}: {}\n", kLevels[static_cast<size_t>(level)], text);
  // Nobody is left to tell when stderr is closed or full.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace kawara
