// SPDX-License-Identifier: MIT
/*
 * The same with AVX-512, as compilers do not find it: saturating packs make bytes of four vectors,
 * a remainder is one instruction, and what belongs to 64 channels stays in registers for all rows.
 */
#include <immintrin.h>
#include <stdlib.h>

#include "fixed16_ways.h"

#define VECS 4		 /* of binary32, for one of bytes */
#define COLS (VECS * 16) /* channels in a vector of bytes */

/**
 * struct shape - how the arithmetic is done: constants where this is inlined
 * @with_bias: There is a bias.
 * @is_exact: Nothing is rounded on the way.
 * @is_plain: Results are int8 without zero point or other limits, which packing does by itself. If
 *	@is_exact none exceeds an int32 before.
 */
struct shape {
	bool with_bias;
	bool is_exact;
	bool is_plain;
};

/**
 * struct channels - what belongs to some channels
 * @first, @count: Which, at most COLS.
 * @scale: Multipliers times the power of two.
 * @half: 1/2 with their sign.
 * @zero_point, @low, @high: What is the same for all, in a place that no result can overwrite.
 */
struct channels {
	uint32_t first, count;
	__m512 scale[VECS];
	__m512 half[VECS];
	__m512i bias[VECS];
	__m512i zero_point, low, high; /* of 16 bits */
};

/* Of the @i-th vector, the lanes that are among the first @count. */
static inline __mmask16 lanes(uint32_t count, uint32_t i)
{
	return (__mmask16)(_cvtu64_mask64(UINT64_MAX >> (COLS - count)) >> 16 * i);
}

static inline __m512 with_sign_of(__m512 sign, __m512 x)
{
	/* (sign & mask) ^ x */
	return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(sign),
							     _mm512_castps_si512(x),
							     _mm512_set1_epi32(INT32_MIN), 0x6c));
}

static inline __m512i of_16_bits(int32_t x)
{
	return _mm512_set1_epi16((int16_t)x);
}

static inline void load_channels(const struct npu_fixed16 *f, struct channels *c)
{
	const __m512 power = _mm512_set1_ps((float)(1.0 / (double)(UINT64_C(1) << f->shift)));

	c->zero_point = of_16_bits(f->zero_point);
	c->low = of_16_bits(f->low);
	c->high = of_16_bits(f->high);
	for (uint32_t i = 0; i < VECS; i++) {
		const __mmask16 mask = lanes(c->count, i);
		const uint32_t at = c->first + 16 * i;
		const __m256i m = f->per_channel
					  ? _mm256_maskz_loadu_epi16(mask, f->multiplier + at)
					  : _mm256_set1_epi16(*f->multiplier);

		c->scale[i] = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(m)), power);
		c->half[i] = with_sign_of(c->scale[i], _mm512_set1_ps(0.5f));
		c->bias[i] = f->bias ? _mm512_maskz_loadu_epi32(mask, f->bias + at)
				     : _mm512_setzero_si512();
	}
}

/* Lanes whose number is so near to an integer that it may belong to the one below. */
static inline __mmask16 in_doubt(__m512 x)
{
	const __m512 rest = _mm512_reduce_ps(x, _MM_FROUND_TO_NEAREST_INT);

	return _mm512_cmp_ps_mask(_mm512_abs_ps(rest), _mm512_set1_ps(NPU_FIXED16_DOUBT),
				  _CMP_LT_OQ);
}

/* Rounded results of 16 channels before their zero point, or what is as far beyond as they are. */
static inline __attribute__((always_inline)) __m512i
scale(const struct channels *c, uint32_t i, __m512i sum, const struct shape shape, __mmask16 *doubt)
{
	const __m512 beyond = _mm512_set1_ps(NPU_FIXED16_BEYOND);
	__m512 x;

	if (shape.with_bias)
		sum = _mm512_add_epi32(sum, c->bias[i]);
	x = _mm512_cvtepi32_ps(sum);
	x = _mm512_fmadd_ps(x, c->scale[i], with_sign_of(x, c->half[i]));
	/* What is too low becomes INT32_MIN by itself. */
	if (!shape.is_exact || !shape.is_plain)
		x = _mm512_min_ps(x, beyond);
	if (!shape.is_exact) {
		x = _mm512_max_ps(x, -beyond);
		*doubt |= in_doubt(x);
	}
	return _mm512_cvttps_epi32(x);
}

/* Of 32 channels, and not yet bytes. */
static inline __m512i finish(const struct channels *c, __m512i x)
{
	x = _mm512_adds_epi16(x, c->zero_point);
	x = _mm512_max_epi16(x, c->low);
	x = _mm512_min_epi16(x, c->high);
	return _mm512_and_si512(x, _mm512_set1_epi16(0xff));
}

/* Bytes of 64 channels. Packs work in each quarter of a vector by itself. */
static inline __attribute__((always_inline)) __m512i
pack(const struct channels *c, const __m512i x[VECS], const struct shape shape)
{
	const __m512i order =
		_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	const __m512i low = _mm512_packs_epi32(x[0], x[1]), high = _mm512_packs_epi32(x[2], x[3]);

	return _mm512_permutexvar_epi32(
		order, shape.is_plain ? _mm512_packs_epi16(low, high)
				      : _mm512_packus_epi16(finish(c, low), finish(c, high)));
}

static inline __attribute__((always_inline)) void scale_row(const struct npu_fixed16 *f,
							    const struct channels *c,
							    const int32_t *sum, uint8_t *dst,
							    const struct shape shape)
{
	__mmask16 doubt = 0;
	__m512i x[VECS];

#pragma GCC unroll 4
	for (uint32_t i = 0; i < VECS; i++)
		x[i] = scale(c, i, _mm512_maskz_loadu_epi32(lanes(c->count, i), sum + 16 * i),
			     shape, &doubt);
	_mm512_mask_storeu_epi8(dst, UINT64_MAX >> (COLS - c->count), pack(c, x, shape));
	if (!shape.is_exact && doubt)
		npu_fixed16_exactly(f, c->first, c->count, sum, dst);
}

static inline __attribute__((always_inline)) void scale_rows(const struct npu_fixed16 *f,
							     const struct channels *c,
							     const struct npu_fixed16_sums *sums,
							     uint8_t *dst, size_t dst_stride,
							     const struct shape shape)
{
	const size_t at = c->first - sums->first;

	for (uint32_t row = 0; row < sums->rows; row++)
		scale_row(f, c, sums->sum + row * sums->stride + at, dst + row * dst_stride + at,
			  shape);
}

static inline __attribute__((always_inline)) void
scale_shape(const struct npu_fixed16 *f, const struct channels *c,
	    const struct npu_fixed16_sums *sums, uint8_t *dst, size_t dst_stride,
	    const bool is_exact, const bool is_plain)
{
	if (f->bias)
		scale_rows(f, c, sums, dst, dst_stride, (struct shape){ true, is_exact, is_plain });
	else
		scale_rows(f, c, sums, dst, dst_stride,
			   (struct shape){ false, is_exact, is_plain });
}

/* Half of any int32 is one even with 1/2 added. */
static bool halves(const struct npu_fixed16 *f)
{
	return !f->per_channel && 2 * abs(*f->multiplier) <= 1 << f->shift;
}

static void rows(const struct npu_fixed16 *f, const struct npu_fixed16_sums *sums, void *dst,
		 size_t dst_stride)
{
	const bool is_exact = f->shift <= NPU_FIXED16_EXACT_SHIFT;
	const bool is_plain = !f->zero_point && f->low == INT8_MIN && f->high == INT8_MAX;
	struct channels c;

	for (uint32_t at = 0; at < sums->count; at += COLS) {
		c.first = sums->first + at;
		c.count = sums->count - at < COLS ? sums->count - at : COLS;
		load_channels(f, &c);
		if (is_exact && is_plain && halves(f))
			scale_shape(f, &c, sums, dst, dst_stride, true, true);
		else if (is_exact)
			scale_shape(f, &c, sums, dst, dst_stride, true, false);
		else if (is_plain)
			scale_shape(f, &c, sums, dst, dst_stride, false, true);
		else
			scale_shape(f, &c, sums, dst, dst_stride, false, false);
	}
}

static bool usable(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

const struct npu_fixed16_way npu_fixed16_avx512 = { usable, rows };
