/* SPDX-License-Identifier: MIT */
/*
 * Requantization of int32 sums to 8 bits with 16-bit multipliers, fast. It gives what the
 * definition in npu_epilogue.h gives: by way of binary32 where that cannot be wrong, which is
 * nearly always, and of binary64 elsewhere. There sum + bias has 32 bits, times a multiplier 47,
 * and the scale is a power of two, so every step is exact, the rounding included.
 */
#ifndef LIBNPU_CPU_FIXED16_H
#define LIBNPU_CPU_FIXED16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct npu_fixed16 - parameters, NPU_SHIFT_MAX and so on as in npu_epilogue.h
 * @bias: One value a channel, or NULL for none.
 * @multiplier: One value a channel, or one for all.
 * @per_channel: @multiplier has one value a channel.
 * @shift: Right shift of the product, to nearest, halves away from zero.
 * @zero_point: Added last.
 * @low, @high: What the result is clamped to in the end, both in -128 to 127 for int8, 0 to 255
 *	for uint8. A ReLU is a @low of @zero_point.
 */
struct npu_fixed16 {
	const int32_t *bias;
	const int16_t *multiplier;
	bool per_channel;
	uint32_t shift;
	int32_t zero_point;
	int32_t low, high;
};

/**
 * struct npu_fixed16_sums - what there is to scale
 * @first, @count: Channels.
 * @rows: Rows.
 * @sum: Their sums, @stride elements from row to row. No sum and its bias exceed an int32.
 */
struct npu_fixed16_sums {
	uint32_t first, count;
	uint32_t rows;
	const int32_t *sum;
	size_t stride;
};

/* @dst is int8_t or uint8_t, with @dst_stride bytes from row to row. */
void npu_fixed16_rows(const struct npu_fixed16 *f, const struct npu_fixed16_sums *sums, void *dst,
		      size_t dst_stride);

#endif /* LIBNPU_CPU_FIXED16_H */
