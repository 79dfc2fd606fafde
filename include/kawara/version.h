// SPDX-License-Identifier: Apache-2.0
// The version of the library that a program runs with.
#pragma once

#include <string_view>

#include "kawara/export.h"

namespace kawara {

// "0.1.0": the number in CMakeLists.txt, which the Python package and the CMake and pkg-config files carry too.
KAWARA_API std::string_view version();

}  // namespace kawara
