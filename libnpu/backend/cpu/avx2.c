// SPDX-License-Identifier: MIT
/*
 * AVX2. The instruction for bytes (VPMADDUBSW) saturates its sums of two, so bytes are widened to
 * 16 bits, whose products VPMADDWD adds exactly. It leaves two sums a column, which are added once,
 * at the end.
 */
#include <immintrin.h>
#include <string.h>

#include "kernels.h"

#define ROWS 3
#define VECS 4 /* of 4 columns; with 3 rows 12 sums, and 3 operands: 15 registers of 16 */
#define COLS (4 * VECS)

/* The four bytes of a group, four times over, widened. */
static inline __m256i broadcast(const int8_t *a)
{
	int32_t x;

	memcpy(&x, a, sizeof(x));
	return _mm256_cvtepi8_epi16(_mm_set1_epi32(x));
}

/* Pairs of sums into sums: of columns 0 to 3 in @a, 4 to 7 in @b. */
static inline __m256i add_pairs(__m256i a, __m256i b)
{
	return _mm256_permute4x64_epi64(_mm256_hadd_epi32(a, b), _MM_SHUFFLE(3, 1, 2, 0));
}

/* @rows is a constant where this is inlined, so that the sums stay in registers. */
static inline __attribute__((always_inline)) void multiply(const struct npu_tile *t,
							   const uint32_t rows)
{
	__m256i sum[ROWS][VECS];
	const int8_t *a = t->a, *w = t->w;

#pragma GCC unroll 4
	for (uint32_t r = 0; r < rows; r++)
#pragma GCC unroll 4
		for (uint32_t v = 0; v < VECS; v++)
			sum[r][v] = _mm256_setzero_si256();
	for (uint32_t g = 0; g < t->groups; g++, a += 4 * rows, w += 4 * COLS) {
		__m256i x[ROWS];

#pragma GCC unroll 4
		for (uint32_t r = 0; r < rows; r++)
			x[r] = broadcast(a + 4 * r);
#pragma GCC unroll 4
		for (uint32_t v = 0; v < VECS; v++) {
			const __m256i y =
				_mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)w + v));

#pragma GCC unroll 4
			for (uint32_t r = 0; r < rows; r++)
				sum[r][v] = _mm256_add_epi32(sum[r][v], _mm256_madd_epi16(x[r], y));
		}
	}
#pragma GCC unroll 4
	for (uint32_t r = 0; r < rows; r++) {
		__m256i *out = (__m256i *)(t->sum + r * t->stride);

		_mm256_storeu_si256(out, add_pairs(sum[r][0], sum[r][1]));
		_mm256_storeu_si256(out + 1, add_pairs(sum[r][2], sum[r][3]));
	}
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
	default:
		multiply(t, 3);
		break;
	}
}

static bool usable(void)
{
	return __builtin_cpu_supports("avx2");
}

const struct npu_gemm_kernel npu_gemm_avx2 = {
	.name = "avx2",
	.usable = usable,
	.rows = ROWS,
	.row_unit = 1,
	.panels = 1,
	.cols = COLS,
	.depth = 4,
	.a_depth = 4,
	.tile = tile,
};
