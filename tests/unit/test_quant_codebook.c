// SPDX-License-Identifier: MIT
/*
 * Codebooks: known ones, no worse than others, and the same on a device as on paper.
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

#define N 6
#define K 203

static float weight(struct rng *rng)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += rng_next(rng) * 0x1p-32;
	return (float)(sum / 10);
}

/* Weights, a codebook, and what it makes of them. */
struct trial {
	struct npu_codebook_desc desc;
	struct npu_codebook_sizes sizes;
	float w[N * K], back[N * K], scale[N];
	uint8_t indices[N * K];
	int8_t codebook[N * 256];
};

static void trial_run(struct trial *t)
{
	t->desc.size = sizeof(t->desc);
	t->sizes.size = sizeof(t->sizes);
	expect_ok(npu_codebook_get_sizes(&t->desc, &t->sizes, &err));
	assert_true(t->sizes.index_bytes <= sizeof(t->indices));
	expect_ok(npu_codebook_quantize(&t->desc, t->w, t->indices, t->codebook, t->scale, &err));
	expect_ok(npu_codebook_dequantize(&t->desc, t->indices, t->codebook, t->scale, t->back,
					  &err));
}

static double error_of(const struct trial *t)
{
	double sum = 0;

	for (uint32_t i = 0; i < t->desc.n * t->desc.k; i++)
		sum += pow((double)t->w[i] - t->back[i], 2);
	return sum;
}

static void clusters_that_are_there_are_found(void **state)
{
	const float centre[] = { -1.27f, -0.30f, 0.10f, 1 };
	const int8_t expected[] = { -127, -30, 10, 100 };
	struct rng rng = { 51 };
	struct trial t = { .desc = { .n = N, .k = K, .index_bits = 2 } };

	(void)state;
	for (int i = 0; i < N * K; i++)
		t.w[i] = centre[rng_range(&rng, 0, 3)];
	trial_run(&t);
	assert_memory_equal(t.codebook, expected, 4);
	for (int i = 0; i < N * K; i++)
		assert_true(fabsf(t.w[i] - t.back[i]) < 1e-6f);
}

/* Of all tables, a value that is not in it would be no better: each weight has the nearest one. */
static void weights_have_the_nearest_value(void **state)
{
	struct rng rng = { 52 };

	(void)state;
	for (uint32_t bits = 2; bits <= 8; bits++) {
		for (int form = 0; form < 4; form++) {
			struct trial t = { .desc = { .method = form & 1,
						     .n = N,
						     .k = K,
						     .index_bits = bits,
						     .per_channel = form & 2 } };

			if (t.desc.method == NPU_CODEBOOK_POWER_OF_TWO && bits > 4)
				continue;
			for (int i = 0; i < N * K; i++)
				t.w[i] = weight(&rng) * (float)(1 + i / K);
			trial_run(&t);
			for (uint32_t i = 0; i < N * K; i++) {
				uint32_t table = form & 2 ? i / K : 0;
				double least = INFINITY;

				for (uint32_t e = 0; e < t.sizes.entries; e++)
					least = fmin(
						least,
						fabs((double)t.w[i] -
						     (double)t.scale[table] *
							     t.codebook[table * t.sizes.entries +
									e]));
				assert_true(fabs((double)t.w[i] - t.back[i]) <= least + 1e-7);
			}
		}
	}
}

/* Lloyd and Max's quantizer of 16 levels leaves a normal distribution 0.0095 of its variance. */
static void kmeans_beats_uniform_steps(void **state)
{
	const struct npu_quant_scheme int4 = { .size = sizeof(int4), .bits = 4 };
	struct trial t = { .desc = { .n = N, .k = K, .index_bits = 4 } };
	struct rng rng = { 53 };
	double kmeans, uniform, variance = 0;
	int8_t q[N * K];
	float scale;

	(void)state;
	for (int i = 0; i < N * K; i++) {
		t.w[i] = weight(&rng);
		variance += (double)t.w[i] * t.w[i];
	}
	trial_run(&t);
	kmeans = error_of(&t);
	expect_ok(npu_quant_matrix(&int4, t.w, N, K, q, &scale, NULL, &err));
	expect_ok(npu_quant_dequantize_matrix(&int4, q, N, K, &scale, NULL, t.back, &err));
	uniform = error_of(&t);
	assert_true(kmeans < 0.011 * variance && kmeans < 0.7 * uniform);
}

static void powers_are_next_to_their_weights(void **state)
{
	const float w[] = { 1.0f, 0.51f, -0.26f, 0.38f, -0.37f, 0.06f, 0.07f, 0 };
	const float expected[] = { 1, 0.5f, -0.25f, 0.5f, -0.25f, 0, 0, 0 };
	const int8_t table[] = { -4, -2, -1, 0, 1, 2, 4 };
	struct trial t = {
		.desc = { .method = NPU_CODEBOOK_POWER_OF_TWO, .n = 2, .k = 4, .index_bits = 3 }
	};

	(void)state;
	memcpy(t.w, w, sizeof(w));
	trial_run(&t);
	assert_int_equal(t.sizes.entries, 7);
	assert_memory_equal(t.codebook, table, 7);
	assert_true(t.scale[0] == 0.25f);
	assert_memory_equal(t.back, expected, sizeof(expected));
}

static void sizes_are_those_of_files_and_memory(void **state)
{
	const struct npu_codebook_desc desc = {
		sizeof(desc), NPU_CODEBOOK_KMEANS, 10, 21, 3, true
	};
	struct npu_codebook_sizes sizes = { .size = sizeof(sizes) };

	(void)state;
	expect_ok(npu_codebook_get_sizes(&desc, &sizes, &err));
	assert_int_equal(sizes.entries, 8);
	assert_int_equal(sizes.tables, 10);
	assert_int_equal(sizes.index_bytes, 80);
	assert_int_equal(sizes.disk_bytes, 80 + 10 * 8 + 10 * 4);
	assert_int_equal(sizes.memory_bytes, 210);
	assert_int_equal(sizes.float_bytes, 840);
}

/* One row of A at a time picks a column of W out of the weights on the device. */
static void check_on_device(struct npu_device *dev, struct npu_queue *queue, const struct trial *t)
{
	const struct npu_epilogue_desc epilogue = { .size = sizeof(epilogue),
						    .n = N,
						    .scaling = NPU_SCALING_FLOAT,
						    .scale_count = t->sizes.tables,
						    .scale = t->scale };
	struct npu_matmul_desc desc = { .size = sizeof(desc) };
	struct npu_weights_desc weights;
	struct npu_matmul *matmul;
	static int8_t unit[K * K];
	static float got[K * N];

	for (int i = 0; i < K; i++)
		unit[i * K + i] = 1;
	expect_ok(npu_codebook_weights(&t->desc, t->indices, t->codebook, &weights, &err));
	expect_ok(npu_weights_create(dev, &weights, &desc.weights, &err));
	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, K, K, &desc.a, &err));
	expect_ok(npu_tensor_create(dev, NPU_TYPE_FLOAT32, K, N, &desc.c, &err));
	expect_ok(npu_epilogue_create(dev, &epilogue, &desc.epilogue, &err));
	expect_ok(npu_matmul_create(dev, &desc, &matmul, &err));
	expect_ok(npu_tensor_write(desc.a, 0, K, unit, 0, &err));
	expect_ok(npu_queue_run(queue, &matmul, 1, &err));
	expect_ok(npu_tensor_read(desc.c, 0, K, got, 0, &err));
	for (int k = 0; k < K; k++)
		for (int n = 0; n < N; n++)
			assert_true(got[k * N + n] == t->back[n * K + k]);
	npu_matmul_destroy(matmul);
	npu_tensor_destroy(desc.a);
	npu_tensor_destroy(desc.c);
	npu_epilogue_destroy(desc.epilogue);
	npu_weights_destroy(desc.weights);
}

static void devices_have_the_same_weights(void **state)
{
	struct rng rng = { 54 };
	struct npu_device *dev;
	struct npu_queue *queue;

	(void)state;
	expect_ok(npu_device_open("cpu", &dev, &err));
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	for (uint32_t bits = 2; bits <= 6; bits++) {
		for (int form = 0; form < 4; form++) {
			struct trial t = { .desc = { .method = form & 1,
						     .n = N,
						     .k = K,
						     .index_bits = bits,
						     .per_channel = form & 2 } };

			if (t.desc.method == NPU_CODEBOOK_POWER_OF_TWO && bits > 4)
				continue;
			for (int i = 0; i < N * K; i++)
				t.w[i] = weight(&rng);
			trial_run(&t);
			check_on_device(dev, queue, &t);
		}
	}
	npu_queue_destroy(queue);
	npu_device_close(dev);
}

static void zeros_and_extremes_have_a_codebook(void **state)
{
	const float extremes[] = { 0, FLT_MAX, -FLT_MAX, FLT_TRUE_MIN, -FLT_TRUE_MIN };

	(void)state;
	for (int method = 0; method < 2; method++) {
		for (int i = 0; i < 5; i++) {
			struct trial t = { .desc = { .method = (enum npu_codebook_method)method,
						     .n = 2,
						     .k = 9,
						     .index_bits = 4,
						     .per_channel = true } };

			t.w[12] = extremes[i];
			trial_run(&t);
			assert_true(t.scale[0] == 1 && t.back[0] == 0);
			assert_true(isfinite(t.back[12]) && t.scale[1] > 0);
			assert_true(fabs((double)t.back[12] - extremes[i]) <=
				    fabs((double)extremes[i]) * 0.51);
		}
	}
}

#define refused(call, word) expect_error(call, -EINVAL, word)

static void bad_input_is_named(void **state)
{
	const float w[] = { 1, 2, 3, INFINITY };
	const uint8_t beyond[] = { 0x00, 0x30 };
	struct npu_codebook_desc d = { sizeof(d), NPU_CODEBOOK_POWER_OF_TWO, 2, 2, 5, false };
	int8_t codebook[16] = { 0 };
	uint8_t indices[2];
	float scale = 1, back[4];

	(void)state;
	refused(npu_codebook_quantize(&d, w, indices, codebook, &scale, &err), "index_bits is 5");
	d.index_bits = 2;
	refused(npu_codebook_quantize(&d, w, indices, codebook, &scale, &err), "row 1, column 1");
	refused(npu_codebook_quantize(&d, NULL, indices, codebook, &scale, &err), "no weights");
	refused(npu_codebook_dequantize(&d, (uint8_t[]){ 0, 0xc }, codebook, &scale, back, &err),
		"row 1, column 1");
	scale = 0;
	refused(npu_codebook_dequantize(&d, beyond, codebook, &scale, back, &err), "scale 0 is 0");
	d.method = 2;
	refused(npu_codebook_quantize(&d, w, indices, codebook, &scale, &err), "method is 2");
	d.n = 0;
	refused(npu_codebook_quantize(&d, w, indices, codebook, &scale, &err), "0 x 2");
	d.size = 1;
	refused(npu_codebook_quantize(&d, w, indices, codebook, &scale, &err), "sizeof");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clusters_that_are_there_are_found),
		cmocka_unit_test(weights_have_the_nearest_value),
		cmocka_unit_test(kmeans_beats_uniform_steps),
		cmocka_unit_test(powers_are_next_to_their_weights),
		cmocka_unit_test(sizes_are_those_of_files_and_memory),
		cmocka_unit_test(devices_have_the_same_weights),
		cmocka_unit_test(zeros_and_extremes_have_a_codebook),
		cmocka_unit_test(bad_input_is_named),
	};

	return cmocka_run_group_tests_name("codebooks", tests, NULL, NULL);
}
