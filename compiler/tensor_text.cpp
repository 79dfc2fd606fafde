// SPDX-License-Identifier: Apache-2.0
#include "tensor_text.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "elementwise.h"
#include "kawara/error.h"

namespace kawara::compiler {

namespace {

constexpr int64_t kMostPrintedElements = 64;
constexpr int64_t kMostParsedElements = int64_t{1} << 28;

bool has_numbers(DType dtype) { return dtype == DType::f32 || dtype == DType::boolean || (is_integer(dtype) && bits(dtype) >= 8); }

uint64_t hash(std::span<const std::byte> bytes) {
  uint64_t state = 0xcbf29ce484222325;  // FNV-1a
  for (std::byte byte : bytes) state = (state ^ static_cast<uint64_t>(byte)) * 0x100000001b3;
  return state;
}

std::string print_element(const Tensor& tensor, int64_t at) {
  if (tensor.dtype == DType::f32) return print_float(tensor.as<float>()[at]);
  const size_t size = bits(tensor.dtype) / 8;
  const int64_t element = integers_of({tensor.dtype, {1}, tensor.bytes.subspan(at * size, size), tensor.owner})[0];
  return tensor.dtype == DType::u64 ? std::to_string(static_cast<uint64_t>(element)) : std::to_string(element);
}

void check_size(DType dtype, const Shape& shape) {
  if (dtype == DType::none) throw fail(Code::invalid_argument, "a constant needs a type");
  for (int64_t dimension : shape)
    if (dimension < 0) throw fail(Code::invalid_argument, "a constant's dimensions are known");
  if (element_count(shape) > kMostParsedElements) throw fail(Code::invalid_argument, "a constant of more than 2^28 elements");
}

void append_element(std::vector<std::byte>& bytes, DType dtype, const std::string& number) {
  char* end = nullptr;
  uint64_t element = 0;
  if (dtype == DType::f32) {
    const float value = std::strtof(number.c_str(), &end);
    std::memcpy(&element, &value, sizeof(value));
  } else if (has_numbers(dtype)) {
    element =
        number.starts_with('-') ? static_cast<uint64_t>(std::strtoll(number.c_str(), &end, 10)) : std::strtoull(number.c_str(), &end, 10);
  }
  if (!end || end == number.c_str() || *end) throw fail(Code::invalid_argument, "'{}' is no {} element", number, name(dtype));
  const auto* begin = reinterpret_cast<const std::byte*>(&element);
  bytes.insert(bytes.end(), begin, begin + bits(dtype) / 8);
}

}  // namespace

std::string print_float(float value) {
  std::string text = fmt::format("{}", value);
  if (std::isfinite(value) && text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string quote(std::string_view text) {
  std::string result = "\"";
  for (char character : text) {
    const auto code = static_cast<unsigned char>(character);
    if (character == '"' || character == '\\')
      (result += '\\') += character;
    else if (character == '\n')
      result += "\\n";
    else if (code < 0x20 || code == 0x7f)
      result += fmt::format("\\x{:02x}", code);
    else
      result += character;
  }
  return result + '"';
}

std::string print_data(const Tensor& tensor) {
  const int64_t count = element_count(tensor.shape);
  const size_t size = bits(tensor.dtype) / 8;
  const bool has_nan =
      tensor.dtype == DType::f32 && std::ranges::any_of(tensor.as<float>(), [](float element) { return std::isnan(element); });
  if (has_numbers(tensor.dtype) && !has_nan && count > 1) {
    bool same = true;
    for (int64_t i = 1; i < count && same; ++i) same = std::memcmp(tensor.bytes.data(), tensor.bytes.data() + i * size, size) == 0;
    if (same) return fmt::format("splat<{}>", print_element(tensor, 0));
  }
  if (count > kMostPrintedElements) return fmt::format("random<{}>", hash(tensor.bytes));
  std::string text;
  if (!has_numbers(tensor.dtype) || has_nan) {
    for (std::byte byte : tensor.bytes) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
    return fmt::format("hex\"{}\"", text);
  }
  for (int64_t i = 0; i < count; ++i) text += fmt::format("{}{}", i ? ", " : "", print_element(tensor, i));
  return fmt::format("dense<{}>", text);
}

Tensor dense_tensor(DType dtype, Shape shape, const std::vector<std::string>& numbers) {
  check_size(dtype, shape);
  if (static_cast<int64_t>(numbers.size()) != element_count(shape))
    throw fail(Code::invalid_argument, "{} numbers for {} elements", numbers.size(), element_count(shape));
  std::vector<std::byte> bytes;
  for (const std::string& number : numbers) append_element(bytes, dtype, number);
  return Tensor::copy_of(dtype, std::move(shape), bytes);
}

Tensor splat_tensor(DType dtype, Shape shape, const std::string& number) {
  check_size(dtype, shape);
  std::vector<std::byte> element, bytes;
  append_element(element, dtype, number);
  for (int64_t i = element_count(shape); i-- > 0;) bytes.insert(bytes.end(), element.begin(), element.end());
  return Tensor::copy_of(dtype, std::move(shape), bytes);
}

Tensor hex_tensor(DType dtype, Shape shape, std::string_view digits) {
  check_size(dtype, shape);
  std::vector<std::byte> bytes;
  const auto digit = [](char character) -> int {
    if (character >= '0' && character <= '9') return character - '0';
    if (character >= 'a' && character <= 'f') return character - 'a' + 10;
    throw fail(Code::invalid_argument, "hex digits are 0 to 9 and a to f");
  };
  if (digits.size() != 2 * bytes_of(dtype, element_count(shape)))
    throw fail(Code::invalid_argument, "{} hex digits for {} bytes", digits.size(), bytes_of(dtype, element_count(shape)));
  for (size_t i = 0; i < digits.size(); i += 2) bytes.push_back(static_cast<std::byte>(digit(digits[i]) * 16 + digit(digits[i + 1])));
  return Tensor::copy_of(dtype, std::move(shape), bytes);
}

Tensor random_tensor(DType dtype, Shape shape, uint64_t seed) {
  check_size(dtype, shape);
  const auto next = [&] {  // splitmix64
    uint64_t value = seed += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
  };
  const int64_t count = element_count(shape);
  if (dtype == DType::f32) {
    std::vector<float> elements;  // in [-1, 1)
    for (int64_t i = 0; i < count; ++i) elements.push_back(static_cast<float>(static_cast<int64_t>(next() >> 40)) / 8388608.0f - 1.0f);
    return Tensor::copy_of(dtype, std::move(shape), std::as_bytes(std::span(elements)));
  }
  std::vector<std::byte> bytes(bytes_of(dtype, count));
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(dtype == DType::boolean ? next() & 1 : next() & 0x3f);
  return Tensor::copy_of(dtype, std::move(shape), bytes);
}

}  // namespace kawara::compiler
