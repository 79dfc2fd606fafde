/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The region table. A row: known flags, size at most 2^40, start a multiple of 16, inside the address space or the
 * scratchpad. Two rows that overlap are both read-only or share an alias group. A broken rule is bad_region.
 */
#ifndef KAWARA_CHECK_REGIONS_H
#define KAWARA_CHECK_REGIONS_H

#include "check_fields.h"

#define KAWARA_REGION_FLAGS (KAWARA_REGION_KIND | KAWARA_REGION_READ | KAWARA_REGION_WRITE | 0xffff0000u)
#define KAWARA_REGION_BYTES_MAX (1ull << 40)
#define KAWARA_REGION_ALIGNMENT 16u

static inline int kawara_refuse_region(struct kawara_checker *checker, uint32_t index, size_t field)
{
	checker->fault->address = checker->regions[index].address;
	return kawara_refuse(checker, KAWARA_FAULT_bad_region, index * (uint32_t)sizeof(struct kawara_region) + (uint32_t)field);
}

static inline int kawara_check_region(struct kawara_checker *checker, uint32_t index)
{
	const struct kawara_region *region = &checker->regions[index];
	const uint32_t kind = region->flags & KAWARA_REGION_KIND;
	const uint64_t end = kind == KAWARA_REGION_SRAM ? checker->limits.sram_bytes : 1ull << KAWARA_VA_BITS;

	if ((region->flags & ~KAWARA_REGION_FLAGS) != 0 || (kind != KAWARA_REGION_MEMORY && kind != KAWARA_REGION_SRAM))
		return kawara_refuse_region(checker, index, offsetof(struct kawara_region, flags));
	if (region->reserved0 != 0)
		return kawara_refuse_region(checker, index, offsetof(struct kawara_region, reserved0));
	if (region->reserved1 != 0)
		return kawara_refuse_region(checker, index, offsetof(struct kawara_region, reserved1));
	if (region->address % KAWARA_REGION_ALIGNMENT != 0 || region->address > end)
		return kawara_refuse_region(checker, index, offsetof(struct kawara_region, address));
	if (region->size > KAWARA_REGION_BYTES_MAX || region->size > end - region->address)
		return kawara_refuse_region(checker, index, offsetof(struct kawara_region, size));
	return 1;
}

/* Order of the sweep: memory before SRAM, by address, then by index. */
static inline int kawara_region_before(const struct kawara_region *regions, uint32_t a, uint32_t b)
{
	const uint32_t kind_a = regions[a].flags & KAWARA_REGION_KIND, kind_b = regions[b].flags & KAWARA_REGION_KIND;

	if (kind_a != kind_b)
		return kind_a < kind_b;
	if (regions[a].address != regions[b].address)
		return regions[a].address < regions[b].address;
	return a < b;
}

/* Heap sort: no allocation, and no table that makes it slow. */
static inline void kawara_sift_region(const struct kawara_region *regions, uint16_t *order, uint32_t at, uint32_t count)
{
	for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
		const uint16_t moved = order[at];

		if (child + 1 < count && kawara_region_before(regions, order[child], order[child + 1]))
			++child;
		if (!kawara_region_before(regions, moved, order[child]))
			return;
		order[at] = order[child];
		order[child] = moved;
	}
}

static inline void kawara_sort_regions(const struct kawara_region *regions, uint16_t *order, uint32_t count)
{
	for (uint32_t at = count / 2; at-- > 0;)
		kawara_sift_region(regions, order, at, count);
	for (uint32_t left = count; left-- > 1;) {
		const uint16_t last = order[left];

		order[left] = order[0];
		order[0] = last;
		kawara_sift_region(regions, order, 0, left);
	}
}

/* Where the regions swept so far end: the furthest one, and the furthest outside that one's alias group. */
struct kawara_reach {
	uint64_t end, other_end;
	uint32_t group; /* of the furthest; 0 is nobody's */
};

static inline void kawara_extend_reach(struct kawara_reach *reach, uint64_t end, uint32_t group)
{
	if (group != 0 && group == reach->group) {
		if (end > reach->end)
			reach->end = end;
	} else if (end > reach->end) {
		reach->other_end = reach->end;
		reach->end = end;
		reach->group = group;
	} else if (end > reach->other_end) {
		reach->other_end = end;
	}
}

static inline uint64_t kawara_reach_outside(const struct kawara_reach *reach, uint32_t group)
{
	return group != 0 && group == reach->group ? reach->other_end : reach->end;
}

static inline int kawara_check_overlap(struct kawara_checker *checker)
{
	uint16_t order[KAWARA_REGION_COUNT_MAX];
	struct kawara_reach all, writable;
	uint32_t count = 0, kind = KAWARA_REGION_MEMORY;

	memset(&all, 0, sizeof(all));
	memset(&writable, 0, sizeof(writable));
	for (uint32_t i = 0; i < checker->n_regions; ++i)
		if (checker->regions[i].size != 0)
			order[count++] = (uint16_t)i;
	kawara_sort_regions(checker->regions, order, count);
	for (uint32_t i = 0; i < count; ++i) {
		const struct kawara_region *region = &checker->regions[order[i]];
		const uint32_t group = region->flags >> KAWARA_REGION_ALIAS_LOW;
		const int writes = (region->flags & KAWARA_REGION_WRITE) != 0;

		if ((region->flags & KAWARA_REGION_KIND) != kind) {
			kind = region->flags & KAWARA_REGION_KIND;
			memset(&all, 0, sizeof(all));
			memset(&writable, 0, sizeof(writable));
		}
		if (kawara_reach_outside(writes ? &all : &writable, group) > region->address)
			return kawara_refuse_region(checker, order[i], offsetof(struct kawara_region, address));
		kawara_extend_reach(&all, region->address + region->size, group);
		if (writes)
			kawara_extend_reach(&writable, region->address + region->size, group);
	}
	return 1;
}

static inline int kawara_check_regions(struct kawara_checker *checker)
{
	if (checker->n_regions > KAWARA_REGION_COUNT_MAX)
		return kawara_refuse(checker, KAWARA_FAULT_bad_region, KAWARA_REGION_COUNT_MAX * (uint32_t)sizeof(struct kawara_region));
	for (uint32_t i = 0; i < checker->n_regions; ++i)
		if (!kawara_check_region(checker, i))
			return 0;
	return kawara_check_overlap(checker);
}

#endif
