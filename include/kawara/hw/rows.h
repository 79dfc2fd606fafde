/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The rows of commands.def and microcode.def as constexpr tables, for code that works on any command: encode, text, tests. */
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "kawara/hw/commands.h"

namespace kawara::hw {

// The engines as reports name them, by their numbers.
inline constexpr const char* engine_words[KAWARA_ENGINE_COUNT] = {"control", "matrix", "vector", "dma_in", "dma_out"};

enum class Kind : uint8_t { u8, u16, u32, u64, i32, i64, operand, dtype, wait, structure };

constexpr Kind kind_of(std::string_view type) {
  if (type == "u8") return Kind::u8;
  if (type == "u16") return Kind::u16;
  if (type == "u32") return Kind::u32;
  if (type == "u64") return Kind::u64;
  if (type == "i32") return Kind::i32;
  if (type == "i64") return Kind::i64;
  if (type == "operand") return Kind::operand;
  if (type == "dtype") return Kind::dtype;
  if (type == "wait") return Kind::wait;
  return Kind::structure;
}

// Bytes of one value; 0 for a structure, which its own row sizes.
constexpr uint32_t bytes_of(Kind kind) {
  switch (kind) {
    case Kind::u8:
    case Kind::dtype: return 1;
    case Kind::u16: return 2;
    case Kind::u32:
    case Kind::i32:
    case Kind::wait: return 4;
    case Kind::u64:
    case Kind::i64:
    case Kind::operand: return 8;
    case Kind::structure: return 0;
  }
  return 0;
}

enum class Role : uint8_t { member, array, reserved };

// One MEMBER, ARRAY or RESERVED row.
struct Field {
  std::string_view name;
  std::string_view type;
  Kind kind;
  Role role;
  uint32_t offset;
  uint32_t count;
  int64_t low, high;
};

#define STRUCT(name, bytes, doc) inline constexpr Field fields_of_##name[] = {
#define MEMBER(struct_, offset, type, name, low, high, doc) {#name, #type, kind_of(#type), Role::member, offset, 1, low, high},
#define ARRAY(struct_, offset, type, name, count, low, high, doc) {#name, #type, kind_of(#type), Role::array, offset, count, low, high},
#define RESERVED(struct_, offset, type, name, count) {#name, #type, kind_of(#type), Role::reserved, offset, count, 0, 0},
#define END_STRUCT(name) };
#include "kawara/hw/commands.def"

struct StructRow {
  std::string_view name;
  uint32_t bytes;
  std::span<const Field> fields;
};

inline constexpr StructRow struct_rows[] = {
#define STRUCT(name, bytes, doc) {#name, bytes, fields_of_##name},
#include "kawara/hw/commands.def"
};

constexpr const StructRow* find_struct(std::string_view name) {
  for (const StructRow& row : struct_rows)
    if (row.name == name) return &row;
  return nullptr;
}

struct CommandRow {
  std::string_view name;
  uint8_t opcode;
  uint16_t engines;
  bool section;
  const StructRow* body;
};

inline constexpr CommandRow command_rows[] = {
#define COMMAND(opcode, name, engines, section, doc) {#name, opcode, engines, section, find_struct(#name)},
#include "kawara/hw/commands.def"
};

constexpr const CommandRow* find_command(uint32_t opcode) {
  for (const CommandRow& row : command_rows)
    if (row.opcode == opcode) return &row;
  return nullptr;
}

// The row of a body's type: command_row_of<kawara_gemm>. Under the sanitizers g++ 12 takes no comparison of its address
// with null for a constant, so that a type has a row is said apart.
template <typename Body>
inline constexpr bool is_command = false;
template <typename Body>
inline constexpr const CommandRow* command_row_of = nullptr;
#define COMMAND(opcode, name, engines, section, doc)      \
  template <>                                             \
  inline constexpr bool is_command<kawara_##name> = true; \
  template <>                                             \
  inline constexpr const CommandRow* command_row_of<kawara_##name> = find_command(opcode);
#include "kawara/hw/commands.def"

// A value of a field, widened: unsigned kinds zero-extended (64-bit ones keep their bits), signed ones sign-extended.
inline int64_t read_value(const Field& field, const std::byte* at) {
  switch (field.kind) {
    case Kind::i32: {
      int32_t value;
      std::memcpy(&value, at, sizeof(value));
      return value;
    }
    case Kind::structure: return 0;
    default: {
      uint64_t value = 0;  // little endian, as the wire is: commands.h asserts it
      std::memcpy(&value, at, bytes_of(field.kind));
      return static_cast<int64_t>(value);
    }
  }
}

inline void write_value(const Field& field, std::byte* at, int64_t value) { std::memcpy(at, &value, bytes_of(field.kind)); }

}  // namespace kawara::hw
