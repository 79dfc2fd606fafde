/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * How near a job's results are to the exact ones, and whether another device gives the same bits. Told from the command
 * buffer alone, so it depends on no data. Each command is one of three:
 *
 *   exact             integers, copies, and floats whose every operation is correctly rounded in a fixed order: the same bits
 *                     on every device. So is a float product without terms, which is 0, and one whose sums are i32.
 *   bounded           as exact, but it uses published sequences: the same bits on every device, and what each sequence gives
 *                     is within the bound of its row in sequences.def of the true function of its argument.
 *   device_dependent  the matrix engine sums floats: the same bits on every run on one device; another may sum in another order.
 *                     A sum of K products errs by at most (K + 2) * 2^-24 * (sum of |a||b|), before the epilogue; a and b as they
 *                     lie in memory, in 16 bits or 32.
 *
 * "The same bits" is but for subnormals, which a device may flush. Where an ordered phase stores twice to a byte from two
 * points, it is open which of the two stays, and so it is for commands of which the job leaves the order open.
 */
#ifndef KAWARA_FIDELITY_H
#define KAWARA_FIDELITY_H

#include "check.h"

enum kawara_fidelity_kind { KAWARA_FIDELITY_EXACT, KAWARA_FIDELITY_BOUNDED, KAWARA_FIDELITY_DEVICE_DEPENDENT };

struct kawara_command_fidelity {
	enum kawara_fidelity_kind kind;
	uint32_t ulp_times_1000; /* worst bound of the sequences that it uses, an epilogue's too; 0: none */
	uint64_t depth;          /* terms of each sum, where it is device-dependent */
};

/* Of a job: how many commands are of each kind, and the worst of those. */
struct kawara_fidelity {
	uint32_t exact, bounded, device_dependent;
	uint32_t bounded_ulp_times_1000; /* of the bounded commands */
	uint64_t depth_max;              /* of the device-dependent ones */
};

/* The published bound of a sequence, in thousandths of a unit in the last place; 0 for every other instruction. */
static inline uint32_t kawara_ulp_bound(uint32_t op)
{
	switch (op) {
#define SEQUENCE(name, ulp_times_1000, low, high, doc) case KAWARA_OP_##name: return ulp_times_1000;
#include "sequences.def"
	default: return 0;
	}
}

static inline void kawara_fidelity_of_section(struct kawara_command_fidelity *fidelity, const void *section)
{
	const struct kawara_section_arrays arrays = kawara_view_section((const struct kawara_section *)section);

	for (uint32_t i = 0; i < arrays.section->n_instr; ++i) {
		const uint32_t bound = kawara_ulp_bound(arrays.instrs[i].op);

		if (bound > fidelity->ulp_times_1000)
			fidelity->ulp_times_1000 = bound;
	}
	if (fidelity->ulp_times_1000 != 0 && fidelity->kind == KAWARA_FIDELITY_EXACT)
		fidelity->kind = KAWARA_FIDELITY_BOUNDED;
}

static inline void kawara_fidelity_of_sums(struct kawara_command_fidelity *fidelity, uint32_t acc_dtype, uint64_t depth)
{
	if (acc_dtype == KAWARA_DTYPE_i32 || depth == 0)
		return;
	fidelity->kind = KAWARA_FIDELITY_DEVICE_DEPENDENT;
	fidelity->depth = depth;
}

/* One for each row COMMAND: a new command does not compile here before it has its own. */
static inline void kawara_fidelity_of_nop(struct kawara_command_fidelity *fidelity, const struct kawara_nop *nop)
{
	(void)fidelity;
	(void)nop;
}

static inline void kawara_fidelity_of_event(struct kawara_command_fidelity *fidelity, const struct kawara_event *event)
{
	(void)fidelity;
	(void)event;
}

static inline void kawara_fidelity_of_copy(struct kawara_command_fidelity *fidelity, const struct kawara_copy *copy)
{
	(void)fidelity;
	(void)copy;
}

static inline void kawara_fidelity_of_vector(struct kawara_command_fidelity *fidelity, const struct kawara_vector *vector)
{
	kawara_fidelity_of_section(fidelity, vector + 1);
}

static inline void kawara_fidelity_of_gemm(struct kawara_command_fidelity *fidelity, const struct kawara_gemm *gemm)
{
	kawara_fidelity_of_sums(fidelity, gemm->acc_dtype, gemm->K);
	kawara_fidelity_of_section(fidelity, gemm + 1);
}

/* Every tap of every input channel, though at the border and with strides a sum has fewer terms. */
static inline void kawara_fidelity_of_conv(struct kawara_command_fidelity *fidelity, const struct kawara_conv *conv)
{
	kawara_fidelity_of_sums(fidelity, conv->acc_dtype, kawara_product(conv->IC, kawara_volume(conv->kernel)));
	kawara_fidelity_of_section(fidelity, conv + 1);
}

/* A command that has passed kawara_check(), or of which kawara_check_frame() at least says that its bytes are there. */
static inline struct kawara_command_fidelity kawara_fidelity_of_command(const struct kawara_header *command)
{
	struct kawara_command_fidelity fidelity;

	memset(&fidelity, 0, sizeof(fidelity));
	switch (command->opcode) {
#define COMMAND(opcode, name, engines, section, doc) \
	case opcode: kawara_fidelity_of_##name(&fidelity, (const struct kawara_##name *)command); break;
#include "commands.def"
	default: break;
	}
	return fidelity;
}

/*
 * Of a whole command buffer, 16-byte aligned. Returns 1, or 0 and zeros where the bytes are no commands: whoever reads a buffer
 * after its job has run can't know what its owner has put there since. Nothing else is checked.
 */
static inline int kawara_fidelity_of_job(const void *commands, size_t bytes, struct kawara_fidelity *fidelity)
{
	struct kawara_check_fault fault;
	struct kawara_checker checker;
	size_t at = 0;

	memset(fidelity, 0, sizeof(*fidelity));
	memset(&fault, 0, sizeof(fault));
	memset(&checker, 0, sizeof(checker));
	checker.fault = &fault;
	while (at < bytes) {
		const struct kawara_header *header = (const struct kawara_header *)((const uint8_t *)commands + at);
		struct kawara_command_fidelity command;

		checker.command = (const uint8_t *)header;
		if (bytes - at < sizeof(*header) || !kawara_check_frame(&checker, header, bytes - at)) {
			memset(fidelity, 0, sizeof(*fidelity));
			return 0;
		}
		command = kawara_fidelity_of_command(header);
		switch (command.kind) {
		case KAWARA_FIDELITY_EXACT: ++fidelity->exact; break;
		case KAWARA_FIDELITY_BOUNDED:
			++fidelity->bounded;
			if (command.ulp_times_1000 > fidelity->bounded_ulp_times_1000)
				fidelity->bounded_ulp_times_1000 = command.ulp_times_1000;
			break;
		case KAWARA_FIDELITY_DEVICE_DEPENDENT:
			++fidelity->device_dependent;
			fidelity->depth_max = kawara_most(fidelity->depth_max, command.depth);
			break;
		}
		at += header->size16 * 16u;
	}
	return 1;
}

#endif
