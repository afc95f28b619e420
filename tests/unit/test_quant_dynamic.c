// SPDX-License-Identifier: MIT
/*
 * Dynamic quantization: activations of any scale, a matmul of int8, and real results.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <npu_quant.h>

#include "../expect.h"
#include "../matmul_case.h"

#define M 7
#define K 90
#define N 11

static struct npu_device *dev;
static struct npu_queue *queue;

static int open_cpu(void **state)
{
	(void)state;
	return npu_device_open("cpu", &dev, NULL) || npu_queue_create(dev, NULL, &queue, NULL);
}

static int close_cpu(void **state)
{
	(void)state;
	npu_queue_destroy(queue);
	npu_device_close(dev);
	return 0;
}

/* Exact sums from the device. */
static void multiply(const int8_t *a, const int8_t *w, int32_t *sum)
{
	const struct npu_epilogue_desc exact = { .size = sizeof(exact),
						 .n = N,
						 .scaling = NPU_SCALING_NONE };
	struct npu_matmul_desc desc = { .size = sizeof(desc) };
	struct npu_matmul *matmul;

	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, M, K, &desc.a, &err));
	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT32, M, N, &desc.c, &err));
	expect_ok(npu_epilogue_create(dev, &exact, &desc.epilogue, &err));
	expect_ok(case_weights(dev, N, K, w, &desc.weights, &err));
	expect_ok(npu_matmul_create(dev, &desc, &matmul, &err));
	expect_ok(npu_tensor_write(desc.a, 0, M, a, 0, &err));
	expect_ok(npu_queue_run(queue, &matmul, 1, &err));
	expect_ok(npu_tensor_read(desc.c, 0, M, sum, 0, &err));
	npu_matmul_destroy(matmul);
	npu_tensor_destroy(desc.a);
	npu_tensor_destroy(desc.c);
	npu_epilogue_destroy(desc.epilogue);
	npu_weights_destroy(desc.weights);
}

/**
 * struct layer - a multiplication of floats, and the same quantized
 * @a, @w, @bias: Floats.
 * @real_a, @real_w: What their integers stand for.
 */
struct layer {
	float a[M * K], w[N * K], bias[N];
	float real_a[M * K], real_w[N * K];
	int8_t q_a[M * K], q_w[N * K];
	float scale_a[M], scale_w[N];
	int32_t zero_a[M];
	int32_t sum[M * N];
	int64_t row_sum[N];
	float out[M * N];
};

/* Rows of A differ by orders of magnitude, as tokens do, and are mostly above 0. */
static void layer_init(struct layer *l, struct rng *rng)
{
	for (int i = 0; i < M * K; i++)
		l->a[i] = ldexpf((float)rng_next(rng) * 0x1p-32f - 0.2f, 3 * (i / K) - 10);
	for (int i = 0; i < N * K; i++)
		l->w[i] = (float)rng_next(rng) * 0x1p-32f - 0.5f;
	for (int i = 0; i < N; i++)
		l->bias[i] = (float)rng_next(rng) * 0x1p-32f;
}

static void layer_run(struct layer *l, enum npu_quant_granularity granularity, bool asymmetric)
{
	const struct npu_quant_scheme rows = { .size = sizeof(rows),
					       .bits = 8,
					       .granularity = NPU_QUANT_PER_ROW };
	const struct npu_quant_scheme scheme = { .size = sizeof(scheme),
						 .bits = 8,
						 .asymmetric = asymmetric,
						 .granularity = granularity };
	const struct npu_quant_finish_desc finish = {
		.size = sizeof(finish),
		.m = M,
		.n = N,
		.scale_a = l->scale_a,
		.zero_a = asymmetric ? l->zero_a : NULL,
		.scale_a_count = (uint32_t)npu_quant_scale_count(&scheme, M, K),
		.scale_w = l->scale_w,
		.scale_w_count = N,
		.row_sum = l->row_sum,
		.bias = l->bias,
	};

	expect_ok(npu_quant_matrix(&rows, l->w, N, K, l->q_w, l->scale_w, NULL, &err));
	expect_ok(npu_quant_dequantize_matrix(&rows, l->q_w, N, K, l->scale_w, NULL, l->real_w,
					      &err));
	expect_ok(npu_quant_row_sums(l->q_w, N, K, NULL, 0, l->row_sum, &err));
	expect_ok(npu_quant_matrix(&scheme, l->a, M, K, l->q_a, l->scale_a, l->zero_a, &err));
	expect_ok(npu_quant_dequantize_matrix(&scheme, l->q_a, M, K, l->scale_a, l->zero_a,
					      l->real_a, &err));
	multiply(l->q_a, l->q_w, l->sum);
	expect_ok(npu_quant_finish(&finish, l->sum, l->out, &err));
}

/* @magnitude receives the sum of what the products are without their signs. */
static double dot(const float *a, const float *w, double *magnitude)
{
	double sum = 0;

	*magnitude = 0;
	for (int k = 0; k < K; k++) {
		sum += (double)a[k] * (double)w[k];
		*magnitude += fabs((double)a[k] * (double)w[k]);
	}
	return sum;
}

/* Largest error against the multiplication of floats, by the largest result of the row. */
static double check_layer(const struct layer *l)
{
	double worst = 0;

	for (int m = 0; m < M; m++) {
		double largest = 0, error = 0;

		for (int n = 0; n < N; n++) {
			double magnitude, exact, real;

			real = dot(&l->a[m * K], &l->w[n * K], &magnitude) + l->bias[n];
			exact = dot(&l->real_a[m * K], &l->real_w[n * K], &magnitude) + l->bias[n];
			/* What the integers stand for is multiplied to the last bits. */
			assert_true(fabs(l->out[m * N + n] - exact) <=
				    2e-7 * (magnitude + fabs(l->bias[n])));
			largest = fmax(largest, fabs(real - l->bias[n]));
			error = fmax(error, fabs(l->out[m * N + n] - real));
		}
		worst = fmax(worst, error / largest);
	}
	return worst;
}

static void results_are_those_of_floats(void **state)
{
	struct rng rng = { 31 };
	struct layer l;

	(void)state;
	for (int i = 0; i < 8; i++) {
		double rows, rows_asymmetric, tensor;

		layer_init(&l, &rng);
		layer_run(&l, NPU_QUANT_PER_ROW, false);
		rows = check_layer(&l);
		layer_run(&l, NPU_QUANT_PER_ROW, true);
		rows_asymmetric = check_layer(&l);
		layer_run(&l, NPU_QUANT_PER_TENSOR, true);
		tensor = check_layer(&l);
		/* Of small rows a scale for the tensor leaves nothing. */
		assert_true(rows < 0.03 && rows_asymmetric < 0.03 && tensor > 0.5);
	}
}

static void sums_take_zero_points_off(void **state)
{
	const int8_t w[] = { 1, 2, 3, -128, -128, -128 };
	const int32_t each[] = { 1, -128 }, one = 2;
	int64_t sum[2];

	(void)state;
	expect_ok(npu_quant_row_sums(w, 2, 3, NULL, 0, sum, &err));
	assert_true(sum[0] == 6 && sum[1] == -384);
	expect_ok(npu_quant_row_sums(w, 2, 3, &one, 1, sum, &err));
	assert_true(sum[0] == 0 && sum[1] == -390);
	expect_ok(npu_quant_row_sums(w, 2, 3, each, 2, sum, &err));
	assert_true(sum[0] == 3 && sum[1] == 0);
}

#define refused(call, word) expect_error(call, -EINVAL, word)

static void bad_input_is_named(void **state)
{
	const float one[] = { 1, 1 }, bad[] = { 1, NAN };
	const int32_t sum[4] = { 0 }, zero[2] = { 0 };
	const struct npu_quant_finish_desc good = { sizeof(good), 2, 2,	   one, NULL, 2,
						    one,	  2, NULL, one };
	struct npu_quant_finish_desc d = good;
	int64_t sums[2];
	float out[4];

	(void)state;
	expect_ok(npu_quant_finish(&good, sum, out, &err));
	refused(npu_quant_finish(&good, NULL, out, &err), "no sums");
	d.zero_a = zero;
	refused(npu_quant_finish(&d, sum, out, &err), "row_sum");
	d = good;
	d.scale_a_count = 3;
	refused(npu_quant_finish(&d, sum, out, &err), "scale_a_count is 3");
	d = good;
	d.scale_w_count = 0;
	refused(npu_quant_finish(&d, sum, out, &err), "scale_w_count is 0");
	d = good;
	d.scale_a = bad;
	refused(npu_quant_finish(&d, sum, out, &err), "scale_a[1] is nan");
	d = good;
	d.scale_w = bad;
	refused(npu_quant_finish(&d, sum, out, &err), "scale_w[1] is nan");
	d = good;
	d.bias = bad;
	refused(npu_quant_finish(&d, sum, out, &err), "bias[1] is nan");
	d.size = 1;
	refused(npu_quant_finish(&d, sum, out, &err), "sizeof");
	refused(npu_quant_row_sums((const int8_t *)sum, 0, 1, NULL, 0, sums, &err), "0 x 1");
	refused(npu_quant_row_sums((const int8_t *)sum, 2, 1, zero, 3, sums, &err),
		"zero_point_count is 3");
}

/* What no zero point can be gives a wrong number, and nothing worse. */
static void absurd_zero_points_do_no_harm(void **state)
{
	const float one = 1;
	const int32_t sum = 1, zero = INT32_MAX;
	const int64_t row_sum = INT64_MAX;
	const struct npu_quant_finish_desc desc = {
		.size = sizeof(desc),
		.m = 1,
		.n = 1,
		.scale_a = &one,
		.zero_a = &zero,
		.scale_a_count = 1,
		.scale_w = &one,
		.scale_w_count = 1,
		.row_sum = &row_sum,
	};
	float out;

	(void)state;
	expect_ok(npu_quant_finish(&desc, &sum, &out, &err));
	assert_true(isfinite(out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_are_those_of_floats),
		cmocka_unit_test(sums_take_zero_points_off),
		cmocka_unit_test(bad_input_is_named),
		cmocka_unit_test(absurd_zero_points_do_no_harm),
	};

	return cmocka_run_group_tests_name("dynamic quantization", tests, open_cpu, close_cpu);
}
