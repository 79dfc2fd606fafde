/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Sections: a vector command's loop nest, or another command's epilogue. Extents and counts, phases, streams and
 * coordinates, and where every stream may reach: the range of each coordinate over the loop nest, cut to its extent.
 */
#ifndef KAWARA_CHECK_SECTION_H
#define KAWARA_CHECK_SECTION_H

#include "check_bounds.h"
#include "check_microcode.h"

#define KAWARA_NARROW_BYTES (1ll << 31) /* with index64 = 0, sums and byte offsets stay in [-this, this) */
#define KAWARA_WIDE_SUM (1ll << 62)     /* with index64 = 1, sums */

/* A section being checked. extent: of the loop nest, for an epilogue the ones that its command gives. */
struct kawara_nest {
	struct kawara_section_arrays arrays;
	uint32_t extent[9];
	uint32_t n_par;
	int epilogue;
};

/* Values that stand alone, for every struct of the section but instr, whose faults are bad_microcode. */
static inline int kawara_check_section_fields(struct kawara_checker *checker, const struct kawara_section_arrays *arrays)
{
	const struct kawara_section *section = arrays->section;
	const uint8_t *end_of_constants = (const uint8_t *)(arrays->constants + section->n_const);
	const uint8_t *end_of_instrs = (const uint8_t *)(arrays->instrs + section->n_instr);

	if (!kawara_range_section(checker, section, 0, 0))
		return 0;
	for (uint32_t i = 0; i < (uint32_t)section->n_in + section->n_out; ++i)
		if (!kawara_range_stream(checker, &arrays->streams[i], 0, 0))
			return 0;
	for (uint32_t i = 0; i < section->n_coord; ++i)
		if (!kawara_range_coord(checker, &arrays->coords[i], 0, 0))
			return 0;
	for (uint32_t i = 0; i < section->n_phase; ++i)
		if (!kawara_range_phase(checker, &arrays->phases[i], 0, 0))
			return 0;
	for (const uint8_t *pad = end_of_constants; pad < (const uint8_t *)arrays->phases; ++pad)
		if (*pad != 0)
			return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, pad));
	for (const uint8_t *pad = end_of_instrs; (pad - (const uint8_t *)arrays->instrs) % 16 != 0; ++pad)
		if (*pad != 0)
			return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, pad));
	return 1;
}

/* A vector command's own extents: 1 where unused, no accumulators. */
static inline int kawara_check_own_extents(struct kawara_checker *checker, const struct kawara_section *section)
{
	uint64_t points = 1;

	for (uint32_t i = 0; i < 9; ++i) {
		const int used = i < 6 ? i < section->n_par : i - 6 < section->n_red;

		if (!used && section->extent[i] != 1)
			return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &section->extent[i]));
		if (!kawara_check_points(checker, &points, &section->extent[i]))
			return 0;
	}
	if (section->acc_group != 0)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &section->acc_group));
	return 1;
}

/* An epilogue has none of its own. */
static inline int kawara_check_no_extents(struct kawara_checker *checker, const struct kawara_section *section)
{
	for (uint32_t i = 0; i < 9; ++i)
		if (section->extent[i] != 0)
			return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &section->extent[i]));
	if (section->n_par != 0)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &section->n_par));
	if (section->n_red != 0)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &section->n_red));
	return 1;
}

/* Phases follow one another and cover the instructions; they sweep reduced dimensions that exist. */
static inline int kawara_check_phases(struct kawara_checker *checker, const struct kawara_section_arrays *arrays)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < arrays->section->n_phase; ++i) {
		const struct kawara_phase *phase = &arrays->phases[i];
		const uint16_t *wrong = NULL;

		if (phase->mode == KAWARA_PHASE_ORDERED && !KAWARA_GET(checker->limits.features, GLOBAL_FEATURES_ORDERED))
			return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &phase->mode));
		if (phase->red_dims >> arrays->section->n_red != 0)
			return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &phase->red_dims));
		if (phase->before != at)
			wrong = &phase->before;
		else if (phase->step < phase->before)
			wrong = &phase->step;
		else if (phase->after < phase->step)
			wrong = &phase->after;
		else if (phase->end < phase->after || phase->end > arrays->section->n_instr ||
			 (i + 1u == arrays->section->n_phase && phase->end != arrays->section->n_instr))
			wrong = &phase->end;
		if (wrong)
			return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, wrong));
		at = phase->end;
	}
	return 1;
}

static inline int64_t kawara_floor_divide(kawara_wide value, uint32_t divisor)
{
	const kawara_wide quotient = value / divisor;

	return (int64_t)(quotient - (value % divisor < 0));
}

/* Adds one coordinate to its stream's footprint. */
static inline int kawara_check_coord(struct kawara_checker *checker, const struct kawara_nest *nest, const struct kawara_coord *coord,
				     struct kawara_footprint *footprint)
{
	const int64_t bound = nest->arrays.section->index64 ? KAWARA_WIDE_SUM : KAWARA_NARROW_BYTES;
	const int64_t most = (int64_t)coord->extent - 1;
	kawara_wide sum_low = coord->base, sum_high = coord->base;
	int64_t low, high;
	int plain = coord->base == 0 && coord->den == 1;

	if ((coord->flags & KAWARA_COORD_BG) != 0 || ((coord->flags & KAWARA_COORD_EXACT) != 0 && (coord->flags & KAWARA_COORD_CLAMP) != 0))
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &coord->flags));
	for (uint32_t i = 0; i < 9; ++i) {
		const kawara_wide reach = (kawara_wide)coord->coef[i] * (nest->extent[i] == 0 ? 0 : nest->extent[i] - 1u);

		plain &= coord->coef[i] == 0;
		*(reach < 0 ? &sum_low : &sum_high) += reach;
	}
	if (sum_low < -bound || sum_high >= bound)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, coord->coef));
	low = kawara_floor_divide(sum_low, coord->den);
	high = kawara_floor_divide(sum_high, coord->den);
	if ((coord->flags & KAWARA_COORD_INDEXED) != 0) {
		if (!plain) /* the register replaces the sum: a sum beside it would mean nothing */
			return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &coord->flags));
		low = 0;
		high = most;
	}
	if ((coord->flags & KAWARA_COORD_CLAMP) != 0) {
		low = low < 0 ? 0 : low > most ? most : low;
		high = high < 0 ? 0 : high > most ? most : high;
	}
	kawara_footprint_span(footprint, low < 0 ? 0 : low, coord->extent == 0 ? -1 : high > most ? most : high, coord->stride);
	return 1;
}

/*
 * Two nibbles share a byte, so that a store of 4-bit elements must write whole bytes: its last coordinate is the innermost
 * parallel index, even in base and extent, with stride 1; every other stride is even.
 */
static inline int kawara_check_nibble_store(struct kawara_checker *checker, const struct kawara_nest *nest, const struct kawara_stream *stream)
{
	const struct kawara_coord *last;
	const uint32_t inner = nest->n_par - 1;

	if (stream->n_coord == 0 || nest->n_par == 0 || nest->extent[inner] % 2 != 0)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &stream->dtype));
	last = &nest->arrays.coords[stream->first_coord + stream->n_coord - 1];
	for (uint32_t i = 0; i + 1u < stream->n_coord; ++i)
		if (last[-1 - (int)i].stride % 2 != 0)
			return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &last[-1 - (int)i].stride));
	if (last->stride != 1)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &last->stride));
	if (last->extent % 2 != 0)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &last->extent));
	if (last->base % 2 != 0)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &last->base));
	for (uint32_t i = 0; i < 9; ++i)
		if (last->coef[i] != (i == inner))
			return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &last->coef[i]));
	if (last->den != 1)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &last->den));
	if (last->flags != 0)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &last->flags));
	return 1;
}

static inline int kawara_check_stream(struct kawara_checker *checker, const struct kawara_nest *nest, const struct kawara_stream *stream, int write)
{
	const struct kawara_section *section = nest->arrays.section;
	const uint32_t bits = kawara_dtype_bits(stream->dtype);
	struct kawara_footprint footprint = kawara_footprint_start(0);

	if ((uint32_t)stream->first_coord + stream->n_coord > section->n_coord && stream->n_coord != 0)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &stream->first_coord));
	for (uint32_t i = 0; i < nest->n_par; ++i)
		footprint.empty |= nest->extent[i] == 0;
	for (uint32_t i = 0; i < stream->n_coord; ++i)
		if (!kawara_check_coord(checker, nest, &nest->arrays.coords[stream->first_coord + i], &footprint))
			return 0;
	if (write && bits == 4 && !kawara_check_nibble_store(checker, nest, stream))
		return 0;
	if (!footprint.empty && !section->index64 &&
	    (kawara_first_byte(&footprint, bits) < -KAWARA_NARROW_BYTES || kawara_last_byte(&footprint, bits) >= KAWARA_NARROW_BYTES))
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &section->index64));
	return kawara_check_operand(checker, &stream->data, stream->dtype, &footprint, write);
}

/* outer: the epilogue's extents, 9 of them, n_par used; null for a vector command. */
static inline int kawara_check_section(struct kawara_checker *checker, const struct kawara_section *section, const uint32_t *outer, uint32_t n_par)
{
	struct kawara_nest nest;

	nest.arrays = kawara_view_section(section);
	nest.epilogue = outer != NULL;
	nest.n_par = outer ? n_par : section->n_par;
	memcpy(nest.extent, outer ? outer : section->extent, sizeof(nest.extent));
	if (!kawara_check_section_fields(checker, &nest.arrays))
		return 0;
	if (!(outer ? kawara_check_no_extents(checker, section) : kawara_check_own_extents(checker, section)))
		return 0;
	if (!kawara_check_phases(checker, &nest.arrays))
		return 0;
	/* Streams before microcode, which looks at their coordinates. */
	for (uint32_t i = 0; i < (uint32_t)section->n_in + section->n_out; ++i)
		if (!kawara_check_stream(checker, &nest, &nest.arrays.streams[i], i >= section->n_in))
			return 0;
	return kawara_check_microcode(checker, &nest.arrays, !outer ? 0 : section->acc_group == 0 ? 1 : section->acc_group);
}

/* An epilogue: columns is what acc_group must divide, the extent of `outer` that it divides to be filled in. */
static inline int kawara_check_epilogue(struct kawara_checker *checker, const struct kawara_section *section, uint32_t *outer, uint32_t n_par,
					uint32_t grouped, uint32_t columns)
{
	const uint32_t group = section->acc_group == 0 ? 1 : section->acc_group;

	if (columns % group != 0)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &section->acc_group));
	outer[grouped] = columns / group;
	return kawara_check_section(checker, section, outer, n_par);
}

#endif
