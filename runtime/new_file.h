// SPDX-License-Identifier: Apache-2.0
// A file that is whole or not there: written under another name first, because a reader may map it and because what is replaced
// may be what is being read.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>

namespace kawara {

class NewFile {
 public:
  explicit NewFile(const std::filesystem::path& path);
  ~NewFile();  // removes what was not committed
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void commit();  // throws io_failed for whatever failed since the beginning

 private:
  std::filesystem::path path_, partial_;
  std::ofstream stream_;
  int error_ = 0;  // of the first write that failed
  bool committed_ = false;
};

}  // namespace kawara
