// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/local_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "kawara/error.h"

namespace kawara::emulator {
namespace {

std::span<std::byte> map(uint64_t size, int flags, int fd, const char* what) {
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, fd, 0);
  if (data == MAP_FAILED) throw fail(Code::out_of_memory, "{}: cannot map {} bytes: {}", what, size, std::strerror(errno));
  madvise(data, size, MADV_DONTFORK);
  return {static_cast<std::byte*>(data), size};
}

}  // namespace

LocalMemory::LocalMemory(uint32_t size_mib) {
  const uint64_t size = uint64_t{size_mib} << 20;
  fd_ = memfd_create("kawara-local", MFD_CLOEXEC);
  if (fd_ < 0) throw fail(Code::out_of_memory, "local memory: no memfd: {}", std::strerror(errno));
  try {
    if (ftruncate(fd_, static_cast<off_t>(size)) != 0)
      throw fail(Code::out_of_memory, "local memory: cannot make {} MiB: {}", size_mib, std::strerror(errno));
    bytes_ = map(size, MAP_SHARED, fd_, "local memory");
  } catch (...) {
    close(fd_);
    throw;
  }
}

LocalMemory::~LocalMemory() {
  munmap(bytes_.data(), bytes_.size());
  close(fd_);
}

void LocalMemory::clear(uint64_t offset, uint64_t size) {
  if (offset > bytes_.size() || size > bytes_.size() - offset)
    throw fail(Code::invalid_argument, "local memory: [{:#x}, {:#x} bytes) is outside its {:#x} bytes", offset, size, bytes_.size());
  if (size == 0) return;
  const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  // A kernel or sandbox without holes leaves the slow way.
  if (fallocate(fd_, mode, static_cast<off_t>(offset), static_cast<off_t>(size)) != 0) std::memset(bytes_.data() + offset, 0, size);
}

Sram::Sram(uint32_t size_kib) : bytes_(map(uint64_t{size_kib} << 10, MAP_PRIVATE | MAP_ANONYMOUS, -1, "SRAM")) {}

Sram::~Sram() { munmap(bytes_.data(), bytes_.size()); }

// An executor may have imported the mapping: the bytes are overwritten in place, never replaced by other pages.
void Sram::clear(uint64_t size) { std::memset(bytes_.data(), 0, std::min<uint64_t>(size, bytes_.size())); }

}  // namespace kawara::emulator
