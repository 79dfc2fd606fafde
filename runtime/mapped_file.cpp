// SPDX-License-Identifier: Apache-2.0
#include "mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

#include "kawara/error.h"

namespace kawara {

MappedFile::MappedFile(const std::filesystem::path& path) {
  // Not to wait for whoever might write into a pipe.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const bool absent = errno == ENOENT || errno == ENOTDIR;
    throw fail(absent ? Code::not_found : Code::io_failed, "{}: {}", path.string(), std::strerror(errno));
  }
  struct stat status{};
  const bool known = fstat(fd, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    close(fd);
    throw fail(Code::io_failed, "{}: not a regular file", path.string());
  }
  const auto size = static_cast<size_t>(status.st_size);
  void* data = size ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0) : nullptr;
  const int error = errno;
  close(fd);
  if (data == MAP_FAILED) throw fail(Code::io_failed, "{}: {}", path.string(), std::strerror(error));
  bytes_ = {static_cast<const std::byte*>(data), size};
}

void MappedFile::forget(std::span<const std::byte> part) const {
  constexpr uintptr_t kPage = 4096;
  const auto at = reinterpret_cast<uintptr_t>(part.data());
  const uintptr_t begin = at / kPage * kPage;
  // Only advice: where it is refused, the pages stay.
  if (!part.empty()) madvise(reinterpret_cast<void*>(begin), at - begin + part.size(), MADV_DONTNEED);
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace kawara
