// SPDX-License-Identifier: Apache-2.0
#include "model_hash.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <set>
#include <string_view>
#include <vector>

#include "build_identity.h"
#include "kawara/file/content_hash.h"
#include "kawara/version.h"

namespace kawara {
namespace {

using file::ContentHash;

constexpr size_t kBlock = size_t{4} << 20;
constexpr size_t kPathMax = 4096;
// How a StringStringEntryProto with key "location" begins, and then what announces its value.
constexpr std::string_view kLocation = "\x0a\x08location", kValue = "\x12";
constexpr size_t kEntryMax = kLocation.size() + kValue.size() + 2 + kPathMax;

// Gives each block of the file to `visit`; false when it could not be read to its end.
bool read_blocks(const std::filesystem::path& path, const std::function<void(std::string_view)>& visit) {
  std::ifstream stream(path, std::ios::binary);
  std::vector<char> block(kBlock);
  while (stream) {
    stream.read(block.data(), kBlock);
    visit({block.data(), static_cast<size_t>(stream.gcount())});
  }
  return stream.eof();
}

// Collects the files that a model names, out of blocks that need not end where entries end.
class Locations {
 public:
  void look(std::string_view block) {
    text_.append(block);
    search(text_.size() > kEntryMax ? text_.size() - kEntryMax : 0);
    text_.erase(0, text_.size() > 2 * kEntryMax ? text_.size() - 2 * kEntryMax : 0);
  }
  void end() { search(text_.size()); }

  const std::set<std::string>& files() const { return files_; }
  bool understood() const { return understood_; }

 private:
  // Entries that begin before `end`. One that was seen before changes nothing.
  void search(size_t end) {
    for (size_t at = text_.find(kLocation); at < end; at = text_.find(kLocation, at + 1))
      read(std::string_view(text_).substr(at + kLocation.size()));
  }
  void read(std::string_view entry) {
    if (!entry.starts_with(kValue)) return void(understood_ = false);
    entry.remove_prefix(kValue.size());
    size_t length = 0;
    for (unsigned shift = 0; !entry.empty() && shift < 14; shift += 7) {
      const auto byte = static_cast<unsigned char>(entry.front());
      entry.remove_prefix(1);
      length |= size_t{byte & 0x7fu} << shift;
      if (byte < 0x80) {
        if (length > kPathMax || length > entry.size()) break;
        files_.emplace(entry.substr(0, length));
        return;
      }
    }
    understood_ = false;
  }

  std::string text_;
  std::set<std::string> files_;
  bool understood_ = true;
};

void add_file(ContentHash& hash, const std::filesystem::path& path) {
  struct stat status{};
  hash.add(static_cast<uint64_t>(stat(path.c_str(), &status) == 0));
  hash.add(static_cast<uint64_t>(status.st_size));
  hash.add(static_cast<uint64_t>(status.st_mtim.tv_sec));
  hash.add(static_cast<uint64_t>(status.st_mtim.tv_nsec));
}

}  // namespace

std::optional<std::string> hash_of_file(const std::filesystem::path& path) {
  ContentHash hash;
  if (!read_blocks(path, [&](std::string_view block) { hash.add(block); })) return std::nullopt;
  return hash.digits();
}

std::optional<std::string> hash_of_model(const std::filesystem::path& path, const CompileOptions& options) {
  const std::string build = build_identity();
  if (build.empty()) return std::nullopt;
  ContentHash hash;
  hash.add_text(version());
  hash.add_text(build);
  hash.add_text(options.target);
  hash.add_text(name(options.precision));
  hash.add(options.shapes.size());
  for (const auto& [input, shape] : options.shapes) {
    hash.add_text(input);
    hash.add(shape.size());
    for (const int64_t dim : shape) hash.add(static_cast<uint64_t>(dim));
  }
  Locations locations;
  const bool read = read_blocks(path, [&](std::string_view block) {
    hash.add(block);
    locations.look(block);
  });
  locations.end();
  if (!read || !locations.understood()) return std::nullopt;
  for (const std::string& file : locations.files()) {
    hash.add_text(file);
    add_file(hash, path.parent_path() / file);
  }
  return hash.digits();
}

}  // namespace kawara
