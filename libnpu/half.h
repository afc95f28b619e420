/* SPDX-License-Identifier: MIT */
/*
 * binary16, without branches, so that loops over it vectorise.
 */
#ifndef LIBNPU_HALF_H
#define LIBNPU_HALF_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t npu_bits_of(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static inline float npu_float_of(uint32_t bits)
{
	float x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/** The nearest binary16, halves to even, by whichever of the ways is right for its magnitude. */
static inline uint16_t npu_float_to_half(float x)
{
	const uint32_t magnitude = npu_bits_of(x) & 0x7fffffff;
	const bool is_nan = magnitude > 0x7f800000;
	/* There is one NaN. */
	const uint32_t sign = is_nan ? 0 : npu_bits_of(x) >> 16 & 0x8000;
	/* Below the normal halves these are whole steps of 2^-24, as the numbers above 1/2 have. */
	const uint32_t small = npu_bits_of(fabsf(x) + 0.5f) - 0x3f000000;
	uint32_t half = (magnitude + 0xfff + (magnitude >> 13 & 1) - 0x38000000) >> 13;

	half = magnitude < 0x38800000 ? small : half;
	/* Halfway between the largest half and the next one there would be. */
	half = magnitude >= 0x477ff000 ? 0x7c00 : half;
	half = is_nan ? 0x7e00 : half;
	return (uint16_t)(sign | half);
}

static inline float npu_half_to_float(uint16_t x)
{
	const uint32_t magnitude = x & 0x7fff, sign = (uint32_t)(x & 0x8000) << 16;
	const uint32_t small = npu_bits_of((float)magnitude * 0x1p-24f);
	const uint32_t normal = (magnitude << 13) + 0x38000000;
	const uint32_t beyond = magnitude << 13 | 0x7f800000;

	return npu_float_of(sign | (magnitude < 0x400	 ? small
				    : magnitude < 0x7c00 ? normal
							 : beyond));
}

#endif /* LIBNPU_HALF_H */
