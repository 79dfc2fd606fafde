/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The work clock's charge for one command that runs alone, in cycles. Chip and compiler share it: the compiler plans with
 * what the chip charges. Plain C, for commands that have passed kawara_check(); all sums and products saturate.
 *
 *   alone = start + max(unit, for each memory: ceil(bytes / (bytes that it moves in a cycle)))
 *
 * A memory moves gb_s * 1000 / clock_mhz bytes in a cycle. A command with an empty dimension costs its start alone.
 * Capital names are rows of cost.def, the others members of the chip's row in configs.def.
 *
 *   gemm    start = START_ME + me_rows + me_columns. The weights (B) stand in the array, me_rows along k by me_columns along n,
 *           and one row of A passes per step; the next tile's weights arrive meanwhile, so what they cost is their bytes:
 *             steps = G * H * M * ceil(K / me_rows) * ceil(N / me_columns)
 *           unit = max(ceil(4 * steps / SPEED), epilogue), SPEED of the wider one of the two element types.
 *   conv    The same, as a product for each group: M = N * out, K = IC * kernel, N = OC (transposed: M = N * in, K = IC,
 *           N = OC * kernel, since every input is multiplied once by every tap).
 *   section An instruction takes a lane 1 cycle, a slow one SLOW_OP, a sequence what its steps take; on 64 bits twice as much.
 *             work  = points * sum over phases of (before + after + step * steps)
 *             chain = sum over phases of (before + after + step * (tree ? ceil(steps / TREE_WIDTH) : steps))
 *           vector: start = START_VE, unit = max(ceil(work / ve_lanes), chain), points those of the parallel dimensions.
 *           epilogue: ceil(work / me_columns), one lane to a column, beside the products; points are outputs / acc_group.
 *   copy    start = START_DMA, unit = ceil(requests / DMA_REQUESTS), requests the greater of the two sides'. A request covers
 *           at most DMA_REQUEST_BYTES neighbouring bytes; innermost dimensions that lie without gaps are neighbours.
 *   others  start = START_CP, and nothing else: what an `event` writes does not count.
 *
 * Bytes: an operand's elements, each read once a command, however often it is used: panel buffers before the array hold
 * what returns, and a dimension of stride 0 repeats what is there. A stream's elements count once in each phase that names the
 * stream, but never more than the accesses that the phase makes. A copy reads what lies in src_extent, its index list too,
 * and writes every index.
 *
 * The header's `limit` is not taken into account: the clock charges the full extent, which the check has proved, so a job's
 * cycles depend on no tensor.
 */
#ifndef KAWARA_COST_COMMAND_H
#define KAWARA_COST_COMMAND_H

#include <string.h>
#include "layout.h"
#include "microcode.h"

enum kawara_memory { KAWARA_MEMORY_HOST, KAWARA_MEMORY_LOCAL, KAWARA_MEMORY_SRAM, KAWARA_MEMORY_COUNT };

enum {
#define COST(name, value, doc) KAWARA_COST_##name = (value),
#include "cost.def"
};

/* Where a command's operands lie, and what runs it. */
struct kawara_cost_view {
	const struct kawara_config *config;
	const struct kawara_region *regions;
	uint32_t n_regions;
	/* kawara_memory of each region. Null where page tables are not at hand: SRAM is known from the table, other regions
	 * count as host memory for a copy and as local memory for ME and VE, so that no command costs more than is said. */
	const uint8_t *memories;
};

struct kawara_cost {
	uint32_t engine;
	uint64_t start, unit;                /* cycles */
	uint64_t bytes[KAWARA_MEMORY_COUNT]; /* read and written */
	uint64_t alone;                      /* cycles */
};

static inline uint64_t kawara_sum(uint64_t a, uint64_t b) { return a > ~0ull - b ? ~0ull : a + b; }

static inline uint64_t kawara_product(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? ~0ull : product;
}

static inline uint64_t kawara_ceil_divide(uint64_t a, uint64_t b) { return a / b + (a % b != 0); }
static inline uint64_t kawara_least(uint64_t a, uint64_t b) { return a < b ? a : b; }
static inline uint64_t kawara_most(uint64_t a, uint64_t b) { return a < b ? b : a; }

static inline uint32_t kawara_memory_gb_s(const struct kawara_config *config, uint32_t memory)
{
	return memory == KAWARA_MEMORY_HOST ? config->pcie_gb_s : memory == KAWARA_MEMORY_LOCAL ? config->local_gb_s : config->sram_gb_s;
}

/* Adds the bytes of some elements of an operand to its memory. An absent operand has none. */
static inline void kawara_cost_elements(struct kawara_cost *cost, const struct kawara_cost_view *view, uint64_t operand, uint64_t elements,
					uint32_t dtype)
{
	const uint32_t region = kawara_operand_region(operand);
	uint32_t memory;

	if (region >= view->n_regions)
		return;
	if (view->memories)
		memory = view->memories[region];
	else if ((view->regions[region].flags & KAWARA_REGION_KIND) == KAWARA_REGION_SRAM)
		memory = KAWARA_MEMORY_SRAM;
	else
		memory = cost->engine == KAWARA_ENGINE_DMA_IN || cost->engine == KAWARA_ENGINE_DMA_OUT ? KAWARA_MEMORY_HOST : KAWARA_MEMORY_LOCAL;
	cost->bytes[memory] = kawara_sum(cost->bytes[memory], kawara_ceil_divide(kawara_product(elements, kawara_dtype_bits(dtype)), 8));
}

/* Cycles of a lane for an instruction that is no sequence. */
static inline uint32_t kawara_plain_cycles(uint32_t op, uint32_t type)
{
	const int slow = op == KAWARA_OP_div || op == KAWARA_OP_mod || op == KAWARA_OP_rem || op == KAWARA_OP_divfloor || op == KAWARA_OP_sqrt;

	return (slow ? (uint32_t)KAWARA_COST_SLOW_OP : 1u) * (type == KAWARA_DTYPE_i64 ? 2u : 1u);
}

static inline uint32_t kawara_instr_cycles(const struct kawara_instr *instr)
{
	uint32_t cycles = 0;

	switch (instr->op) {
	default: return kawara_plain_cycles(instr->op, instr->type);
#define SEQUENCE(name, ulp_times_1000, low, high, doc) return cycles; case KAWARA_OP_##name:
#define STEP(name, op_, type_, dst_, a_, b_, c_) cycles += kawara_plain_cycles(KAWARA_OP_##op_, KAWARA_DTYPE_##type_);
#include "sequences.def"
		return cycles;
	}
}

static inline uint64_t kawara_run_cycles(const struct kawara_section_arrays *arrays, uint32_t begin, uint32_t end)
{
	uint64_t cycles = 0;

	for (uint32_t i = begin; i < end; ++i)
		cycles += kawara_instr_cycles(&arrays->instrs[i]);
	return cycles;
}

/* How many elements a stream's coordinates can name over the loop nest. */
static inline uint64_t kawara_stream_elements(const struct kawara_section_arrays *arrays, const struct kawara_stream *stream, const uint32_t *extent)
{
	uint64_t elements = 1;

	for (uint32_t i = 0; i < stream->n_coord; ++i) {
		const struct kawara_coord *coord = &arrays->coords[stream->first_coord + i];
		uint64_t span = 0, combinations = 1;

		if (coord->stride == 0)
			continue;
		if ((coord->flags & KAWARA_COORD_INDEXED) != 0) {
			elements = kawara_product(elements, coord->extent);
			continue;
		}
		for (uint32_t d = 0; d < 9; ++d) {
			const int64_t coef = coord->coef[d];

			if (coef == 0 || extent[d] < 2)
				continue;
			span = kawara_sum(span, kawara_product((uint64_t)(coef < 0 ? -coef : coef), extent[d] - 1u));
			combinations = kawara_product(combinations, extent[d]);
		}
		elements = kawara_product(elements, kawara_least(kawara_least(kawara_sum(span / coord->den, 1), combinations), coord->extent));
	}
	return elements;
}

/* How often a run of instructions loads from or stores to a stream. */
static inline uint64_t kawara_run_accesses(const struct kawara_section_arrays *arrays, uint32_t begin, uint32_t end, uint32_t stream)
{
	uint64_t accesses = 0;

	for (uint32_t i = begin; i < end; ++i)
		accesses += (arrays->instrs[i].op == KAWARA_OP_load || arrays->instrs[i].op == KAWARA_OP_store) && arrays->instrs[i].imm == stream;
	return accesses;
}

/* Steps of a phase: the product of the dimensions that it sweeps. */
static inline uint64_t kawara_phase_steps(const struct kawara_phase *phase, const uint32_t *extent)
{
	uint64_t steps = 1;

	for (uint32_t i = 0; i < 3; ++i)
		if ((phase->red_dims >> i & 1u) != 0)
			steps = kawara_product(steps, extent[6 + i]);
	return steps;
}

/* Adds a section's bytes to the cost. extent: the loop nest's. Returns its work, and its chain where asked. */
static inline uint64_t kawara_cost_section(struct kawara_cost *cost, const struct kawara_cost_view *view, const struct kawara_section *section,
					   const uint32_t *extent, uint64_t *chain)
{
	const struct kawara_section_arrays arrays = kawara_view_section(section);
	uint64_t points = 1, work = 0;

	for (uint32_t i = 0; i < 6; ++i)
		points = kawara_product(points, extent[i]);
	for (uint32_t i = 0; i < section->n_phase && points != 0; ++i) {
		const struct kawara_phase *phase = &arrays.phases[i];
		const uint64_t once = kawara_run_cycles(&arrays, phase->before, phase->step) + kawara_run_cycles(&arrays, phase->after, phase->end);
		const uint64_t step = kawara_run_cycles(&arrays, phase->step, phase->after), steps = kawara_phase_steps(phase, extent);
		const uint64_t rounds = phase->mode == KAWARA_PHASE_TREE ? kawara_ceil_divide(steps, KAWARA_COST_TREE_WIDTH) : steps;

		work = kawara_sum(work, kawara_sum(once, kawara_product(step, steps)));
		*chain = kawara_sum(*chain, kawara_sum(once, kawara_product(step, rounds)));
	}
	for (uint32_t i = 0; i < (uint32_t)section->n_in + section->n_out && points != 0; ++i) {
		const uint64_t elements = kawara_stream_elements(&arrays, &arrays.streams[i], extent);

		for (uint32_t j = 0; j < section->n_phase; ++j) {
			const struct kawara_phase *phase = &arrays.phases[j];
			const uint64_t once = kawara_run_accesses(&arrays, phase->before, phase->step, i) +
					      kawara_run_accesses(&arrays, phase->after, phase->end, i);
			const uint64_t step = kawara_product(kawara_run_accesses(&arrays, phase->step, phase->after, i), kawara_phase_steps(phase, extent));

			kawara_cost_elements(cost, view, arrays.streams[i].data, kawara_least(elements, kawara_product(points, kawara_sum(once, step))),
					     arrays.streams[i].dtype);
		}
	}
	return kawara_product(points, work);
}

/* Products per position of the array in 4 cycles. */
static inline uint64_t kawara_speed_of(uint32_t a_dtype, uint32_t b_dtype)
{
	const uint32_t bits = (uint32_t)kawara_most(kawara_dtype_bits(a_dtype), kawara_dtype_bits(b_dtype));

	return (uint64_t)(bits > 16 ? KAWARA_COST_SPEED_32 : bits > 8 ? KAWARA_COST_SPEED_16 : bits > 4 ? KAWARA_COST_SPEED_8 : KAWARA_COST_SPEED_4);
}

/* The unit cycles of `count` products of m rows, k terms, n columns, with an epilogue beside them. */
static inline void kawara_cost_products(struct kawara_cost *cost, const struct kawara_cost_view *view, uint64_t count, uint64_t m, uint64_t k,
					uint64_t n, uint64_t speed, const struct kawara_section *section, const uint32_t *outer)
{
	const struct kawara_config *config = view->config;
	const uint64_t tiles = kawara_product(kawara_ceil_divide(k, config->me_rows), kawara_ceil_divide(n, config->me_columns));
	const uint64_t steps = kawara_product(kawara_product(count, m), tiles);
	uint64_t chain = 0;
	const uint64_t epilogue = kawara_ceil_divide(kawara_cost_section(cost, view, section, outer, &chain), config->me_columns);

	cost->unit = kawara_most(kawara_ceil_divide(kawara_product(4, steps), speed), epilogue);
}

static inline uint64_t kawara_stride_elements(uint32_t extent, int64_t stride) { return stride == 0 ? extent != 0 : extent; }

static inline void kawara_cost_gemm(struct kawara_cost *cost, const struct kawara_cost_view *view, const struct kawara_gemm *gemm)
{
	const struct kawara_section *section = (const struct kawara_section *)(gemm + 1);
	const uint32_t group = section->acc_group == 0 ? 1 : section->acc_group;
	const uint32_t outer[9] = { gemm->G, gemm->H, gemm->M, gemm->N / group, 1, 1, 1, 1, 1 };
	const uint32_t a[4] = { gemm->G, gemm->H, gemm->M, gemm->K }, b[4] = { gemm->G, gemm->H, gemm->K, gemm->N };
	uint64_t a_elements = 1, b_elements = 1;

	if (gemm->G == 0 || gemm->H == 0 || gemm->M == 0 || gemm->N == 0)
		return;
	for (int i = 0; i < 4; ++i) {
		a_elements = kawara_product(a_elements, kawara_stride_elements(a[i], gemm->a.stride[i]));
		b_elements = kawara_product(b_elements, kawara_stride_elements(b[i], gemm->b.stride[i]));
	}
	kawara_cost_elements(cost, view, gemm->a.data, a_elements, gemm->a.dtype);
	kawara_cost_elements(cost, view, gemm->b.data, b_elements, gemm->b.dtype);
	kawara_cost_products(cost, view, kawara_product(gemm->G, gemm->H), gemm->M, gemm->K, gemm->N,
			     kawara_speed_of(gemm->a.dtype, gemm->b.dtype), section, outer);
}

static inline uint64_t kawara_volume(const uint32_t *extent) { return kawara_product(kawara_product(extent[0], extent[1]), extent[2]); }

static inline void kawara_cost_conv(struct kawara_cost *cost, const struct kawara_cost_view *view, const struct kawara_conv *conv)
{
	const struct kawara_section *section = (const struct kawara_section *)(conv + 1);
	const uint32_t group = section->acc_group == 0 ? 1 : section->acc_group;
	const uint32_t outer[9] = { conv->N, conv->groups * conv->OC / group, conv->out[0], conv->out[1], conv->out[2], 1, 1, 1, 1 };
	const uint32_t a[6] = { conv->N, conv->groups, conv->IC, conv->in[0], conv->in[1], conv->in[2] };
	const uint32_t b[6] = { conv->groups, conv->OC, conv->IC, conv->kernel[0], conv->kernel[1], conv->kernel[2] };
	const uint64_t taps = kawara_volume(conv->kernel), speed = kawara_speed_of(conv->a_dtype, conv->b_dtype);
	uint64_t a_elements = 1, b_elements = 1;

	if (outer[0] == 0 || outer[1] == 0 || kawara_volume(conv->out) == 0)
		return;
	for (int i = 0; i < 6; ++i) {
		a_elements = kawara_product(a_elements, kawara_stride_elements(a[i], conv->a_stride[i]));
		b_elements = kawara_product(b_elements, kawara_stride_elements(b[i], conv->b_stride[i]));
	}
	kawara_cost_elements(cost, view, conv->a, a_elements, conv->a_dtype);
	kawara_cost_elements(cost, view, conv->b, b_elements, conv->b_dtype);
	if ((conv->flags & KAWARA_CONV_TRANSPOSED) != 0)
		kawara_cost_products(cost, view, conv->groups, kawara_product(conv->N, kawara_volume(conv->in)), conv->IC,
				     kawara_product(conv->OC, taps), speed, section, outer);
	else
		kawara_cost_products(cost, view, conv->groups, kawara_product(conv->N, kawara_volume(conv->out)), kawara_product(conv->IC, taps),
				     conv->OC, speed, section, outer);
}

/* Requests for one side of a copy. Innermost dimensions merge while each continues where the one inside it ends. */
static inline uint64_t kawara_copy_requests(const uint64_t *extent, const int64_t *stride, uint32_t bits)
{
	uint64_t neighbours = 1, runs = 1;
	int merging = 1;

	for (int i = 5; i >= 0; --i) {
		if (extent[i] == 1)
			continue;
		merging = merging && stride[i] >= 0 && (uint64_t)stride[i] == neighbours;
		if (merging)
			neighbours = kawara_product(neighbours, extent[i]);
		else
			runs = kawara_product(runs, extent[i]);
	}
	return kawara_product(runs, kawara_ceil_divide(kawara_product(neighbours, bits), KAWARA_COST_DMA_REQUEST_BYTES * 8u));
}

static inline void kawara_cost_copy(struct kawara_cost *cost, const struct kawara_cost_view *view, const struct kawara_copy *copy)
{
	const int listed = (copy->flags & (KAWARA_COPY_GATHER | KAWARA_COPY_SCATTER)) != 0, fill = (copy->flags & KAWARA_COPY_FILL) != 0;
	const int gather = (copy->flags & KAWARA_COPY_GATHER) != 0, dim = copy->index_dim;
	const uint32_t bits = kawara_dtype_bits(copy->dtype);
	int64_t src_stride[6], dst_stride[6];
	uint64_t read[6], written[6], read_elements = 1, written_elements = 1, requests;

	for (int i = 0; i < 6; ++i) {
		/* What lies inside of src_extent, of the positions -pad_lo to extent - pad_lo. */
		const int64_t end = (int64_t)copy->extent[i] - copy->pad_lo[i];
		const int64_t low = copy->pad_lo[i] < 0 ? -(int64_t)copy->pad_lo[i] : 0;
		const int64_t high = end < (int64_t)copy->src_extent[i] ? end : (int64_t)copy->src_extent[i];

		written[i] = copy->extent[i];
		read[i] = gather && i == dim ? copy->extent[i] : high > low ? (uint64_t)(high - low) : 0;
		if (copy->src_stride[i] == 0 && read[i] > 1)
			read[i] = 1;
		read_elements = kawara_product(read_elements, read[i]);
		written_elements = kawara_product(written_elements, written[i]);
		src_stride[i] = copy->src_stride[i];
		dst_stride[i] = copy->dst_stride[i];
	}
	if (written_elements == 0)
		return;
	/* Entries of a list name places without order. */
	if (listed)
		*(gather ? &src_stride[dim] : &dst_stride[dim]) = -1;
	requests = kawara_copy_requests(written, dst_stride, bits);
	if (!fill && read_elements != 0) {
		kawara_cost_elements(cost, view, copy->src, read_elements, copy->dtype);
		requests = kawara_most(requests, kawara_copy_requests(read, src_stride, bits));
	}
	if (listed)
		kawara_cost_elements(cost, view, copy->index, copy->extent[dim], copy->index_dtype);
	kawara_cost_elements(cost, view, copy->dst, written_elements, copy->dtype);
	cost->unit = kawara_ceil_divide(requests, KAWARA_COST_DMA_REQUESTS);
}

static inline void kawara_cost_vector(struct kawara_cost *cost, const struct kawara_cost_view *view, const struct kawara_section *section)
{
	uint64_t chain = 0;
	const uint64_t work = kawara_cost_section(cost, view, section, section->extent, &chain);

	cost->unit = work == 0 ? 0 : kawara_most(kawara_ceil_divide(work, view->config->ve_lanes), chain);
}

/* One command that has passed kawara_check(). */
static inline void kawara_cost_command(const struct kawara_header *command, const struct kawara_cost_view *view, struct kawara_cost *cost)
{
	uint64_t body;

	memset(cost, 0, sizeof(*cost));
	cost->engine = command->engine;
	switch (command->opcode) {
	case KAWARA_COMMAND_vector:
		cost->start = KAWARA_COST_START_VE;
		kawara_cost_vector(cost, view, (const struct kawara_section *)((const struct kawara_vector *)command + 1));
		break;
	case KAWARA_COMMAND_gemm:
		cost->start = (uint64_t)KAWARA_COST_START_ME + view->config->me_rows + view->config->me_columns;
		kawara_cost_gemm(cost, view, (const struct kawara_gemm *)command);
		break;
	case KAWARA_COMMAND_conv:
		cost->start = (uint64_t)KAWARA_COST_START_ME + view->config->me_rows + view->config->me_columns;
		kawara_cost_conv(cost, view, (const struct kawara_conv *)command);
		break;
	case KAWARA_COMMAND_copy:
		cost->start = KAWARA_COST_START_DMA;
		kawara_cost_copy(cost, view, (const struct kawara_copy *)command);
		break;
	default: cost->start = KAWARA_COST_START_CP;
	}
	body = cost->unit;
	for (uint32_t i = 0; i < KAWARA_MEMORY_COUNT; ++i)
		body = kawara_most(body, kawara_ceil_divide(kawara_product(cost->bytes[i], view->config->clock_mhz),
							    kawara_memory_gb_s(view->config, i) * 1000ull));
	cost->alone = kawara_sum(cost->start, body);
}

#endif
