// SPDX-License-Identifier: Apache-2.0
// Which build of Kawara this is: what one build has cached, another does not read.
#pragma once

#include <string>

namespace kawara {

// The linker's build ID of the library or program that this function lies in; empty where it was linked without one.
std::string build_identity();

}  // namespace kawara
