// SPDX-License-Identifier: Apache-2.0
#include "onnx/message.h"

#include <cstring>

#include <protozero/exception.hpp>

#include "kawara/utf8.h"

namespace kawara::compiler {

namespace {

const std::byte* bytes_at(const char* text) { return reinterpret_cast<const std::byte*>(text); }

}  // namespace

Message::Message(std::span<const std::byte> file)
    : reader_(reinterpret_cast<const char*>(file.data()), file.size()), file_(file.data()), begin_(file.data()), size_(file.size()) {}

Message::Message(const Message& parent, protozero::data_view view, const char* name, int64_t index)
    : reader_(view), file_(parent.file_), begin_(bytes_at(view.data())), size_(view.size()), parent_(&parent), name_(name), index_(index) {}

std::string Message::path() const {
  if (!parent_) return "";
  const std::string above = parent_->path();
  const std::string own = index_ < 0 ? name_ : fmt::format("{}[{}]", name_, index_);
  return above.empty() ? own : fmt::format("{}.{}", above, own);
}

Error Message::error(std::string_view rule, const char* field) const {
  const size_t offset = begin_ - file_ + (size_ - reader_.length());
  std::string place = path();
  if (field) place = place.empty() ? field : fmt::format("{}.{}", place, field);
  return fail(Code::invalid_model, "{}{}at byte {}: {}", place, place.empty() ? "" : ", ", offset, rule);
}

template <typename Function>
auto Message::guarded(const char* name, Function function) {
  try {
    return function();
  } catch (const protozero::end_of_buffer_exception&) {
    throw error("the data ends inside a field: the file is truncated or damaged", name);
  } catch (const protozero::exception& exception) {
    throw error(fmt::format("not a protobuf message ({}): the file is damaged, or no ONNX model", exception.what()), name);
  }
}

void Message::expect(protozero::pbf_wire_type type, const char* name) const {
  if (reader_.wire_type() != type)
    throw error(fmt::format("the field has wire type {}, not {}", static_cast<int>(reader_.wire_type()), static_cast<int>(type)), name);
}

bool Message::next() {
  return guarded(nullptr, [&] { return reader_.next(); });
}

void Message::skip() {
  guarded(nullptr, [&] { reader_.skip(); });
}

int64_t Message::integer(const char* name) {
  expect(protozero::pbf_wire_type::varint, name);
  return guarded(name, [&] { return reader_.get_int64(); });
}

float Message::real(const char* name) {
  expect(protozero::pbf_wire_type::fixed32, name);
  return guarded(name, [&] { return reader_.get_float(); });
}

std::string_view Message::text(const char* name) {
  expect(protozero::pbf_wire_type::length_delimited, name);
  const auto view = guarded(name, [&] { return reader_.get_view(); });
  const std::string_view text(view.data(), view.size());
  if (!is_utf8(text)) throw error("the text is not UTF-8", name);
  return text;
}

std::span<const std::byte> Message::bytes(const char* name) {
  expect(protozero::pbf_wire_type::length_delimited, name);
  const auto view = guarded(name, [&] { return reader_.get_view(); });
  return std::as_bytes(std::span(view.data(), view.size()));
}

Message Message::message(const char* name, int64_t index) {
  expect(protozero::pbf_wire_type::length_delimited, name);
  const auto view = guarded(name, [&] { return reader_.get_view(); });
  return {*this, view, name, index};
}

void Message::integers(const char* name, std::vector<int64_t>& to) {
  if (reader_.wire_type() == protozero::pbf_wire_type::varint) return to.push_back(integer(name));
  expect(protozero::pbf_wire_type::length_delimited, name);
  guarded(name, [&] {
    for (int64_t value : reader_.get_packed_int64()) to.push_back(value);
  });
}

void Message::reals(const char* name, std::vector<float>& to) {
  if (reader_.wire_type() == protozero::pbf_wire_type::fixed32) return to.push_back(real(name));
  const auto packed = bytes(name);
  if (packed.size() % sizeof(float) != 0) throw error(fmt::format("{} bytes are no list of floats", packed.size()), name);
  const size_t before = to.size();
  to.resize(before + packed.size() / sizeof(float));
  if (!packed.empty()) std::memcpy(to.data() + before, packed.data(), packed.size());
}

}  // namespace kawara::compiler
