/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Names that the text of a command buffer uses for codes, and the blank structs whose values the text leaves out. */
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "kawara/hw/encode.h"
#include "kawara/hw/rows.h"

namespace kawara::hw {

struct NamedCode {
  std::string_view name;
  uint32_t code;
};

inline constexpr NamedCode engine_names[] = {{"CP", KAWARA_ENGINE_CP},
                                             {"ME", KAWARA_ENGINE_ME},
                                             {"VE", KAWARA_ENGINE_VE},
                                             {"DMA_IN", KAWARA_ENGINE_DMA_IN},
                                             {"DMA_OUT", KAWARA_ENGINE_DMA_OUT}};

inline constexpr NamedCode dtype_names[] = {
    {"none", KAWARA_DTYPE_none},
#define DTYPE(code, name, bits, kind, doc) {#name, code},
#include "kawara/hw/dtypes.def"
};

inline constexpr NamedCode microcode_names[] = {
#define INSTR(code, name, form, types, effect) {#name, code},
#include "kawara/hw/microcode.def"
};

// "" for a code without a name.
inline std::string_view name_of(std::span<const NamedCode> names, uint32_t code) {
  for (const NamedCode& named : names)
    if (named.code == code) return named.name;
  return "";
}

inline std::optional<uint32_t> code_of(std::span<const NamedCode> names, std::string_view name) {
  for (const NamedCode& named : names)
    if (named.name == name) return named.code;
  return std::nullopt;
}

template <typename Struct>
std::vector<std::byte> bytes_of_struct(const Struct& value) {
  std::vector<std::byte> bytes(sizeof(value));
  std::memcpy(bytes.data(), &value, sizeof(value));
  return bytes;
}

// A body as blank() gives it, with the opcode, and the engine if there is but one.
inline std::vector<std::byte> blank_body(const CommandRow& row) {
  std::vector<std::byte> bytes;
  switch (row.opcode) {
#define COMMAND(opcode, name, engines, section, doc)    \
  case opcode:                                          \
    bytes = bytes_of_struct(blank<kawara_##name>());    \
    break;
#include "kawara/hw/commands.def"
  }
  bytes[offsetof(kawara_header, opcode)] = std::byte{row.opcode};
  if (std::has_single_bit(row.engines)) bytes[offsetof(kawara_header, engine)] = static_cast<std::byte>(std::countr_zero(row.engines));
  return bytes;
}

// A section of a vector command has extents of 1, an epilogue none.
inline std::vector<std::byte> blank_section(bool is_vector) {
  kawara_section section{};
  if (is_vector)
    for (uint32_t& extent : section.extent) extent = 1;
  return bytes_of_struct(section);
}

inline std::vector<std::byte> blank_stream() {
  kawara_stream stream{};
  stream.data = KAWARA_OPERAND_ABSENT;
  return bytes_of_struct(stream);
}

inline std::vector<std::byte> blank_coord() {
  kawara_coord coord{};
  coord.den = 1;
  return bytes_of_struct(coord);
}

}  // namespace kawara::hw
