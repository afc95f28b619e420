// SPDX-License-Identifier: MIT
/*
 * Plain C for any processor, shaped so that compilers vectorise it: long runs of k, and four
 * columns at a time, so that each load of A serves four products.
 */
#include "kernels.h"

#define ROWS 4
#define COLS 4
#define DEPTH 64

/* DEPTH products each with four columns. */
static inline void dot(const int8_t *restrict a, const int8_t *restrict w, int32_t *restrict sum)
{
	int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;

	for (uint32_t i = 0; i < DEPTH; i++) {
		int16_t x = a[i];

		s0 += x * (int16_t)w[i];
		s1 += x * (int16_t)w[i + DEPTH];
		s2 += x * (int16_t)w[i + 2 * DEPTH];
		s3 += x * (int16_t)w[i + 3 * DEPTH];
	}
	sum[0] += s0;
	sum[1] += s1;
	sum[2] += s2;
	sum[3] += s3;
}

static void tile(const struct npu_tile *t)
{
	int32_t sum[ROWS][COLS];
	const int8_t *a = t->a, *w = t->w;

	for (uint32_t r = 0; r < t->rows; r++)
		for (uint32_t c = 0; c < COLS; c++)
			sum[r][c] = t->start[r];
	for (uint32_t g = 0; g < t->groups; g++, w += COLS * DEPTH)
		for (uint32_t r = 0; r < t->rows; r++, a += DEPTH)
			dot(a, w, sum[r]);
	for (uint32_t r = 0; r < t->rows; r++)
		for (uint32_t c = 0; c < COLS; c++)
			t->sum[r * t->stride + c] = sum[r][c];
}

static bool usable(void)
{
	return true;
}

const struct npu_gemm_kernel npu_gemm_portable = {
	.name = "portable",
	.usable = usable,
	.rows = ROWS,
	.row_unit = 1,
	.panels = 1,
	.cols = COLS,
	.depth = DEPTH,
	.a_depth = DEPTH,
	.tile = tile,
};
