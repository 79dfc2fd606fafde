// SPDX-License-Identifier: Apache-2.0
#include "emulator/chip/local_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "emulator/executor.h"
#include "kawara/error.h"

namespace kawara::emulator {
namespace {

// Private memory, and behind it what executors may read without meaning to.
std::span<std::byte> reserve(uint64_t size, const char* what) {
  void* data = mmap(nullptr, size + kReadableBehind, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) throw fail(Code::out_of_memory, "{}: cannot map {} bytes: {}", what, size, std::strerror(errno));
  madvise(data, size + kReadableBehind, MADV_DONTFORK);
  return {static_cast<std::byte*>(data), size};
}

void release(std::span<std::byte> bytes) { munmap(bytes.data(), bytes.size() + kReadableBehind); }

}  // namespace

LocalMemory::LocalMemory(uint32_t size_mib) {
  const uint64_t size = uint64_t{size_mib} << 20;
  fd_ = memfd_create("kawara-local", MFD_CLOEXEC);
  if (fd_ < 0) throw fail(Code::out_of_memory, "local memory: no memfd: {}", std::strerror(errno));
  try {
    if (ftruncate(fd_, static_cast<off_t>(size)) != 0)
      throw fail(Code::out_of_memory, "local memory: cannot make {} MiB: {}", size_mib, std::strerror(errno));
    bytes_ = reserve(size, "local memory");
    if (mmap(bytes_.data(), size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd_, 0) == MAP_FAILED) {
      const int error = errno;
      release(bytes_);
      throw fail(Code::out_of_memory, "local memory: cannot map {} MiB: {}", size_mib, std::strerror(error));
    }
    madvise(bytes_.data(), size, MADV_DONTFORK);
  } catch (...) {
    close(fd_);
    throw;
  }
}

LocalMemory::~LocalMemory() {
  release(bytes_);
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

Sram::Sram(uint32_t size_kib) : bytes_(reserve(uint64_t{size_kib} << 10, "SRAM")) {}

Sram::~Sram() { release(bytes_); }

// An executor may have imported the mapping: the bytes are overwritten in place, never replaced by other pages.
void Sram::clear(uint64_t size) { std::memset(bytes_.data(), 0, std::min<uint64_t>(size, bytes_.size())); }

}  // namespace kawara::emulator
