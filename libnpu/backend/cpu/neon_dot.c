// SPDX-License-Identifier: MIT
/* NEON with the dot product: SDOT adds four products of bytes to each int32. */
#include <arm_neon.h>
#include <sys/auxv.h>
#include <asm/hwcap.h>

#include "kernels.h"

#define ROWS 6
#define VECS 4 /* of 4 columns; with 6 rows 24 sums, 4 operands and 1: 29 registers of 32 */
#define COLS (4 * VECS)

/* The four bytes of a group, four times over. */
static inline int8x16_t broadcast(const int8_t *a)
{
	return vreinterpretq_s8_s32(vld1q_dup_s32((const int32_t *)a));
}

/* @rows is a constant where this is inlined, so that the sums stay in registers. */
static inline __attribute__((always_inline)) void multiply(const struct npu_tile *t,
							   const uint32_t rows)
{
	int32x4_t sum[ROWS][VECS];
	const int8_t *a = t->a, *w = t->w;

#pragma GCC unroll 8
	for (uint32_t r = 0; r < rows; r++)
#pragma GCC unroll 4
		for (uint32_t v = 0; v < VECS; v++)
			sum[r][v] = vdupq_n_s32(0);
	for (uint32_t g = 0; g < t->groups; g++, a += 4 * rows, w += 4 * COLS) {
		const int8x16x4_t y = vld1q_s8_x4(w);

#pragma GCC unroll 8
		for (uint32_t r = 0; r < rows; r++) {
			const int8x16_t x = broadcast(a + 4 * r);

#pragma GCC unroll 4
			for (uint32_t v = 0; v < VECS; v++)
				sum[r][v] = vdotq_s32(sum[r][v], y.val[v], x);
		}
	}
#pragma GCC unroll 8
	for (uint32_t r = 0; r < rows; r++)
#pragma GCC unroll 4
		for (uint32_t v = 0; v < VECS; v++)
			vst1q_s32(t->sum + r * t->stride + 4 * v, sum[r][v]);
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
	default:
		multiply(t, 6);
		break;
	}
}

static bool usable(void)
{
	return getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
}

const struct npu_gemm_kernel npu_gemm_neon_dot = {
	.name = "neon-dot",
	.usable = usable,
	.rows = ROWS,
	.row_unit = 1,
	.panels = 1,
	.cols = COLS,
	.depth = 4,
	.a_depth = 4,
	.tile = tile,
};
