/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Operands and footprints. A footprint is the range of element numbers that an operand may touch, from element 0 at its
 * offset. Extents are below 2^32, strides below 2^63 and at most 6 terms add up, so 128 bits never overflow.
 */
#ifndef KAWARA_CHECK_BOUNDS_H
#define KAWARA_CHECK_BOUNDS_H

#include "check_fields.h"

__extension__ typedef __int128 kawara_wide;

#define KAWARA_POINTS_MAX (1ull << 40) /* what a command's extents multiply to stays below it */

struct kawara_footprint {
	kawara_wide low, high; /* elements, both included */
	int empty;
};

static inline struct kawara_footprint kawara_footprint_start(int empty)
{
	struct kawara_footprint footprint;

	footprint.low = 0;
	footprint.high = 0;
	footprint.empty = empty;
	return footprint;
}

/* One more coordinate, of values low to high. */
static inline void kawara_footprint_span(struct kawara_footprint *footprint, kawara_wide low, kawara_wide high, int64_t stride)
{
	if (low > high) {
		footprint->empty = 1;
		return;
	}
	footprint->low += (stride < 0 ? high : low) * stride;
	footprint->high += (stride < 0 ? low : high) * stride;
}

/* One more dimension, of values 0 to extent - 1. */
static inline void kawara_footprint_extent(struct kawara_footprint *footprint, uint32_t extent, int64_t stride)
{
	kawara_footprint_span(footprint, 0, (kawara_wide)extent - 1, stride);
}

/* Bytes from the operand's offset. */
static inline kawara_wide kawara_first_byte(const struct kawara_footprint *footprint, uint32_t bits) { return (footprint->low * bits) >> 3; }
static inline kawara_wide kawara_last_byte(const struct kawara_footprint *footprint, uint32_t bits) { return (footprint->high * bits + bits - 1) >> 3; }

static inline int kawara_refuse_access(struct kawara_checker *checker, uint32_t code, uint32_t field, int write, uint64_t address)
{
	checker->fault->write = write != 0;
	checker->fault->address = address;
	return kawara_refuse(checker, code, field);
}

/* An operand that must be there: its region exists and allows the access, its offset is aligned, its footprint inside. */
static inline int kawara_check_operand(struct kawara_checker *checker, const uint64_t *operand, uint32_t dtype,
				       const struct kawara_footprint *footprint, int write)
{
	const uint32_t field = kawara_field_of(checker, operand);
	const uint32_t bits = kawara_dtype_bits(dtype);
	const uint64_t offset = kawara_operand_offset(*operand);
	const struct kawara_region *region;
	kawara_wide first, last;

	if (kawara_operand_region(*operand) >= checker->n_regions)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, field);
	region = &checker->regions[kawara_operand_region(*operand)];
	if (bits > 8 && offset % (bits / 8) != 0)
		return kawara_refuse_access(checker, KAWARA_FAULT_bad_command, field, write, region->address + offset);
	if (write && (region->flags & KAWARA_REGION_WRITE) == 0)
		return kawara_refuse_access(checker, KAWARA_FAULT_read_only, field, write, region->address + offset);
	if (!write && (region->flags & KAWARA_REGION_READ) == 0)
		return kawara_refuse_access(checker, KAWARA_FAULT_bad_command, field, write, region->address + offset);
	if (footprint->empty)
		return 1;
	first = kawara_first_byte(footprint, bits) + offset;
	last = kawara_last_byte(footprint, bits) + offset;
	if (first < 0)
		return kawara_refuse_access(checker, KAWARA_FAULT_region_bounds, field, write, region->address + (uint64_t)first);
	if (last >= region->size)
		return kawara_refuse_access(checker, KAWARA_FAULT_region_bounds, field, write, region->address + (uint64_t)last);
	return 1;
}

/* An operand that the command must not have. */
static inline int kawara_check_absent(struct kawara_checker *checker, const uint64_t *operand)
{
	if (*operand == KAWARA_OPERAND_ABSENT)
		return 1;
	return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, operand));
}

/* Multiplies one more extent; 0 counts as 1, so that an empty command is not huge in its other extents. */
static inline int kawara_check_points(struct kawara_checker *checker, uint64_t *points, const uint32_t *extent)
{
	if (*extent > 1) {
		if (*points > (KAWARA_POINTS_MAX - 1) / *extent)
			return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, extent));
		*points *= *extent;
	}
	return 1;
}

#endif
