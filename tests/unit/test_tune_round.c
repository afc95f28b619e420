// SPDX-License-Identifier: MIT
/*
 * Error-compensating rounding: against rounding to nearest, the published algorithm written out,
 * and every rounding there is.
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

#define N 24
#define K 96
#define M 256

/* A layer with samples, and room for what becomes of its weights. */
struct layer {
	float *x, *w;
	struct npu_hessian *hessian;
	int8_t q[N * K];
	float scale[N * K];
	int32_t zero_point[N * K];
};

static void layer_init(struct layer *layer, struct rng *rng)
{
	layer->x = rng_correlated(rng, M, K, 20);
	layer->w = rng_matrix(rng, N, K);
	expect_ok(npu_hessian_create(K, &layer->hessian, &err));
	expect_ok(npu_hessian_add(layer->hessian, layer->x, M, &err));
}

static void layer_free(struct layer *layer)
{
	npu_hessian_destroy(layer->hessian);
	free(layer->x);
	free(layer->w);
}

static struct npu_round_desc layer_desc(const struct layer *layer, uint32_t bits)
{
	return (struct npu_round_desc){
		.size = sizeof(struct npu_round_desc),
		.n = N,
		.k = K,
		.w = layer->w,
		.bits = bits,
		.symmetric = true,
		.damping = 0.01,
	};
}

static void layer_round(struct layer *layer, const struct npu_round_desc *desc)
{
	expect_ok(npu_round_weights(layer->hessian, desc, layer->q, layer->scale, layer->zero_point,
				    &err));
}

/* Rounds to nearest, scales from the largest weight of each group. */
static float *nearest(const float *w, uint32_t bits, bool symmetric, uint32_t group_size)
{
	const int low = symmetric ? 1 - (1 << (bits - 1)) : -(1 << (bits - 1));
	const int high = (1 << (bits - 1)) - 1;
	float *result = malloc(N * K * sizeof(*result));

	for (uint32_t i = 0; i < N * K; i += group_size) {
		float min = 0, max = 0, scale;
		int zero = 0;

		for (uint32_t j = i; j < i + group_size; j++) {
			min = fminf(min, w[j]);
			max = fmaxf(max, w[j]);
		}
		scale = symmetric ? fmaxf(max, -min) / (float)high
				  : (max - min) / (float)(high - low);
		if (scale == 0)
			scale = 1;
		if (!symmetric)
			zero = (int)rintf((float)low - min / scale);
		for (uint32_t j = i; j < i + group_size; j++) {
			int q = (int)rintf(w[j] / scale) + zero;

			q = q < low ? low : q > high ? high : q;
			result[j] = scale * (float)(q - zero);
		}
	}
	return result;
}

/* ||X (w - wq)^T||^2, of row @row alone if that is not N. */
static double output_error(const struct layer *layer, const float *wq, uint32_t row)
{
	const uint32_t first = row < N ? row : 0, rows = row < N ? 1 : N;
	double *exact = product(layer->x, layer->w + first * K, M, K, rows);
	double *rounded = product(layer->x, wq + first * K, M, K, rows);
	double error = squared_distance(exact, rounded, (size_t)M * rows);

	free(exact);
	free(rounded);
	return error;
}

static float *layer_weights(const struct layer *layer, const struct npu_round_desc *desc)
{
	return dequantized(layer->q, layer->scale, layer->zero_point, N, K, desc->group_size);
}

/* In each row, for all widths and forms of grid; altogether far better. */
static void is_never_worse_than_nearest(void **state)
{
	struct rng rng = { 50 };
	struct layer layer;

	(void)state;
	layer_init(&layer, &rng);
	for (uint32_t form = 0; form < 7 * 8; form++) {
		struct npu_round_desc desc = layer_desc(&layer, 2 + form / 8);
		float *plain, *wq;
		double total, plain_total;

		desc.symmetric = form & 1;
		desc.group_size = form & 2 ? 32 : 0;
		desc.order = form & 4 ? NPU_ROUND_BY_ACTIVATION : NPU_ROUND_IN_ORDER;
		layer_round(&layer, &desc);
		wq = layer_weights(&layer, &desc);
		plain = nearest(layer.w, desc.bits, desc.symmetric,
				desc.group_size ? desc.group_size : K);
		for (uint32_t row = 0; row < N; row++)
			assert_true(output_error(&layer, wq, row) <=
				    output_error(&layer, plain, row) * (1 + 1e-5));
		total = output_error(&layer, wq, N);
		plain_total = output_error(&layer, plain, N);
		assert_true(total <= 0.25 * plain_total);
		free(plain);
		free(wq);
	}
	layer_free(&layer);
}

/* ---- The published algorithm ----------------------------------------------------------- */

/* Inverse by Gauss and Jordan, of a positive definite matrix. */
static void invert(double *a, double *inverse)
{
	for (uint32_t i = 0; i < K * K; i++)
		inverse[i] = i / K == i % K;
	for (uint32_t p = 0; p < K; p++) {
		double pivot = a[p * K + p];

		for (uint32_t j = 0; j < K; j++) {
			a[p * K + j] /= pivot;
			inverse[p * K + j] /= pivot;
		}
		for (uint32_t i = 0; i < K; i++) {
			double f = a[i * K + p];

			for (uint32_t j = 0; i != p && j < K; j++) {
				a[i * K + j] -= f * a[p * K + j];
				inverse[i * K + j] -= f * inverse[p * K + j];
			}
		}
	}
}

/*
 * Optimal Brain Quantization in a fixed order: with the inverse Hessian of what is free, which
 * shrinks by one column at a time.
 */
static void compensate(const struct layer *layer, double damping, uint32_t group_size, float *wq)
{
	static double h[K * K], first[K * K], inverse[K * K], mean;

	mean = 0;
	memset(h, 0, sizeof(h));
	for (uint32_t i = 0; i < K * K; i++)
		for (uint32_t m = 0; m < M; m++)
			h[i] += 2.0 * (double)layer->x[m * K + i / K] *
				(double)layer->x[m * K + i % K];
	for (uint32_t i = 0; i < K; i++)
		mean += h[i * K + i] / K;
	for (uint32_t i = 0; i < K; i++)
		h[i * K + i] += damping * mean;
	invert(h, first);

	for (uint32_t row = 0; row < N; row++) {
		double w[K], scale = 1;

		memcpy(inverse, first, sizeof(inverse));
		for (uint32_t j = 0; j < K; j++)
			w[j] = (double)layer->w[row * K + j];
		for (uint32_t p = 0; p < K; p++) {
			double q, error, pivot = inverse[p * K + p];

			if (p % group_size == 0) {
				scale = 0;
				for (uint32_t j = p; j < p + group_size; j++)
					scale = fmax(scale, fabs(w[j]) / 7);
				scale = (double)(float)scale;
			}
			q = fmax(-7, fmin(7, rint(w[p] / scale)));
			wq[row * K + p] = (float)scale * (float)q;
			error = (w[p] - scale * q) / pivot;
			for (uint32_t j = p; j < K; j++)
				w[j] -= error * inverse[p * K + j];
			for (uint32_t i = p + 1; i < K; i++)
				for (uint32_t j = p + 1; j < K; j++)
					inverse[i * K + j] -=
						inverse[i * K + p] * inverse[p * K + j] / pivot;
		}
	}
}

static void is_the_published_algorithm(void **state)
{
	struct rng rng = { 51 };
	struct layer layer;

	(void)state;
	layer_init(&layer, &rng);
	for (uint32_t group_size = 0; group_size <= 32; group_size += 32) {
		struct npu_round_desc desc = layer_desc(&layer, 4);
		float *expected = malloc(N * K * sizeof(*expected)), *got;

		desc.group_size = group_size;
		layer_round(&layer, &desc);
		got = layer_weights(&layer, &desc);
		compensate(&layer, desc.damping, group_size ? group_size : K, expected);
		for (uint32_t i = 0; i < N * K; i++)
			if (fabsf(got[i] - expected[i]) > 1e-6f)
				fail_msg("groups of %u, row %u, column %u: %g, not %g", group_size,
					 i / K, i % K, (double)got[i], (double)expected[i]);
		free(expected);
		free(got);
	}
	layer_free(&layer);
}

/* ---- The best there is ----------------------------------------------------------------- */

/* Least ||X (w - wq)^T||^2 over all 7^5 roundings of a row of 5 weights. */
static double least_error(const float *x, uint32_t samples, const float *w, float scale)
{
	double least = INFINITY;

	for (int code = 0; code < 7 * 7 * 7 * 7 * 7; code++) {
		double error = 0, e[5];

		for (int j = 0, rest = code; j < 5; j++, rest /= 7)
			e[j] = (double)w[j] - (double)scale * (rest % 7 - 3);
		for (uint32_t m = 0; m < samples; m++) {
			double sum = 0;

			for (int j = 0; j < 5; j++)
				sum += (double)x[m * 5 + j] * e[j];
			error += sum * sum;
		}
		least = fmin(least, error);
	}
	return least;
}

static void is_near_the_best_rounding(void **state)
{
	double all = 0, all_least = 0;
	struct rng rng = { 52 };
	int exact = 0;

	(void)state;
	for (int trial = 0; trial < 60; trial++) {
		float *x = rng_correlated(&rng, 16, 5, 3), *w = rng_matrix(&rng, 1, 5);
		float scale = 0.8f, scale_out;
		struct npu_round_desc desc = {
			.size = sizeof(desc),
			.n = 1,
			.k = 5,
			.w = w,
			.bits = 3,
			.symmetric = true,
			.scale = &scale,
			.order = NPU_ROUND_BY_ACTIVATION,
			.sweeps = 10,
		};
		struct npu_hessian *hessian;
		double error, least;
		int8_t q[5];

		expect_ok(npu_hessian_create(5, &hessian, &err));
		expect_ok(npu_hessian_add(hessian, x, 16, &err));
		expect_ok(npu_round_weights(hessian, &desc, q, &scale_out, NULL, &err));
		assert_true(scale_out == scale);
		expect_ok(npu_hessian_error(hessian, 1, w, q, &scale, NULL, 0, &error, &err));
		least = least_error(x, 16, w, scale);
		assert_true(error >= least * (1 - 1e-9));
		exact += error <= least * (1 + 1e-9);
		all += error;
		all_least += least;
		npu_hessian_destroy(hessian);
		free(x);
		free(w);
	}
	assert_true(exact >= 30);
	assert_true(all <= 1.25 * all_least);
}

/* Few coarse weights: compensation alone sometimes makes it worse, and is then not taken. */
static void small_rows_are_never_worse_than_nearest(void **state)
{
	struct rng rng = { 58 };

	(void)state;
	for (int trial = 0; trial < 300; trial++) {
		float *x = rng_correlated(&rng, 16, 5, 3), *w = rng_matrix(&rng, 1, 5);
		float scale = 1, scale_out;
		const struct npu_round_desc desc = {
			.size = sizeof(desc),
			.n = 1,
			.k = 5,
			.w = w,
			.bits = 2,
			.symmetric = true,
			.scale = &scale,
		};
		struct npu_hessian *hessian;
		int8_t q[5], plain[5];
		double error, most;

		for (int j = 0; j < 5; j++)
			plain[j] = (int8_t)fmaxf(-1, fminf(1, rintf(w[j])));
		expect_ok(npu_hessian_create(5, &hessian, &err));
		expect_ok(npu_hessian_add(hessian, x, 16, &err));
		expect_ok(npu_round_weights(hessian, &desc, q, &scale_out, NULL, &err));
		expect_ok(npu_hessian_error(hessian, 1, w, q, &scale, NULL, 0, &error, &err));
		expect_ok(npu_hessian_error(hessian, 1, w, plain, &scale, NULL, 0, &most, &err));
		assert_true(error <= most * (1 + 1e-12));
		npu_hessian_destroy(hessian);
		free(x);
		free(w);
	}
}

static void sweeps_and_searched_ranges_help(void **state)
{
	double error[4];
	struct rng rng = { 53 };
	struct layer layer;

	(void)state;
	layer_init(&layer, &rng);
	for (int form = 0; form < 4; form++) {
		struct npu_round_desc desc = layer_desc(&layer, 3);

		desc.sweeps = form & 1 ? 5 : 0;
		desc.range = form & 2 ? NPU_ROUND_RANGE_SEARCH : NPU_ROUND_RANGE_FULL;
		layer_round(&layer, &desc);
		expect_ok(npu_hessian_error(layer.hessian, N, layer.w, layer.q, layer.scale, NULL,
					    0, &error[form], &err));
	}
	assert_true(error[1] < 0.9 * error[0]);
	assert_true(error[2] < 0.9 * error[0]);
	assert_true(error[3] < error[1] && error[3] < error[2]);
	layer_free(&layer);
}

/* ---- Statistics ------------------------------------------------------------------------ */

static void error_is_that_of_the_output(void **state)
{
	struct rng rng = { 54 };
	double error, energy, *y;
	struct layer layer;
	struct npu_round_desc desc;
	float *wq;

	(void)state;
	layer_init(&layer, &rng);
	desc = layer_desc(&layer, 4);
	desc.symmetric = false;
	desc.group_size = 32;
	layer_round(&layer, &desc);
	wq = layer_weights(&layer, &desc);
	expect_ok(npu_hessian_error(layer.hessian, N, layer.w, layer.q, layer.scale,
				    layer.zero_point, 32, &error, &err));
	assert_true(fabs(error / output_error(&layer, wq, N) - 1) < 1e-5);

	layer.zero_point[0] = INT32_MIN;
	expect_ok(npu_hessian_error(layer.hessian, N, layer.w, layer.q, layer.scale,
				    layer.zero_point, 32, &energy, &err));
	assert_true(energy > error);

	expect_ok(npu_hessian_error(layer.hessian, N, layer.w, NULL, NULL, NULL, 0, &energy, &err));
	y = product(layer.x, layer.w, M, K, N);
	assert_true(fabs(energy / squared_distance(y, NULL, (size_t)M * N) - 1) < 1e-9);
	assert_true(error < energy / 100);
	free(y);
	free(wq);
	layer_free(&layer);
}

static void parts_merge_to_the_whole(void **state)
{
	struct npu_hessian *part[2];
	struct rng rng = { 55 };
	double error, merged;
	struct layer layer;

	(void)state;
	layer_init(&layer, &rng);
	for (int i = 0; i < 2; i++)
		expect_ok(npu_hessian_create(K, &part[i], &err));
	expect_ok(npu_hessian_add(part[0], layer.x, 101, &err));
	expect_ok(npu_hessian_add(part[1], layer.x + 101 * K, M - 101, &err));
	expect_ok(npu_hessian_merge(part[0], part[1], &err));
	assert_int_equal(npu_hessian_samples(part[0]), M);
	expect_ok(npu_hessian_error(layer.hessian, N, layer.w, NULL, NULL, NULL, 0, &error, &err));
	expect_ok(npu_hessian_error(part[0], N, layer.w, NULL, NULL, NULL, 0, &merged, &err));
	assert_true(fabs(merged / error - 1) < 1e-12);
	for (int i = 0; i < 2; i++)
		npu_hessian_destroy(part[i]);
	layer_free(&layer);
}

/* Inputs that are always 0, and a channel of zeros. */
static void dead_columns_are_rounded_to_nearest(void **state)
{
	struct rng rng = { 56 };
	struct npu_round_desc desc;
	struct layer layer;
	float *plain, *wq;

	(void)state;
	layer_init(&layer, &rng);
	npu_hessian_destroy(layer.hessian);
	for (uint32_t m = 0; m < M; m++)
		layer.x[m * K + 7] = layer.x[m * K + K - 1] = 0;
	memset(layer.w + 3 * K, 0, K * sizeof(*layer.w));
	expect_ok(npu_hessian_create(K, &layer.hessian, &err));

	/* No samples at all: nothing but dead columns. */
	desc = layer_desc(&layer, 4);
	layer_round(&layer, &desc);
	wq = layer_weights(&layer, &desc);
	plain = nearest(layer.w, 4, true, K);
	for (uint32_t i = 0; i < N * K; i++)
		assert_true(i / K == 3 ? wq[i] == 0 : wq[i] == plain[i]);
	free(wq);

	expect_ok(npu_hessian_add(layer.hessian, layer.x, M, &err));
	desc.damping = 1e-6;
	desc.sweeps = 3;
	layer_round(&layer, &desc);
	wq = layer_weights(&layer, &desc);
	for (uint32_t row = 0; row < N; row++) {
		if (row == 3)
			continue;
		assert_true(wq[row * K + 7] == plain[row * K + 7]);
		assert_true(wq[row * K + K - 1] == plain[row * K + K - 1]);
	}
	assert_true(layer.scale[3] == 1);
	free(wq);
	free(plain);
	layer_free(&layer);
}

/* ---- What is refused ------------------------------------------------------------------- */

#define refused(call, word) expect_error(call, -EINVAL, word)

static void bad_input_is_named(void **state)
{
	const float bad[] = { 1, 2, 3, NAN }, zero = 0;
	const int32_t far = 9;
	struct rng rng = { 57 };
	struct npu_hessian *small;
	struct npu_round_desc desc;
	struct layer layer;
	float *w, value;

	(void)state;
	layer_init(&layer, &rng);
	expect_ok(npu_hessian_create(2, &small, &err));
	refused(npu_hessian_create(0, &small, &err), "0 channels");
	refused(npu_hessian_add(small, bad, 2, &err), "row 1, column 1 is nan");
	refused(npu_hessian_add(small, bad, 0, &err), "0 x 2");
	refused(npu_hessian_merge(small, layer.hessian, &err), "2 channels, but 96");

#define refuse(change, word)                                                          \
	do {                                                                          \
		desc = layer_desc(&layer, 4);                                         \
		change;                                                               \
		refused(npu_round_weights(layer.hessian, &desc, layer.q, layer.scale, \
					  layer.zero_point, &err),                    \
			word);                                                        \
	} while (0)
	refuse(desc.size = 1, "size is 1");
	refuse(desc.bits = 1, "bits is 1");
	refuse(desc.bits = 9, "bits is 9");
	refuse(desc.k = 95, "k is 95");
	refuse(desc.n = 0, "0 x 96");
	refuse(desc.damping = -1, "damping is -1");
	refuse(desc.damping = NAN, "damping is");
	refuse(desc.sweeps = 101, "sweeps is 101");
	refuse(desc.order = 2, "order 2");
	refuse(desc.scale = &zero; desc.n = 1, "scale 0 is 0");
	refuse(desc.zero_point = &far, "zero_point goes with scale");
	w = layer.w;
	value = w[5 * K + 6];
	w[5 * K + 6] = INFINITY;
	refuse(, "row 5, column 6 is inf");
	w[5 * K + 6] = value;

	/* Two samples say nothing about 96 channels. */
	npu_hessian_destroy(layer.hessian);
	expect_ok(npu_hessian_create(K, &layer.hessian, &err));
	expect_ok(npu_hessian_add(layer.hessian, layer.x, 2, &err));
	desc = layer_desc(&layer, 4);
	desc.damping = 0;
	expect_error(npu_round_weights(layer.hessian, &desc, layer.q, layer.scale, NULL, &err),
		     -EDOM, "more damping");
	npu_hessian_destroy(small);
	layer_free(&layer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_never_worse_than_nearest),
		cmocka_unit_test(is_the_published_algorithm),
		cmocka_unit_test(is_near_the_best_rounding),
		cmocka_unit_test(small_rows_are_never_worse_than_nearest),
		cmocka_unit_test(sweeps_and_searched_ranges_help),
		cmocka_unit_test(error_is_that_of_the_output),
		cmocka_unit_test(parts_merge_to_the_whole),
		cmocka_unit_test(dead_columns_are_rounded_to_nearest),
		cmocka_unit_test(bad_input_is_named),
	};

	return cmocka_run_group_tests_name("rounding with compensation", tests, NULL, NULL);
}
