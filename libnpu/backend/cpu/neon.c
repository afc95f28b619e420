// SPDX-License-Identifier: MIT
/*
 * NEON as every 64-bit Arm processor has it: SMULL multiplies bytes into 16 bits, which hold one
 * product of -128 and -128 but not two, and SADALP adds pairs of them to int32. That leaves four
 * sums a column, which are added once, at the end.
 */
#include <arm_neon.h>

#include "kernels.h"

#define ROWS 4
#define COLS 4 /* with 4 rows 16 sums; operands and products take 10 of the other registers */
#define DEPTH 16

static inline int32x4_t multiply_add(int32x4_t sum, int8x16_t x, int8x16_t y)
{
	sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(x), vget_low_s8(y)));
	return vpadalq_s16(sum, vmull_high_s8(x, y));
}

/* @rows is a constant where this is inlined, so that the sums stay in registers. */
static inline __attribute__((always_inline)) void multiply(const struct npu_tile *t,
							   const uint32_t rows)
{
	int32x4_t sum[ROWS][COLS];
	const int8_t *a = t->a, *w = t->w;

#pragma GCC unroll 4
	for (uint32_t r = 0; r < rows; r++)
#pragma GCC unroll 4
		for (uint32_t c = 0; c < COLS; c++)
			sum[r][c] = vdupq_n_s32(0);
	for (uint32_t g = 0; g < t->groups; g++, a += DEPTH * rows, w += DEPTH * COLS) {
		int8x16_t x[ROWS];

#pragma GCC unroll 4
		for (uint32_t r = 0; r < rows; r++)
			x[r] = vld1q_s8(a + DEPTH * r);
#pragma GCC unroll 4
		for (uint32_t c = 0; c < COLS; c++) {
			const int8x16_t y = vld1q_s8(w + DEPTH * c);

#pragma GCC unroll 4
			for (uint32_t r = 0; r < rows; r++)
				sum[r][c] = multiply_add(sum[r][c], x[r], y);
		}
	}
#pragma GCC unroll 4
	for (uint32_t r = 0; r < rows; r++)
		vst1q_s32(t->sum + r * t->stride, vpaddq_s32(vpaddq_s32(sum[r][0], sum[r][1]),
							     vpaddq_s32(sum[r][2], sum[r][3])));
}

static void tile(const struct npu_tile *t)
{
	switch (t->rows) {
	case 1:
		multiply(t, 1);
		break;
	case 2:
		multiply(t, 2);
		break;
	case 3:
		multiply(t, 3);
		break;
	default:
		multiply(t, 4);
		break;
	}
}

static bool usable(void)
{
	return true;
}

const struct npu_gemm_kernel npu_gemm_neon = {
	.name = "neon",
	.usable = usable,
	.rows = ROWS,
	.row_unit = 1,
	.panels = 1,
	.cols = COLS,
	.depth = DEPTH,
	.a_depth = DEPTH,
	.tile = tile,
};
