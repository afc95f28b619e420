// SPDX-License-Identifier: MIT
/*
 * Training for quantization: forward passes against a device, bit for bit, and gradients against
 * their formulas.
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

#define M 6
#define K 100
#define N 70
#define GROUPS 4

/* A layer, its parameters, samples and results. */
struct layer {
	struct npu_qat_desc desc;
	struct npu_qat_params params;
	struct npu_qat *qat;
	float *x, *w, *bias;
	float w_scale[N * GROUPS];
	float y[M * N];
};

static void layer_init(struct layer *layer, struct rng *rng, const struct npu_qat_desc *form)
{
	const uint32_t groups = form->group_size ? GROUPS : 1;

	layer->desc = *form;
	layer->desc.size = sizeof(layer->desc);
	layer->desc.m = M;
	layer->desc.k = K;
	layer->desc.n = N;
	layer->x = rng_matrix(rng, M, K);
	layer->w = rng_matrix(rng, N, K);
	layer->bias = rng_matrix(rng, 1, N);
	for (uint32_t i = 0; i < N * groups; i++)
		layer->w_scale[i] =
			2.5f / (float)((1 << (form->w_bits - 1)) - 1) * (0.8f + 0.002f * (float)i);
	layer->params = (struct npu_qat_params){
		.size = sizeof(layer->params),
		.w = layer->w,
		.bias = layer->bias,
		.w_scale = layer->w_scale,
		.w_scale_count = N * groups,
		.a_scale = 0.017f,
		.c_scale = 0.11f,
	};
	expect_ok(npu_qat_create(&layer->desc, &layer->qat, &err));
	expect_ok(npu_qat_forward(layer->qat, &layer->params, layer->x, M, layer->y, &err));
}

static void layer_free(struct layer *layer)
{
	npu_qat_destroy(layer->qat);
	free(layer->x);
	free(layer->w);
	free(layer->bias);
}

static const struct npu_qat_desc forms[] = {
	{ .w_bits = 8, .scaling = NPU_SCALING_FIXED16, .c_type = NPU_TYPE_INT8 },
	{ .w_bits = 4,
	  .scaling = NPU_SCALING_FIXED16,
	  .c_type = NPU_TYPE_INT8,
	  .a_zero_point = -3,
	  .c_zero_point = -128,
	  .activation = NPU_ACTIVATION_RELU },
	{ .w_bits = 2,
	  .scaling = NPU_SCALING_FLOAT,
	  .c_type = NPU_TYPE_INT8,
	  .a_zero_point = 11,
	  .c_zero_point = 5 },
	{ .w_bits = 4,
	  .scaling = NPU_SCALING_FLOAT,
	  .c_type = NPU_TYPE_FLOAT32,
	  .a_zero_point = 11,
	  .group_size = 32,
	  .activation = NPU_ACTIVATION_RELU },
	{ .w_bits = 3, .scaling = NPU_SCALING_FLOAT, .c_type = NPU_TYPE_INT8, .group_size = 32 },
};

#define FORMS (sizeof(forms) / sizeof(*forms))

/* ---- Forward --------------------------------------------------------------------------- */

/* What a device makes of the layer's inputs, weights and epilogue. */
static void run_on_device(struct npu_device *dev, const struct layer *layer, void *c)
{
	const struct npu_weights_desc packed = {
		.size = sizeof(packed),
		.n = N,
		.k = K,
		.group_size = layer->desc.group_size,
		.data = npu_qat_weights(layer->qat),
	};
	struct npu_matmul_desc desc = {
		.size = sizeof(desc),
		.a_zero_point = layer->desc.a_zero_point,
	};
	struct npu_matmul *matmul;
	struct npu_queue *queue;
	int8_t a[M * K];

	for (uint32_t i = 0; i < M * K; i++) {
		float q = rintf(layer->x[i] / layer->params.a_scale) + (float)desc.a_zero_point;

		a[i] = (int8_t)fmaxf(-128, fminf(127, q));
	}
	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, M, K, &desc.a, &err));
	expect_ok(npu_tensor_create(dev, layer->desc.c_type, M, N, &desc.c, &err));
	expect_ok(npu_weights_create(dev, &packed, &desc.weights, &err));
	expect_ok(npu_epilogue_create(dev, npu_qat_epilogue(layer->qat), &desc.epilogue, &err));
	expect_ok(npu_matmul_create(dev, &desc, &matmul, &err));
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	expect_ok(npu_tensor_write(desc.a, 0, M, a, 0, &err));
	expect_ok(npu_queue_run(queue, &matmul, 1, &err));
	expect_ok(npu_tensor_read(desc.c, 0, M, c, 0, &err));
	npu_queue_destroy(queue);
	npu_matmul_destroy(matmul);
	npu_epilogue_destroy(desc.epilogue);
	npu_weights_destroy(desc.weights);
	npu_tensor_destroy(desc.c);
	npu_tensor_destroy(desc.a);
}

static void forward_is_what_a_device_computes(void **state)
{
	struct rng rng = { 70 };
	struct npu_device *dev;

	(void)state;
	expect_ok(npu_device_open("cpu", &dev, &err));
	for (size_t f = 0; f < FORMS; f++) {
		struct layer layer;
		int8_t c[M * N];
		float y[M * N];

		layer_init(&layer, &rng, &forms[f]);
		if (layer.desc.c_type == NPU_TYPE_FLOAT32)
			run_on_device(dev, &layer, y);
		else
			run_on_device(dev, &layer, c);
		for (uint32_t i = 0; i < M * N; i++) {
			if (layer.desc.c_type != NPU_TYPE_FLOAT32)
				y[i] = layer.params.c_scale *
				       (float)(c[i] - layer.desc.c_zero_point);
			if (y[i] != layer.y[i])
				fail_msg("form %zu, element %u: %g, on a device %g", f, i,
					 (double)layer.y[i], (double)y[i]);
		}
		layer_free(&layer);
	}
	npu_device_close(dev);
}

/* ---- Backward -------------------------------------------------------------------------- */

static void near(const float *got, double expected, const char *what, uint32_t i)
{
	if (fabs((double)got[i] - expected) > 1e-4 * (1 + fabs(expected)))
		fail_msg("%s[%u] is %g, not %g", what, i, (double)got[i], expected);
}

/* The integer grid of @bits symmetric values, or of int8 inputs. */
static double level(double quotient, double zero, uint32_t bits, bool symmetric, bool *inside)
{
	const double high = (1 << (bits - 1)) - 1, low = symmetric ? -high : -high - 1;
	const double q = rint(quotient) + zero;

	*inside = q >= low && q <= high;
	return fmax(low, fmin(high, q)) - zero;
}

/* Gradients of a layer by the formulas of the header, element by element. */
static void check_gradients(const struct layer *layer, const float *dy,
			    const struct npu_qat_gradients *got)
{
	const uint32_t groups = layer->desc.group_size ? GROUPS : 1;
	const double sa = (double)layer->params.a_scale, za = layer->desc.a_zero_point;
	static double slope[N * GROUPS], members[N * GROUPS], a_slope;
	bool inside, other;

	memset(slope, 0, sizeof(slope));
	memset(members, 0, sizeof(members));
	a_slope = 0;
	for (uint32_t i = 0; i < N * K; i++) {
		const uint32_t n = i / K, k = i % K;
		const uint32_t s = n * groups + (groups > 1 ? k / 32 : 0);
		const double u = (double)(layer->w[i] / layer->w_scale[s]);
		const double q = level(u, 0, layer->desc.w_bits, true, &inside);
		double sum = 0;

		for (uint32_t m = 0; m < M; m++)
			sum += (double)dy[m * N + n] * sa *
			       level((double)(layer->x[m * K + k] / layer->params.a_scale), za, 8,
				     false, &other);
		near(got->w, inside ? sum : 0, "w", i);
		slope[s] += sum * (q - (inside ? u : 0));
		members[s]++;
	}
	for (uint32_t s = 0; s < N * groups; s++)
		near(got->w_scale,
		     slope[s] / sqrt(members[s] * ((1 << (layer->desc.w_bits - 1)) - 1)), "w_scale",
		     s);
	for (uint32_t i = 0; i < M * K; i++) {
		const uint32_t m = i / K, k = i % K;
		const double u = (double)(layer->x[i] / layer->params.a_scale);
		const double q = level(u, za, 8, false, &inside);
		double sum = 0;

		for (uint32_t n = 0; n < N; n++) {
			const float ws = layer->w_scale[n * groups + (groups > 1 ? k / 32 : 0)];

			sum += (double)dy[m * N + n] * (double)ws *
			       level((double)(layer->w[n * K + k] / ws), 0, layer->desc.w_bits,
				     true, &other);
		}
		near(got->x, inside ? sum : 0, "x", i);
		a_slope += sum * (q - (inside ? u : 0));
	}
	near(got->a_scale, a_slope / sqrt(M * K * 127.0), "a_scale", 0);
}

/* Real arithmetic of the layer's own integers, in steps of the result. */
static double real_result(const struct layer *layer, uint32_t m, uint32_t n)
{
	const uint32_t groups = layer->desc.group_size ? GROUPS : 1;
	double sum = (double)layer->bias[n];
	bool unused;

	for (uint32_t k = 0; k < K; k++) {
		const float ws = layer->w_scale[n * groups + (groups > 1 ? k / 32 : 0)];

		sum += (double)layer->params.a_scale * (double)ws *
		       level((double)(layer->x[m * K + k] / layer->params.a_scale),
			     layer->desc.a_zero_point, 8, false, &unused) *
		       level((double)(layer->w[n * K + k] / ws), 0, layer->desc.w_bits, true,
			     &unused);
	}
	return sum / (double)layer->params.c_scale;
}

static void gradients_are_the_formulas(void **state)
{
	static float dx[M * K], dw[N * K], dbias[N], dw_scale[N * GROUPS], da, dc;
	const struct npu_qat_gradients gradients = {
		.size = sizeof(gradients),
		.x = dx,
		.w = dw,
		.bias = dbias,
		.w_scale = dw_scale,
		.a_scale = &da,
		.c_scale = &dc,
	};
	struct rng rng = { 71 };

	(void)state;
	for (size_t f = 0; f < FORMS; f++) {
		const bool relu = forms[f].activation == NPU_ACTIVATION_RELU;
		float *dy = rng_matrix(&rng, M, N), passed[M * N];
		double slope = 0, bias[N] = { 0 };
		struct layer layer;
		int clamped = 0;

		layer_init(&layer, &rng, &forms[f]);
		expect_ok(npu_qat_backward(layer.qat, &layer.params, layer.x, M, dy, &gradients,
					   &err));
		for (uint32_t i = 0; i < M * N; i++) {
			const float c = layer.y[i] / layer.params.c_scale;
			const double zero = layer.desc.c_zero_point;
			bool inside = !relu || layer.y[i] > 0;

			if (layer.desc.c_type == NPU_TYPE_INT8)
				inside = inside && rint((double)c) + zero > -128 &&
					 rint((double)c) + zero < 127;
			passed[i] = inside ? dy[i] : 0;
			clamped += !inside;
			bias[i % N] += (double)passed[i];
			slope += (double)dy[i] *
				 ((double)c - (inside ? real_result(&layer, i / N, i % N) : 0));
		}
		assert_true(clamped > 0 && clamped < M * N);
		check_gradients(&layer, passed, &gradients);
		for (uint32_t n = 0; n < N; n++)
			near(dbias, bias[n], "bias", n);
		near(&dc, layer.desc.c_type == NPU_TYPE_INT8 ? slope / sqrt(M * N * 127.0) : 0,
		     "c_scale", 0);
		layer_free(&layer);
		free(dy);
	}
}

/* ---- One element at a time ------------------------------------------------------------- */

static void known_values(void **state)
{
	const float scale = 0.5f, x[] = { 0.6f, -0.3f, 0.25f, 9, -9, 3.6f };
	const float y[] = { 0.5f, -0.5f, 0, 3.5f, -3.5f, 3.5f }, dy[] = { 1, 2, 3, 4, 5, 6 };
	const float dx[] = { 1, 2, 3, 0, 0, 6 };
	const int8_t q[] = { 1, -1, 0, 7, -7, 7 };
	/* Of (q - x / scale) inside, q outside. */
	const double slope = 1 * -0.2 + 2 * -0.4 + 3 * -0.5 + 4 * 7 + 5 * -7 + 6 * -0.2;
	const struct npu_fake_quant grid = {
		.size = sizeof(grid),
		.rows = 2,
		.cols = 3,
		.bits = 4,
		.symmetric = true,
		.scale = &scale,
		.scale_count = 1,
	};
	float got[6], dscale;
	int8_t got_q[6];

	(void)state;
	expect_ok(npu_fake_quant_forward(&grid, x, got_q, got, &err));
	assert_memory_equal(got_q, q, sizeof(q));
	for (int i = 0; i < 6; i++)
		assert_true(got[i] == y[i]);
	expect_ok(npu_fake_quant_backward(&grid, x, dy, got, &dscale, &err));
	for (int i = 0; i < 6; i++)
		assert_true(got[i] == dx[i]);
	near(&dscale, slope / sqrt(6 * 7), "dscale", 0);
}

#define refused(call, word) expect_error(call, -EINVAL, word)

static void bad_input_is_named(void **state)
{
	const struct npu_qat_gradients none = { .size = sizeof(none) };
	struct npu_qat_desc desc;
	struct rng rng = { 72 };
	struct layer layer;
	struct npu_qat *qat;
	float tiny = 1e-30f;

	(void)state;
	layer_init(&layer, &rng, &forms[0]);
#define refuse(change, word)                                      \
	do {                                                      \
		desc = layer.desc;                                \
		change;                                           \
		refused(npu_qat_create(&desc, &qat, &err), word); \
	} while (0)
	refuse(desc.size = 0, "size is 0");
	refuse(desc.n = 0, "100 and 0");
	refuse(desc.w_bits = 1, "w_bits is 1");
	refuse(desc.scaling = NPU_SCALING_TFLITE, "scaling must be");
	refuse(desc.c_type = NPU_TYPE_FLOAT32, "c_type must be");
	refuse(desc.group_size = 32, "group_size is 32");
	refuse(desc.a_zero_point = 128, "a_zero_point is 128");
	refuse(desc.activation = NPU_ACTIVATION_RELU6, "activation must be");

	refused(npu_qat_forward(layer.qat, &layer.params, layer.x, M + 1, layer.y, &err),
		"7 samples");
	refused(npu_qat_backward(layer.qat, &layer.params, layer.x, M, layer.y, &none, &err),
		"but 0 went forward");
	layer.x[K + 2] = NAN;
	refused(npu_qat_forward(layer.qat, &layer.params, layer.x, M, layer.y, &err),
		"row 1, column 2 is nan");
	layer.x[K + 2] = 0;
	layer.w_scale[3] = 0;
	refused(npu_qat_forward(layer.qat, &layer.params, layer.x, M, layer.y, &err),
		"w_scale: scale 3 is 0");
	layer.w_scale[3] = tiny;
	expect_error(npu_qat_forward(layer.qat, &layer.params, layer.x, M, layer.y, &err), -ERANGE,
		     "bias of channel 3");
	layer_free(&layer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forward_is_what_a_device_computes),
		cmocka_unit_test(gradients_are_the_formulas),
		cmocka_unit_test(known_values),
		cmocka_unit_test(bad_input_is_named),
	};

	return cmocka_run_group_tests_name("training for quantization", tests, NULL, NULL);
}
