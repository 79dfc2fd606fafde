// SPDX-License-Identifier: Apache-2.0
// Compiled programs kept in a folder between processes: bounded in bytes, the least recently used goes first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "kawara/compiler.h"
#include "kawara/program.h"

namespace kawara {

// Each entry is a file "<key>-<hash of its content>.kwr": it is whole or not there, and damage shows. Processes share the
// folder without locks: a file appears by rename, and one that goes stays mapped by whoever uses it. What fails is logged
// and the same as an empty cache.
class ProgramCache {
 public:
  ProgramCache(std::filesystem::path folder, uint64_t bytes_max) : folder_(std::move(folder)), bytes_max_(bytes_max) {}

  // Removes an entry that is damaged.
  std::optional<Program> find(const std::string& key) const;
  void keep(const std::string& key, const Program& program) const;

 private:
  void write(const std::string& key, const Program& program) const;
  void trim() const;

  std::filesystem::path folder_;
  uint64_t bytes_max_;
};

// What compile() gives, out of the cache folder when it is there. Throws as compile() does.
Program compile_or_recall(const std::filesystem::path& model, const CompileOptions& options);

}  // namespace kawara
