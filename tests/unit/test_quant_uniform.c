// SPDX-License-Identifier: MIT
/*
 * Uniform quantization: the documented formulas, their error bounds, and what is refused.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <npu_quant.h>

#include "../expect.h"
#include "../matmul_case.h"

#define SCHEME(...)                                                   \
	{                                                             \
		.size = sizeof(struct npu_quant_scheme), __VA_ARGS__, \
	}

static const struct npu_quant_scheme int8 = SCHEME(.bits = 8);
static const struct npu_quant_scheme asym8 = SCHEME(.bits = 8, .asymmetric = true);
static const struct npu_quant_scheme rows8 = SCHEME(.bits = 8, .granularity = NPU_QUANT_PER_ROW);

static float random_float(struct rng *rng)
{
	return (float)((int32_t)rng_next(rng) / 1e9);
}

/* ---- Scales and zero points ------------------------------------------------------------ */

static void symmetric_scale_is_the_largest_magnitude_by_the_steps(void **state)
{
	const struct npu_quant_scheme int4 = SCHEME(.bits = 4), uint8 = SCHEME(8, true);
	float scale;
	int32_t zero;

	(void)state;
	expect_ok(npu_quant_params(&int8, -12.7f, 3, &scale, &zero, &err));
	assert_true(scale == 12.7f / 127 && zero == 0);
	expect_ok(npu_quant_params(&int4, -3, 6, &scale, &zero, &err));
	assert_true(scale == 6.0f / 7 && zero == 0);
	expect_ok(npu_quant_params(&uint8, -12.7f, 3, &scale, &zero, &err));
	assert_true(scale == 12.7f / 127 && zero == 128);
	expect_ok(npu_quant_params(&int8, -0.0f, 0, &scale, &zero, &err));
	assert_true(scale == 1 && zero == 0);
}

static void asymmetric_range_goes_from_end_to_end(void **state)
{
	const struct npu_quant_scheme uint8 = SCHEME(8, true, true),
				      int16 = SCHEME(16, false, true);
	float scale;
	int32_t zero;

	(void)state;
	expect_ok(npu_quant_params(&asym8, 0, 2.55f, &scale, &zero, &err));
	assert_true(scale == 2.55f / 255 && zero == -128);
	expect_ok(npu_quant_params(&asym8, -2.55f, -1, &scale, &zero, &err));
	assert_true(scale == 2.55f / 255 && zero == 127);
	expect_ok(npu_quant_params(&uint8, -1, 3, &scale, &zero, &err));
	assert_true(scale == 4.0f / 255 && zero == 64);
	expect_ok(npu_quant_params(&int16, -1, 3, &scale, &zero, &err));
	assert_true(scale == 4.0f / 65535 && zero == -16384);
	/* What has no zero in it is widened, what is all zero has a scale. */
	expect_ok(npu_quant_params(&uint8, 2, 3, &scale, &zero, &err));
	assert_true(scale == 3.0f / 255 && zero == 0);
	expect_ok(npu_quant_params(&asym8, 0, 0, &scale, &zero, &err));
	assert_true(scale == 1 && zero == 0);
	expect_ok(npu_quant_params(&asym8, -FLT_MAX, FLT_MAX, &scale, &zero, &err));
	assert_true(isfinite(scale) && zero >= -1 && zero <= 0);
}

/* However small the numbers are, the scale is above 0 and the largest fits into the steps. */
static void denormals_have_a_scale(void **state)
{
	(void)state;
	for (float x = FLT_MIN; x > 0; x *= 0.7f) {
		for (uint32_t bits = 2; bits <= 16; bits++) {
			const struct npu_quant_scheme scheme = SCHEME(.bits = bits);
			float scale, back;
			int32_t zero;
			int16_t q;

			expect_ok(npu_quant_params(&scheme, x, x, &scale, &zero, &err));
			assert_true(scale > 0);
			expect_ok(npu_quant_quantize(&scheme, &x, 1, scale, 0, &q, &err));
			expect_ok(npu_quant_dequantize(&scheme, &q, 1, scale, 0, &back, &err));
			assert_true(fabsf(back - x) <= scale / 2);
		}
		if (x == nextafterf(0, 1))
			break;
	}
}

static void the_largest_float_comes_back(void **state)
{
	const float x = FLT_MAX;

	(void)state;
	for (uint32_t bits = 2; bits <= 16; bits++) {
		const struct npu_quant_scheme scheme = SCHEME(.bits = bits);
		float scale, back;
		int32_t zero;
		int16_t q;

		expect_ok(npu_quant_params(&scheme, -x, x, &scale, &zero, &err));
		expect_ok(npu_quant_quantize(&scheme, &x, 1, scale, zero, &q, &err));
		expect_ok(npu_quant_dequantize(&scheme, &q, 1, scale, zero, &back, &err));
		assert_true(isfinite(back) && back >= x * 0.999f);
	}
}

/* ---- Elements -------------------------------------------------------------------------- */

static void values_round_halves_to_even(void **state)
{
	const float x[] = { 0.5f, 1.5f, -0.5f, -1.5f, -2.5f, 126.5f, 127.5f, 1000, -1000, 0.49f };
	const int8_t expected[] = { 0, 2, 0, -2, -2, 126, 127, 127, -127, 0 };
	int8_t q[10];

	(void)state;
	expect_ok(npu_quant_quantize(&int8, x, 10, 1, 0, q, &err));
	assert_memory_equal(q, expected, 10);
}

static void zero_point_is_added_before_the_limits(void **state)
{
	const float x[] = { 1, -200, 200, INFINITY, -INFINITY, FLT_MAX };
	const int8_t expected[] = { 11, -128, 127, 127, -128, 127 };
	int8_t q[6];

	(void)state;
	expect_ok(npu_quant_quantize(&asym8, x, 6, 1, 10, q, &err));
	assert_memory_equal(q, expected, 6);
}

/* The definition once more, in double and without a limit to the bits. */
static double reference(const struct npu_quant_scheme *s, float x, float scale, int32_t zero)
{
	double low = s->is_unsigned ? 0 : -ldexp(1, (int)s->bits - 1);
	double high = low + ldexp(1, (int)s->bits) - 1;

	return fmin(fmax(nearbyint((double)(x / scale)) + zero, low + !s->asymmetric), high);
}

static double value_at(const struct npu_quant_scheme *s, const void *q, size_t i)
{
	if (s->bits > 8)
		return s->is_unsigned ? ((const uint16_t *)q)[i] : ((const int16_t *)q)[i];
	return s->is_unsigned ? ((const uint8_t *)q)[i] : ((const int8_t *)q)[i];
}

static void check_scheme(const struct npu_quant_scheme *s, struct rng *rng)
{
	enum {
		COUNT = 300
	};
	float x[COUNT], back[COUNT], low, high, scale;
	uint16_t q[COUNT];
	int32_t zero;

	for (int i = 0; i < COUNT; i++)
		x[i] = random_float(rng) + 0.7f;
	expect_ok(npu_quant_range(x, COUNT, &low, &high, &err));
	expect_ok(npu_quant_params(s, low, high, &scale, &zero, &err));
	expect_ok(npu_quant_quantize(s, x, COUNT, scale, zero, q, &err));
	expect_ok(npu_quant_dequantize(s, q, COUNT, scale, zero, back, &err));
	for (int i = 0; i < COUNT; i++) {
		assert_true(value_at(s, q, i) == reference(s, x[i], scale, zero));
		/* A zero point that was rounded can push an end out by half a step. */
		assert_true(fabs((double)back[i] - x[i]) <=
			    (double)scale * (s->asymmetric ? 1.0 : 0.5) + ldexp(fabs(x[i]), -22));
	}
}

static void all_schemes_are_within_half_a_step(void **state)
{
	struct rng rng = { 20 };

	(void)state;
	for (uint32_t bits = 2; bits <= 16; bits++) {
		for (int form = 0; form < 4; form++) {
			const struct npu_quant_scheme scheme = SCHEME(bits, form & 1, form & 2);

			check_scheme(&scheme, &rng);
		}
	}
}

/* ---- Matrices -------------------------------------------------------------------------- */

static void rows_have_scales_of_their_own(void **state)
{
	const float w[] = { 127, -63.5f, 1, 0, 0, 0, -1.27f, 0.01f, 0.02f };
	const int8_t expected[] = { 127, -64, 1, 0, 0, 0, -127, 1, 2 };
	float scale[3];
	int8_t q[9];

	(void)state;
	expect_ok(npu_quant_matrix(&rows8, w, 3, 3, q, scale, NULL, &err));
	assert_memory_equal(q, expected, 9);
	assert_true(scale[0] == 1 && scale[1] == 1 && scale[2] == 1.27f / 127);
}

/* Each group is quantized as if there was nothing else. */
static void check_groups(const struct npu_quant_scheme *s, uint32_t rows, uint32_t cols,
			 struct rng *rng)
{
	size_t count = (size_t)rows * cols, groups = (cols + s->group_size - 1) / s->group_size;
	float *x = malloc(count * sizeof(*x)), *back = malloc(count * sizeof(*back));
	int8_t *q = malloc(count), *again = malloc(count), alone[1024];
	float *scale = malloc(rows * groups * sizeof(*scale));
	int32_t *zero = malloc(rows * groups * sizeof(*zero));

	for (size_t i = 0; i < count; i++)
		x[i] = random_float(rng) * (float)(1 + i % 7) + 0.3f;
	assert_int_equal(npu_quant_scale_count(s, rows, cols), rows * groups);
	expect_ok(npu_quant_matrix(s, x, rows, cols, q, scale, zero, &err));
	expect_ok(npu_quant_matrix_with(s, x, rows, cols, scale, zero, again, &err));
	assert_memory_equal(q, again, count);
	expect_ok(npu_quant_dequantize_matrix(s, q, rows, cols, scale, zero, back, &err));
	for (size_t i = 0; i < rows * groups; i++) {
		size_t col = i % groups * s->group_size, at = i / groups * cols + col;
		size_t length = cols - col < s->group_size ? cols - col : s->group_size;
		float low, high, its_scale;
		int32_t its_zero;

		expect_ok(npu_quant_range(x + at, length, &low, &high, &err));
		expect_ok(npu_quant_params(s, low, high, &its_scale, &its_zero, &err));
		assert_true(its_scale == scale[i] && its_zero == zero[i]);
		expect_ok(npu_quant_quantize(s, x + at, length, scale[i], zero[i], alone, &err));
		assert_memory_equal(alone, q + at, length);
		for (size_t j = 0; j < length; j++)
			assert_true(back[at + j] == scale[i] * (float)(q[at + j] - zero[i]));
	}
	free(x);
	free(back);
	free(q);
	free(again);
	free(scale);
	free(zero);
}

static void groups_have_scales_of_their_own(void **state)
{
	struct rng rng = { 22 };

	(void)state;
	for (uint32_t group = 32; group <= 128; group *= 2) {
		for (uint32_t bits = 4; bits <= 8; bits += 4) {
			const struct npu_quant_scheme scheme =
				SCHEME(bits, false, bits == 4, NPU_QUANT_PER_GROUP, group);

			check_groups(&scheme, 5, 300, &rng);
			check_groups(&scheme, 1, group, &rng);
			check_groups(&scheme, 3, 1, &rng);
		}
	}
}

static void packed_values_are_where_weights_want_them(void **state)
{
	const int8_t q[] = { -8, 7, -1, 1, 2, 3 };
	const uint8_t four[] = { 0x78, 0x0f, 0x21, 0x03 };
	const int8_t indices[] = { 1, 2, 3, 4, 5 };
	/* 001 010 011 100 101, first one lowest. */
	const uint8_t three[] = { 0xd1, 0x58 };
	uint8_t packed[4];

	(void)state;
	assert_int_equal(npu_quant_packed_bytes(2, 3, 4), 4);
	expect_ok(npu_quant_pack(q, 2, 3, 4, packed, &err));
	assert_memory_equal(packed, four, 4);
	assert_int_equal(npu_quant_packed_bytes(1, 5, 3), 2);
	expect_ok(npu_quant_pack(indices, 1, 5, 3, packed, &err));
	assert_memory_equal(packed, three, 2);
}

/* ---- Bad input ------------------------------------------------------------------------- */

#define refused(call, word) expect_error(call, -EINVAL, word)

static void bad_schemes_are_named(void **state)
{
	const struct npu_quant_scheme one = SCHEME(.bits = 1), seventeen = SCHEME(.bits = 17),
				      kind = SCHEME(.bits = 8, .granularity = 3),
				      group = SCHEME(8, false, false, NPU_QUANT_PER_GROUP, 48),
				      none = SCHEME(8, false, false, NPU_QUANT_PER_GROUP, 0),
				      size = { .bits = 8 };
	float scale;
	int32_t zero;

	(void)state;
	refused(npu_quant_params(NULL, 0, 1, &scale, &zero, &err), "no scheme");
	refused(npu_quant_params(&size, 0, 1, &scale, &zero, &err), "sizeof");
	refused(npu_quant_params(&one, 0, 1, &scale, &zero, &err), "1 bits");
	refused(npu_quant_params(&seventeen, 0, 1, &scale, &zero, &err), "17 bits");
	refused(npu_quant_params(&kind, 0, 1, &scale, &zero, &err), "granularity is 3");
	refused(npu_quant_params(&group, 0, 1, &scale, &zero, &err), "group_size is 48");
	refused(npu_quant_params(&none, 0, 1, &scale, &zero, &err), "group_size is 0");
	assert_int_equal(npu_quant_scale_count(&one, 2, 2), 0);
	assert_int_equal(npu_quant_scale_count(&int8, 0, 2), 0);
}

static void bad_input_is_named(void **state)
{
	const float x[] = { 1, 2, NAN, 4, INFINITY, -1 }, scales[] = { 1, 0 };
	const int32_t zeros[] = { 0, 128 };
	float scale[3], low, high;
	int32_t zero;
	int8_t q[6];

	(void)state;
	refused(npu_quant_range(x, 0, &low, &high, &err), "no elements");
	refused(npu_quant_range(x, 4, &low, &high, &err), "element 2 is nan");
	refused(npu_quant_range(x + 3, 2, &low, &high, &err), "element 1 is inf");
	refused(npu_quant_params(&int8, 1, 0, scale, &zero, &err), "1 to 0");
	refused(npu_quant_params(&int8, 0, INFINITY, scale, &zero, &err), "0 to inf");
	refused(npu_quant_params(&int8, NAN, 0, scale, &zero, &err), "finite");
	refused(npu_quant_quantize(&int8, x, 6, 1, 0, q, &err), "element 2 is NaN");
	refused(npu_quant_quantize(&int8, x, 2, 0, 0, q, &err), "scale is 0");
	refused(npu_quant_quantize(&int8, x, 2, -1, 0, q, &err), "scale is -1");
	refused(npu_quant_quantize(&int8, x, 2, NAN, 0, q, &err), "scale is");
	refused(npu_quant_quantize(&int8, x, 2, 1, 128, q, &err), "zero_point is 128");
	refused(npu_quant_dequantize(&int8, q, 2, 1, -129, scale, &err), "zero_point is -129");
	refused(npu_quant_matrix(&rows8, x, 2, 2, q, scale, NULL, &err), "row 1, column 0");
	refused(npu_quant_matrix(&rows8, x, 0, 2, q, scale, NULL, &err), "0 x 2");
	refused(npu_quant_matrix(&asym8, x, 1, 2, q, scale, NULL, &err), "zero points");
	refused(npu_quant_matrix_with(&rows8, x, 2, 1, scales, NULL, q, &err), "scale 1 is 0");
	refused(npu_quant_matrix_with(&rows8, x, 2, 2, x, NULL, q, &err), "row 1, column 0");
	refused(npu_quant_dequantize_matrix(&rows8, q, 2, 1, x, zeros, scale, &err),
		"zero point 1 is 128");
	refused(npu_quant_pack(q, 1, 2, 9, q, &err), "9 bits");
	refused(npu_quant_pack((int8_t[]){ 0, 16 }, 1, 2, 4, q, &err), "column 1 is 16");
	refused(npu_quant_pack((int8_t[]){ 0, -9 }, 1, 2, 4, q, &err), "column 1 is -9");
}

static void results_are_written_on_success_only(void **state)
{
	const float x[] = { 1, NAN };
	float scale = 77, high = 77;
	int8_t q[2] = { 77, 77 };

	(void)state;
	assert_int_equal(npu_quant_quantize(&int8, x, 2, 1, 0, q, NULL), -EINVAL);
	assert_int_equal(npu_quant_matrix(&rows8, x, 1, 2, q, &scale, NULL, NULL), -EINVAL);
	assert_int_equal(npu_quant_range(x, 2, &scale, &high, NULL), -EINVAL);
	assert_true(q[0] == 77 && q[1] == 77 && scale == 77 && high == 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(symmetric_scale_is_the_largest_magnitude_by_the_steps),
		cmocka_unit_test(asymmetric_range_goes_from_end_to_end),
		cmocka_unit_test(denormals_have_a_scale),
		cmocka_unit_test(the_largest_float_comes_back),
		cmocka_unit_test(values_round_halves_to_even),
		cmocka_unit_test(zero_point_is_added_before_the_limits),
		cmocka_unit_test(all_schemes_are_within_half_a_step),
		cmocka_unit_test(rows_have_scales_of_their_own),
		cmocka_unit_test(groups_have_scales_of_their_own),
		cmocka_unit_test(packed_values_are_where_weights_want_them),
		cmocka_unit_test(bad_schemes_are_named),
		cmocka_unit_test(bad_input_is_named),
		cmocka_unit_test(results_are_written_on_success_only),
	};

	return cmocka_run_group_tests_name("uniform quantization", tests, NULL, NULL);
}
