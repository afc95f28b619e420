// SPDX-License-Identifier: MIT
/*
 * Quantization: the documented formulas, their error bounds, and what is refused.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../expect.h"
#include "../matmul_case.h"

static float random_float(struct rng *rng)
{
	return (float)((int32_t)rng_next(rng) / 1e9);
}

static void scale_is_the_largest_magnitude_by_127(void **state)
{
	const float x[] = { 0.5f, -12.7f, 3 }, zeros[] = { 0, -0.0f };
	float scale;

	(void)state;
	assert_int_equal(npu_quant_scale(x, 3, &scale, NULL), 0);
	assert_true(scale == 12.7f / 127);
	assert_int_equal(npu_quant_scale(zeros, 2, &scale, NULL), 0);
	assert_true(scale == 1);
}

/* However small the numbers are, the scale is above 0 and the largest fits into 127 steps. */
static void denormals_have_a_scale(void **state)
{
	(void)state;
	for (float x = FLT_MIN; x > 0; x *= 0.7f) {
		float scale;
		int8_t q;

		assert_int_equal(npu_quant_scale(&x, 1, &scale, NULL), 0);
		assert_true(scale > 0);
		assert_int_equal(npu_quant_int8(&x, 1, scale, 0, &q, NULL), 0);
		assert_true(fabsf(q * scale - x) <= scale / 2);
		if (x == nextafterf(0, 1))
			break;
	}
}

static void values_round_halves_to_even(void **state)
{
	const float x[] = { 0.5f, 1.5f, -0.5f, -1.5f, -2.5f, 126.5f, 127.5f, 1000, -1000, 0.49f };
	const int8_t expected[] = { 0, 2, 0, -2, -2, 126, 127, 127, -128, 0 };
	int8_t q[10];

	(void)state;
	assert_int_equal(npu_quant_int8(x, 10, 1, 0, q, NULL), 0);
	assert_memory_equal(q, expected, 10);
}

static void zero_point_is_added_before_the_limits(void **state)
{
	const float x[] = { 1, -200, 200, INFINITY, -INFINITY, FLT_MAX };
	const int8_t expected[] = { 11, -128, 127, 127, -128, 127 };
	int8_t q[6];

	(void)state;
	assert_int_equal(npu_quant_int8(x, 6, 1, 10, q, NULL), 0);
	assert_memory_equal(q, expected, 6);
}

static void weights_have_a_scale_a_row(void **state)
{
	const float w[] = { 127, -63.5f, 1, 0, 0, 0, -1.27f, 0.01f, 0.02f };
	const int8_t expected[] = { 127, -64, 1, 0, 0, 0, -127, 1, 2 };
	float scale[3];
	int8_t q[9];

	(void)state;
	assert_int_equal(npu_quant_weights(w, 3, 3, q, scale, NULL), 0);
	assert_memory_equal(q, expected, 9);
	assert_true(scale[0] == 1 && scale[1] == 1 && scale[2] == 1.27f / 127);
}

static void random_values_are_within_half_a_step(void **state)
{
	struct rng rng = { 20 };
	float x[1000], scale;
	int8_t q[1000];

	(void)state;
	for (int i = 0; i < 1000; i++)
		x[i] = random_float(&rng);
	assert_int_equal(npu_quant_scale(x, 1000, &scale, NULL), 0);
	assert_int_equal(npu_quant_int8(x, 1000, scale, 0, q, NULL), 0);
	for (int i = 0; i < 1000; i++) {
		assert_in_range(q[i] + 127, 0, 254);
		assert_true(fabs((double)q[i] * scale - x[i]) <= scale * 0.50001);
	}
}

static void check_factors(const float *factor, size_t count)
{
	int16_t multiplier[64], largest = 0;
	uint32_t shift;

	assert_int_equal(npu_quant_requantize(factor, count, multiplier, &shift, NULL), 0);
	assert_in_range(shift, 0, NPU_SHIFT_MAX);
	for (size_t i = 0; i < count; i++) {
		double error = fabs(ldexp(factor[i], shift) - multiplier[i]);

		assert_true(multiplier[i] >= 0 && error <= 0.5);
		largest = multiplier[i] > largest ? multiplier[i] : largest;
	}
	/* All 15 bits, unless the shift has come to its end. */
	assert_true(largest >= 16384 || shift == NPU_SHIFT_MAX);
}

static void factors_are_within_half_a_step(void **state)
{
	const float limits[] = { 32767.49f, 1, 0.5f, 0.99999f, 0.999985f, 1e-30f, FLT_MIN };
	struct rng rng = { 21 };
	float factor[64];

	(void)state;
	for (int i = 0; i < 7; i++)
		check_factors(&limits[i], 1);
	for (int i = 0; i < 2000; i++) {
		int exponent = (int)rng_range(&rng, 0, 69) - 56;

		for (int j = 0; j < 64; j++)
			factor[j] = ldexpf(fabsf(random_float(&rng)), exponent);
		check_factors(factor, 64);
	}
}

static void q31_is_what_tflite_has(void **state)
{
	static const struct {
		double factor;
		int32_t multiplier, exponent;
	} known[] = {
		{ 0, 0, 0 },
		{ 0.5, 1 << 30, 0 },
		{ 1, 1 << 30, 1 },
		{ 0.75, 3 << 29, 0 },
		{ 0.0123, 1690499128, -6 },
		{ 0x1p-32, 1 << 30, -31 },
		{ 0x0.ffp-32, 0, 0 },
		/* Rounds to 2^31, which has 32 bits. */
		{ 0x0.ffffffffp0, 1 << 30, 1 },
		{ 0x1p29, 1 << 30, 30 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		int32_t multiplier, exponent;

		expect_ok(npu_quant_requantize_q31(&known[i].factor, 1, &multiplier, &exponent,
						   &err));
		assert_int_equal(multiplier, known[i].multiplier);
		assert_int_equal(exponent, known[i].exponent);
	}
}

#define refused(call, word) expect_error(call, -EINVAL, word)

static void bad_input_is_named(void **state)
{
	const float x[] = { 1, 2, NAN, 4, INFINITY, -1 }, zero = 0, huge = 32768;
	const double wrong[] = { -1, 0x1p30, NAN };
	int32_t q31[2];
	uint32_t shift;
	float scale[3];
	int16_t m[6];
	int8_t q[6];

	(void)state;
	refused(npu_quant_scale(x, 0, scale, &err), "no elements");
	refused(npu_quant_scale(x, 4, scale, &err), "element 2");
	refused(npu_quant_scale(x + 3, 2, scale, &err), "element 1");
	refused(npu_quant_int8(x, 6, 1, 0, q, &err), "element 2 is NaN");
	refused(npu_quant_int8(x, 2, 0, 0, q, &err), "scale is 0");
	refused(npu_quant_int8(x, 2, -1, 0, q, &err), "scale is -1");
	refused(npu_quant_int8(x, 2, NAN, 0, q, &err), "scale is");
	refused(npu_quant_weights(x, 2, 2, q, scale, &err), "row 1, column 0");
	refused(npu_quant_weights(x, 0, 2, q, scale, &err), "0 x 2");
	refused(npu_quant_requantize(x, 3, m, &shift, &err), "factor 2");
	refused(npu_quant_requantize(x + 5, 1, m, &shift, &err), "factor 0 is -1");
	refused(npu_quant_requantize(&zero, 1, m, &shift, &err), "largest factor is 0");
	refused(npu_quant_requantize(&huge, 1, m, &shift, &err), "largest factor is 32768");
	refused(npu_quant_requantize_q31(wrong, 1, q31, q31 + 1, &err), "factor 0 is -1");
	refused(npu_quant_requantize_q31(wrong + 1, 1, q31, q31 + 1, &err),
		"factor 0 is 1.07374e+09");
	refused(npu_quant_requantize_q31(wrong + 2, 1, q31, q31 + 1, &err), "factor 0 is nan");
	refused(npu_quant_requantize_q31(wrong, 0, q31, q31 + 1, &err), "no factors");
}

static void results_are_written_on_success_only(void **state)
{
	const float x[] = { 1, NAN };
	float scale = 77;
	int8_t q[2] = { 77, 77 };

	(void)state;
	assert_int_equal(npu_quant_int8(x, 2, 1, 0, q, NULL), -EINVAL);
	assert_int_equal(npu_quant_weights(x, 1, 2, q, &scale, NULL), -EINVAL);
	assert_int_equal(npu_quant_scale(x, 2, &scale, NULL), -EINVAL);
	assert_true(q[0] == 77 && q[1] == 77 && scale == 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scale_is_the_largest_magnitude_by_127),
		cmocka_unit_test(denormals_have_a_scale),
		cmocka_unit_test(values_round_halves_to_even),
		cmocka_unit_test(zero_point_is_added_before_the_limits),
		cmocka_unit_test(weights_have_a_scale_a_row),
		cmocka_unit_test(random_values_are_within_half_a_step),
		cmocka_unit_test(factors_are_within_half_a_step),
		cmocka_unit_test(q31_is_what_tflite_has),
		cmocka_unit_test(bad_input_is_named),
		cmocka_unit_test(results_are_written_on_success_only),
	};

	return cmocka_run_group_tests_name("quantization", tests, NULL, NULL);
}
