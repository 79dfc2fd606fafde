/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Instructions: known, allowed in their type, every operand there, every register written before it is read. Registers
 * have no type, but 32 and 64 bits are told apart, and an indexed coordinate needs an i32. In a tree phase, steps run in
 * any order: only the destination of a reduction carries a value over them, and nothing reads it before `after`.
 * A broken rule is bad_microcode.
 */
#ifndef KAWARA_CHECK_MICROCODE_H
#define KAWARA_CHECK_MICROCODE_H

#include "check_fields.h"
#include "microcode.h"

/* The registers in straight-line order, and where in a phase we are. */
struct kawara_program_state {
	struct kawara_section_arrays arrays;
	uint32_t accumulators;         /* 0 in `vector` */
	uint8_t type[KAWARA_REGISTERS]; /* of the value held; 0: not written */
	int in_step, tree;
	uint32_t reduced;    /* mask: destinations of reductions in this step */
	uint32_t read;       /* mask: read in this step before it was written there */
	uint32_t written;    /* mask: written in this step */
	uint32_t at_start;   /* mask: held a value when the step began */
};

static inline int kawara_refuse_instr(struct kawara_checker *checker, const void *field)
{
	return kawara_refuse(checker, KAWARA_FAULT_bad_microcode, kawara_field_of(checker, field));
}

/* field: what to blame. type: what it is read as. */
static inline int kawara_check_register(struct kawara_checker *checker, struct kawara_program_state *state, uint32_t number,
					uint32_t type, const void *field)
{
	const uint32_t bit = 1u << number;
	const uint32_t held = state->type[number];

	if (state->in_step && (state->reduced & bit) != 0)
		return kawara_refuse_instr(checker, field);
	if (held == KAWARA_DTYPE_none || (held == KAWARA_DTYPE_i64) != (type == KAWARA_DTYPE_i64))
		return kawara_refuse_instr(checker, field);
	if ((state->written & bit) == 0)
		state->read |= bit;
	return 1;
}

/* One of a, b, c. */
static inline int kawara_check_source(struct kawara_checker *checker, struct kawara_program_state *state, const uint8_t *source, uint32_t type)
{
	const uint32_t number = *source;
	const int wide = type == KAWARA_DTYPE_i64;

	if (number < KAWARA_SOURCE_CONSTANT)
		return kawara_check_register(checker, state, number, type, source);
	if (number < KAWARA_SOURCE_INDEX) {
		const uint32_t word = number - KAWARA_SOURCE_CONSTANT;

		if (word + (uint32_t)wide < state->arrays.section->n_const && (!wide || word % 2 == 0))
			return 1;
	} else if (number < KAWARA_SOURCE_ACCUMULATOR) {
		return 1; /* a loop index: 0 in dimensions that the section does not have */
	} else if (number < KAWARA_SOURCE_B_INDEX && number - KAWARA_SOURCE_ACCUMULATOR < state->accumulators && !wide) {
		return 1;
	}
	return kawara_refuse_instr(checker, source); /* b_index too: it needs a group table */
}

/* The stream of a load or store: on the right side, and its index registers hold i32. */
static inline int kawara_check_stream_of(struct kawara_checker *checker, struct kawara_program_state *state, const struct kawara_instr *instr)
{
	const struct kawara_section *section = state->arrays.section;
	const int load = instr->op == KAWARA_OP_load;
	const uint32_t first = load ? 0 : section->n_in, end = load ? section->n_in : (uint32_t)section->n_in + section->n_out;
	const struct kawara_stream *stream;

	if (instr->imm < first || instr->imm >= end)
		return kawara_refuse_instr(checker, &instr->imm);
	stream = &state->arrays.streams[instr->imm];
	if (load && instr->type != kawara_compute_type(stream->dtype))
		return kawara_refuse_instr(checker, &instr->type);
	for (uint32_t i = 0; i < stream->n_coord; ++i) {
		const struct kawara_coord *coord = &state->arrays.coords[stream->first_coord + i];

		if ((coord->flags & KAWARA_COORD_INDEXED) == 0)
			continue;
		if (state->type[coord->reg] != KAWARA_DTYPE_i32 ||
		    !kawara_check_register(checker, state, coord->reg, KAWARA_DTYPE_i32, &instr->imm))
			return kawara_refuse_instr(checker, &instr->imm);
	}
	return 1;
}

/* imm: a stream, the source type of cvt, or 0. */
static inline int kawara_check_imm(struct kawara_checker *checker, struct kawara_program_state *state, const struct kawara_instr *instr,
				   enum kawara_form form)
{
	if (form == KAWARA_FORM_LOAD || form == KAWARA_FORM_STORE)
		return kawara_check_stream_of(checker, state, instr);
	if (form == KAWARA_FORM_CONVERT ? instr->imm < 256 && kawara_computes_in(instr->op, instr->imm) : instr->imm == 0)
		return 1;
	return kawara_refuse_instr(checker, &instr->imm);
}

static inline int kawara_check_write(struct kawara_checker *checker, struct kawara_program_state *state, const struct kawara_instr *instr,
				     enum kawara_form form)
{
	const uint32_t bit = 1u << instr->dst;
	const uint32_t type = kawara_result_type(instr);

	if (form == KAWARA_FORM_STORE)
		return instr->dst == 0 ? 1 : kawara_refuse_instr(checker, &instr->dst);
	if (state->in_step && form != KAWARA_FORM_REDUCE) {
		/* Would carry a value into the next step, or meddle with a reduction. */
		if (state->tree && ((state->reduced | state->read) & bit) != 0)
			return kawara_refuse_instr(checker, &instr->dst);
		/* The next step would find another type than this one. */
		if (!state->tree && (state->at_start & bit) != 0 && state->type[instr->dst] != type)
			return kawara_refuse_instr(checker, &instr->dst);
	}
	if (form != KAWARA_FORM_REDUCE || !state->in_step)
		state->type[instr->dst] = (uint8_t)type;
	state->written |= bit;
	return 1;
}

static inline int kawara_check_instr(struct kawara_checker *checker, struct kawara_program_state *state, const struct kawara_instr *instr)
{
	const enum kawara_form form = kawara_form_of(instr->op);
	const uint32_t sources = kawara_sources_of(form);
	const uint8_t *source = &instr->a; /* a, b, c are neighbours */

	if (!kawara_range_instr(checker, instr, 0, 0)) {
		checker->fault->code = KAWARA_FAULT_bad_microcode;
		return 0;
	}
	if (form == KAWARA_FORM_NONE || (form == KAWARA_FORM_REDUCE && !(state->in_step && state->tree)))
		return kawara_refuse_instr(checker, &instr->op);
	if (!kawara_computes_in(instr->op, instr->type))
		return kawara_refuse_instr(checker, &instr->type);
	if (!kawara_check_imm(checker, state, instr, form))
		return 0;
	for (uint32_t i = 0; i < 3; ++i) {
		if (i >= sources && source[i] != 0)
			return kawara_refuse_instr(checker, &source[i]);
		if (i < sources && !kawara_check_source(checker, state, &source[i], kawara_source_type(instr, i)))
			return 0;
	}
	return kawara_check_write(checker, state, instr, form);
}

static inline int kawara_check_run(struct kawara_checker *checker, struct kawara_program_state *state, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; ++i)
		if (!kawara_check_instr(checker, state, &state->arrays.instrs[i]))
			return 0;
	return 1;
}

/* What is known of a step before its first instruction: who reduces into what, once each. */
static inline int kawara_begin_step(struct kawara_checker *checker, struct kawara_program_state *state, const struct kawara_phase *phase)
{
	state->in_step = 1;
	state->tree = phase->mode == KAWARA_PHASE_TREE;
	state->reduced = state->read = state->written = state->at_start = 0;
	for (uint32_t i = 0; i < KAWARA_REGISTERS; ++i)
		state->at_start |= (uint32_t)(state->type[i] != KAWARA_DTYPE_none) << i;
	for (uint32_t i = phase->step; i < phase->after; ++i) {
		const struct kawara_instr *instr = &state->arrays.instrs[i];

		if (kawara_form_of(instr->op) != KAWARA_FORM_REDUCE || instr->dst >= KAWARA_REGISTERS)
			continue;
		if ((state->reduced >> instr->dst & 1u) != 0)
			return kawara_refuse_instr(checker, &instr->dst);
		state->reduced |= 1u << instr->dst;
	}
	return 1;
}

/* What the step leaves: results of reductions; in an ordered phase also registers that had a value before. */
static inline void kawara_end_step(struct kawara_program_state *state, const struct kawara_phase *phase)
{
	for (uint32_t i = 0; i < KAWARA_REGISTERS; ++i)
		if ((state->written >> i & 1u) != 0 && (state->tree || (state->at_start >> i & 1u) == 0))
			state->type[i] = KAWARA_DTYPE_none;
	for (uint32_t i = phase->step; i < phase->after; ++i) {
		const struct kawara_instr *instr = &state->arrays.instrs[i];

		if (kawara_form_of(instr->op) == KAWARA_FORM_REDUCE)
			state->type[instr->dst] = instr->type;
	}
	state->in_step = 0;
	state->written = 0;
}

/* The phases are in order and cover the instructions: check_section.h has seen to that. */
static inline int kawara_check_microcode(struct kawara_checker *checker, const struct kawara_section_arrays *arrays, uint32_t accumulators)
{
	struct kawara_program_state state;

	memset(&state, 0, sizeof(state));
	state.arrays = *arrays;
	state.accumulators = accumulators;
	for (uint32_t i = 0; i < arrays->section->n_phase; ++i) {
		const struct kawara_phase *phase = &arrays->phases[i];

		if (!kawara_check_run(checker, &state, phase->before, phase->step) || !kawara_begin_step(checker, &state, phase) ||
		    !kawara_check_run(checker, &state, phase->step, phase->after))
			return 0;
		kawara_end_step(&state, phase);
		if (!kawara_check_run(checker, &state, phase->after, phase->end))
			return 0;
	}
	return 1;
}

#endif
