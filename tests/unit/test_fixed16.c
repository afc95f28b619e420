// SPDX-License-Identifier: MIT
/*
 * The fast requantization against the definition in npu_epilogue.h, at its limits: it computes in
 * binary32 or binary64, so what has to be shown is that no other rounding than the result's ever
 * shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../libnpu/backend/cpu/fixed16_ways.h"
#include "../matmul_case.h"

#define CHANNELS 70

/* Wide enough for everything, so that nothing here has to be argued about. */
typedef __int128 wide;

static wide clamp(wide x, wide low, wide high)
{
	return x < low ? low : x > high ? high : x;
}

/* x / 2^shift to nearest, halves away from zero. */
static wide divide_nearest(wide x, uint32_t shift)
{
	wide divisor = (wide)1 << shift, quotient = x / divisor, rest = x % divisor;

	if (2 * (rest < 0 ? -rest : rest) >= divisor)
		quotient += x < 0 ? -1 : 1;
	return quotient;
}

static int32_t defined(const struct npu_fixed16 *f, uint32_t channel, int32_t sum)
{
	wide t = (wide)sum + (f->bias ? f->bias[channel] : 0);

	t = divide_nearest(t * f->multiplier[f->per_channel ? channel : 0], f->shift);
	t = clamp(t, INT32_MIN, INT32_MAX);
	return clamp(t + f->zero_point, f->low, f->high);
}

static int32_t pick(struct rng *rng, const int32_t *values, uint32_t count)
{
	return values[rng_next(rng) % count];
}

/* Small as often as large, and the limits. */
static int32_t any_int32(struct rng *rng)
{
	static const int32_t limits[] = { INT32_MIN, INT32_MAX, -1, 0, 1, 1 << 30 };

	if (rng_next(rng) % 4 == 0)
		return pick(rng, limits, 6);
	return (int32_t)rng_next(rng) >> rng_range(rng, 0, 31);
}

static int16_t any_int16(struct rng *rng)
{
	static const int32_t limits[] = { INT16_MIN, INT16_MAX, -1, 0, 1, 1 << 14 };

	return rng_next(rng) & 1 ? (int16_t)pick(rng, limits, 6) : (int16_t)rng_next(rng);
}

/* Two rows: the sums, and, one further on, the same without the first of them. */
static void check_way(npu_fixed16_fn rows, const struct npu_fixed16 *f, uint32_t first,
		      uint32_t count, const int32_t *sum)
{
	const uint32_t stride = count == 1 ? 0 : 1;
	const struct npu_fixed16_sums sums = {
		.first = first,
		.count = count - stride,
		.rows = 2,
		.sum = sum,
		.stride = stride,
	};
	uint8_t result[2 * CHANNELS + 1];

	result[2 * sums.count] = 0xa5;
	rows(f, &sums, result, sums.count);
	for (uint32_t i = 0; i < 2 * sums.count; i++) {
		const uint32_t channel = first + i % sums.count;
		const int32_t x = sum[i / sums.count * stride + i % sums.count];
		int32_t got = f->low < 0 ? (int8_t)result[i] : result[i];

		if (got != defined(f, channel, x))
			fail_msg("(%d + %d) * %d >> %u is %d, not %d", x,
				 f->bias ? f->bias[channel] : 0,
				 f->multiplier[f->per_channel ? channel : 0], f->shift, got,
				 defined(f, channel, x));
	}
	assert_int_equal(result[2 * sums.count], 0xa5);
}

static void check(const struct npu_fixed16 *f, uint32_t first, uint32_t count, const int32_t *sum)
{
	npu_fixed16_fn rows;

	for (size_t way = 0; (rows = npu_fixed16_get(way)); way++)
		check_way(rows, f, first, count, sum);
}

static void any_parameters(void **state)
{
	struct rng rng = { 30 };
	int32_t bias[CHANNELS], sum[CHANNELS];
	int16_t multiplier[CHANNELS];

	(void)state;
	for (uint32_t i = 0; i < 63 * 400; i++) {
		const bool is_signed = rng_next(&rng) & 1;
		const int32_t low = is_signed ? INT8_MIN : 0;
		const uint32_t first = rng_range(&rng, 0, CHANNELS - 1);
		const uint32_t count = rng_range(&rng, 1, CHANNELS - first);
		struct npu_fixed16 f = {
			.bias = rng_next(&rng) & 1 ? bias : NULL,
			.multiplier = multiplier,
			.per_channel = rng_next(&rng) & 1,
			.shift = i % 63,
			.zero_point = low + (int32_t)rng_range(&rng, 0, 255),
			.low = low,
			.high = low + 255,
		};

		/* int8 as symmetric quantization has it goes a shorter way. */
		if (is_signed && rng_next(&rng) & 1)
			f.zero_point = 0;
		if (rng_next(&rng) % 4 == 0)
			f.low = f.zero_point;
		if (rng_next(&rng) % 4 == 0)
			f.high = (int32_t)rng_range(&rng, 0, f.high - f.low) + f.low;
		for (uint32_t c = 0; c < CHANNELS; c++) {
			bias[c] = any_int32(&rng) / 2;
			multiplier[c] = any_int16(&rng);
			sum[c] = any_int32(&rng) / 2;
		}
		check(&f, first, count, sum);
	}
}

/* Just below, at and just above each half between two results. */
static void check_halves(uint32_t shift, uint32_t multiplier_bits, int32_t low, int32_t zero_point)
{
	const int16_t multiplier = (int16_t)(1 << multiplier_bits);
	const struct npu_fixed16 f = {
		.multiplier = &multiplier,
		.shift = shift,
		.zero_point = zero_point,
		.low = low,
		.high = low + UINT8_MAX,
	};

	for (int64_t half = -513; half <= 513; half += 2)
		for (int64_t off = -1; off <= 1; off++) {
			int64_t x = half * (INT64_C(1) << (shift - multiplier_bits - 1)) + off;
			int32_t sum = x;

			if (sum == x)
				check(&f, 0, 1, &sum);
		}
}

/* For every shift that has them. */
static void halves_and_their_neighbours(void **state)
{
	(void)state;
	for (uint32_t shift = 1; shift <= 44; shift++)
		for (uint32_t bits = 0; bits <= 14 && bits < shift; bits += 7) {
			check_halves(shift, bits, 0, 0);
			check_halves(shift, bits, 0, UINT8_MAX);
			check_halves(shift, bits, INT8_MIN, 0);
		}
}

/*
 * The sums whose results are nearest to being rounded otherwise, with multipliers of all bits: a
 * binary32 product alone gets some of them wrong.
 */
static void nearest_to_halves(void **state)
{
	struct rng rng = { 31 };

	(void)state;
	for (uint32_t i = 0; i < 40000; i++) {
		const int16_t multiplier = (int16_t)rng_range(&rng, 1 << 14, INT16_MAX);
		const int32_t bias = any_int32(&rng) / 4;
		const struct npu_fixed16 f = {
			.bias = &bias,
			.multiplier = &multiplier,
			.shift = rng_range(&rng, 15, 36),
			.zero_point = rng_next(&rng) & 1 ? UINT8_MAX : 0,
			.high = UINT8_MAX,
		};
		const int64_t half = 2 * (int64_t)rng_range(&rng, 0, 511) - 511;
		const int64_t nearest = half * (INT64_C(1) << (f.shift - 1)) / multiplier;

		for (int64_t x = nearest - 1; x <= nearest + 1; x++) {
			const int64_t sum = x - bias;

			if (sum == (int32_t)sum)
				check(&f, 0, 1, &(int32_t){ (int32_t)sum });
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_parameters),
		cmocka_unit_test(halves_and_their_neighbours),
		cmocka_unit_test(nearest_to_halves),
	};

	return cmocka_run_group_tests_name("fast requantization", tests, NULL, NULL);
}
