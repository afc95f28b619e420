// SPDX-License-Identifier: MIT
/*
 * One loop for the compiler to vectorise, once for each set of vector instructions it is worth it
 * for. The loader chooses.
 */
#include "fixed16.h"

/* Which takes a loader that can, and a sanitizer that is not yet at work when it does. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && \
	!defined(__SANITIZE_THREAD__)
#define VECTORS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTORS
#endif

/*
 * @with_bias and @per_channel are constants where this is inlined. With the clamp before the
 * conversion, which truncates, the conversion has no case that C leaves open.
 *
 * x +- 1/2 is exact too: up to a shift of 53 it has at most 53 bits, beyond it is below 1.
 */
static inline __attribute__((always_inline)) void scale(const struct npu_fixed16 *f, uint32_t first,
							uint32_t count, const int32_t *restrict sum,
							uint8_t *restrict dst, bool with_bias,
							bool per_channel)
{
	const double power = 1.0 / (double)(UINT64_C(1) << f->shift);
	const double low = f->low - f->zero_point, high = f->high - f->zero_point;
	const int32_t zero_point = f->zero_point;
	const int32_t *bias = with_bias ? f->bias + first : f->bias;
	const int16_t *multiplier = per_channel ? f->multiplier + first : f->multiplier;
	const double one = *multiplier * power;

	for (uint32_t i = 0; i < count; i++) {
		double x = sum[i];

		if (with_bias)
			x += bias[i];
		x *= per_channel ? multiplier[i] * power : one;
		x += __builtin_copysign(0.5, x);
		x = x < low ? low : x;
		x = x > high ? high : x;
		dst[i] = (uint8_t)((int32_t)x + zero_point);
	}
}

VECTORS void npu_fixed16_row(const struct npu_fixed16 *f, uint32_t first, uint32_t count,
			     const int32_t *sum, void *dst)
{
	if (f->bias && f->per_channel)
		scale(f, first, count, sum, dst, true, true);
	else if (f->bias)
		scale(f, first, count, sum, dst, true, false);
	else if (f->per_channel)
		scale(f, first, count, sum, dst, false, true);
	else
		scale(f, first, count, sum, dst, false, false);
}
