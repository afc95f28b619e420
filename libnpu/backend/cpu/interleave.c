// SPDX-License-Identifier: MIT
/*
 * Interleaving moves units of depth bytes from rows to lanes, which is a transposition of units.
 * With units of four bytes it is done in registers: 4 x 4 in vectors of 16 bytes, which every
 * 64-bit processor has, and 16 x 16 where a vector is a cache line.
 */
#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "interleave.h"

/* Bytes of a row moved at once: a whole cache line, because the lines of many rows evict each other
 * when the stride is a power of two.
 */
#define LINE 64

/* How far ahead a large matrix is fetched: processors do not follow that many rows by themselves.
 */
#define AHEAD 256

typedef int32_t vec __attribute__((vector_size(16)));

static vec load(const int8_t *src, vec flip)
{
	vec v;

	memcpy(&v, src, sizeof(v));
	return v ^ flip;
}

static void store(int8_t *dst, vec v)
{
	memcpy(dst, &v, sizeof(v));
}

/* Four units each of four rows; what were rows become columns. */
static void transpose(const int8_t *src, size_t stride, int8_t *dst, size_t group, vec flip)
{
	vec r0 = load(src, flip);
	vec r1 = load(src + stride, flip);
	vec r2 = load(src + 2 * stride, flip);
	vec r3 = load(src + 3 * stride, flip);
	vec low01 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5);
	vec low23 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
	vec high01 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
	vec high23 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);

	store(dst, __builtin_shufflevector(low01, low23, 0, 1, 4, 5));
	store(dst + group, __builtin_shufflevector(low01, low23, 2, 3, 6, 7));
	store(dst + 2 * group, __builtin_shufflevector(high01, high23, 0, 1, 4, 5));
	store(dst + 3 * group, __builtin_shufflevector(high01, high23, 2, 3, 6, 7));
}

#if defined(__x86_64__)
#define WITH_LINES __attribute__((target("avx512f")))

/* 16 bytes each of four rows, in a vector. */
static inline WITH_LINES __m512i load_quarters(const int8_t *src, size_t stride)
{
	__m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const void *)src));

	v = _mm512_inserti32x4(v, _mm_loadu_si128((const void *)(src + stride)), 1);
	v = _mm512_inserti32x4(v, _mm_loadu_si128((const void *)(src + 2 * stride)), 2);
	return _mm512_inserti32x4(v, _mm_loadu_si128((const void *)(src + 3 * stride)), 3);
}

/* Four groups of 16 rows: r[i] has the same quarter of rows i, i + 4, i + 8 and i + 12. */
static inline WITH_LINES void store_groups(const __m512i *r, int8_t *dst, size_t group)
{
	const __m512i low01 = _mm512_unpacklo_epi32(r[0], r[1]);
	const __m512i low23 = _mm512_unpacklo_epi32(r[2], r[3]);
	const __m512i high01 = _mm512_unpackhi_epi32(r[0], r[1]);
	const __m512i high23 = _mm512_unpackhi_epi32(r[2], r[3]);

	_mm512_storeu_si512(dst, _mm512_unpacklo_epi64(low01, low23));
	_mm512_storeu_si512(dst + group, _mm512_unpackhi_epi64(low01, low23));
	_mm512_storeu_si512(dst + 2 * group, _mm512_unpacklo_epi64(high01, high23));
	_mm512_storeu_si512(dst + 3 * group, _mm512_unpackhi_epi64(high01, high23));
}

/* A line each of 16 rows becomes 16 groups. Lines are taken whole, since they evict each other. */
static WITH_LINES void transpose_lines(const int8_t *src, size_t stride, int8_t *dst, size_t group,
				       int32_t flip)
{
	__m512i quarter[4][4];

#pragma GCC unroll 4
	for (uint32_t r = 0; r < 4; r++)
#pragma GCC unroll 4
		for (uint32_t i = 0; i < 4; i++)
			quarter[i][r] = _mm512_xor_si512(
				load_quarters(src + r * stride + 16 * i, 4 * stride),
				_mm512_set1_epi32(flip));
#pragma GCC unroll 4
	for (uint32_t i = 0; i < 4; i++)
		store_groups(quarter[i], dst + 4 * i * group, group);
}
#endif

/* One row of whole units, those of @unit bytes: a constant where this is inlined. */
static inline void spread(const int8_t *src, uint32_t bytes, uint32_t unit, int8_t *dst,
			  size_t group, uint8_t flip)
{
	for (uint32_t k = 0; k < bytes; k += unit, dst += group)
		for (uint32_t i = 0; i < unit; i++)
			dst[i] = (int8_t)((uint8_t)src[k + i] ^ flip);
}

static void move_row(const struct npu_interleave *il, uint32_t row, uint32_t k, uint32_t bytes,
		     int8_t *dst)
{
	const int8_t *src = il->src + row * il->stride + k;
	const size_t group = (size_t)il->lanes * il->depth;

	switch (il->depth) {
	case 4:
		spread(src, bytes, 4, dst, group, il->flip);
		break;
	case 8:
		spread(src, bytes, 8, dst, group, il->flip);
		break;
	case 16:
		spread(src, bytes, 16, dst, group, il->flip);
		break;
	default:
		spread(src, bytes, 64, dst, group, il->flip);
		break;
	}
}

/* Columns @k to @k + @bytes, whole units, of all rows. */
static void move_line(const struct npu_interleave *il, uint32_t k, uint32_t bytes, int8_t *dst)
{
	const size_t group = (size_t)il->lanes * il->depth;
	const int32_t flip = (int32_t)(il->flip * UINT32_C(0x01010101));
	uint32_t row = 0;

#if defined(__x86_64__)
	if (il->depth == 4 && bytes == LINE && __builtin_cpu_supports("avx512f"))
		for (; row + 16 <= il->rows; row += 16)
			transpose_lines(il->src + row * il->stride + k, il->stride, dst + row * 4,
					group, flip);
#endif
	if (il->depth == 4 && bytes == LINE)
		for (; row + 4 <= il->rows; row += 4)
			for (uint32_t i = 0; i < LINE; i += sizeof(vec))
				transpose(il->src + row * il->stride + k + i, il->stride,
					  dst + i / 4 * group + row * 4, group,
					  (vec){ flip, flip, flip, flip });
	for (; row < il->rows; row++)
		move_row(il, row, k, bytes, dst + (size_t)row * il->depth);
}

/* Units of a line go from row to row: this reads on where it was, and writes what is in a cache. */
static void move_lines(const struct npu_interleave *il, uint32_t k, int8_t *dst)
{
	const size_t group = (size_t)il->lanes * LINE;

	for (uint32_t row = 0; row < il->rows; row++) {
		const int8_t *src = il->src + row * il->stride;

		for (uint32_t i = 0; i < k; i += LINE)
			memcpy(dst + i / LINE * group + row * LINE, src + i, LINE);
	}
}

/* The last columns, fewer than a unit. */
static void move_rest(const struct npu_interleave *il, uint32_t k, int8_t *dst)
{
	memset(dst, il->flip, (size_t)il->lanes * il->depth);
	for (uint32_t row = 0; row < il->rows; row++)
		for (uint32_t i = 0; i < il->k - k; i++)
			dst[row * il->depth + i] =
				(int8_t)((uint8_t)il->src[row * il->stride + k + i] ^ il->flip);
}

static void fill_lanes(const struct npu_interleave *il, uint32_t groups, int8_t *dst)
{
	const size_t group = (size_t)il->lanes * il->depth;
	const size_t used = (size_t)il->rows * il->depth;

	for (uint32_t i = 0; i < groups; i++)
		memset(dst + i * group + used, il->flip, group - used);
}

/* @dst at a multiple of 16 bytes; @bytes, too. */
static void write_past_caches(int8_t *dst, const int8_t *src, size_t bytes)
{
#if defined(__SSE2__)
	for (size_t i = 0; i < bytes; i += 16)
		_mm_stream_si128((__m128i *)(dst + i), _mm_load_si128((const __m128i *)(src + i)));
#else
	memcpy(dst, src, bytes);
#endif
}

static void stream_line(const struct npu_interleave *il, uint32_t k, uint32_t bytes, int8_t *dst)
{
	_Alignas(64) int8_t line[LINE * NPU_INTERLEAVE_LANES];

	for (uint32_t row = 0; row < il->rows; row++)
		__builtin_prefetch(il->src + row * il->stride + k + AHEAD);
	move_line(il, k, bytes, line);
	write_past_caches(dst, line, (size_t)bytes * il->lanes);
}

void npu_interleave(const struct npu_interleave *il, int8_t *dst)
{
	const uint32_t whole = il->k - il->k % il->depth;
	uint32_t bytes, k = 0;

	if (il->depth == LINE && !il->flip) {
		move_lines(il, whole, dst);
		k = whole;
	}
	for (; k < whole; k += bytes) {
		bytes = whole - k < LINE ? whole - k : LINE;
		if (il->stream)
			stream_line(il, k, bytes, dst + (size_t)k * il->lanes);
		else
			move_line(il, k, bytes, dst + (size_t)k * il->lanes);
	}
#if defined(__SSE2__)
	/* Other threads may be told of the result by a plain store. */
	if (il->stream)
		_mm_sfence();
#endif
	if (il->rows < il->lanes)
		fill_lanes(il, whole / il->depth, dst);
	if (whole < il->k)
		move_rest(il, whole, dst + (size_t)whole * il->lanes);
}
