// SPDX-License-Identifier: MIT
/*
 * Fixed-point multipliers: within their bounds, for factors, and for results on a device.
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

#define CHANNELS 24

static double random_factor(struct rng *rng, int exponent)
{
	return ldexp((double)rng_next(rng) + rng_next(rng) * 0x1p-32, exponent - 32);
}

/* ---- Factors --------------------------------------------------------------------------- */

static void check_fixed16(const double *factor, size_t count)
{
	int16_t multiplier[64], largest = 0;
	uint32_t shift;

	expect_ok(npu_quant_fixed16(factor, count, multiplier, &shift, &err));
	assert_in_range(shift, 0, NPU_SHIFT_MAX);
	for (size_t i = 0; i < count; i++) {
		assert_true(multiplier[i] >= 0);
		assert_true(fabs(ldexp(factor[i], (int)shift) - multiplier[i]) <= 0.5);
		largest = multiplier[i] > largest ? multiplier[i] : largest;
	}
	/* All 15 bits, unless the shift has come to its end. */
	assert_true(largest >= 16384 || shift == NPU_SHIFT_MAX);
}

static void fixed16_is_within_half_a_step(void **state)
{
	const double limits[] = { 32767.49, 1, 0.5, 0.99999, 0.999985, 1e-30, FLT_MIN };
	struct rng rng = { 21 };
	double factor[64];

	(void)state;
	for (int i = 0; i < 7; i++)
		check_fixed16(&limits[i], 1);
	for (int i = 0; i < 2000; i++) {
		int exponent = (int)rng_range(&rng, 0, 69) - 55;

		for (int j = 0; j < 64; j++)
			factor[j] = random_factor(&rng, exponent);
		check_fixed16(factor, 64);
	}
}

static void check_tflite(double factor)
{
	int32_t multiplier, exponent;
	double is;

	expect_ok(npu_quant_tflite(&factor, 1, &multiplier, &exponent, &err));
	is = ldexp(multiplier, exponent - 31);
	assert_in_range(exponent - NPU_EXPONENT_MIN, 0, NPU_EXPONENT_MAX - NPU_EXPONENT_MIN);
	if (!multiplier) {
		assert_true(factor < 0x1p-32);
		assert_int_equal(exponent, 0);
		return;
	}
	assert_true(multiplier >= 1 << 30);
	assert_true(fabs(is - factor) <= factor * 0x1p-31);
}

static void tflite_is_within_a_part_in_2_to_the_31(void **state)
{
	const double limits[] = { 0,
				  1,
				  0.5,
				  nextafter(1, 0),
				  0x1p-32,
				  nextafter(0x1p-32, 0),
				  DBL_MIN,
				  5e-324,
				  nextafter(0x1p29, 0),
				  0x1p-31 };
	struct rng rng = { 23 };

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		check_tflite(limits[i]);
	for (int i = 0; i < 100000; i++)
		check_tflite(random_factor(&rng, (int)rng_range(&rng, 0, 65) - 35));
}

/* As the unit tests of TensorFlow Lite's QuantizeMultiplier have them. */
static void tflite_multipliers_are_the_known_ones(void **state)
{
	const double factor[] = { 0.25, 0.5, 1, 0.0123, 0x0.ffffffffp0, 0.75, 0x0.ffp-32, 0x1p29 };
	const int32_t multipliers[] = { 1 << 30, 1 << 30, 1 << 30, 1690499128,
					1 << 30, 3 << 29, 0,	   1 << 30 };
	const int32_t exponents[] = { -1, 0, 1, -6, 1, 0, 0, 30 };
	int32_t m[8], e[8];

	(void)state;
	expect_ok(npu_quant_tflite(factor, 8, m, e, &err));
	assert_memory_equal(m, multipliers, sizeof(m));
	assert_memory_equal(e, exponents, sizeof(e));
}

/* ---- Biases ---------------------------------------------------------------------------- */

static void biases_are_in_units_of_the_accumulator(void **state)
{
	const float bias[] = { 1, -1, 0.75f, 0 }, scale[] = { 0.5f, 0.25f, 1, 1e-20f };
	const int32_t expected[] = { 4, -8, 2, 0 };
	int32_t q[4];

	(void)state;
	expect_ok(npu_quant_bias(bias, 4, 0.5f, scale, 4, q, &err));
	assert_memory_equal(q, expected, sizeof(q));
	expect_ok(npu_quant_bias(bias, 2, 0.5f, scale, 1, q, &err));
	assert_true(q[0] == 4 && q[1] == -4);
	expect_error(npu_quant_bias((float[]){ 0, 1 }, 2, 1, (float[]){ 1, 1e-10f }, 2, q, &err),
		     -ERANGE, "channel 1");
	expect_error(npu_quant_bias((float[]){ 0, NAN }, 2, 1, scale, 1, q, &err), -EINVAL,
		     "bias 1");
	expect_error(npu_quant_bias(bias, 3, 1, scale, 2, q, &err), -EINVAL, "2 scales");
	expect_error(npu_quant_bias(bias, 1, 0, scale, 1, q, &err), -EINVAL, "scale_a is 0");
	expect_error(npu_quant_bias(bias, 1, 1, (float[]){ -1 }, 1, q, &err), -EINVAL,
		     "scale_w[0] is -1");
}

/* ---- Epilogues on a device ------------------------------------------------------------- */

/* One matmul of random int8, real results known. */
struct trial {
	struct matmul_case c;
	struct npu_quant_layer layer;
	float scale_w[CHANNELS];
	float bias[CHANNELS];
};

static void trial_init(struct trial *t, struct rng *rng, enum npu_scaling scaling)
{
	case_init(&t->c, rng, 9, 100, CHANNELS, 0);
	for (int i = 0; i < CHANNELS; i++) {
		t->scale_w[i] = (float)random_factor(rng, -9) + 0.0002f;
		t->bias[i] = (float)random_factor(rng, 0) - 0.5f;
	}
	t->layer = (struct npu_quant_layer){
		.size = sizeof(t->layer),
		.n = CHANNELS,
		.scale_a = 0.02f,
		.scale_w = t->scale_w,
		.scale_count = CHANNELS,
		.scale_c = 0.04f,
		.zero_c = 5,
		.bias = t->bias,
		.scaling = scaling,
	};
}

/* The result of real arithmetic in units of scale_c, neither rounded nor clamped. */
static double real_result(const struct trial *t, uint32_t m, uint32_t n)
{
	double sum = 0;

	for (uint32_t k = 0; k < t->c.k; k++)
		sum += t->c.a[m * t->c.k + k] * t->c.w[n * t->c.k + k];
	return (sum * t->layer.scale_a * t->scale_w[n] + t->bias[n]) / t->layer.scale_c +
	       t->layer.zero_c;
}

/* Half a unit for the result, half a unit of the accumulator for the bias, and the factor's part.
 */
static double bound(const struct trial *t, double real, uint32_t n)
{
	const float unit = t->layer.scale_a * t->scale_w[n] / t->layer.scale_c;
	float largest = 0;

	for (int i = 0; i < CHANNELS; i++)
		largest = fmaxf(largest, t->scale_w[i]);
	real = fabs(real - t->layer.zero_c);
	switch (t->layer.scaling) {
	case NPU_SCALING_FIXED16:
		return 0.5 + unit / 2 + real * 0x1p-15 * largest / t->scale_w[n];
	case NPU_SCALING_TFLITE:
		return 0.5 + unit / 2 + real * 0x1p-30;
	case NPU_SCALING_TFLITE_DOUBLE:
		return 1 + unit / 2 + real * 0x1p-30;
	default:
		return 0.5 + real * 0x1p-22;
	}
}

static void check_trial(struct npu_device *dev, struct npu_queue *queue, struct trial *t)
{
	void *room = malloc(npu_quant_epilogue_bytes(&t->layer));
	int8_t *got;

	expect_ok(npu_quant_epilogue(&t->layer, room, &t->c.epilogue, &err));
	got = case_run(dev, queue, &t->c);
	for (uint32_t i = 0; i < t->c.m * t->c.n; i++) {
		double real = real_result(t, i / t->c.n, i % t->c.n);
		double clamped = fmin(fmax(real, -128), 127);

		if (fabs(got[i] - clamped) > bound(t, real, i % t->c.n))
			fail_msg("scaling %d: %f became %d", (int)t->layer.scaling, real, got[i]);
	}
	free(got);
	free(room);
}

static void epilogues_give_results_within_their_bounds(void **state)
{
	struct rng rng = { 24 };
	struct npu_device *dev;
	struct npu_queue *queue;

	(void)state;
	expect_ok(npu_device_open("cpu", &dev, &err));
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	for (int i = 0; i < 40; i++) {
		struct trial t;

		trial_init(&t, &rng, (enum npu_scaling)(i % 4));
		check_trial(dev, queue, &t);
		case_free(&t.c);
	}
	npu_queue_destroy(queue);
	npu_device_close(dev);
}

static void epilogues_of_groups_have_scales_for_each(void **state)
{
	const float scale_w[] = { 1, 2, 3, 4, 5, 6 }, bias[] = { 8, -8 };
	struct npu_quant_layer layer = {
		.size = sizeof(layer),
		.n = 2,
		.groups = 3,
		.scale_a = 0.5f,
		.scale_w = scale_w,
		.scale_count = 6,
		.scale_c = 4,
		.bias = bias,
		.scaling = NPU_SCALING_FLOAT,
	};
	void *room = malloc(npu_quant_epilogue_bytes(&layer));
	struct npu_epilogue_desc desc;

	(void)state;
	expect_ok(npu_quant_epilogue(&layer, room, &desc, &err));
	assert_int_equal(desc.groups, 3);
	assert_int_equal(desc.scale_count, 6);
	for (int i = 0; i < 6; i++)
		assert_true(desc.scale[i] == scale_w[i] / 8);
	assert_true(desc.float_bias[0] == 2 && desc.float_bias[1] == -2);
	layer.scaling = NPU_SCALING_TFLITE;
	expect_error(npu_quant_epilogue(&layer, room, &desc, &err), -EINVAL, "more than one group");
	free(room);
}

#define refused(call, word) expect_error(call, -EINVAL, word)

static void bad_input_is_named(void **state)
{
	const double x[] = { 1, 2, NAN, -1, 32768, 0x1p30, 0 };
	const float scale[] = { 1, 0 };
	struct npu_quant_layer layer = { .size = sizeof(layer),
					 .n = 2,
					 .scale_a = 1,
					 .scale_w = scale,
					 .scale_count = 2,
					 .scale_c = 1 };
	struct npu_epilogue_desc desc;
	double room[16];
	uint32_t shift;
	int32_t e[3];
	int32_t q31[3];
	int16_t m[6];

	(void)state;
	refused(npu_quant_fixed16(x, 0, m, &shift, &err), "no factors");
	refused(npu_quant_fixed16(x, 3, m, &shift, &err), "factor 2");
	refused(npu_quant_fixed16(x + 3, 1, m, &shift, &err), "factor 0 is -1");
	refused(npu_quant_fixed16(x + 6, 1, m, &shift, &err), "largest factor is 0");
	refused(npu_quant_fixed16(x + 4, 1, m, &shift, &err), "largest factor is 32768");
	refused(npu_quant_tflite(x, 0, q31, e, &err), "no factors");
	refused(npu_quant_tflite(x, 3, q31, e, &err), "factor 2");
	refused(npu_quant_tflite(x + 4, 2, q31, e, &err), "factor 1");
	refused(npu_quant_epilogue(&layer, room, &desc, &err), "scale_w[1] is 0");
	layer.scale_count = 3;
	refused(npu_quant_epilogue(&layer, room, &desc, &err), "scale_count");
	assert_int_equal(npu_quant_epilogue_bytes(&layer), 0);
	layer.scale_count = 1;
	layer.scaling = NPU_SCALING_NONE;
	refused(npu_quant_epilogue(&layer, room, &desc, &err), "scaling");
	layer.scaling = NPU_SCALING_FLOAT;
	layer.scale_c = 0;
	refused(npu_quant_epilogue(&layer, room, &desc, &err), "scale_c");
	layer.n = 0;
	refused(npu_quant_epilogue(&layer, room, &desc, &err), "n is 0");
	layer.size = 3;
	refused(npu_quant_epilogue(&layer, room, &desc, &err), "sizeof");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed16_is_within_half_a_step),
		cmocka_unit_test(tflite_is_within_a_part_in_2_to_the_31),
		cmocka_unit_test(tflite_multipliers_are_the_known_ones),
		cmocka_unit_test(biases_are_in_units_of_the_accumulator),
		cmocka_unit_test(epilogues_give_results_within_their_bounds),
		cmocka_unit_test(epilogues_of_groups_have_scales_for_each),
		cmocka_unit_test(bad_input_is_named),
	};

	return cmocka_run_group_tests_name("fixed-point multipliers", tests, NULL, NULL);
}
