// SPDX-License-Identifier: Apache-2.0
// One protobuf message of a model file, read field by field in place; every broken rule is an invalid_model error with the
// field's path and its byte offset in the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <protozero/pbf_reader.hpp>

#include "kawara/error.h"

namespace kawara::compiler {

class Message {
 public:
  explicit Message(std::span<const std::byte> file);  // the outermost one

  // Moves to the next field; false at the end.
  bool next();
  uint32_t field() const { return reader_.tag(); }
  void skip();

  // The current field's content. `name` is the field's, for errors.
  int64_t integer(const char* name);
  float real(const char* name);
  std::string_view text(const char* name);  // of UTF-8
  std::span<const std::byte> bytes(const char* name);
  Message message(const char* name, int64_t index = -1);
  // A repeated field, packed or not: appends.
  void integers(const char* name, std::vector<int64_t>& to);
  void reals(const char* name, std::vector<float>& to);

  // invalid_model: path, offset and `rule`.
  Error error(std::string_view rule, const char* field = nullptr) const;

 private:
  Message(const Message& parent, protozero::data_view view, const char* name, int64_t index);
  template <typename Function>
  auto guarded(const char* name, Function function);
  void expect(protozero::pbf_wire_type type, const char* name) const;
  std::string path() const;

  protozero::pbf_reader reader_;
  const std::byte* file_ = nullptr;  // where offsets count from
  const std::byte* begin_ = nullptr;
  size_t size_ = 0;
  const Message* parent_ = nullptr;  // outlives this message
  const char* name_ = "";
  int64_t index_ = -1;
};

}  // namespace kawara::compiler
