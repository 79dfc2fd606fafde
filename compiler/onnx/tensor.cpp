// SPDX-License-Identifier: Apache-2.0
#include "onnx/tensor.h"

#include <cstring>
#include <optional>

#include "onnx/element_type.h"

namespace kawara::compiler {

namespace {

constexpr size_t kMostDimensions = 64;
constexpr int64_t kExternal = 1;  // TensorProto.DataLocation

// The fields of a TensorProto, as they stand.
struct Fields {
  std::string name;
  Shape shape;
  int64_t element_type = 0;
  std::optional<std::span<const std::byte>> raw;
  std::vector<float> floats;
  std::vector<int64_t> integers;  // int32_data, int64_data or uint64_data
  bool external = false;
  std::vector<std::pair<std::string, std::string>> external_data;
};

std::pair<std::string, std::string> read_entry(Message message) {
  std::pair<std::string, std::string> entry;
  while (message.next()) {
    switch (message.field()) {
      case 1: entry.first = message.text("key"); break;
      case 2: entry.second = message.text("value"); break;
      default: message.skip();
    }
  }
  return entry;
}

Fields read_fields(Message& message) {
  Fields fields;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        message.integers("dims", fields.shape);
        if (fields.shape.size() > kMostDimensions) throw message.error(fmt::format("more than {} dimensions", kMostDimensions), "dims");
        break;
      case 2: fields.element_type = message.integer("data_type"); break;
      case 3: throw message.error("tensors in segments are not part of ONNX files", "segment");
      case 4: message.reals("float_data", fields.floats); break;
      case 5: message.integers("int32_data", fields.integers); break;
      case 7: message.integers("int64_data", fields.integers); break;
      case 8: fields.name = message.text("name"); break;
      case 9: fields.raw = message.bytes("raw_data"); break;
      case 11: message.integers("uint64_data", fields.integers); break;
      case 13: fields.external_data.push_back(read_entry(message.message("external_data"))); break;
      case 14: fields.external = message.integer("data_location") == kExternal; break;
      default: message.skip();
    }
  }
  return fields;
}

// Elements of `size` bytes out of integers that hold them, as int32_data holds a float16 or an int8.
std::vector<std::byte> packed(std::span<const int64_t> integers, size_t size) {
  std::vector<std::byte> bytes(integers.size() * size);
  for (size_t i = 0; i < integers.size(); ++i) std::memcpy(bytes.data() + i * size, &integers[i], size);
  return bytes;
}

}  // namespace

NamedTensor read_tensor(Message message, TensorSource& source) {
  Fields fields = read_fields(message);
  const DType dtype = dtype_of_element_type(fields.element_type);
  if (fields.element_type < 1 || fields.element_type > 24)
    throw message.error(fmt::format("element type {} does not exist", fields.element_type), "data_type");
  if (dtype == DType::none)
    throw fail(Code::unsupported, "tensor '{}' has elements of type {}, which the chip doesn't have: convert the model to float",
               fields.name, element_type_name(fields.element_type));
  uint64_t expected = 0;
  try {
    expected = bytes_of(dtype, element_count(fields.shape));
  } catch (const Error& error) {
    throw message.error(fmt::format("tensor '{}': {}", fields.name, error.what()), "dims");
  }

  Tensor tensor{.dtype = dtype, .shape = fields.shape, .bytes = {}, .owner = {}};
  std::vector<std::byte> copy;
  if (fields.external) {
    if (fields.raw || !fields.floats.empty() || !fields.integers.empty())
      throw message.error(fmt::format("tensor '{}' holds data, and says that it lies in another file", fields.name), "data_location");
    auto [bytes, file] = source.external.read(fields.name, ExternalPlace::parse(fields.name, fields.external_data), expected);
    tensor.bytes = bytes;
    tensor.owner = std::move(file);
  } else if (fields.raw) {
    tensor.bytes = *fields.raw;
    tensor.owner = source.owner;
  } else if (dtype == DType::f32) {
    tensor.bytes = std::as_bytes(std::span(fields.floats));
  } else {
    // Four-bit elements stand in pairs in int32_data.
    copy = packed(fields.integers, std::max(bits(dtype) / 8, 1u));
    tensor.bytes = copy;
  }
  if (tensor.bytes.size() != expected)
    throw message.error(fmt::format("tensor '{}' is {}[{}], {} bytes, but holds {}", fields.name, name(dtype), fmt::join(fields.shape, ","),
                                    expected, tensor.bytes.size()),
                        fields.raw ? "raw_data" : nullptr);
  if (dtype == DType::boolean)
    for (std::byte byte : tensor.bytes)
      if (byte > std::byte{1}) throw message.error(fmt::format("tensor '{}' holds a boolean that is neither 0 nor 1", fields.name));
  const bool aligned = reinterpret_cast<uintptr_t>(tensor.bytes.data()) % std::max(bits(dtype) / 8, 1u) == 0;
  if (!tensor.owner || !aligned) tensor = Tensor::copy_of(dtype, fields.shape, tensor.bytes);
  return {std::move(fields.name), std::move(tensor)};
}

}  // namespace kawara::compiler
