// SPDX-License-Identifier: Apache-2.0
// The one way to change the environment of this process.
#pragma once

#include <string>

namespace kawara {

// Does nothing when the variable is set already.
void set_where_unset(const char* name, const std::string& value);

}  // namespace kawara
