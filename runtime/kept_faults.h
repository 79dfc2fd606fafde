// SPDX-License-Identifier: Apache-2.0
// The captures in the fault folder, which may hold other files too where the user chose it.
#pragma once

#include <vector>

#include "kawara/file/folder_entries.h"

namespace kawara {

// Throws invalid_argument for a folder that is none.
std::vector<file::FolderEntry> kept_faults();

}  // namespace kawara
