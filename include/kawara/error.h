// SPDX-License-Identifier: Apache-2.0
// The one exception that Kawara throws: a code of errors.def, a message, and the model's node if one is to blame.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "kawara/export.h"

namespace kawara {

enum class Code {
#define ERROR_ROW(name, cause, remedy) name,
#include "kawara/errors.def"
};

// Every code, in the catalogue's order.
inline constexpr Code kCodes[] = {
#define ERROR_ROW(name, cause, remedy) Code::name,
#include "kawara/errors.def"
};

// The row's name, cause and remedy.
constexpr std::string_view name(Code code) {
  switch (code) {
#define ERROR_ROW(name, cause, remedy) \
  case Code::name: return #name;
#include "kawara/errors.def"
  }
  return "";
}
constexpr std::string_view cause(Code code) {
  switch (code) {
#define ERROR_ROW(name, cause, remedy) \
  case Code::name: return cause;
#include "kawara/errors.def"
  }
  return "";
}
constexpr std::string_view remedy(Code code) {
  switch (code) {
#define ERROR_ROW(name, cause, remedy) \
  case Code::name: return remedy;
#include "kawara/errors.def"
  }
  return "";
}

class KAWARA_API Error : public std::runtime_error {
 public:
  // message: the thing and the rule it broke, without code or remedy. node: name of the model's node, or empty.
  Error(Code code, std::string message, std::string node = {})
      : std::runtime_error(std::move(message)), code_(code), node_(std::move(node)) {}

  Code code() const noexcept { return code_; }
  const std::string& node() const noexcept { return node_; }

 private:
  Code code_;
  std::string node_;
};

// throw fail(Code::invalid_argument, "k must be a multiple of 16, got {}", k)
template <typename... Args>
Error fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  return Error(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace kawara
