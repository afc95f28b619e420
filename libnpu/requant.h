/* SPDX-License-Identifier: MIT */
/*
 * Requantization: the exact arithmetic that turns sums over K into results.
 */
#ifndef LIBNPU_REQUANT_H
#define LIBNPU_REQUANT_H

#pragma GCC visibility push(default)
#include <npu.h>
#pragma GCC visibility pop

/**
 * struct npu_requant - the output stage of a matmul, one that is known to be possible
 * @epilogue: Arithmetic, as struct npu_epilogue_desc defines it.
 * @output: Type of results.
 * @residual: Type of residuals, 0 without.
 * @wide: Accumulators have 48 bits, not 32.
 * @low, @high: What an integer result, zero point included, is clamped to in the end: activation,
 *	type and clamp in one.
 * @float_low, @float_high: What a float result is clamped to.
 * @k, @group_size, @groups: Columns, and their division.
 * @a_zero_point: Zero point of the a that was multiplied.
 * @w_zero_point: [n][groups] zero points of the w that was multiplied, NULL where all are 0.
 */
struct npu_requant {
	struct npu_epilogue_desc epilogue;
	enum npu_type output;
	enum npu_type residual;
	bool wide;
	int32_t low, high;
	float float_low, float_high;
	uint32_t k, group_size, groups;
	int32_t a_zero_point;
	const int16_t *w_zero_point;
};

/* Most channels of a strip. */
#define NPU_STRIP 128

/**
 * struct npu_strip - some channels of some rows
 * @first, @count: Channels, at most NPU_STRIP.
 * @rows: Rows.
 * @sum32: Exact sums of a * w over one group of K, without zero points, @count of each row, or NULL
 *	and
 * @sum: the same in 64 bits.
 * @stride: From a row of sums to the next.
 * @w_sum: [n][groups] sums of w; not used where a's zero point is 0.
 * @a_sum: Of each row the sum of a over the group; not used without zero points of w.
 * @residual: Those of the channels, in their type, @residual_stride bytes from row to row; not used
 *	without.
 */
struct npu_strip {
	uint32_t first, count;
	uint32_t rows;
	const int32_t *sum32;
	const int64_t *sum;
	size_t stride;
	const int64_t *w_sum;
	const int64_t *a_sum;
	const void *residual;
	size_t residual_stride;
};

/*
 * Takes in the sums of a group, one after the other, and with those of the last one makes
 * @strip->count results a row at @dst, in the type of the output, @dst_stride bytes apart.
 * @partial: Room for as many numbers, @strip->stride apart, to be kept from one group to the next.
 */
void npu_requant_group(const struct npu_requant *rq, const struct npu_strip *strip, uint32_t group,
		       float *partial, void *dst, size_t dst_stride);

/* Smallest and largest value of an integer type. */
int32_t npu_type_min(enum npu_type type);
int32_t npu_type_max(enum npu_type type);

static inline bool npu_type_is_float(enum npu_type type)
{
	return type == NPU_TYPE_FLOAT16 || type == NPU_TYPE_FLOAT32;
}

#endif /* LIBNPU_REQUANT_H */
