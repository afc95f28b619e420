// SPDX-License-Identifier: MIT
/*
 * Requantization. This file is the definition in npu.h put into C; the CPU backend and the host
 * steps of the NPU backends both end here, so that there is one place that decides about bits.
 */
#include "requant.h"

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
	return x < low ? low : x > high ? high : x;
}

/* x / 2^shift to nearest, halves away from zero. |x| stays below 2^47, so adding cannot overflow.
 */
static int64_t shift_right(int64_t x, uint32_t shift)
{
	int64_t half = shift ? INT64_C(1) << (shift - 1) : 0;

	return x < 0 ? -((-x + half) >> shift) : (x + half) >> shift;
}

void npu_requant_row(const struct npu_requant *rq, uint32_t first, uint32_t count,
		     const int64_t *sum, int8_t *dst)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t n = first + i;
		int64_t bias = rq->bias ? rq->bias[n] : 0;
		int64_t multiplier = rq->multiplier[rq->per_channel ? n : 0];
		int64_t t = clamp(sum[i], INT32_MIN, INT32_MAX) + bias;

		t = clamp(shift_right(t * multiplier, rq->shift), INT32_MIN, INT32_MAX);
		if (rq->relu && t < 0)
			t = 0;
		dst[i] = clamp(t + rq->zero_point, INT8_MIN, INT8_MAX);
	}
}
