// SPDX-License-Identifier: Apache-2.0
#include "program_cache.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <vector>

#include "kawara/cache.h"
#include "kawara/error.h"
#include "kawara/file/folder_entries.h"
#include "kawara/log.h"
#include "model_hash.h"

namespace kawara {
namespace {

namespace fs = std::filesystem;
using file::discard;
using file::entries_of;
using file::FolderEntry;
using Clock = fs::file_time_type::clock;

constexpr std::string_view kUnfinished = ".unfinished";

// Whether the model's file is another than before.
struct FileStamp {
  explicit FileStamp(const fs::path& path) {
    std::error_code unknown;
    bytes = fs::file_size(path, unknown);
    changed = fs::last_write_time(path, unknown);
  }
  bool operator==(const FileStamp&) const = default;
  uint64_t bytes = 0;
  fs::file_time_type changed;
};

double milliseconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

Program compile_and_tell(const fs::path& model, const CompileOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  Program program = compile(model, options);
  log(LogLevel::info, "compiled '{}' for {} in {:.0f} ms", model.string(), program.target(), milliseconds_since(begin));
  return program;
}

}  // namespace

std::optional<Program> ProgramCache::find(const std::string& key) const {
  for (const FolderEntry& entry : entries_of(folder_)) {
    const std::string name = entry.path.stem().string();
    if (!name.starts_with(key + "-") || entry.path.extension() != ".kwr") continue;
    const auto hash = hash_of_file(entry.path);
    if (!hash) continue;
    if (name != key + "-" + *hash) {
      log(LogLevel::warning, "cache: '{}' is damaged and goes", entry.path.string());
      discard(entry.path);
      continue;
    }
    try {
      Program program = Program::load(entry.path);
      std::error_code gone;
      fs::last_write_time(entry.path, Clock::now(), gone);
      return program;
    } catch (const Error& error) {
      log(LogLevel::warning, "cache: {}", error.what());
      discard(entry.path);
    }
  }
  return std::nullopt;
}

void ProgramCache::keep(const std::string& key, const Program& program) const try {
  if (program.weights().size() + program.commands().size() > bytes_max_) {
    log(LogLevel::info, "cache: a program of {} bytes of weights is more than the whole bound", program.weights().size());
    return;
  }
  write(key, program);
  trim();
} catch (const std::exception& error) {  // kawara's and the library's for files
  log(LogLevel::warning, "cache: nothing is kept: {}", error.what());
}

void ProgramCache::write(const std::string& key, const Program& program) const {
  if (fs::create_directories(folder_)) fs::permissions(folder_, fs::perms::owner_all);  // models may be secret
  static std::atomic<unsigned> count = 0;
  const fs::path unfinished = folder_ / fmt::format("{}-{}-{}{}", key, getpid(), count++, kUnfinished);
  try {
    program.save(unfinished);
    const auto hash = hash_of_file(unfinished);
    if (!hash) throw fail(Code::io_failed, "{}: cannot be read back", unfinished.string());
    fs::rename(unfinished, folder_ / fmt::format("{}-{}.kwr", key, *hash));
  } catch (...) {
    discard(unfinished);
    throw;
  }
}

void ProgramCache::trim() const {
  auto entries = entries_of(folder_);
  std::erase_if(entries, [](const FolderEntry& entry) {
    if (entry.path.extension() == ".kwr") return false;
    if (entry.is_abandoned()) discard(entry.path);
    return true;
  });
  uint64_t bytes = 0;
  for (const FolderEntry& entry : entries) bytes += entry.bytes;
  std::ranges::sort(entries, {}, &FolderEntry::used);
  for (const FolderEntry& entry : entries) {
    if (bytes <= bytes_max_) break;
    discard(entry.path);
    bytes -= entry.bytes;
    log(LogLevel::info, "cache: '{}' goes, to stay within {} bytes", entry.path.filename().string(), bytes_max_);
  }
}

Program compile_or_recall(const fs::path& model, const CompileOptions& options) {
  const auto folder = options.cache ? cache_folder() : std::nullopt;
  if (!folder) return compile_and_tell(model, options);
  const ProgramCache cache(*folder / "programs", cache_limits().program_bytes);
  const FileStamp before(model);
  const auto begin = std::chrono::steady_clock::now();
  const auto key = hash_of_model(model, options);
  if (!key) return compile_and_tell(model, options);
  if (auto program = cache.find(*key)) {
    log(LogLevel::info, "recalled '{}' from the cache in {:.0f} ms", model.string(), milliseconds_since(begin));
    return *std::move(program);
  }
  log(LogLevel::debug, "cache: no program of '{}' under {}", model.string(), *key);
  Program program = compile_and_tell(model, options);
  // A file that changed meanwhile may not be what the key was made of.
  if (FileStamp(model) == before) cache.keep(*key, program);
  return program;
}

}  // namespace kawara
