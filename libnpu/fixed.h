/* SPDX-License-Identifier: MIT */
/*
 * Integer scaling of one number, as npu_epilogue.h defines it.
 */
#ifndef LIBNPU_FIXED_H
#define LIBNPU_FIXED_H

#include <stdint.h>

static inline int64_t clamp(int64_t x, int64_t low, int64_t high)
{
	return x < low ? low : x > high ? high : x;
}

static inline int32_t clamp32(int64_t x)
{
	return clamp(x, INT32_MIN, INT32_MAX);
}

static inline int64_t half_of(uint32_t shift)
{
	return (INT64_C(1) << shift) >> 1;
}

/*
 * x / 2^shift to nearest, halves away from zero or up; @half is half_of() the shift. |x| is at most
 * 2^62, so adding cannot overflow.
 */
static inline int64_t round_away(int64_t x, int64_t half, int64_t shift)
{
	const int64_t sign = -(int64_t)(x < 0);

	return ((((x ^ sign) - sign + half) >> shift) ^ sign) - sign;
}

static inline int64_t round_up(int64_t x, int64_t half, int64_t shift)
{
	return (x + half) >> shift;
}

/**
 * struct tflite - a factor of TensorFlow Lite as it is used
 * @left: What is multiplied with first, if there are two roundings.
 * @multiplier: Then with this,
 * @shift, @half: and this is the last right shift, with half of what it divides by.
 */
struct tflite {
	int64_t left;
	int64_t multiplier;
	int64_t shift, half;
};

static inline struct tflite tflite_once(int32_t m, int32_t exponent)
{
	return (struct tflite){ 1, m, 31 - exponent, half_of(31 - exponent) };
}

static inline struct tflite tflite_twice(int32_t m, int32_t exponent)
{
	const uint32_t left = exponent > 0 ? exponent : 0;
	const uint32_t right = exponent < 0 ? -exponent : 0;

	return (struct tflite){ INT64_C(1) << left, m, right, half_of(right) };
}

/* For 48-bit accumulators: the multiplier is reduced to 16 bits. */
static inline struct tflite tflite_wide(int32_t m, int32_t exponent)
{
	const int64_t reduced = m < 0x7fff0000 ? (m + (1 << 15)) >> 16 : 0x7fff;

	return (struct tflite){ 1, reduced, 15 - exponent, half_of(15 - exponent) };
}

static inline int32_t scale_once(int64_t x, struct tflite f)
{
	return clamp32(round_up(x * f.multiplier, f.half, f.shift));
}

/* The multiplier is not negative, so the upper half of twice the product always fits. */
static inline int32_t scale_twice(int64_t x, struct tflite f)
{
	x = clamp32(x * f.left) * f.multiplier;
	return (int32_t)round_away(round_up(x, INT64_C(1) << 30, 31), f.half, f.shift);
}

#endif /* LIBNPU_FIXED_H */
