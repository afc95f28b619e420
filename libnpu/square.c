// SPDX-License-Identifier: MIT
/*
 * With AVX-512 a line is a vector. Elsewhere a square is transposed in pairs of atoms, which a
 * compiler turns into loads, interleaves and stores of 16 bytes.
 */
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "square.h"

#define ATOM NPU_SQUARE_ATOM
#define SIDE NPU_SQUARE_SIDE
#define LINE NPU_SQUARE_BYTES

/* ---- Pairs ------------------------------------------------------------------------------- */

typedef uint64_t pair_t __attribute__((vector_size(2 * ATOM)));

static inline pair_t load_pair(const uint8_t *from)
{
	pair_t pair;

	memcpy(&pair, from, sizeof(pair));
	return pair;
}

static inline void store_pair(uint8_t *to, pair_t pair)
{
	memcpy(to, &pair, sizeof(pair));
}

/* Other processors than x86 see by themselves that whole lines are written. */
static inline void stream_pair(uint8_t *to, pair_t pair)
{
#if defined(__SSE2__)
	_mm_stream_si128((__m128i *)to, (__m128i)pair);
#else
	store_pair(to, pair);
#endif
}

static inline __attribute__((always_inline)) void
turn_pairs(uint8_t *restrict dst, size_t dst_stride, const uint8_t *restrict src, size_t src_stride,
	   void (*put)(uint8_t *to, pair_t pair))
{
	for (int i = 0; i < SIDE; i += 2, src += 2 * ATOM, dst += 2 * dst_stride) {
		for (int j = 0; j < SIDE; j += 2) {
			pair_t x = load_pair(src + j * src_stride);
			pair_t y = load_pair(src + (j + 1) * src_stride);

			put(dst + j * ATOM, (pair_t){ x[0], y[0] });
			put(dst + dst_stride + j * ATOM, (pair_t){ x[1], y[1] });
		}
	}
}

static void turn_by_pairs(uint8_t *dst, const struct npu_squares *to, const uint8_t *src,
			  const struct npu_squares *from, size_t count, bool stream)
{
	for (; count; count--, dst += to->step, src += from->step) {
		if (stream)
			turn_pairs(dst, to->stride, src, from->stride, stream_pair);
		else
			turn_pairs(dst, to->stride, src, from->stride, store_pair);
	}
}

/* ---- Lines ------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#define WITH_LINES __attribute__((target("avx512f")))

/*
 * Lines j and j + 4 exchange halves, then quarters with those two further, then atoms with their
 * neighbours. The first exchange is done by loading.
 */
static inline WITH_LINES __attribute__((always_inline)) void
turn_lines(uint8_t *dst, size_t dst_stride, const uint8_t *src, size_t src_stride, bool stream)
{
	/* Quarters 0 and 2, 1 and 3 of two lines whose halves are exchanged. */
	const __m512i even = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
	const __m512i odd = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
	__m512i half[SIDE], quarter[SIDE];

#pragma GCC unroll 8
	for (int j = 0; j < SIDE; j++) {
		const uint8_t *from = src + j % 4 * src_stride + j / 4 * (LINE / 2);

		half[j] = _mm512_inserti64x4(
			_mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)from)),
			_mm256_loadu_si256((const __m256i *)(from + 4 * src_stride)), 1);
	}
#pragma GCC unroll 8
	for (int j = 0; j < SIDE; j++) {
		const int upper = j / 4 * 4 + j % 2;

		quarter[j] = _mm512_permutex2var_epi64(half[upper], j % 4 / 2 ? odd : even,
						       half[upper + 2]);
	}
#pragma GCC unroll 8
	for (int i = 0; i < SIDE; i++) {
		const __m512i x = quarter[i / 2 * 2], y = quarter[i / 2 * 2 + 1];
		const __m512i line =
			i % 2 ? _mm512_unpackhi_epi64(x, y) : _mm512_unpacklo_epi64(x, y);

		if (stream)
			_mm512_stream_si512((__m512i *)(dst + i * dst_stride), line);
		else
			_mm512_storeu_si512(dst + i * dst_stride, line);
	}
}

static WITH_LINES void turn_by_lines(uint8_t *dst, const struct npu_squares *to, const uint8_t *src,
				     const struct npu_squares *from, size_t count, bool stream)
{
	for (; count; count--, dst += to->step, src += from->step) {
		if (stream)
			turn_lines(dst, to->stride, src, from->stride, true);
		else
			turn_lines(dst, to->stride, src, from->stride, false);
	}
}
#endif

void npu_squares_turn(uint8_t *dst, const struct npu_squares *to, const uint8_t *src,
		      const struct npu_squares *from, size_t count, bool stream)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f")) {
		turn_by_lines(dst, to, src, from, count, stream);
		return;
	}
#endif
	turn_by_pairs(dst, to, src, from, count, stream);
}

void npu_squares_end_stream(void)
{
#if defined(__SSE2__)
	_mm_sfence();
#endif
}
