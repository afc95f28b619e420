/* SPDX-License-Identifier: MIT */
/* Saturation and rounding as the hardware does them. */
#ifndef NPU_MODEL_ARITH_H
#define NPU_MODEL_ARITH_H

#include <stdint.h>

static inline int64_t saturate(int64_t v, unsigned int bits)
{
	int64_t max = (INT64_C(1) << (bits - 1)) - 1;

	if (v > max)
		return max;
	if (v < -max - 1)
		return -max - 1;
	return v;
}

/* Shifts a value of @bits bits to the right, rounding half away from zero. */
static inline int64_t round_shift(int64_t v, unsigned int shift, unsigned int bits)
{
	int64_t half;

	if (!shift)
		return v;
	if (shift >= bits)
		return 0;
	half = INT64_C(1) << (shift - 1);
	return v < 0 ? -((half - v) >> shift) : (v + half) >> shift;
}

#endif /* NPU_MODEL_ARITH_H */
