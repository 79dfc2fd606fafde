// SPDX-License-Identifier: Apache-2.0
// A file's bytes, mapped for reading; unmapped when destroyed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace kawara {

class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);  // throws not_found, io_failed
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }
  // Gives the pages of a part back; its bytes are read from the file again when they are asked for.
  void forget(std::span<const std::byte> part) const;

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace kawara
