// SPDX-License-Identifier: MIT
/*
 * Outliers: a layer whose inputs have a few channels that are far larger than the others, as those
 * of large language models have.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <npu_tune.h>

#include "../expect.h"
#include "tune_rig.h"

#define M 64
#define N 96

static float *outlier_inputs(struct rng *rng, uint32_t k)
{
	const uint32_t outlier[] = { 3, k / 5, k / 2 + 1, k - 2 };
	float *x = rng_matrix(rng, M, k);

	for (uint32_t i = 0; i < 4; i++)
		for (uint32_t m = 0; m < M; m++)
			x[m * k + outlier[i]] *= (float)rng_range(rng, 50, 100);
	return x;
}

static float *copy(const float *x, size_t count)
{
	return memcpy(malloc(count * sizeof(*x)), x, count * sizeof(*x));
}

/* Rounds to int8 with the scale of the largest element, which it returns. */
static double quantize(const float *x, size_t count, int8_t *q)
{
	double max = 0;

	for (size_t i = 0; i < count; i++)
		max = fmax(max, fabs((double)x[i]));
	for (size_t i = 0; i < count; i++)
		q[i] = (int8_t)rint((double)x[i] / (max / 127));
	return max / 127;
}

/* Output of int8 inputs with one scale and int8 weights with one a channel. */
static double *quantized_output(const float *x, const float *w, uint32_t k)
{
	int8_t *xq = malloc((size_t)M * k), *wq = malloc(k);
	double *y = calloc(M * N, sizeof(*y));
	const double x_scale = quantize(x, (size_t)M * k, xq);

	for (uint32_t n = 0; n < N; n++) {
		const double w_scale = quantize(w + (size_t)n * k, k, wq);

		for (uint32_t m = 0; m < M; m++) {
			int32_t sum = 0;

			for (uint32_t j = 0; j < k; j++)
				sum += xq[m * k + j] * wq[j];
			y[m * N + n] = x_scale * w_scale * sum;
		}
	}
	free(xq);
	free(wq);
	return y;
}

/* Relative error, by Frobenius norm, of the quantized output, which is to be @exact. */
static double w8a8_error(const float *x, const float *w, uint32_t k, const double *exact)
{
	double *y = quantized_output(x, w, k);
	double error = squared_distance(y, exact, M * N) / squared_distance(exact, NULL, M * N);

	free(y);
	return sqrt(error);
}

static void expect_same_output(const float *x, const float *w, uint32_t k, const double *exact)
{
	double *y = product(x, w, M, k, N);

	assert_true(sqrt(squared_distance(y, exact, M * N) / squared_distance(exact, NULL, M * N)) <
		    1e-5);
	free(y);
}

static void rotation_spreads_outliers(void **state)
{
	const uint32_t sizes[] = { 512, 784, 640, 1000 };
	struct rng rng = { 60 };

	(void)state;
	for (int i = 0; i < 4; i++) {
		const uint32_t k = sizes[i];
		float *x = outlier_inputs(&rng, k), *w = rng_matrix(&rng, N, k);
		double *exact = product(x, w, M, k, N);
		double plain = w8a8_error(x, w, k, exact), rotated;

		expect_ok(npu_rotate(x, M, k, 77, &err));
		expect_ok(npu_rotate(w, N, k, 77, &err));
		expect_same_output(x, w, k, exact);
		rotated = w8a8_error(x, w, k, exact);
		assert_true(rotated * 5 < plain);
		free(exact);
		free(x);
		free(w);
	}
}

static void migration_moves_outliers_to_weights(void **state)
{
	const uint32_t k = 512;
	struct rng rng = { 61 };
	float *x = outlier_inputs(&rng, k), *w = rng_matrix(&rng, N, k);
	double *exact = product(x, w, M, k, N);
	double plain = w8a8_error(x, w, k, exact);
	float x_max[512] = { 0 }, w_max[512] = { 0 }, s[512];

	(void)state;
	/* In two batches. */
	expect_ok(npu_column_max(x, 20, k, x_max, &err));
	expect_ok(npu_column_max(x + 20 * k, M - 20, k, x_max, &err));
	expect_ok(npu_column_max(w, N, k, w_max, &err));
	expect_ok(npu_smooth_factors(x_max, w_max, k, 0.5f, s, &err));
	expect_ok(npu_scale_columns(x, M, k, s, true, &err));
	expect_ok(npu_scale_columns(w, N, k, s, false, &err));
	expect_same_output(x, w, k, exact);
	assert_true(w8a8_error(x, w, k, exact) * 5 < plain);
	free(exact);
	free(x);
	free(w);
}

/* relu(z v^T + bias) as inputs of the layer. */
static float *hidden(const float *z, const float *v, const float *bias, uint32_t k)
{
	double *sum = product(z, v, M, 16, k);
	float *x = malloc((size_t)M * k * sizeof(*x));

	for (uint32_t i = 0; i < M * k; i++)
		x[i] = (float)fmax(0, sum[i] + (double)bias[i % k]);
	free(sum);
	return x;
}

static void the_layer_before_takes_the_factors(void **state)
{
	const uint32_t k = 40;
	struct rng rng = { 62 };
	float *z = rng_matrix(&rng, M, 16), *v = rng_matrix(&rng, k, 16);
	float *bias = rng_matrix(&rng, k, 1), *w = rng_matrix(&rng, N, k),
	      *x = hidden(z, v, bias, k);
	double *exact = product(x, w, M, k, N);
	float s[40];

	(void)state;
	for (uint32_t i = 0; i < k; i++)
		s[i] = 0.1f + (float)i;
	free(x);
	expect_ok(npu_scale_rows(v, k, 16, s, true, &err));
	expect_ok(npu_scale_rows(bias, k, 1, s, true, &err));
	expect_ok(npu_scale_columns(w, N, k, s, false, &err));
	x = hidden(z, v, bias, k);
	expect_same_output(x, w, k, exact);
	free(exact);
	free(x);
	free(z);
	free(v);
	free(bias);
	free(w);
}

static void factors_are_the_formula(void **state)
{
	const float x_max[] = { 4, 100, 0, 5, 3e38f, 1e-38f },
		    w_max[] = { 1, 4, 7, 0, 1e-38f, 3e38f };
	const float expected[] = { 2, 5, 1, 1, NPU_SMOOTH_MAX, 1 / NPU_SMOOTH_MAX };
	float s[6];

	(void)state;
	expect_ok(npu_smooth_factors(x_max, w_max, 6, 0.5f, s, &err));
	for (int i = 0; i < 6; i++)
		assert_true(fabsf(s[i] / expected[i] - 1) < 1e-6f);
	expect_ok(npu_smooth_factors(x_max, w_max, 2, 1, s, &err));
	assert_true(s[0] == 4 && s[1] == 100);
	expect_ok(npu_smooth_factors(x_max, w_max, 2, 0, s, &err));
	assert_true(s[0] == 1 && s[1] == 0.25f);
}

/* Row i of the transform has the signs of row i of the Walsh-Hadamard matrix, or all the other. */
static void transform_is_that_of_walsh_and_hadamard(void **state)
{
	const uint32_t k = 64;
	int negative = 0;

	(void)state;
	for (uint32_t i = 0; i < k; i++) {
		float x[64] = { 0 };

		x[i] = 1;
		expect_ok(npu_rotate(x, 1, k, 5, &err));
		negative += x[0] < 0;
		for (uint32_t j = 0; j < k; j++) {
			float sign = __builtin_popcount(i & j) & 1 ? -1 : 1;

			assert_true(fabsf(x[j] * sign / x[0] - 1) < 1e-6f);
			assert_true(fabsf(fabsf(x[j]) - 0.125f) < 1e-6f);
		}
	}
	assert_in_range(negative, 16, 48);
}

static void rotation_is_orthogonal_and_undone(void **state)
{
	const uint32_t sizes[] = { 1, 2, 3, 12, 64, 100, 784 };
	struct rng rng = { 63 };

	(void)state;
	for (int i = 0; i < 7; i++) {
		const uint32_t k = sizes[i];
		float *x = rng_matrix(&rng, 8, k), *y = copy(x, 8 * k), *other = copy(x, 8 * k);
		double *before = product(x, x, 8, k, 8), *after;

		expect_ok(npu_rotate(y, 8, k, 9, &err));
		after = product(y, y, 8, k, 8);
		assert_true(squared_distance(before, after, 64) <
			    1e-10 * squared_distance(before, NULL, 64));
		expect_ok(npu_rotate(other, 8, k, 10, &err));
		assert_true(k < 12 || memcmp(y, other, 8 * k * sizeof(*y)));
		expect_ok(npu_unrotate(y, 8, k, 9, &err));
		for (uint32_t j = 0; j < 8 * k; j++)
			assert_true(fabsf(y[j] - x[j]) < 1e-5f);
		free(before);
		free(after);
		free(other);
		free(x);
		free(y);
	}
}

/* Wherever an outlier is, none of what becomes of it is large. */
static void every_channel_is_spread(void **state)
{
	const uint32_t k = 784;

	(void)state;
	for (uint32_t i = 0; i < k; i++) {
		float x[784] = { 0 };

		x[i] = 1;
		expect_ok(npu_rotate(x, 1, k, 123, &err));
		for (uint32_t j = 0; j < k; j++)
			assert_true(fabsf(x[j]) < 0.2f);
	}
}

#define refused(call, word) expect_error(call, -EINVAL, word)

static void bad_input_is_named(void **state)
{
	float x[] = { 1, 2, 3, NAN }, good[] = { 1, 2, 3, 4 }, s[2] = { 1, 0 }, out[2] = { 0 };

	(void)state;
	refused(npu_column_max(x, 2, 2, out, &err), "row 1, column 1 is nan");
	assert_true(out[0] == 0 && out[1] == 0);
	refused(npu_smooth_factors(good, x + 2, 2, 0.5f, out, &err), "w_max[1] is nan");
	refused(npu_smooth_factors(good, good, 2, 1.5f, out, &err), "alpha is 1.5");
	refused(npu_smooth_factors(good, good, 0, 0.5f, out, &err), "0 channels");
	refused(npu_scale_columns(good, 2, 2, s, true, &err), "scale 1 is 0");
	refused(npu_scale_rows(good, 2, 2, s, true, &err), "scale 1 is 0");
	refused(npu_scale_rows(x, 2, 2, s, true, &err), "row 1, column 1");
	refused(npu_rotate(x, 2, 2, 0, &err), "row 1, column 1");
	refused(npu_unrotate(x, 0, 2, 0, &err), "0 x 2");
	assert_true(good[0] == 1 && good[1] == 2 && good[2] == 3 && good[3] == 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rotation_spreads_outliers),
		cmocka_unit_test(migration_moves_outliers_to_weights),
		cmocka_unit_test(the_layer_before_takes_the_factors),
		cmocka_unit_test(factors_are_the_formula),
		cmocka_unit_test(transform_is_that_of_walsh_and_hadamard),
		cmocka_unit_test(rotation_is_orthogonal_and_undone),
		cmocka_unit_test(every_channel_is_spread),
		cmocka_unit_test(bad_input_is_named),
	};

	return cmocka_run_group_tests_name("outliers", tests, NULL, NULL);
}
