// SPDX-License-Identifier: MIT
/*
 * Where values lie in the range that is quantized: bins against a search along their edges, and
 * what is clipped against what the quantizer does.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <npu_eval.h>

#include "../expect.h"
#include "tune_rig.h"

#define COUNT(x) (sizeof(x) / sizeof((x)[0]))

enum {
	VALUES = 1000
};

static const struct npu_clipping no_clipping = { .size = sizeof(no_clipping) };

/* Which bin by a search along their edges, in long double. */
static unsigned int bin_of(long double place)
{
	unsigned int bin = 0;

	while (place >= (long double)npu_clipping_edge(bin + 1))
		bin++;
	return bin;
}

static void edges_of_bins(void **state)
{
	static const double beyond[] = { 1.0 / 32, 1.0 / 16, 1.0 / 8, 1.0 / 4, 1.0 / 2, 1, 2 };

	(void)state;
	for (unsigned int i = 0; i <= NPU_CLIPPING_INSIDE; i++)
		assert_true(npu_clipping_edge(8 + i) == i / 32.0);
	for (unsigned int i = 0; i < COUNT(beyond); i++) {
		assert_true(npu_clipping_edge(41 + i) == 1 + beyond[i]);
		assert_true(npu_clipping_edge(7 - i) == -beyond[i]);
	}
	assert_true(npu_clipping_edge(0) == -INFINITY);
	assert_true(npu_clipping_edge(NPU_CLIPPING_BINS) == INFINITY);
	assert_true(isnan(npu_clipping_edge(NPU_CLIPPING_BINS + 1)));
}

static const struct range {
	struct npu_quant_scheme scheme;
	float scale;
	int32_t zero_point;
	long double low, high; /* integers, by hand */
} ranges[] = {
	{ { sizeof(struct npu_quant_scheme), 8, false, false, 0, 0 }, 0.02f, 0, -127, 127 },
	{ { sizeof(struct npu_quant_scheme), 8, true, true, 0, 0 }, 0.02f, 100, 0, 255 },
	{ { sizeof(struct npu_quant_scheme), 2, false, true, 0, 0 }, 1.1f, -2, -2, 1 },
	{ { sizeof(struct npu_quant_scheme), 16, false, false, 0, 0 }, 1e-4f, 0, -32767, 32767 },
};

static void clipping_of_values(void **state)
{
	struct rng rng = { 9 };

	(void)state;
	for (size_t r = 0; r < COUNT(ranges); r++) {
		const struct range *range = &ranges[r];
		struct npu_clipping got = no_clipping, rest = no_clipping, want = no_clipping;
		float x[VALUES];

		for (size_t i = 0; i < VALUES; i++) {
			long double steps, place;

			/* Most inside, some far out. */
			x[i] = (float)(2 * rng_normal(&rng) * (i % 8 ? 1 : 8));
			steps = (long double)x[i] / range->scale + range->zero_point;
			place = (steps - range->low + 0.5L) / (range->high - range->low + 1);
			want.count++;
			want.below += place < 0;
			want.above += place > 1;
			want.bins[bin_of(place)]++;
		}
		/* In two parts, of which one goes in by way of a merge. */
		expect_ok(npu_clipping_add(&got, &range->scheme, range->scale, range->zero_point, x,
					   VALUES / 2, &err));
		expect_ok(npu_clipping_add(&rest, &range->scheme, range->scale, range->zero_point,
					   x + VALUES / 2, VALUES / 2, &err));
		expect_ok(npu_clipping_merge(&got, &rest, &err));
		assert_true(want.below > 0 && want.above > 0);
		assert_memory_equal(&got, &want, sizeof(got));
	}
}

/* Whether a value is clipped is what the quantizer does with it, at ties as well. */
static void clipped_is_what_the_quantizer_clips(void **state)
{
	static const struct {
		float x;
		int below, above;
		unsigned int bin;
	} cases[] = {
		/* -2 to 1, zero point 0: half a step beyond goes to the even one. */
		{ -2.5f, 0, 0, 8 },
		{ -2.50001f, 1, 0, 7 },
		{ 1.5f, 0, 1, 40 },
		{ 1.49999f, 0, 0, 39 },
		{ 0, 0, 0, 28 },
		{ FLT_MAX, 0, 1, 47 },
		{ -FLT_MAX, 1, 0, 0 },
		{ 5.4999f, 0, 1, 45 },
		{ 5.5f, 0, 1, 46 },
		{ -2.5f - 8, 1, 0, 0 },
		{ -2.5f - 7.999f, 1, 0, 1 },
		{ 1.5f + 0.124f, 0, 1, 40 },
		{ 1.5f + 0.125f, 0, 1, 41 },
	};
	struct npu_quant_scheme scheme = { .size = sizeof(scheme), .bits = 2, .asymmetric = true };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct npu_clipping got = no_clipping;

		expect_ok(npu_clipping_add(&got, &scheme, 1, 0, &cases[i].x, 1, &err));
		if (got.below != (uint64_t)cases[i].below ||
		    got.above != (uint64_t)cases[i].above || got.bins[cases[i].bin] != 1)
			fail_msg("%g is taken for another one", (double)cases[i].x);
	}
}

/* 2.5 is rounded to 2, and is the highest, 3, with the zero point. */
static void a_tie_that_is_rounded_into_the_range(void **state)
{
	struct npu_quant_scheme scheme = {
		.size = sizeof(scheme), .bits = 2, .is_unsigned = true, .asymmetric = true
	};
	struct npu_clipping got = no_clipping;
	const float tie = 2.5f;

	(void)state;
	expect_ok(npu_clipping_add(&got, &scheme, 1, 1, &tie, 1, &err));
	assert_int_equal(got.above, 0);
	assert_int_equal(got.bins[39], 1);
}

static void a_quotient_beyond_all_floats(void **state)
{
	struct npu_quant_scheme scheme = { .size = sizeof(scheme), .bits = 8 };
	struct npu_clipping got = no_clipping;
	const float x[] = { -1, 1 };

	(void)state;
	expect_ok(npu_clipping_add(&got, &scheme, 0x1p-149f, 0, x, 2, &err));
	assert_int_equal(got.bins[0], 1);
	assert_int_equal(got.bins[NPU_CLIPPING_BINS - 1], 1);
}

static void clippings_refused(void **state)
{
	struct npu_quant_scheme scheme = { .size = sizeof(scheme), .bits = 8 };
	struct npu_clipping got = no_clipping, other = { .size = 1 };
	const float x[] = { 1, INFINITY };

	(void)state;
	expect_error(npu_clipping_add(&got, &scheme, 1, 0, x, 2, &err), -EINVAL,
		     "npu_clipping_add: x: element 1 is inf");
	expect_error(npu_clipping_add(&got, &scheme, 0, 0, x, 1, &err), -EINVAL, "scale is 0");
	expect_error(npu_clipping_add(&got, &scheme, NAN, 0, x, 1, &err), -EINVAL, "scale is nan");
	expect_error(npu_clipping_add(&got, &scheme, 1, 128, x, 1, &err), -EINVAL,
		     "zero_point is 128, not in -127 to 127");
	expect_error(npu_clipping_add(&got, NULL, 1, 0, x, 1, &err), -EINVAL, "scheme");
	expect_error(npu_clipping_add(&got, &scheme, 1, 0, NULL, 1, &err), -EINVAL, "no x given");
	expect_error(npu_clipping_add(&other, &scheme, 1, 0, x, 1, &err), -EINVAL, "size");
	expect_error(npu_clipping_merge(&got, NULL, &err), -EINVAL, "npu_clipping");
	assert_memory_equal(&got, &no_clipping, sizeof(got));
	expect_ok(npu_clipping_add(&got, &scheme, 1, 0, NULL, 0, &err));
	assert_int_equal(got.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_of_bins),
		cmocka_unit_test(clipping_of_values),
		cmocka_unit_test(clipped_is_what_the_quantizer_clips),
		cmocka_unit_test(a_tie_that_is_rounded_into_the_range),
		cmocka_unit_test(a_quotient_beyond_all_floats),
		cmocka_unit_test(clippings_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
