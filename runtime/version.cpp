// SPDX-License-Identifier: Apache-2.0
#include "kawara/version.h"

namespace kawara {

std::string_view version() { return KAWARA_VERSION; }

}  // namespace kawara
