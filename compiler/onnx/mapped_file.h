// SPDX-License-Identifier: Apache-2.0
// A file of the host, mapped to be read. Its bytes live as long as the last copy of `owner`.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace kawara::compiler {

struct MappedFile {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

// Throws not_found and io_failed, naming the path.
MappedFile map_file(const std::filesystem::path& path);

}  // namespace kawara::compiler
