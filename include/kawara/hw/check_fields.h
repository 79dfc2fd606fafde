/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a check carries along, and the rules that commands.def states by itself: every value within its row's range,
 * reserved bytes zero, element types that exist. One function per STRUCT, written by the table.
 */
#ifndef KAWARA_CHECK_FIELDS_H
#define KAWARA_CHECK_FIELDS_H

#include <string.h>
#include "layout.h"

/* What this chip offers a job. */
struct kawara_check_limits {
	uint32_t features;   /* register FEATURES */
	uint64_t sram_bytes; /* of the scratchpad */
	const struct kawara_config *config; /* its row, by which the work clock charges */
	uint64_t segment_cycles_max; /* what a segment's commands may cost, one after another */
};

/* The first rule that a job breaks. */
struct kawara_check_fault {
	uint32_t code;     /* kawara_fault_code */
	uint32_t engine;   /* of the command */
	uint32_t command;  /* byte offset of the command */
	uint32_t debug_id; /* of the command */
	uint32_t field;    /* byte offset in the command; with bad_region in the region table */
	uint32_t write;    /* the access would have been a write */
	uint64_t address;  /* that would have been touched; 0 where none is concerned */
};

/* State of one check. All functions of check*.h return 1 when a rule holds; else they fill the fault and return 0. */
struct kawara_checker {
	const uint8_t *command; /* the one being checked */
	const struct kawara_region *regions;
	uint32_t n_regions;
	struct kawara_check_limits limits;
	uint32_t issued[KAWARA_ENGINE_COUNT]; /* commands before this one, by engine */
	uint64_t segment_cycles; /* of the commands since the last switch point */
	struct kawara_check_fault *fault;
};

/* Blames `field` bytes into the current command. */
static inline int kawara_refuse(struct kawara_checker *checker, uint32_t code, uint32_t field)
{
	checker->fault->code = code;
	checker->fault->field = field;
	return 0;
}

/* Byte offset of a pointer into the current command. */
static inline uint32_t kawara_field_of(const struct kawara_checker *checker, const void *pointer)
{
	return (uint32_t)((const uint8_t *)pointer - checker->command);
}

/* One value. Structs have a function of the same form, made below. */
#define KAWARA_RANGE_OF(type) \
	static inline int kawara_range_##type(struct kawara_checker *checker, const kawara_type_##type *value, int64_t low, int64_t high) \
	{ \
		if ((int64_t)*value >= low && (int64_t)*value <= high) \
			return 1; \
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, value)); \
	}
KAWARA_RANGE_OF(u8)
KAWARA_RANGE_OF(u16)
KAWARA_RANGE_OF(u32)
KAWARA_RANGE_OF(u64)
KAWARA_RANGE_OF(i32)
KAWARA_RANGE_OF(i64)
KAWARA_RANGE_OF(operand)
KAWARA_RANGE_OF(wait)
#undef KAWARA_RANGE_OF

static inline int kawara_range_dtype(struct kawara_checker *checker, const kawara_type_dtype *value, int64_t low, int64_t high)
{
	if (*value >= low && *value <= high && (*value == KAWARA_DTYPE_none || kawara_dtype_bits(*value) != 0))
		return 1;
	return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, value));
}

#define STRUCT(name, bytes, doc) \
	static inline int kawara_range_##name(struct kawara_checker *checker, const struct kawara_##name *value, int64_t low_, int64_t high_) \
	{ \
		(void)low_, (void)high_;
#define MEMBER(struct_, offset, type, name, low, high, doc) \
		if (!kawara_range_##type(checker, &value->name, (low), (high))) \
			return 0;
#define ARRAY(struct_, offset, type, name, count, low, high, doc) \
		for (int i = 0; i < (count); ++i) \
			if (!kawara_range_##type(checker, &value->name[i], (low), (high))) \
				return 0;
#define RESERVED(struct_, offset, type, name, count) ARRAY(struct_, offset, type, name, count, 0, 0, "")
#define END_STRUCT(name) \
		return 1; \
	}
#include "commands.def"

/* The body of the current command, header included. */
static inline int kawara_check_fields(struct kawara_checker *checker)
{
	switch (checker->command[0]) {
#define COMMAND(opcode, name, engines, section, doc) \
	case opcode: return kawara_range_##name(checker, (const struct kawara_##name *)checker->command, 0, 0);
#include "commands.def"
	default: return kawara_refuse(checker, KAWARA_FAULT_bad_command, 0);
	}
}

#endif
