// SPDX-License-Identifier: Apache-2.0
// A plan as text, for people: every buffer with its place and life.
#pragma once

#include <string>

#include "plan.h"

namespace kawara::compiler {

std::string print(const Plan& plan);

}  // namespace kawara::compiler
