// SPDX-License-Identifier: Apache-2.0
// What a compiled program depends on, in one number: the model's bytes, the files it names, options, and this build.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "kawara/compiler.h"

namespace kawara {

// 32 hexadecimal digits over a file's content; none when it cannot be read.
std::optional<std::string> hash_of_file(const std::filesystem::path& path);

// 32 hexadecimal digits. A file of external data counts by its name, size and time of change. None when the model cannot be
// read, names files in a way that is not understood, or this build cannot be told from another.
std::optional<std::string> hash_of_model(const std::filesystem::path& path, const CompileOptions& options);

}  // namespace kawara
