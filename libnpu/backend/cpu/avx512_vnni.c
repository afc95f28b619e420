// SPDX-License-Identifier: MIT
/*
 * AVX-512 VNNI: VPDPBUSD adds four products of an unsigned and a signed byte to each int32. W is
 * the unsigned side; it does not saturate, so what overflows on the way comes back.
 */
#include <immintrin.h>
#include <string.h>

#include "kernels.h"

#define ROWS 14
#define VECS 2 /* of 16 columns; with 14 rows 28 sums, and 2 + 1 operands: 31 registers of 32 */
#define COLS (16 * VECS)
#define GROUP (4 * COLS) /* bytes of a panel for one group */

static inline __m512i broadcast(const int8_t *a)
{
	int32_t x;

	memcpy(&x, a, sizeof(x));
	return _mm512_set1_epi32(x);
}

/* One group: four k of all rows and columns. */
static inline __attribute__((always_inline)) void
multiply_group(__m512i (*sum)[VECS], const int8_t *a, const int8_t *w, const uint32_t rows)
{
	const __m512i w0 = _mm512_load_si512(w);
	const __m512i w1 = _mm512_load_si512(w + 64);

#pragma GCC unroll 16
	for (uint32_t r = 0; r < rows; r++) {
		const __m512i x = broadcast(a + 4 * r);

		sum[r][0] = _mm512_dpbusd_epi32(sum[r][0], w0, x);
		sum[r][1] = _mm512_dpbusd_epi32(sum[r][1], w1, x);
	}
}

/*
 * @rows and @chains are constants where this is inlined, so that the sums stay in registers. With
 * few rows there are several sums of each element, for groups that take turns: a sum can be added
 * to only every four or five cycles.
 */
static inline __attribute__((always_inline)) void
multiply(const struct npu_tile *t, const uint32_t rows, const uint32_t chains)
{
	__m512i sum[ROWS][VECS];
	const int8_t *a = t->a, *w = t->w;
	uint32_t g = 0;

#pragma GCC unroll 16
	for (uint32_t r = 0; r < chains * rows; r++)
		sum[r][0] = sum[r][1] = _mm512_set1_epi32(r < rows ? t->start[r] : 0);
	for (; g + chains <= t->groups; g += chains)
#pragma GCC unroll 4
		for (uint32_t c = 0; c < chains; c++, a += 4 * rows, w += GROUP)
			multiply_group(sum + c * rows, a, w, rows);
	for (; chains > 1 && g < t->groups; g++, a += 4 * rows, w += GROUP)
		multiply_group(sum, a, w, rows);
#pragma GCC unroll 16
	for (uint32_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
		for (uint32_t c = 1; c < chains; c++) {
			sum[r][0] = _mm512_add_epi32(sum[r][0], sum[c * rows + r][0]);
			sum[r][1] = _mm512_add_epi32(sum[r][1], sum[c * rows + r][1]);
		}
		_mm512_storeu_si512(t->sum + r * t->stride, sum[r][0]);
		_mm512_storeu_si512(t->sum + r * t->stride + 16, sum[r][1]);
	}
}

static void tile(const struct npu_tile *t)
{
	switch (t->rows) {
	case 1:
		multiply(t, 1, 4);
		break;
	case 2:
		multiply(t, 2, 3);
		break;
	case 3:
		multiply(t, 3, 2);
		break;
	case 4:
		multiply(t, 4, 2);
		break;
	case 5:
		multiply(t, 5, 1);
		break;
	case 6:
		multiply(t, 6, 1);
		break;
	case 7:
		multiply(t, 7, 1);
		break;
	case 8:
		multiply(t, 8, 1);
		break;
	case 9:
		multiply(t, 9, 1);
		break;
	case 10:
		multiply(t, 10, 1);
		break;
	case 11:
		multiply(t, 11, 1);
		break;
	case 12:
		multiply(t, 12, 1);
		break;
	case 13:
		multiply(t, 13, 1);
		break;
	default:
		multiply(t, 14, 1);
		break;
	}
}

static bool usable(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni");
}

const struct npu_gemm_kernel npu_gemm_avx512_vnni = {
	.name = "avx512-vnni",
	.usable = usable,
	.rows = ROWS,
	.row_unit = 1,
	.panels = 1,
	.cols = COLS,
	.depth = 4,
	.a_depth = 4,
	.w_flip = 0x80,
	.tile = tile,
};
