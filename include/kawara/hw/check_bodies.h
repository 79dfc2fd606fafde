/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Bodies: gemm, conv, copy and event. What K1 has no feature for must be absent: scale and zero-point planes, group tables.
 * A feature's rules come here together with the feature, so its bit alone allows nothing.
 */
#ifndef KAWARA_CHECK_BODIES_H
#define KAWARA_CHECK_BODIES_H

#include "check_section.h"

static inline int kawara_refuse_field(struct kawara_checker *checker, const void *field)
{
	return kawara_refuse(checker, KAWARA_FAULT_bad_command, kawara_field_of(checker, field));
}

/* ME multiplies f32, f16 and bf16, in any pair, into f32, and 8-bit integers into i32. */
static inline int kawara_is_factor(uint8_t dtype, uint8_t acc)
{
	if (acc == KAWARA_DTYPE_f32)
		return dtype == KAWARA_DTYPE_f32 || dtype == KAWARA_DTYPE_f16 || dtype == KAWARA_DTYPE_bf16;
	return dtype == KAWARA_DTYPE_i8 || dtype == KAWARA_DTYPE_u8;
}

static inline int kawara_check_me_types(struct kawara_checker *checker, const uint8_t *acc, const uint8_t *a, const uint8_t *b)
{
	const uint8_t *factors[2];

	factors[0] = a;
	factors[1] = b;
	if (*acc != KAWARA_DTYPE_f32 && *acc != KAWARA_DTYPE_i32)
		return kawara_refuse_field(checker, acc);
	for (int i = 0; i < 2; ++i)
		if (!kawara_is_factor(*factors[i], *acc))
			return kawara_refuse_field(checker, factors[i]);
	return 1;
}

/* Members of an absent plane: zero. */
static inline int kawara_check_zero(struct kawara_checker *checker, const void *field, size_t bytes)
{
	const uint8_t *value = (const uint8_t *)field;

	for (size_t i = 0; i < bytes; ++i)
		if (value[i] != 0)
			return kawara_refuse_field(checker, field);
	return 1;
}

static inline int kawara_check_matrix(struct kawara_checker *checker, const struct kawara_matrix *matrix, const uint32_t *extents, int empty)
{
	struct kawara_footprint footprint = kawara_footprint_start(empty);

	if (!kawara_check_absent(checker, &matrix->scale) || !kawara_check_absent(checker, &matrix->zero) ||
	    !kawara_check_zero(checker, &matrix->scale_dtype, sizeof(matrix->scale_dtype)) ||
	    !kawara_check_zero(checker, &matrix->zero_dtype, sizeof(matrix->zero_dtype)) ||
	    !kawara_check_zero(checker, &matrix->block_k, sizeof(matrix->block_k)) ||
	    !kawara_check_zero(checker, matrix->scale_stride, sizeof(matrix->scale_stride)) ||
	    !kawara_check_zero(checker, matrix->zero_stride, sizeof(matrix->zero_stride)))
		return 0;
	for (int i = 0; i < 4; ++i)
		kawara_footprint_extent(&footprint, extents[i], matrix->stride[i]);
	return kawara_check_operand(checker, &matrix->data, matrix->dtype, &footprint, 0);
}

static inline int kawara_check_gemm(struct kawara_checker *checker, const struct kawara_gemm *gemm)
{
	const uint32_t *extents[5] = { &gemm->G, &gemm->H, &gemm->M, &gemm->N, &gemm->K };
	const uint32_t a[4] = { gemm->G, gemm->H, gemm->M, gemm->K }, b[4] = { gemm->G, gemm->H, gemm->K, gemm->N };
	uint32_t outer[9] = { gemm->G, gemm->H, gemm->M, 0, 1, 1, 1, 1, 1 };
	const int empty = gemm->G == 0 || gemm->H == 0 || gemm->M == 0 || gemm->N == 0;
	uint64_t points = 1;

	for (int i = 0; i < 5; ++i)
		if (!kawara_check_points(checker, &points, extents[i]))
			return 0;
	if (!kawara_check_me_types(checker, &gemm->acc_dtype, &gemm->a.dtype, &gemm->b.dtype) ||
	    !kawara_check_absent(checker, &gemm->group_table) || !kawara_check_zero(checker, &gemm->n_groups, sizeof(gemm->n_groups)) ||
	    !kawara_check_matrix(checker, &gemm->a, a, empty) || !kawara_check_matrix(checker, &gemm->b, b, empty))
		return 0;
	return kawara_check_epilogue(checker, (const struct kawara_section *)(gemm + 1), outer, 4, 3, gemm->N);
}

/* Every position o * stride + k * dilation - pad (transposed: of i) fits an i32. */
static inline int kawara_check_positions(struct kawara_checker *checker, const struct kawara_conv *conv)
{
	for (int i = 0; i < 3; ++i) {
		const uint32_t steps = (conv->flags & KAWARA_CONV_TRANSPOSED) != 0 ? conv->in[i] : conv->out[i];
		const int64_t last_step = steps == 0 ? 0 : (int64_t)steps - 1, last_tap = conv->kernel[i] == 0 ? 0 : (int64_t)conv->kernel[i] - 1;

		if (last_step * conv->stride[i] + last_tap * conv->dilation[i] - conv->pad[i] > INT32_MAX || conv->pad[i] == INT32_MIN)
			return kawara_refuse_field(checker, &conv->pad[i]);
	}
	return 1;
}

static inline int kawara_check_conv_points(struct kawara_checker *checker, const struct kawara_conv *conv)
{
	uint64_t points = 1, inputs = 1;

	if (!kawara_check_points(checker, &points, &conv->N) || !kawara_check_points(checker, &points, &conv->groups) ||
	    !kawara_check_points(checker, &points, &conv->IC) || !kawara_check_points(checker, &points, &conv->OC))
		return 0;
	for (int i = 0; i < 3; ++i)
		if (!kawara_check_points(checker, &inputs, &conv->in[i]) || !kawara_check_points(checker, &points, &conv->out[i]) ||
		    !kawara_check_points(checker, &points, &conv->kernel[i]))
			return 0;
	if ((uint64_t)conv->groups * conv->OC > 0xffffffffu)
		return kawara_refuse_field(checker, &conv->OC);
	return 1;
}

static inline int kawara_check_conv(struct kawara_checker *checker, const struct kawara_conv *conv)
{
	const uint32_t a[6] = { conv->N, conv->groups, conv->IC, conv->in[0], conv->in[1], conv->in[2] };
	const uint32_t b[6] = { conv->groups, conv->OC, conv->IC, conv->kernel[0], conv->kernel[1], conv->kernel[2] };
	uint32_t outer[9] = { conv->N, 0, conv->out[0], conv->out[1], conv->out[2], 1, 1, 1, 1 };
	const int empty = conv->N == 0 || conv->groups == 0 || conv->OC == 0 || conv->out[0] == 0 || conv->out[1] == 0 || conv->out[2] == 0;
	struct kawara_footprint input = kawara_footprint_start(empty), weights = kawara_footprint_start(empty);

	if (!kawara_check_conv_points(checker, conv) || !kawara_check_positions(checker, conv) ||
	    !kawara_check_me_types(checker, &conv->acc_dtype, &conv->a_dtype, &conv->b_dtype) ||
	    !kawara_check_absent(checker, &conv->a_zero) || !kawara_check_absent(checker, &conv->b_scale) ||
	    !kawara_check_absent(checker, &conv->b_zero) ||
	    !kawara_check_zero(checker, &conv->b_scale_dtype, sizeof(conv->b_scale_dtype)) ||
	    !kawara_check_zero(checker, &conv->a_zero_dtype, sizeof(conv->a_zero_dtype)) ||
	    !kawara_check_zero(checker, &conv->b_zero_dtype, sizeof(conv->b_zero_dtype)) ||
	    !kawara_check_zero(checker, conv->b_scale_stride, sizeof(conv->b_scale_stride)) ||
	    !kawara_check_zero(checker, conv->b_zero_stride, sizeof(conv->b_zero_stride)))
		return 0;
	for (int i = 0; i < 6; ++i) {
		kawara_footprint_extent(&input, a[i], conv->a_stride[i]);
		kawara_footprint_extent(&weights, b[i], conv->b_stride[i]);
	}
	if (!kawara_check_operand(checker, &conv->a, conv->a_dtype, &input, 0) ||
	    !kawara_check_operand(checker, &conv->b, conv->b_dtype, &weights, 0))
		return 0;
	return kawara_check_epilogue(checker, (const struct kawara_section *)(conv + 1), outer, 5, 1, conv->groups * conv->OC);
}

/* The index list of a gather or scatter: there exactly then. */
static inline int kawara_check_copy_index(struct kawara_checker *checker, const struct kawara_copy *copy, int empty)
{
	struct kawara_footprint footprint = kawara_footprint_start(empty);
	const int dim = copy->index_dim;

	if ((copy->flags & (KAWARA_COPY_GATHER | KAWARA_COPY_SCATTER)) == 0)
		return kawara_check_absent(checker, &copy->index) && kawara_check_zero(checker, &copy->index_dtype, sizeof(copy->index_dtype)) &&
		       kawara_check_zero(checker, &copy->index_dim, sizeof(copy->index_dim)) &&
		       kawara_check_zero(checker, &copy->index_extent, sizeof(copy->index_extent));
	if (copy->index_dtype != KAWARA_DTYPE_i32 && copy->index_dtype != KAWARA_DTYPE_i64)
		return kawara_refuse_field(checker, &copy->index_dtype);
	/* The list alone says where a gather reads in its dimension. */
	if ((copy->flags & KAWARA_COPY_GATHER) != 0 && copy->pad_lo[dim] != 0)
		return kawara_refuse_field(checker, &copy->pad_lo[dim]);
	if ((copy->flags & KAWARA_COPY_GATHER) != 0 && copy->src_extent[dim] != copy->index_extent)
		return kawara_refuse_field(checker, &copy->src_extent[dim]);
	kawara_footprint_extent(&footprint, copy->extent[dim], 1);
	return kawara_check_operand(checker, &copy->index, copy->index_dtype, &footprint, 0);
}

/* Two nibbles share a byte: a copy to 4-bit elements writes whole bytes. */
static inline int kawara_check_nibble_copy(struct kawara_checker *checker, const struct kawara_copy *copy)
{
	if (copy->dst_stride[5] != 1)
		return kawara_refuse_field(checker, &copy->dst_stride[5]);
	if (copy->extent[5] % 2 != 0)
		return kawara_refuse_field(checker, &copy->extent[5]);
	for (int i = 0; i < 5; ++i)
		if (copy->dst_stride[i] % 2 != 0)
			return kawara_refuse_field(checker, &copy->dst_stride[i]);
	if ((copy->flags & KAWARA_COPY_SCATTER) != 0 && copy->index_dim == 5)
		return kawara_refuse_field(checker, &copy->index_dim);
	return 1;
}

static inline int kawara_check_copy(struct kawara_checker *checker, const struct kawara_copy *copy)
{
	const int gather = (copy->flags & KAWARA_COPY_GATHER) != 0, scatter = (copy->flags & KAWARA_COPY_SCATTER) != 0;
	const int fill = (copy->flags & KAWARA_COPY_FILL) != 0;
	struct kawara_footprint src, dst;
	uint64_t points = 1;
	int empty = 0;

	if (gather + scatter + fill > 1)
		return kawara_refuse_field(checker, &copy->flags);
	for (int i = 0; i < 6; ++i) {
		if (!kawara_check_points(checker, &points, &copy->extent[i]))
			return 0;
		empty |= copy->extent[i] == 0;
	}
	if (!kawara_check_copy_index(checker, copy, empty))
		return 0;
	if (kawara_dtype_bits(copy->dtype) == 4 && !kawara_check_nibble_copy(checker, copy))
		return 0;
	src = kawara_footprint_start(empty);
	dst = kawara_footprint_start(empty);
	for (int i = 0; i < 6; ++i) {
		const int listed = i == copy->index_dim;
		const kawara_wide low = -(kawara_wide)copy->pad_lo[i], high = low + copy->extent[i] - 1;

		if (gather && listed)
			kawara_footprint_extent(&src, copy->index_extent, copy->src_stride[i]);
		else
			kawara_footprint_span(&src, low < 0 ? 0 : low, high >= copy->src_extent[i] ? (kawara_wide)copy->src_extent[i] - 1 : high,
					      copy->src_stride[i]);
		kawara_footprint_extent(&dst, scatter && listed ? copy->index_extent : copy->extent[i], copy->dst_stride[i]);
	}
	if (!(fill ? kawara_check_absent(checker, &copy->src) : kawara_check_operand(checker, &copy->src, copy->dtype, &src, 0)))
		return 0;
	return kawara_check_operand(checker, &copy->dst, copy->dtype, &dst, 1);
}

/* Room for the counters. That no command reads them is left to whoever writes the job: it would see what was there before. */
static inline int kawara_check_event(struct kawara_checker *checker, const struct kawara_event *event)
{
	struct kawara_footprint footprint = kawara_footprint_start(0);

	kawara_footprint_extent(&footprint, sizeof(struct kawara_counters) / 8, 1);
	return kawara_check_operand(checker, &event->dst, KAWARA_DTYPE_u64, &footprint, 1);
}

static inline int kawara_check_body(struct kawara_checker *checker)
{
	const void *command = checker->command;

	switch (checker->command[0]) {
	case KAWARA_COMMAND_nop: return 1;
	case KAWARA_COMMAND_event: return kawara_check_event(checker, (const struct kawara_event *)command);
	case KAWARA_COMMAND_vector: return kawara_check_section(checker, (const struct kawara_section *)((const struct kawara_vector *)command + 1), NULL, 0);
	case KAWARA_COMMAND_gemm: return kawara_check_gemm(checker, (const struct kawara_gemm *)command);
	case KAWARA_COMMAND_conv: return kawara_check_conv(checker, (const struct kawara_conv *)command);
	case KAWARA_COMMAND_copy: return kawara_check_copy(checker, (const struct kawara_copy *)command);
	default: return kawara_refuse(checker, KAWARA_FAULT_bad_command, 0);
	}
}

#endif
