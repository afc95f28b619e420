// SPDX-License-Identifier: MIT
/*
 * What needs no device without memory: quantization, tuning, and files of tensors, which also do
 * without what the system gives them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <npu_file.h>
#include <npu_quant.h>
#include <npu_tune.h>

#include "../fuzz/tensors.h"
#include "failing.h"

#define ROWS 6
#define K 64
#define N 5
#define GROUPS 2

static float x[ROWS * K], w[N * K];

static int fill(void **state)
{
	(void)state;
	for (int i = 0; i < ROWS * K; i++)
		x[i] = (float)(i * 37 % 101) / 50 - 1;
	for (int i = 0; i < N * K; i++)
		w[i] = (float)(i * 53 % 97) / 48 - 1;
	return 0;
}

/* ---- Quantization ----------------------------------------------------------------------- */

static struct npu_observer *observer, *loaded;

static int make_observer(struct npu_error *err)
{
	const struct npu_observer_desc desc = {
		.size = sizeof(desc),
		.method = NPU_OBSERVER_ENTROPY,
		.channels = ROWS,
		.bins = 256,
	};

	return npu_observer_create(&desc, &observer, err);
}

static void undo_observer(void)
{
	npu_observer_destroy(observer);
}

static int make_add(struct npu_error *err)
{
	return npu_observer_add(observer, x, ROWS, K, err);
}

static int make_range(struct npu_error *err)
{
	const struct npu_quant_scheme scheme = { .size = sizeof(scheme), .bits = 4 };
	float low[ROWS], high[ROWS];

	return npu_observer_range(observer, &scheme, low, high, err);
}

static int make_params(struct npu_error *err)
{
	const struct npu_quant_scheme scheme = { .size = sizeof(scheme), .bits = 4 };
	float scale[ROWS];
	int32_t zero_point[ROWS];

	return npu_observer_params(observer, &scheme, scale, zero_point, err);
}

static int make_loaded(struct npu_error *err)
{
	/* On the stack: an allocation of the test's own is not what should fail. */
	uint8_t image[20000];

	assert_true(npu_observer_image_bytes(observer) <= sizeof(image));
	npu_observer_save(observer, image);
	return npu_observer_load(image, npu_observer_image_bytes(observer), &loaded, err);
}

static void undo_loaded(void)
{
	npu_observer_destroy(loaded);
}

static int make_codebook(struct npu_error *err)
{
	const struct npu_codebook_desc desc = {
		.size = sizeof(desc),
		.n = N,
		.k = K,
		.index_bits = 3,
		.per_channel = true,
	};
	uint8_t indices[N * K];
	int8_t codebook[N * 8];
	float scale[N];

	return npu_codebook_quantize(&desc, w, indices, codebook, scale, err);
}

static int make_epilogue(struct npu_error *err)
{
	static const float scale[] = { 0.1f, 0.2f, 0.3f, 0.4f, 0.5f };
	const struct npu_quant_layer layer = {
		.size = sizeof(layer),
		.n = N,
		.scale_a = 0.5f,
		.scale_w = scale,
		.scale_count = N,
		.scale_c = 1,
		.bias = w,
	};
	struct npu_epilogue_desc desc;
	max_align_t room[64];

	assert_true(npu_quant_epilogue_bytes(&layer) <= sizeof(room));
	return npu_quant_epilogue(&layer, room, &desc, err);
}

static const struct failing_step quant_steps[] = {
	{ "npu_observer_create", make_observer, undo_observer, false, 0 },
	{ "npu_observer_add", make_add, NULL, false, 0 },
	{ "npu_observer_range", make_range, NULL, false, 0 },
	{ "npu_observer_params", make_params, NULL, false, 0 },
	{ "npu_observer_load", make_loaded, undo_loaded, false, 0 },
	{ "npu_codebook_quantize", make_codebook, NULL, false, 0 },
	{ "npu_quant_epilogue", make_epilogue, NULL, false, 0 },
};

static void quantization(void **state)
{
	(void)state;
	assert_in_range(failing_try(&failing_memory, ENOMEM, quant_steps,
				    sizeof(quant_steps) / sizeof(quant_steps[0])),
			6, 100);
}

/* ---- Tuning ----------------------------------------------------------------------------- */

static struct npu_hessian *hessian;
static struct npu_follower *follower;
static struct npu_qat *qat;

static int make_hessian(struct npu_error *err)
{
	return npu_hessian_create(K, &hessian, err);
}

static void undo_hessian(void)
{
	npu_hessian_destroy(hessian);
}

static int make_samples(struct npu_error *err)
{
	return npu_hessian_add(hessian, x, ROWS, err);
}

static int make_rounded(struct npu_error *err)
{
	const struct npu_round_desc desc = {
		.size = sizeof(desc),
		.n = N,
		.k = K,
		.w = w,
		.bits = 4,
		.group_size = K / GROUPS,
		.range = NPU_ROUND_RANGE_SEARCH,
		.order = NPU_ROUND_BY_ACTIVATION,
		.damping = 0.01,
		.sweeps = 2,
	};
	int8_t q[N * K];
	float scale[N * GROUPS];
	int32_t zero_point[N * GROUPS];

	return npu_round_weights(hessian, &desc, q, scale, zero_point, err);
}

static int make_energy(struct npu_error *err)
{
	double error;

	return npu_hessian_error(hessian, N, w, NULL, NULL, NULL, 0, &error, err);
}

static int make_follower(struct npu_error *err)
{
	const struct npu_follower_desc desc = {
		.size = sizeof(desc),
		.momentum = 0.1f,
		.min_width = 1e-3f,
	};

	return npu_follower_create(&desc, &follower, err);
}

static void undo_follower(void)
{
	npu_follower_destroy(follower);
}

static int make_gradient(struct npu_error *err)
{
	static const float scale[N] = { 0.1f, 0.1f, 0.2f, 0.2f, 0.3f };
	const struct npu_fake_quant grid = {
		.size = sizeof(grid),
		.rows = N,
		.cols = K,
		.bits = 4,
		.symmetric = true,
		.scale = scale,
		.scale_count = N,
	};
	float dscale[N];

	return npu_fake_quant_backward(&grid, w, w, NULL, dscale, err);
}

static int make_qat(struct npu_error *err)
{
	const struct npu_qat_desc desc = {
		.size = sizeof(desc),
		.m = ROWS,
		.k = K,
		.n = N,
		.w_bits = 4,
		.scaling = NPU_SCALING_FIXED16,
		.c_type = NPU_TYPE_INT8,
	};

	return npu_qat_create(&desc, &qat, err);
}

static void undo_qat(void)
{
	npu_qat_destroy(qat);
}

static int make_pass(struct npu_error *err)
{
	static const float scale[N] = { 0.1f, 0.1f, 0.2f, 0.2f, 0.3f };
	const struct npu_qat_params params = {
		.size = sizeof(params),
		.w = w,
		.w_scale = scale,
		.w_scale_count = N,
		.a_scale = 0.01f,
		.c_scale = 0.5f,
	};
	float y[ROWS * N], dw[N * K];
	const struct npu_qat_gradients gradients = { .size = sizeof(gradients), .w = dw };
	int ret = npu_qat_forward(qat, &params, x, ROWS, y, err);

	return ret ? ret : npu_qat_backward(qat, &params, x, ROWS, y, &gradients, err);
}

static int make_choice(struct npu_error *err)
{
	static const struct npu_candidate candidates[] = {
		{ 1, 10 }, { 2, 5 }, { 1, 20 }, { 3, 9 }
	};
	struct npu_candidate total;
	uint32_t chosen[2];

	return npu_choose_precision(candidates, 2, 2, NPU_BUDGET_BYTES, 20, chosen, &total, err);
}

static const struct failing_step tune_steps[] = {
	{ "npu_hessian_create", make_hessian, undo_hessian, false, 0 },
	{ "npu_hessian_add", make_samples, NULL, false, 0 },
	{ "npu_round_weights", make_rounded, NULL, false, 0 },
	{ "npu_hessian_error", make_energy, NULL, false, 0 },
	{ "npu_follower_create", make_follower, undo_follower, false, 0 },
	{ "npu_fake_quant_backward", make_gradient, NULL, false, 0 },
	{ "npu_qat_create", make_qat, undo_qat, false, 0 },
	{ "npu_qat_forward and _backward", make_pass, NULL, false, 0 },
	{ "npu_choose_precision", make_choice, NULL, false, 0 },
};

static void tuning(void **state)
{
	(void)state;
	assert_in_range(failing_try(&failing_memory, ENOMEM, tune_steps,
				    sizeof(tune_steps) / sizeof(tune_steps[0])),
			30, 200);
}

/* ---- Files ------------------------------------------------------------------------------ */

static char path[] = "/tmp/npu-test-XXXXXX";
static struct npu_file *file;

static int make_file(struct npu_error *err)
{
	return npu_file_open(path, &file, err);
}

static void undo_file(void)
{
	npu_file_close(file);
}

static int make_values(struct npu_error *err)
{
	float value;

	return npu_file_read(file, 0, 0, 1, &value, err);
}

static const struct failing_step file_steps[] = {
	{ "npu_file_open", make_file, undo_file, false, 0 },
	{ "npu_file_read", make_values, NULL, false, 0 },
};

static void with_file(enum tensors_format format, unsigned int seed, const struct failing_source *s,
		      int code, unsigned int least)
{
	struct bytes b = { 0 };
	int fd = mkstemp(strcpy(path, "/tmp/npu-test-XXXXXX"));

	assert_true(fd >= 0);
	tensors_seed(format, seed, &b);
	assert_int_equal(write(fd, b.data, b.length), b.length);
	close(fd);
	bytes_free(&b);
	assert_in_range(failing_try(s, code, file_steps, 2), least, 200);
	unlink(path);
}

static void files(void **state)
{
	(void)state;
	for (int format = 0; format < TENSORS_FORMATS; format++) {
		with_file(format, 1, &failing_memory, ENOMEM, 4);
		with_file(format, 1, &failing_calls, EIO, 3);
		with_file(format, 1, &failing_calls, ENFILE, 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantization),
		cmocka_unit_test(tuning),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests_name("failing host", tests, fill, NULL);
}
