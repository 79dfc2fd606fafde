/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The name of the field at an offset of a command, as people write it: "src_stride[2]", "a.scale", "stream[1].dtype". */
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "kawara/hw/layout.h"
#include "kawara/hw/rows.h"

namespace kawara::hw {

// "" for an offset behind the struct.
inline std::string field_name(const StructRow& row, uint32_t offset) {
  for (const Field& field : row.fields) {
    const StructRow* inner = field.kind == Kind::structure ? find_struct(field.type) : nullptr;
    const uint32_t bytes = inner ? inner->bytes : bytes_of(field.kind);
    if (offset < field.offset || offset - field.offset >= bytes * field.count) continue;
    const uint32_t index = (offset - field.offset) / bytes, rest = (offset - field.offset) % bytes;
    std::string name(field.name);
    if (field.count > 1) name += '[' + std::to_string(index) + ']';
    return inner ? name + '.' + field_name(*inner, rest) : name;
  }
  return "";
}

// command: from its first byte to the end of the buffer; nothing in it is trusted. "" when the offset is no field's.
inline std::string field_name(std::span<const std::byte> command, uint32_t offset) {
  if (command.empty()) return "";
  const CommandRow* row = find_command(std::to_integer<uint32_t>(command[0]));
  if (!row) return offset < sizeof(kawara_header) ? field_name(*find_struct("header"), offset) : "";
  if (offset < row->body->bytes || !row->section) return field_name(*row->body, offset);
  kawara_section section;
  if (command.size() < row->body->bytes + sizeof section) return "";
  std::memcpy(&section, command.data() + row->body->bytes, sizeof section);
  offset -= row->body->bytes;
  if (offset < sizeof section) return "section." + field_name(*find_struct("section"), offset);

  const kawara_section_layout at = kawara_layout_section(&section);
  const auto element = [&](std::string_view array, uint32_t begin) {
    const StructRow& type = *find_struct(array);
    const uint32_t index = (offset - begin) / type.bytes;
    return std::string(array) + '[' + std::to_string(index) + "]." + field_name(type, (offset - begin) % type.bytes);
  };
  if (offset >= at.end) return "";
  if (offset >= at.instrs) return element("instr", at.instrs);
  if (offset >= at.phases) return element("phase", at.phases);
  if (offset >= at.constants) return "constant[" + std::to_string((offset - at.constants) / 4) + ']';
  if (offset >= at.coords) return element("coord", at.coords);
  return element("stream", at.streams);
}

}  // namespace kawara::hw
