/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The C structs that commands.def means, and the codes of commands, dtypes and microcode. Compiler, chip and tests. */
#ifndef KAWARA_COMMANDS_H
#define KAWARA_COMMANDS_H

#include <stddef.h>
#include "hw.h"

KAWARA_STATIC_ASSERT(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "commands are little endian, and these structs are their bytes");

/* The types that rows name. */
typedef uint8_t kawara_type_u8;
typedef uint16_t kawara_type_u16;
typedef uint32_t kawara_type_u32;
typedef uint64_t kawara_type_u64;
typedef int32_t kawara_type_i32;
typedef int64_t kawara_type_i64;
typedef uint64_t kawara_type_operand;
typedef uint8_t kawara_type_dtype;
typedef uint32_t kawara_type_wait;

#define STRUCT(name, bytes, doc) typedef struct kawara_##name kawara_type_##name; struct kawara_##name {
#define MEMBER(struct_, offset, type, name, low, high, doc) kawara_type_##type name;
#define ARRAY(struct_, offset, type, name, count, low, high, doc) kawara_type_##type name[count];
#define RESERVED(struct_, offset, type, name, count) kawara_type_##type name[count];
#define END_STRUCT(name) };
#include "commands.def"

/* A wrong offset (overlap or gap) and hidden padding end the compilation here. */
#define STRUCT(name, bytes, doc) \
	KAWARA_STATIC_ASSERT(sizeof(struct kawara_##name) == (bytes), \
		"struct " #name ": its members do not fill the " #bytes " bytes that its row says");
#define MEMBER(struct_, offset, type, name, low, high, doc) \
	KAWARA_STATIC_ASSERT(offsetof(struct kawara_##struct_, name) == (offset), \
		#struct_ "." #name ": offset " #offset " overlaps the member before it or leaves a gap");
#define ARRAY(struct_, offset, type, name, count, low, high, doc) MEMBER(struct_, offset, type, name, low, high, doc)
#define RESERVED(struct_, offset, type, name, count) MEMBER(struct_, offset, type, name, 0, 0, "")
#include "commands.def"
#define STRUCT(name, bytes, doc) enum { kawara_bytes_of_members_of_##name = 0
#define MEMBER(struct_, offset, type, name, low, high, doc) + sizeof(kawara_type_##type)
#define ARRAY(struct_, offset, type, name, count, low, high, doc) + sizeof(kawara_type_##type) * (count)
#define RESERVED(struct_, offset, type, name, count) + sizeof(kawara_type_##type) * (count)
#define END_STRUCT(name) };
#include "commands.def"
#define STRUCT(name, bytes, doc) \
	KAWARA_STATIC_ASSERT(kawara_bytes_of_members_of_##name == (bytes), "struct " #name " has padding that no row names");
#include "commands.def"

enum kawara_opcode {
#define COMMAND(opcode, name, engines, section, doc) KAWARA_COMMAND_##name = (opcode),
#include "commands.def"
};

enum kawara_dtype {
	KAWARA_DTYPE_none = 0,
#define DTYPE(code, name, bits, kind, doc) KAWARA_DTYPE_##name = (code),
#include "dtypes.def"
};

enum kawara_microcode {
#define INSTR(code, name, form, types, effect) KAWARA_OP_##name = (code),
#include "microcode.def"
};

#define KAWARA_HEADER_LIMIT_DIM 0x0fu
#define KAWARA_HEADER_LIMIT_NONE 15u
#define KAWARA_HEADER_SWITCH_POINT 0x10u
#define KAWARA_HEADER_HEALTH 0x20u
#define KAWARA_STREAM_SATURATE 1u
#define KAWARA_STREAM_NONTEMPORAL 2u
#define KAWARA_COORD_EXACT 1u
#define KAWARA_COORD_CLAMP 2u
#define KAWARA_COORD_INDEXED 4u
#define KAWARA_COORD_BG 8u
#define KAWARA_PHASE_TREE 0u
#define KAWARA_PHASE_ORDERED 1u
#define KAWARA_COPY_GATHER 1u
#define KAWARA_COPY_SCATTER 2u
#define KAWARA_COPY_FILL 4u
#define KAWARA_CONV_TRANSPOSED 1u

/* Operand numbers of an instruction. */
#define KAWARA_SOURCE_REGISTER 0u
#define KAWARA_SOURCE_CONSTANT 32u
#define KAWARA_SOURCE_INDEX 96u
#define KAWARA_SOURCE_ACCUMULATOR 105u
#define KAWARA_SOURCE_B_INDEX 109u
#define KAWARA_REGISTERS 32u

static inline uint64_t kawara_operand_offset(uint64_t operand) { return operand & 0xffffffffffffull; }
static inline uint32_t kawara_operand_region(uint64_t operand) { return (uint32_t)(operand >> 48); }
static inline uint64_t kawara_operand(uint32_t region, uint64_t offset) { return (uint64_t)region << 48 | offset; }
#define KAWARA_OPERAND_ABSENT (~0ull << 48)
static inline uint32_t kawara_wait(uint32_t engine, uint32_t count) { return count << 4 | engine; }
static inline uint32_t kawara_wait_engine(uint32_t wait) { return wait & 15u; }
static inline uint32_t kawara_wait_count(uint32_t wait) { return wait >> 4; }

#endif
