/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What a row of microcode.def says of an instruction: its form and the types it computes in. Plain C. */
#ifndef KAWARA_MICROCODE_H
#define KAWARA_MICROCODE_H

#include "commands.h"

enum kawara_form {
	KAWARA_FORM_NONE, /* no such instruction */
	KAWARA_FORM_LOAD,
	KAWARA_FORM_STORE,
	KAWARA_FORM_UNARY,
	KAWARA_FORM_BINARY,
	KAWARA_FORM_TERNARY,
	KAWARA_FORM_COMPARE,
	KAWARA_FORM_TEST,
	KAWARA_FORM_CONVERT,
	KAWARA_FORM_REDUCE,
	KAWARA_FORM_SEQUENCE,
};

static inline enum kawara_form kawara_form_of(uint32_t op)
{
	switch (op) {
#define INSTR(code, name, form, types, effect) case code: return KAWARA_FORM_##form;
#include "microcode.def"
	default: return KAWARA_FORM_NONE;
	}
}

/* Whether the instruction may compute in f32, i32, u32 or i64. */
static inline int kawara_computes_in(uint32_t op, uint32_t type)
{
	uint32_t types;

	switch (op) {
#define INSTR(code, name, form, types_, effect) case code: types = (types_); break;
#include "microcode.def"
	default: return 0;
	}
	switch (type) {
	case KAWARA_DTYPE_f32: return (types & 1u) != 0;
	case KAWARA_DTYPE_i32: return (types & 2u) != 0;
	case KAWARA_DTYPE_u32: return (types & 4u) != 0;
	case KAWARA_DTYPE_i64: return (types & 8u) != 0;
	default: return 0;
	}
}

/* How many of a, b, c it reads. */
static inline uint32_t kawara_sources_of(enum kawara_form form)
{
	switch (form) {
	case KAWARA_FORM_NONE:
	case KAWARA_FORM_LOAD: return 0;
	case KAWARA_FORM_STORE:
	case KAWARA_FORM_UNARY:
	case KAWARA_FORM_TEST:
	case KAWARA_FORM_CONVERT:
	case KAWARA_FORM_REDUCE:
	case KAWARA_FORM_SEQUENCE: return 1;
	case KAWARA_FORM_BINARY:
	case KAWARA_FORM_COMPARE: return 2;
	case KAWARA_FORM_TERNARY: return 3;
	}
	return 0;
}

/* The type that operand `index` (0 a, 1 b, 2 c) is read in. */
static inline uint32_t kawara_source_type(const struct kawara_instr *instr, uint32_t index)
{
	if (instr->op == KAWARA_OP_select && index == 0)
		return KAWARA_DTYPE_u32;
	if (instr->op == KAWARA_OP_cvt)
		return instr->imm & 0xffu;
	return instr->type;
}

/* The type of what it leaves in dst. */
static inline uint32_t kawara_result_type(const struct kawara_instr *instr)
{
	const enum kawara_form form = kawara_form_of(instr->op);

	return form == KAWARA_FORM_COMPARE || form == KAWARA_FORM_TEST ? (uint32_t)KAWARA_DTYPE_u32 : instr->type;
}

#endif
