// SPDX-License-Identifier: Apache-2.0
// The only file that reads or writes the environment; a test finds others.
#include "kawara/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "environment.h"

namespace kawara {

std::string environment(Variable variable) {
  const auto row = std::ranges::find(kVariables, variable, &VariableRow::variable);
  const char* text = std::getenv(std::string(row->name).c_str());
  return text ? text : "";
}

std::vector<std::string> unknown_variables() {
  std::vector<std::string> unknown;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    if (name.starts_with("KAWARA_") && std::ranges::find(kVariables, name, &VariableRow::name) == std::end(kVariables)) {
      unknown.emplace_back(name);
    }
  }
  std::ranges::sort(unknown);
  return unknown;
}

void set_where_unset(const char* name, const std::string& value) { setenv(name, value.c_str(), 0); }

}  // namespace kawara
