// SPDX-License-Identifier: Apache-2.0
// The files of a folder that other processes write and clear too, while they are looked at.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace kawara::file {

inline constexpr std::chrono::hours kAbandoned{1};  // no write takes as long

struct FolderEntry {
  std::filesystem::path path;
  uint64_t bytes = 0;
  std::filesystem::file_time_type used;

  bool is_abandoned() const { return std::filesystem::file_time_type::clock::now() - used > kAbandoned; }
};

// Those that are there; none of a folder that is not.
inline std::vector<FolderEntry> entries_of(const std::filesystem::path& folder) {
  std::vector<FolderEntry> entries;
  std::error_code ended;
  for (std::filesystem::directory_iterator entry(folder, ended), end; !ended && entry != end; entry.increment(ended)) {
    std::error_code gone;
    const uint64_t bytes = entry->file_size(gone);
    const auto used = gone ? std::filesystem::file_time_type() : entry->last_write_time(gone);
    if (!gone) entries.push_back({entry->path(), bytes, used});
  }
  return entries;
}

// One that is gone already is as good.
inline void discard(const std::filesystem::path& path) {
  std::error_code gone;
  std::filesystem::remove(path, gone);
}

}  // namespace kawara::file
