// SPDX-License-Identifier: Apache-2.0
#include "onnx/attribute.h"

namespace kawara::compiler {

namespace {

// AttributeProto.AttributeType
enum : int64_t { kUndefined = 0, kFloat = 1, kInt = 2, kString = 3, kTensor = 4, kFloats = 6, kInts = 7, kStrings = 8, kMostTypes = 14 };

// ONNX calls it a string and stores bytes, of which not every operator asks for text.
std::string bytes_of(Message& message, const char* name) {
  const auto bytes = message.bytes(name);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

NamedAttribute read_attribute(Message message, TensorSource& source) {
  NamedAttribute result;
  int64_t type = kUndefined, seen = kUndefined;
  float real = 0;
  int64_t integer = 0;
  std::string text;
  std::optional<Tensor> tensor;
  std::vector<float> reals;
  std::vector<int64_t> integers;
  std::vector<std::string> texts;
  while (message.next()) {
    switch (message.field()) {
      case 1: result.name = message.text("name"); break;
      case 2: real = message.real("f"), seen = kFloat; break;
      case 3: integer = message.integer("i"), seen = kInt; break;
      case 4: text = bytes_of(message, "s"), seen = kString; break;
      case 5: tensor = read_tensor(message.message("t"), source).tensor, seen = kTensor; break;
      case 7: message.reals("floats", reals), seen = kFloats; break;
      case 8: message.integers("ints", integers), seen = kInts; break;
      case 9: texts.push_back(bytes_of(message, "strings")), seen = kStrings; break;
      case 20: type = message.integer("type"); break;
      case 21: throw message.error("the attribute refers to a function's, outside of a function", "ref_attr_name");
      default: message.skip();
    }
  }
  if (result.name.empty()) throw message.error("the attribute has no name", "name");
  // Files of the first version have no type; then the field that is there says it.
  if (type == kUndefined) type = seen;
  if (type < 0 || type > kMostTypes) throw message.error(fmt::format("attribute type {} does not exist", type), "type");
  if (type == kFloat) result.value = real;
  if (type == kInt) result.value = integer;
  if (type == kString) result.value = std::move(text);
  if (type == kFloats) result.value = std::move(reals);
  if (type == kInts) result.value = std::move(integers);
  if (type == kStrings) result.value = std::move(texts);
  if (type == kTensor) {
    if (!tensor) throw message.error(fmt::format("attribute '{}' should hold a tensor", result.name), "t");
    result.value = std::move(*tensor);
  }
  return result;
}

}  // namespace kawara::compiler
