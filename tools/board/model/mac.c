// SPDX-License-Identifier: MIT
/*
 * The inner loop of the model. Written so that the compiler turns it into multiply-add of packed
 * int16: one pass over a row of features feeds eight kernels.
 */
#include "mac.h"

static inline void dot8(const int16_t *restrict a, const int16_t *restrict w, size_t depth,
			int32_t *restrict out)
{
	const int16_t *w0 = w, *w1 = w0 + depth, *w2 = w1 + depth, *w3 = w2 + depth;
	const int16_t *w4 = w3 + depth, *w5 = w4 + depth, *w6 = w5 + depth, *w7 = w6 + depth;
	int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;

	for (size_t k = 0; k < depth; k++) {
		s0 += a[k] * w0[k];
		s1 += a[k] * w1[k];
		s2 += a[k] * w2[k];
		s3 += a[k] * w3[k];
		s4 += a[k] * w4[k];
		s5 += a[k] * w5[k];
		s6 += a[k] * w6[k];
		s7 += a[k] * w7[k];
	}
	out[0] = s0;
	out[1] = s1;
	out[2] = s2;
	out[3] = s3;
	out[4] = s4;
	out[5] = s5;
	out[6] = s6;
	out[7] = s7;
}

void mac_group(const int16_t *a, size_t rows, const int16_t *w, size_t kernels, size_t depth,
	       int32_t *acc)
{
	for (size_t p = 0; p < rows; p++)
		for (size_t n = 0; n < kernels; n += 8)
			dot8(a + p * depth, w + n * depth, depth, acc + p * kernels + n);
}
