// SPDX-License-Identifier: MIT
/*
 * AVX2. The instruction for bytes (VPMADDUBSW) saturates its sums of two, so bytes are multiplied
 * as words, by VPMADDWD, which is exact. W is unsigned: then one instruction each makes words of
 * its even and of its odd bytes, where it lies. A is widened once, when it is interleaved, in the
 * same order.
 */
#include <immintrin.h>
#include <string.h>

#include "interleave.h"
#include "kernels.h"

#define ROWS 4
#define VECS 2 /* of 8 columns; with 4 rows 8 sums, and operands: more are not faster */
#define COLS (8 * VECS)
#define DEPTH 4

/* How far ahead W is fetched: a processor by itself does not get all of its caches' bandwidth. */
#define AHEAD 2048

/* Two words of A, for all columns. */
static inline __m256i broadcast(const int16_t *a)
{
	int32_t x;

	memcpy(&x, a, sizeof(x));
	return _mm256_set1_epi32(x);
}

/* @rows is a constant where this is inlined, so that the sums stay in registers. */
static inline __attribute__((always_inline)) void multiply(const struct npu_tile *t,
							   const uint32_t rows)
{
	const __m256i low = _mm256_set1_epi16(0xff);
	const int16_t *a = (const int16_t *)t->a;
	const int8_t *w = t->w;
	__m256i sum[ROWS][VECS];

#pragma GCC unroll 4
	for (uint32_t r = 0; r < rows; r++)
#pragma GCC unroll 4
		for (uint32_t v = 0; v < VECS; v++)
			sum[r][v] = _mm256_set1_epi32(t->start[r]);
	for (uint32_t g = 0; g < t->groups; g++, a += DEPTH * rows, w += DEPTH * COLS) {
		_mm_prefetch((const char *)w + AHEAD, _MM_HINT_T0);
#pragma GCC unroll 4
		for (uint32_t v = 0; v < VECS; v++) {
			const __m256i bytes = _mm256_load_si256((const __m256i *)w + v);
			const __m256i even = _mm256_and_si256(bytes, low);
			const __m256i odd = _mm256_srli_epi16(bytes, 8);

#pragma GCC unroll 4
			for (uint32_t r = 0; r < rows; r++) {
				const __m256i x = broadcast(a + DEPTH * r);
				const __m256i y = broadcast(a + DEPTH * r + 2);

				sum[r][v] = _mm256_add_epi32(sum[r][v], _mm256_madd_epi16(x, even));
				sum[r][v] = _mm256_add_epi32(sum[r][v], _mm256_madd_epi16(y, odd));
			}
		}
	}
#pragma GCC unroll 4
	for (uint32_t r = 0; r < rows; r++)
#pragma GCC unroll 4
		for (uint32_t v = 0; v < VECS; v++)
			_mm256_storeu_si256((__m256i *)(t->sum + r * t->stride) + v, sum[r][v]);
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

/* 16 columns of a row as words, each four as 0, 2, 1, 3; as many fours as @units. */
static inline void store_units(int16_t *dst, size_t group, __m128i bytes, uint32_t units)
{
	const __m128i order = _mm_setr_epi8(0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15);
	int16_t words[16];

	_mm256_storeu_si256((__m256i *)words, _mm256_cvtepi8_epi16(_mm_shuffle_epi8(bytes, order)));
	for (uint32_t i = 0; i < units; i++)
		memcpy(dst + i * group, words + DEPTH * i, DEPTH * sizeof(*dst));
}

static void take_row(const struct npu_interleave *il, const int8_t *src, int16_t *dst)
{
	const size_t group = (size_t)il->lanes * DEPTH;
	const uint32_t whole = il->k - il->k % 16, rest = il->k - whole;
	int8_t last[16] = { 0 };

	for (uint32_t k = 0; k < whole; k += 16, dst += 4 * group)
		store_units(dst, group, _mm_loadu_si128((const __m128i *)(src + k)), 4);
	if (rest) {
		memcpy(last, src + whole, rest);
		store_units(dst, group, _mm_loadu_si128((const __m128i *)last),
			    (rest + DEPTH - 1) / DEPTH);
	}
}

static void take(const struct npu_interleave *il, int8_t *dst)
{
	for (uint32_t row = 0; row < il->rows; row++)
		take_row(il, il->src + row * il->stride, (int16_t *)dst + row * DEPTH);
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
	.depth = DEPTH,
	.a_depth = DEPTH,
	.w_flip = 0x80,
	.a_wide = true,
	.take = take,
	.tile = tile,
};
