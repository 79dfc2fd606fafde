/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Where the arrays behind a section lie, and what the codes of dtypes.def, commands.def and microcode.def mean. Plain C. */
#ifndef KAWARA_LAYOUT_H
#define KAWARA_LAYOUT_H

#include "commands.h"

/* A section and its arrays, as pointers into the command. */
struct kawara_section_arrays {
	const struct kawara_section *section;
	const struct kawara_stream *streams; /* n_in inputs, then n_out outputs */
	const struct kawara_coord *coords;
	const uint32_t *constants;
	const struct kawara_phase *phases;
	const struct kawara_instr *instrs;
};

static inline uint32_t kawara_align16(uint32_t bytes) { return (bytes + 15u) & ~15u; }

/* Offsets of the arrays from the start of the section; `end` is the length of it all. */
struct kawara_section_layout {
	uint32_t streams, coords, constants, phases, instrs, end;
};

static inline struct kawara_section_layout kawara_layout_section(const struct kawara_section *section)
{
	struct kawara_section_layout at;

	at.streams = (uint32_t)sizeof(struct kawara_section);
	at.coords = at.streams + ((uint32_t)section->n_in + section->n_out) * (uint32_t)sizeof(struct kawara_stream);
	at.constants = at.coords + section->n_coord * (uint32_t)sizeof(struct kawara_coord);
	at.phases = at.constants + kawara_align16(section->n_const * 4u);
	at.instrs = at.phases + section->n_phase * (uint32_t)sizeof(struct kawara_phase);
	at.end = at.instrs + kawara_align16(section->n_instr * (uint32_t)sizeof(struct kawara_instr));
	return at;
}

/* The caller knows that all the section's bytes are there. */
static inline struct kawara_section_arrays kawara_view_section(const struct kawara_section *section)
{
	const struct kawara_section_layout at = kawara_layout_section(section);
	const uint8_t *bytes = (const uint8_t *)section;
	struct kawara_section_arrays view;

	view.section = section;
	view.streams = (const struct kawara_stream *)(bytes + at.streams);
	view.coords = (const struct kawara_coord *)(bytes + at.coords);
	view.constants = (const uint32_t *)(bytes + at.constants);
	view.phases = (const struct kawara_phase *)(bytes + at.phases);
	view.instrs = (const struct kawara_instr *)(bytes + at.instrs);
	return view;
}

/* Bytes of a command's body, header included; 0 for an opcode that no row names. */
static inline uint32_t kawara_body_bytes(uint32_t opcode)
{
	switch (opcode) {
#define COMMAND(opcode, name, engines, section, doc) case opcode: return (uint32_t)sizeof(struct kawara_##name);
#include "commands.def"
	default: return 0;
	}
}

/* Whether a section follows the body. */
static inline int kawara_has_section(uint32_t opcode)
{
	switch (opcode) {
#define COMMAND(opcode, name, engines, section, doc) case opcode: return section;
#include "commands.def"
	default: return 0;
	}
}

/* Mask of the engines that may run it. */
static inline uint32_t kawara_engines_of(uint32_t opcode)
{
	switch (opcode) {
#define COMMAND(opcode, name, engines, section, doc) case opcode: return engines;
#include "commands.def"
	default: return 0;
	}
}

/* Bits of an element; 0 for a code that no row names. */
static inline uint32_t kawara_dtype_bits(uint32_t dtype)
{
	switch (dtype) {
#define DTYPE(code, name, bits, kind, doc) case code: return bits;
#include "dtypes.def"
	default: return 0;
	}
}

/* The type in which the vector engine computes on elements of a dtype: what a load gives. */
static inline uint32_t kawara_compute_type(uint32_t dtype)
{
	enum { FLOAT, SIGNED, UNSIGNED, BOOLEAN };

	switch (dtype) {
#define DTYPE(code, name, bits, kind, doc) \
	case code: return kind == FLOAT ? KAWARA_DTYPE_f32 : bits == 64 ? KAWARA_DTYPE_i64 : kind == SIGNED ? KAWARA_DTYPE_i32 : KAWARA_DTYPE_u32;
#include "dtypes.def"
	default: return KAWARA_DTYPE_none;
	}
}

#endif
