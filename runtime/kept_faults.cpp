// SPDX-License-Identifier: Apache-2.0
#include "kept_faults.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include <fmt/chrono.h>

#include "kawara/cache.h"
#include "kawara/capture.h"
#include "kawara/error.h"
#include "kawara/log.h"

namespace kawara {
namespace {

namespace fs = std::filesystem;
using file::FolderEntry;

constexpr size_t kFaultsMax = 8;
constexpr std::string_view kPrefix = "fault-", kExtension = ".kwj";

// Its own alone, of which the unfinished ones end otherwise.
std::vector<FolderEntry> entries_of(const fs::path& folder) {
  std::vector<FolderEntry> entries = file::entries_of(folder);
  std::erase_if(entries, [](const FolderEntry& entry) { return !entry.path.filename().string().starts_with(kPrefix); });
  return entries;
}

bool is_finished(const FolderEntry& entry) { return entry.path.extension() == kExtension; }

// One name sorts after the one before it.
std::string next_name() {
  static std::atomic<unsigned> count = 0;
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{}{:%Y%m%dT%H%M%S}-{}-{}{}", kPrefix, fmt::gmtime(now), getpid(), count++, kExtension);
}

// The oldest go, until as many are left, and as many bytes, as may be. `newest` stays.
void trim(const fs::path& folder, const fs::path& newest, uint64_t bytes_max) {
  auto entries = entries_of(folder);
  for (const FolderEntry& entry : entries)
    if (!is_finished(entry) && entry.is_abandoned()) file::discard(entry.path);
  std::erase_if(entries, [&](const FolderEntry& entry) { return !is_finished(entry); });
  std::ranges::sort(entries, [&](const FolderEntry& a, const FolderEntry& b) {
    return std::pair(a.path == newest, a.used) > std::pair(b.path == newest, b.used);
  });
  uint64_t bytes = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    bytes += entries[i].bytes;
    if (i >= kFaultsMax || bytes > bytes_max) file::discard(entries[i].path);
  }
}

std::optional<fs::path> keep(const Capture& capture) {
  const auto folder = fault_folder();
  if (!folder) return std::nullopt;
  const uint64_t bytes = capture.file_bytes(), most = cache_limits().fault_bytes;
  if (bytes > most) {
    log(LogLevel::warning, "the job that faulted is not kept: its {} bytes are more than the {} for all of them", bytes, most);
    return std::nullopt;
  }
  if (fs::create_directories(*folder)) fs::permissions(*folder, fs::perms::owner_all);  // models and inputs may be secret
  const fs::path path = *folder / next_name();
  capture.save(path);
  trim(*folder, path, most);
  return path;
}

}  // namespace

std::vector<FolderEntry> kept_faults() {
  const auto folder = fault_folder();
  if (!folder) return {};
  auto entries = entries_of(*folder);
  std::erase_if(entries, [](const FolderEntry& entry) { return !is_finished(entry); });
  return entries;
}

std::optional<fs::path> keep_fault(const Capture& capture) noexcept try { return keep(capture); } catch (const std::exception& error) {
  try {
    log(LogLevel::warning, "the job that faulted is not kept: {}", error.what());
  } catch (const std::exception&) {  // KAWARA_LOG is no level
  }
  return std::nullopt;
}

}  // namespace kawara
