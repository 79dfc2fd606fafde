// SPDX-License-Identifier: Apache-2.0
#include "onnx/mapped_file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kawara/error.h"

namespace kawara::compiler {

namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

MappedFile map_file(const std::filesystem::path& path) {
  // Not to wait for whoever might write into a pipe.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0 && (errno == ENOENT || errno == ENOTDIR)) throw fail(Code::not_found, "there is no file '{}'", path.string());
  struct stat status = {};
  if (file.number() < 0 || fstat(file.number(), &status) != 0)
    throw fail(Code::io_failed, "'{}' can't be read: {}", path.string(), std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw fail(Code::io_failed, "'{}' is not a file", path.string());
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) return {};  // mmap refuses it
  void* address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
  if (address == MAP_FAILED) throw fail(Code::io_failed, "'{}' can't be mapped: {}", path.string(), std::strerror(errno));
  std::shared_ptr<const void> owner(address, [size](const void* mapping) { munmap(const_cast<void*>(mapping), size); });
  return {{static_cast<const std::byte*>(address), size}, std::move(owner)};
}

}  // namespace kawara::compiler
