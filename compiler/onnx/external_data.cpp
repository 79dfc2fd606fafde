// SPDX-License-Identifier: Apache-2.0
#include "onnx/external_data.h"

#include <algorithm>
#include <charconv>

#include "kawara/error.h"

namespace kawara::compiler {

namespace {

namespace fs = std::filesystem;

constexpr size_t kLocationBytesMax = 4096;  // PATH_MAX

uint64_t number(std::string_view tensor, std::string_view key, std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw fail(Code::invalid_model, "tensor '{}': the {} of its external data must be a number of bytes, got '{}'", tensor, key, text);
  return value;
}

bool lies_below(const fs::path& file, const fs::path& folder) { return std::ranges::mismatch(folder, file).in1 == folder.end(); }

}  // namespace

ExternalPlace ExternalPlace::parse(std::string_view tensor, const std::vector<std::pair<std::string, std::string>>& entries) {
  ExternalPlace place;
  for (const auto& [key, value] : entries) {
    if (key == "location") place.location = value;
    if (key == "offset") place.offset = number(tensor, key, value);
    if (key == "length") place.length = number(tensor, key, value);
  }
  if (place.location.empty()) throw fail(Code::invalid_model, "tensor '{}' lies in another file, but does not say in which", tensor);
  return place;
}

MappedFile ExternalData::read(std::string_view tensor, const ExternalPlace& place, uint64_t size) {
  if (place.length && *place.length != size)
    throw fail(Code::invalid_model, "tensor '{}' takes {} bytes, but its data in '{}' has a length of {}", tensor, size, place.location,
               *place.length);
  const MappedFile& file = open(tensor, place.location);
  if (place.offset > file.bytes.size() || size > file.bytes.size() - place.offset)
    throw fail(Code::invalid_model, "tensor '{}': its {} bytes from byte {} on lie outside of the file '{}', which has {}", tensor, size,
               place.offset, place.location, file.bytes.size());
  return {file.bytes.subspan(place.offset, size), file.owner};
}

const MappedFile& ExternalData::open(std::string_view tensor, const std::string& location) {
  if (const auto known = files_.find(location); known != files_.end()) return known->second;
  if (!folder_)
    throw fail(Code::unsupported, "tensor '{}' lies in another file, '{}', which a model in memory can't have: save it as one file", tensor,
               location);
  if (location.size() > kLocationBytesMax || location.contains('\0'))
    throw fail(Code::invalid_model, "tensor '{}': the location of its external data is no path", tensor);
  const auto refused = [&](Code code, std::string_view rule) {
    return fail(code, "tensor '{}': its data file '{}' {}", tensor, location, rule);
  };
  const fs::path relative(location);
  if (relative.is_absolute()) throw refused(Code::invalid_model, "must be given relative to the model's folder");
  if (std::ranges::find(relative, "..") != relative.end()) throw refused(Code::invalid_model, "must not leave the model's folder");

  std::error_code error;
  const fs::path folder = fs::canonical(folder_->empty() ? "." : *folder_, error);
  const fs::path file = error ? fs::path() : fs::canonical(folder / relative, error);
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) throw refused(Code::not_found, "is not there");
  if (error) throw refused(Code::invalid_model, "can't be reached: " + error.message());
  if (!lies_below(file, folder)) throw refused(Code::invalid_model, "is a link that leads out of the model's folder");
  // Asked before it is opened: to open a device or a pipe may do something already.
  if (!fs::is_regular_file(file, error)) throw refused(Code::invalid_model, "is not a regular file");
  try {
    return files_.emplace(location, map_file(file)).first->second;
  } catch (const Error& cause) {
    throw refused(cause.code(), cause.what());
  }
}

}  // namespace kawara::compiler
