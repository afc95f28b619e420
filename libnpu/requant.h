/* SPDX-License-Identifier: MIT */
/*
 * Requantization: the exact arithmetic that turns a sum over K into an int8 result.
 */
#ifndef LIBNPU_REQUANT_H
#define LIBNPU_REQUANT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct npu_requant - parameters of the output stage
 * @bias: One value a channel, or NULL for none.
 * @multiplier: One value a channel, or one for all.
 * @per_channel: @multiplier has one value a channel.
 * @relu: Negative results become 0 before the zero point is added.
 * @shift: Right shift of the product, 0 to NPU_SHIFT_MAX.
 * @zero_point: Added last.
 */
struct npu_requant {
	const int32_t *bias;
	const int16_t *multiplier;
	bool per_channel;
	bool relu;
	uint32_t shift;
	int32_t zero_point;
};

/* Channels @first to @first + @count - 1 of one row: exact sums over K in, results out. */
void npu_requant_row(const struct npu_requant *rq, uint32_t first, uint32_t count,
		     const int64_t *sum, int8_t *dst);

#endif /* LIBNPU_REQUANT_H */
