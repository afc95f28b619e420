/* SPDX-License-Identifier: MIT */
/*
 * Sums of many int8, which compilers make by widening each of them.
 */
#ifndef LIBNPU_SUM_H
#define LIBNPU_SUM_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__SSE2__)

/* Sums of eight unsigned bytes are one instruction; a signed byte is one of 128 more. */
static inline int64_t npu_sum_blocks(const int8_t *a, uint32_t count)
{
	const __m128i flip = _mm_set1_epi8((char)0x80), zero = _mm_setzero_si128();
	__m128i sum = zero;
	int64_t halves[2];

	for (uint32_t i = 0; i < count; i += sizeof(sum)) {
		const __m128i x = _mm_loadu_si128((const __m128i *)(a + i));

		sum = _mm_add_epi64(sum, _mm_sad_epu8(_mm_xor_si128(x, flip), zero));
	}
	memcpy(halves, &sum, sizeof(halves));
	return halves[0] + halves[1] - 128 * (int64_t)count;
}

#else

typedef int16_t npu_words __attribute__((vector_size(16)));

/* Even and odd bytes by themselves. A word takes 255 additions of up to 128. */
static inline int64_t npu_sum_blocks(const int8_t *a, uint32_t count)
{
	int64_t sum = 0;

	for (uint32_t i = 0; i < count;) {
		const uint32_t most = 255 * sizeof(npu_words);
		const uint32_t end = i + (count - i < most ? count - i : most);
		npu_words low = { 0 }, high = { 0 }, x;

		for (; i < end; i += sizeof(x)) {
			memcpy(&x, a + i, sizeof(x));
			low += (npu_words)(x << 8) >> 8;
			high += x >> 8;
		}
		for (unsigned int lane = 0; lane < sizeof(x) / sizeof(int16_t); lane++)
			sum += low[lane] + high[lane];
	}
	return sum;
}

#endif

static inline int64_t npu_sum_int8(const int8_t *a, uint32_t count)
{
	const uint32_t whole = count - count % 16;
	int64_t sum = npu_sum_blocks(a, whole);

	for (uint32_t i = whole; i < count; i++)
		sum += a[i];
	return sum;
}

#endif /* LIBNPU_SUM_H */
