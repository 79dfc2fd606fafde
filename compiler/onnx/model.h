// SPDX-License-Identifier: Apache-2.0
// Reads a model in ONNX's file format.
#pragma once

#include <filesystem>

#include "graph.h"

namespace kawara::compiler {

// The graph as the model has it: initializers are constants, shapes are known for inputs and outputs only, and with their
// open dimensions. Weights stay in the mapped file, and in files below its folder that the model names (external data). Throws
// not_found, io_failed, invalid_model (with field and byte, or tensor and file), and unsupported for element types that no
// chip has.
Graph read_onnx(const std::filesystem::path& path);
// From memory; `owner` keeps the bytes alive. Such a model has no folder, and so no external data.
Graph read_onnx(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

}  // namespace kawara::compiler
