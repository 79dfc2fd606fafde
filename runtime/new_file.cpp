// SPDX-License-Identifier: Apache-2.0
#include "new_file.h"

#include <cerrno>
#include <cstring>

#include "kawara/error.h"

namespace kawara {

NewFile::NewFile(const std::filesystem::path& path)
    : path_(path), partial_(path.string() + ".partial"), stream_(partial_, std::ios::binary | std::ios::trunc) {
  if (!stream_) error_ = errno ? errno : EIO;
}

void NewFile::write(std::span<const std::byte> bytes) {
  if (error_ != 0) return;
  errno = 0;
  stream_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!stream_) error_ = errno ? errno : EIO;
}

void NewFile::commit() {
  errno = 0;
  stream_.close();
  if (error_ == 0 && !stream_) error_ = errno ? errno : EIO;
  if (error_ == 0 && std::rename(partial_.c_str(), path_.c_str()) != 0) error_ = errno;
  if (error_ != 0) throw fail(Code::io_failed, "{}: {}", path_.string(), std::strerror(error_));
  committed_ = true;
}

NewFile::~NewFile() {
  if (committed_) return;
  stream_.close();
  std::error_code gone;
  std::filesystem::remove(partial_, gone);
}

}  // namespace kawara
