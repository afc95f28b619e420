// SPDX-License-Identifier: MIT
/*
 * NEON with matrix multiplication: SMMLA takes eight k of two rows and of two columns, and adds to
 * the four sums between them.
 */
#include <arm_neon.h>
#include <sys/auxv.h>
#include <asm/hwcap.h>

#include "kernels.h"

#define ROWS 8
#define COLS 8 /* with 8 rows 16 registers of sums, 4 of W, 1 of A */
#define DEPTH 8
#define PAIRS (COLS / 2)

/* Two rows of A, or one of them and nothing. */
static inline int8x16_t load_rows(const int8_t *a, bool both)
{
	return both ? vld1q_s8(a) : vcombine_s8(vld1_s8(a), vdup_n_s8(0));
}

/* Sums of two columns and rows are ordered by rows; halves of two pairs make four columns. */
static inline int32x4_t low_halves(int32x4_t a, int32x4_t b)
{
	return vcombine_s32(vget_low_s32(a), vget_low_s32(b));
}

static inline int32x4_t high_halves(int32x4_t a, int32x4_t b)
{
	return vcombine_s32(vget_high_s32(a), vget_high_s32(b));
}

static inline __attribute__((always_inline)) void store(const struct npu_tile *t, uint32_t row,
							bool both, const int32x4_t *sum)
{
	int32_t *out = t->sum + row * t->stride;

	vst1q_s32(out, low_halves(sum[0], sum[1]));
	vst1q_s32(out + 4, low_halves(sum[2], sum[3]));
	if (!both)
		return;
	vst1q_s32(out + t->stride, high_halves(sum[0], sum[1]));
	vst1q_s32(out + t->stride + 4, high_halves(sum[2], sum[3]));
}

/* @rows is a constant where this is inlined, so that the sums stay in registers. */
static inline __attribute__((always_inline)) void multiply(const struct npu_tile *t,
							   const uint32_t rows)
{
	int32x4_t sum[ROWS / 2][PAIRS];
	const int8_t *a = t->a, *w = t->w;

#pragma GCC unroll 4
	for (uint32_t r = 0; r < (rows + 1) / 2; r++)
#pragma GCC unroll 4
		for (uint32_t p = 0; p < PAIRS; p++)
			sum[r][p] = vdupq_n_s32(0);
	for (uint32_t g = 0; g < t->groups; g++, a += DEPTH * rows, w += DEPTH * COLS) {
		const int8x16x4_t y = vld1q_s8_x4(w);

#pragma GCC unroll 4
		for (uint32_t r = 0; r < (rows + 1) / 2; r++) {
			const int8x16_t x = load_rows(a + 2 * DEPTH * r, 2 * r + 2 <= rows);

#pragma GCC unroll 4
			for (uint32_t p = 0; p < PAIRS; p++)
				sum[r][p] = vmmlaq_s32(sum[r][p], x, y.val[p]);
		}
	}
#pragma GCC unroll 4
	for (uint32_t r = 0; r < (rows + 1) / 2; r++)
		store(t, 2 * r, 2 * r + 2 <= rows, sum[r]);
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
	case 4:
		multiply(t, 4);
		break;
	case 5:
		multiply(t, 5);
		break;
	case 6:
		multiply(t, 6);
		break;
	case 7:
		multiply(t, 7);
		break;
	default:
		multiply(t, 8);
		break;
	}
}

static bool usable(void)
{
	return getauxval(AT_HWCAP2) & HWCAP2_I8MM;
}

const struct npu_gemm_kernel npu_gemm_neon_i8mm = {
	.name = "neon-i8mm",
	.usable = usable,
	.rows = ROWS,
	.row_unit = 2,
	.panels = 1,
	.cols = COLS,
	.depth = DEPTH,
	.a_depth = DEPTH,
	.tile = tile,
};
