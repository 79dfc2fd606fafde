// SPDX-License-Identifier: Apache-2.0
#include "kawara/cache.h"

#include <charconv>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>

#include "kawara/environment.h"
#include "kawara/error.h"
#include "kept_faults.h"

namespace kawara {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kBytes = uint64_t{2} << 30;

uint64_t size_of(std::string_view text) {
  if (text.empty()) return kBytes;
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  const std::string_view unit(rest, end);
  const unsigned shift = unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : 0;
  const bool known = unit.empty() || shift > 0;
  if (error != std::errc() || !known || number > std::numeric_limits<uint64_t>::max() >> shift) {
    throw fail(Code::invalid_argument, "KAWARA_CACHE_BYTES: a number of bytes, or one with K, M or G, got '{}'", text);
  }
  return number << shift;
}

// Files below the folder and their bytes. Other processes may take them away meanwhile.
std::pair<uint64_t, uint64_t> measure(const fs::path& folder) {
  uint64_t files = 0, bytes = 0;
  std::error_code ended;
  for (fs::recursive_directory_iterator entry(folder, ended), end; !ended && entry != end; entry.increment(ended)) {
    std::error_code gone;
    if (!entry->is_regular_file(gone) || gone) continue;
    const uint64_t size = entry->file_size(gone);
    if (gone) continue;
    ++files;
    bytes += size;
  }
  return {files, bytes};
}

}  // namespace

std::optional<fs::path> cache_folder() {
  const std::string own = environment(Variable::cache);
  if (own == "off") return std::nullopt;
  if (!own.empty()) {
    if (!fs::path(own).is_absolute()) throw fail(Code::invalid_argument, "KAWARA_CACHE: an absolute folder or 'off', got '{}'", own);
    return own;
  }
  // The specification of XDG_CACHE_HOME has relative ones ignored.
  if (const fs::path shared = environment(Variable::xdg_cache_home); shared.is_absolute()) return shared / "kawara";
  if (const fs::path home = environment(Variable::home); home.is_absolute()) return home / ".cache" / "kawara";
  return std::nullopt;
}

CacheLimits cache_limits() {
  const uint64_t bytes = size_of(environment(Variable::cache_bytes));
  const uint64_t shaders = bytes / 8, faults = bytes / 4;
  return {.program_bytes = bytes - shaders - faults, .shader_bytes = shaders, .fault_bytes = faults};
}

std::optional<fs::path> fault_folder() {
  const std::string own = environment(Variable::faults);
  if (own == "off") return std::nullopt;
  if (!own.empty()) {
    if (!fs::path(own).is_absolute()) throw fail(Code::invalid_argument, "KAWARA_FAULTS: an absolute folder or 'off', got '{}'", own);
    return own;
  }
  const auto cache = cache_folder();
  return cache ? std::optional(*cache / "faults") : std::nullopt;
}

CacheUse cache_use() {
  CacheUse use;
  if (const auto folder = cache_folder()) {
    std::tie(use.programs, use.program_bytes) = measure(*folder / "programs");
    use.shader_bytes = measure(*folder / "shaders").second;
  }
  for (const file::FolderEntry& fault : kept_faults()) {
    ++use.faults;
    use.fault_bytes += fault.bytes;
  }
  return use;
}

CacheUse clear_cache() {
  const CacheUse use = cache_use();
  const auto remove = [](const fs::path& path) {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) throw fail(Code::io_failed, "{}: cannot be removed: {}", path.string(), error.message());
  };
  if (const auto folder = cache_folder())
    for (const char* part : {"programs", "shaders"}) remove(*folder / part);
  for (const file::FolderEntry& fault : kept_faults()) remove(fault.path);
  return use;
}

}  // namespace kawara
