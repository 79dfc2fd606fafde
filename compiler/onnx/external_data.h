// SPDX-License-Identifier: Apache-2.0
// The files beside a model that hold its tensors' data (ONNX's external data): below the model's folder, and nowhere else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnx/mapped_file.h"

namespace kawara::compiler {

// What a tensor says of its data: entries of TensorProto.external_data.
struct ExternalPlace {
  std::string location;            // a relative path
  uint64_t offset = 0;             // in bytes
  std::optional<uint64_t> length;  // in bytes; without it, the tensor's own

  // Throws invalid_model; `tensor` is its name, for messages. Keys that ONNX does not define, and the checksum, are passed over.
  static ExternalPlace parse(std::string_view tensor, const std::vector<std::pair<std::string, std::string>>& entries);
};

// Maps each file once.
class ExternalData {
 public:
  // folder: of the model; nothing for a model that lies in memory, which has none.
  explicit ExternalData(std::optional<std::filesystem::path> folder) : folder_(std::move(folder)) {}

  // `size` bytes; they live as long as `owner`. Throws not_found for a file that is not there, and invalid_model for one that
  // is not a file of the folder or does not hold the bytes, naming tensor and file.
  MappedFile read(std::string_view tensor, const ExternalPlace& place, uint64_t size);

 private:
  const MappedFile& open(std::string_view tensor, const std::string& location);

  std::optional<std::filesystem::path> folder_;
  std::map<std::string, MappedFile> files_;
};

}  // namespace kawara::compiler
