/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What every row of the tables must keep to, asserted row by row: a mistake ends the compilation and names its row.
 * That members lie where their rows say is asserted in commands.h, for C too. The runtime compiles this file once.
 */
#pragma once

#include <limits>

#include "kawara/hw/commands.h"
#include "kawara/hw/cost_command.h"

namespace kawara::hw::sound {

// A row takes first..last of what its owner has once: codes of a table, bits of a register, bytes of a block.
struct Extent {
  unsigned owner;
  long long first, last;
};

// Whether no other row takes a part of it.
template <int rows>
constexpr bool alone(const Extent (&table)[rows], Extent row) {
  int sharing = 0;
  for (const Extent& other : table) sharing += other.owner == row.owner && other.first <= row.last && row.first <= other.last;
  return sharing == 1;
}

constexpr bool ordered(long long low, long long high) { return low <= high; }
constexpr bool is_code(long long code) { return 1 <= code && code <= 255; }

constexpr bool same(const char* one, const char* other) {
  while (*one != 0 && *one == *other) ++one, ++other;
  return *one == *other;
}

// Whether a member of this type can hold both ends of its range. Of 64 bits all are held; a struct's own rows say its ranges.
template <typename Type>
constexpr bool holds(long long low, long long high) {
  using Limits = std::numeric_limits<Type>;
  if constexpr (!Limits::is_specialized) return low == 0 && high == 0;
  else if constexpr (sizeof(Type) == 8) return true;
  else return low >= static_cast<long long>(Limits::min()) && high <= static_cast<long long>(Limits::max());
}

/* registers.def */

enum : unsigned {
#define BLOCK(name, base, stride, count, doc) block_##name,
#include "kawara/hw/registers.def"
};
enum : unsigned {
#define REGISTER(block, name, offset, access, reset, doc) register_##block##_##name,
#include "kawara/hw/registers.def"
};
enum class Access { RO, RW, WO, W1C };

inline constexpr Extent blocks[] = {
#define BLOCK(name, base, stride, count, doc) {0, (base), (base) + (stride) * (count) - 1},
#include "kawara/hw/registers.def"
};
inline constexpr Extent registers[] = {
#define REGISTER(block, name, offset, access, reset, doc) {block_##block, (offset), (offset) + 3},
#include "kawara/hw/registers.def"
};
inline constexpr Extent fields[] = {
#define FIELD(block, reg, name, high, low, doc) {register_##block##_##reg, (low), (high)},
#include "kawara/hw/registers.def"
};

// Whether every set bit belongs to a field; a register whose fields are one plain value has none.
constexpr bool has_fields_for(unsigned owner, unsigned value) {
  bool plain = true;
  for (const Extent& field : fields) {
    if (field.owner != owner) continue;
    plain = false;
    for (long long bit = field.first; bit <= field.last && bit < 32; ++bit) value &= ~(1u << bit);
  }
  return plain || value == 0;
}

#define BLOCK(name, base, stride, count, doc)                                                              \
  static_assert((count) > 0 && (base) % 4 == 0 && (stride) % 4 == 0, "block " #name " is no row of words"); \
  static_assert((base) + (stride) * (count) <= KAWARA_BAR0_BYTES, "block " #name " ends behind BAR0");      \
  static_assert(alone(blocks, {0, (base), (base) + (stride) * (count) - 1}), "block " #name " overlaps another block");
#include "kawara/hw/registers.def"

#define REGISTER(block, name, offset, access, reset, doc)                                                              \
  static_assert((offset) % 4 == 0, "register " #block "." #name ": offset " #offset " is no multiple of 4");           \
  static_assert((offset) + 4 <= KAWARA_##block##_STRIDE,                                                               \
                "register " #block "." #name ": offset " #offset " is outside its block's stride");                    \
  static_assert(alone(registers, {block_##block, (offset), (offset) + 3}),                                             \
                "register " #block "." #name ": offset " #offset " is another register's too");                        \
  static_assert(has_fields_for(register_##block##_##name, (reset)),                                                    \
                "register " #block "." #name ": its reset value " #reset " sets a bit of no field");                   \
  static_assert(Access::access <= Access::W1C);
#include "kawara/hw/registers.def"

#define FIELD(block, reg, name, high, low, doc)                                                                      \
  static_assert(0 <= (low) && (low) <= (high) && (high) <= 31,                                                       \
                "field " #block "." #reg "." #name ": bits " #high ".." #low " are no bits of a 32-bit word");       \
  static_assert(alone(fields, {register_##block##_##reg, (low), (high)}),                                            \
                "field " #block "." #reg "." #name ": bits " #high ".." #low " overlap another field of the register");
#include "kawara/hw/registers.def"

/* packets.def */

enum : unsigned {
#define PACKET(opcode, name, doc) packet_##name,
#include "kawara/hw/packets.def"
};
inline constexpr Extent packet_opcodes[] = {
#define PACKET(opcode, name, doc) {0, (opcode), (opcode)},
#include "kawara/hw/packets.def"
};
inline constexpr Extent packet_fields[] = {
#define PACKET_FIELD(packet, name, word, high, low, doc) {packet_##packet, 32 * (word) + (low), 32 * (word) + (high)},
#define PACKET_FIELD64(packet, name, word, doc) {packet_##packet, 32 * (word), 32 * (word) + 63},
#include "kawara/hw/packets.def"
};

#define PACKET(opcode, name, doc)                                                                                          \
  static_assert(is_code(opcode), "packet " #name ": opcode " #opcode " is not 1 to 255");                                  \
  static_assert(alone(packet_opcodes, {0, (opcode), (opcode)}), "packet " #name ": opcode " #opcode " is another packet's too"); \
  static_assert(KAWARA_##name##_OPCODE == 0xff && KAWARA_##name##_OPCODE_WORD == 0,                                        \
                "packet " #name ": its opcode is not in bits 7..0 of word 0");
#define PACKET_FIELD(packet, name, word, high, low, doc)                                                                \
  static_assert(0 <= (low) && (low) <= (high) && (high) <= 31,                                                          \
                "packet field " #packet "." #name ": bits " #high ".." #low " are no bits of a 32-bit word");           \
  static_assert(0 <= (word) && (word) <= 15, "packet field " #packet "." #name ": there is no word " #word);            \
  static_assert(alone(packet_fields, {packet_##packet, 32 * (word) + (low), 32 * (word) + (high)}),                     \
                "packet field " #packet "." #name ": overlaps another field of the packet");
#define PACKET_FIELD64(packet, name, word, doc)                                                                         \
  static_assert(0 <= (word) && (word) <= 14 && (word) % 2 == 0,                                                         \
                "packet field " #packet "." #name ": no 64 bits are aligned at word " #word);                           \
  static_assert(alone(packet_fields, {packet_##packet, 32 * (word), 32 * (word) + 63}),                                 \
                "packet field " #packet "." #name ": overlaps another field of the packet");
#include "kawara/hw/packets.def"

/* commands.def */

inline constexpr Extent opcodes[] = {
#define COMMAND(opcode, name, engines, section, doc) {0, (opcode), (opcode)},
#include "kawara/hw/commands.def"
};

#define STRUCT(name, bytes, doc) static_assert((bytes) % 8 == 0, "struct " #name ": " #bytes " bytes are no multiple of 8");
#define MEMBER(struct_, offset, type, name, low, high, doc)                                                             \
  static_assert(ordered((low), (high)), #struct_ "." #name ": the range " #low " to " #high " is empty");                      \
  static_assert(holds<kawara_type_##type>((low), (high)), #struct_ "." #name ": the type " #type " cannot hold " #low " to " #high);
#define ARRAY(struct_, offset, type, name, count, low, high, doc)                               \
  static_assert((count) > 0, #struct_ "." #name ": an array of " #count " values");             \
  MEMBER(struct_, offset, type, name, low, high, doc)
#define COMMAND(opcode, name, engines, section, doc)                                                                    \
  static_assert(is_code(opcode), "command " #name ": opcode " #opcode " is not 1 to 255");                              \
  static_assert(alone(opcodes, {0, (opcode), (opcode)}), "command " #name ": opcode " #opcode " is another command's too"); \
  static_assert((engines) > 0 && (engines) < 1 << KAWARA_ENGINE_COUNT, "command " #name ": engines " #engines " are no engines"); \
  static_assert((section) == 0 || (section) == 1, "command " #name ": section is 0 or 1");                              \
  static_assert(offsetof(kawara_##name, header) == 0, "command " #name " does not open with its header");               \
  static_assert(sizeof(kawara_##name) % 16 == 0, "command " #name ": its size is no multiple of 16");
#include "kawara/hw/commands.def"

/* microcode.def */

inline constexpr Extent instructions[] = {
#define INSTR(code, name, form, types, effect) {0, (code), (code)},
#include "kawara/hw/microcode.def"
};
#define INSTR(code, name, form, types, effect)                                               \
  static_assert(is_code(code), "instruction " #name ": code " #code " is not 1 to 255");     \
  static_assert(alone(instructions, {0, (code), (code)}), "instruction " #name ": code " #code " is another instruction's too"); \
  static_assert((types) > 0 && (types) < 16, "instruction " #name " computes in no type");
#include "kawara/hw/microcode.def"

/* dtypes.def */

enum class Numbers { FLOAT, SIGNED, UNSIGNED, BOOLEAN };
inline constexpr Extent dtypes[] = {
#define DTYPE(code, name, bits, kind, doc) {0, (code), (code)},
#include "kawara/hw/dtypes.def"
};
#define DTYPE(code, name, bits, kind, doc)                                                                              \
  static_assert(is_code(code), "element type " #name ": code " #code " is not 1 to 255");                               \
  static_assert(alone(dtypes, {0, (code), (code)}), "element type " #name ": code " #code " is another element type's too"); \
  static_assert((bits) == 4 || (bits) == 8 || (bits) == 16 || (bits) == 32 || (bits) == 64,                             \
                "element type " #name ": no element has " #bits " bits");                                               \
  static_assert(Numbers::kind <= Numbers::BOOLEAN);
#include "kawara/hw/dtypes.def"

/* faults.def */

inline constexpr Extent faults[] = {
#define FAULT_ROW(code, name, cause, remedy) {0, (code), (code)},
#include "kawara/hw/faults.def"
};
#define FAULT_ROW(code, name, cause, remedy)                                                                            \
  static_assert(is_code(code), "fault " #name ": code " #code " does not fit QUEUE.FAULT.CODE");                        \
  static_assert(alone(faults, {0, (code), (code)}), "fault " #name ": code " #code " is another fault's too");
#include "kawara/hw/faults.def"

/* configs.def */

struct ConfigName {
  const char *name, *spelled;
};
inline constexpr ConfigName configs[] = {
#define CONFIG(name, spelled, local_mib, sram_kib, me_rows, me_columns, ve_lanes, clock_mhz, local_gb_s, sram_gb_s, pcie_gb_s, features) \
  {#name, spelled},
#include "kawara/hw/configs.def"
};
constexpr bool named_alone(const char* name, const char* spelled) {
  int sharing = 0;
  for (const ConfigName& other : configs) sharing += same(other.name, name) || same(other.spelled, spelled);
  return sharing == 1;
}
#define CONFIG(name, spelled, local_mib, sram_kib, me_rows, me_columns, ve_lanes, clock_mhz, local_gb_s, sram_gb_s, pcie_gb_s, features) \
  static_assert(named_alone(#name, spelled), "config " #name " (" spelled "): another config has that name");                 \
  static_assert((local_mib) > 0 && (sram_kib) > 0 && (me_rows) > 0 && (me_columns) > 0 && (ve_lanes) > 0 && (clock_mhz) > 0 && \
                    (local_gb_s) > 0 && (sram_gb_s) > 0 && (pcie_gb_s) > 0,                                                   \
                "config " #name " lacks a part");                                                                             \
  static_assert(has_fields_for(register_GLOBAL_FEATURES, (features)) && ((features)&KAWARA_GLOBAL_FEATURES_TEST) == 0,        \
                "config " #name ": its features " #features " are none of the register's, or the test block");
#include "kawara/hw/configs.def"

/* cost.def */

// The formulas divide by some, and take others times what a command may ask for in 32 bits.
#define COST(name, value, doc) \
  static_assert((value) > 0 && (value) <= 0xffff, "cost " #name ": " #value " is not 1 to 65535");
#include "kawara/hw/cost.def"
static_assert(ordered(KAWARA_COST_SPEED_32, KAWARA_COST_SPEED_16), "cost SPEED_16: elements of 32 bits would be the quicker ones");
static_assert(ordered(KAWARA_COST_SPEED_16, KAWARA_COST_SPEED_8), "cost SPEED_8: elements of 16 bits would be the quicker ones");
static_assert(ordered(KAWARA_COST_SPEED_8, KAWARA_COST_SPEED_4), "cost SPEED_4: elements of 8 bits would be the quicker ones");

}  // namespace kawara::hw::sound
