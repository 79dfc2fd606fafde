// SPDX-License-Identifier: Apache-2.0
// The folder in which Kawara keeps what takes long to make again: compiled programs, and the Vulkan driver's shaders; and the
// last jobs that faulted, to be looked into. Any number of processes may use it at once, and all of it may be deleted at any time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "kawara/export.h"

namespace kawara {

// KAWARA_CACHE, else kawara/ in XDG_CACHE_HOME, else .cache/kawara in HOME. None when KAWARA_CACHE is "off" or all are unset.
// Throws invalid_argument for a KAWARA_CACHE that is neither "off" nor absolute.
KAWARA_API std::optional<std::filesystem::path> cache_folder();

// Where jobs that faulted are kept (capture.h): KAWARA_FAULTS, else faults/ in the cache folder. None when it is "off", or unset
// where there is no cache folder. Throws invalid_argument for one that is neither "off" nor absolute.
KAWARA_API std::optional<std::filesystem::path> fault_folder();

// What programs, shaders and faults may take, together: KAWARA_CACHE_BYTES. Throws invalid_argument for what is no size.
struct CacheLimits {
  uint64_t program_bytes = 0, shader_bytes = 0, fault_bytes = 0;
};
KAWARA_API CacheLimits cache_limits();

struct CacheUse {
  uint64_t programs = 0;  // files
  uint64_t program_bytes = 0;
  uint64_t shader_bytes = 0;
  uint64_t faults = 0;  // files
  uint64_t fault_bytes = 0;
};
KAWARA_API CacheUse cache_use();

// Removes all that cache_use() counts, and returns what that was. Throws io_failed for what cannot be removed.
KAWARA_API CacheUse clear_cache();

}  // namespace kawara
