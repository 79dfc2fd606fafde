/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * May this job run? Decided from the snapshot of its command buffer and region table alone, in one pass, before anything
 * of it runs: what was checked is what runs, so no executor checks again. Plain C; chip, compiler and tests.
 *
 * The rules: check_fields.h what rows state · check_regions.h the region table · check_bounds.h operands and footprints ·
 * check_section.h loop nests · check_microcode.h instructions · check_bodies.h gemm, conv, copy · cost_command.h cycles.
 * Left to the chip, which has the page tables: page_fault and region_split. Races between commands are not looked for.
 */
#ifndef KAWARA_CHECK_H
#define KAWARA_CHECK_H

#include "check_bodies.h"
#include "check_regions.h"
#include "cost_command.h"

/* A wait names an engine that exists and no more commands than went to it before. */
static inline int kawara_check_waits(struct kawara_checker *checker, const struct kawara_header *header)
{
	for (int i = 0; i < 3; ++i) {
		const uint32_t engine = kawara_wait_engine(header->wait[i]);

		if (engine >= KAWARA_ENGINE_COUNT)
			return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &header->wait[i]));
		if (kawara_wait_count(header->wait[i]) > checker->issued[engine])
			return kawara_refuse(checker, KAWARA_FAULT_wait_forward, kawara_field_of(checker, &header->wait[i]));
	}
	return 1;
}

/* How many dimensions of a command a limit can name, counted in the order of the table's doc. */
static inline uint32_t kawara_limit_dims(uint32_t opcode)
{
	switch (opcode) {
	case KAWARA_COMMAND_vector: return 9; /* extent */
	case KAWARA_COMMAND_gemm: return 5;   /* G, H, M, N, K */
	case KAWARA_COMMAND_conv: return 7;   /* N, groups, IC, OC, out */
	case KAWARA_COMMAND_copy: return 6;   /* extent */
	default: return 0;
	}
}

/*
 * No limit, or an i32 in memory and a dimension that the command has. A convolution in several groups can be limited in neither
 * groups nor output channels: its epilogue counts both in one index, so the points left would be no box.
 */
static inline int kawara_check_limit(struct kawara_checker *checker, const struct kawara_header *header)
{
	const uint32_t dim = header->flags & KAWARA_HEADER_LIMIT_DIM;
	const struct kawara_footprint footprint = kawara_footprint_start(0);

	if (dim == KAWARA_HEADER_LIMIT_NONE)
		return kawara_check_absent(checker, &header->limit);
	if (!KAWARA_GET(checker->limits.features, GLOBAL_FEATURES_LIMIT) || dim >= kawara_limit_dims(header->opcode))
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &header->flags));
	if (header->opcode == KAWARA_COMMAND_conv && (dim == 1 || dim == 3) && ((const struct kawara_conv *)checker->command)->groups > 1)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, &header->flags));
	return kawara_check_operand(checker, &header->limit, KAWARA_DTYPE_i32, &footprint, 0);
}

/*
 * A segment, which a switch point ends, keeps within the chip's limit. Its commands count one after another, each alone and in
 * the slowest memory that it may be in, so that the verdict is the same wherever buffers lie. Blames the switch point's
 * place in the first command that is too much.
 */
static inline int kawara_check_segment(struct kawara_checker *checker, const struct kawara_header *header)
{
	const struct kawara_cost_view view = { checker->limits.config, checker->regions, checker->n_regions, NULL };
	struct kawara_cost cost;

	kawara_cost_command(header, &view, &cost);
	checker->segment_cycles = kawara_sum(checker->segment_cycles, cost.alone);
	if (checker->segment_cycles > checker->limits.segment_cycles_max)
		return kawara_refuse(checker, KAWARA_FAULT_segment_too_long, kawara_field_of(checker, &header->flags));
	if ((header->flags & KAWARA_HEADER_SWITCH_POINT) != 0)
		checker->segment_cycles = 0;
	return 1;
}

/* Opcode, engine and size: after this every byte that size16 names may be read, and the arrays of a section are inside. */
static inline int kawara_check_frame(struct kawara_checker *checker, const struct kawara_header *header, size_t left)
{
	const uint32_t size = header->size16 * 16u;
	const uint32_t body = kawara_body_bytes(header->opcode);
	const uint32_t size_field = (uint32_t)offsetof(struct kawara_header, size16);
	uint32_t expected = body;

	if (body == 0)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, (uint32_t)offsetof(struct kawara_header, opcode));
	if (header->engine >= 16 || (kawara_engines_of(header->opcode) >> header->engine & 1u) == 0)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, (uint32_t)offsetof(struct kawara_header, engine));
	if (kawara_has_section(header->opcode)) {
		if (left < body + sizeof(struct kawara_section) || size < body + sizeof(struct kawara_section))
			return kawara_refuse(checker, KAWARA_FAULT_bad_command, size_field);
		expected += kawara_layout_section((const struct kawara_section *)(checker->command + body)).end;
	}
	if (size != expected || size > left)
		return kawara_refuse(checker, KAWARA_FAULT_bad_command, size_field);
	return 1;
}

/*
 * The number of commands, or -1 and the fault. commands: 16-byte aligned. offsets: room for bytes / 32 values, or null;
 * receives the byte offset of each command. fault: all zero when the job may run.
 */
static inline int kawara_check(const void *commands, size_t bytes, const struct kawara_region *regions, uint32_t n_regions,
			       const struct kawara_check_limits *limits, uint32_t *offsets, struct kawara_check_fault *fault)
{
	struct kawara_checker checker;
	size_t at = 0;
	int count = 0;

	memset(&checker, 0, sizeof(checker));
	checker.command = (const uint8_t *)commands;
	checker.regions = regions;
	checker.n_regions = n_regions;
	checker.limits = *limits;
	checker.fault = fault;
	memset(fault, 0, sizeof(*fault));
	if (!kawara_check_regions(&checker))
		return -1;
	while (at < bytes) {
		const struct kawara_header *header = (const struct kawara_header *)((const uint8_t *)commands + at);

		checker.command = (const uint8_t *)header;
		fault->command = (uint32_t)at;
		if (bytes - at < sizeof(*header)) {
			kawara_refuse(&checker, KAWARA_FAULT_bad_command, (uint32_t)offsetof(struct kawara_header, size16));
			return -1;
		}
		fault->engine = header->engine & 15u;
		fault->debug_id = header->debug_id;
		if (!kawara_check_frame(&checker, header, bytes - at) || !kawara_check_fields(&checker) ||
		    !kawara_check_waits(&checker, header) || !kawara_check_limit(&checker, header) || !kawara_check_body(&checker) ||
		    !kawara_check_segment(&checker, header))
			return -1;
		if (offsets)
			offsets[count] = (uint32_t)at;
		++checker.issued[header->engine];
		++count;
		at += header->size16 * 16u;
	}
	memset(fault, 0, sizeof(*fault));
	return count;
}

#endif
