// SPDX-License-Identifier: Apache-2.0
// The environment variables that Kawara reads, as environment.def lists them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kawara/export.h"

namespace kawara {

enum class Variable {
#define VARIABLE_ROW(name, spelled, standard, meaning) name,
#include "kawara/environment.def"
};

// standard: what holds while the variable is unset, in words where it is no plain value.
struct VariableRow {
  Variable variable;
  std::string_view name, standard, meaning;
};

inline constexpr VariableRow kVariables[] = {
#define VARIABLE_ROW(name, spelled, standard, meaning) {Variable::name, spelled, standard, meaning},
#include "kawara/environment.def"
};

// What the process was given; empty when unset.
KAWARA_API std::string environment(Variable variable);

// Names that begin with KAWARA_ and are no row: misspelt ones, mostly.
KAWARA_API std::vector<std::string> unknown_variables();

}  // namespace kawara
