// SPDX-License-Identifier: MIT
/* How networks are quantized: that what is moved around changes nothing, and what is refused. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <npu_file.h>

#include "../../tools/npu-run/network/float_runner.h"
#include "../../tools/npu-run/network/migrate.h"
#include "../../tools/npu-run/network/weights.h"
#include "../expect.h"
#include "../network_rig.h"

#define ROWS 200

static const uint32_t widths[] = { 64, 40, 33, 9 };

static int setup(void **state)
{
	*state = rig_open(7, widths, 3, ROWS);
	return 0;
}

static int teardown(void **state)
{
	rig_close(*state);
	return 0;
}

/* Noise to signal of the last layer's results. */
static double error_of(struct bench *b, struct technique technique)
{
	const size_t last = (size_t)ROWS * widths[3];
	struct npu_deviation deviation = { .size = sizeof(deviation) };
	struct float_runner *reference;
	size_t count;
	float *results;

	quant_network_free(&b->quant);
	rig_quantize(technique, &b->network, b->samples, &b->quant);
	results = rig_run(b->cpu, &b->quant, b->x, ROWS, &count);
	expect_ok(float_runner_create(&b->network, ROWS, &reference, &err));
	float_runner_run(reference, b->x, ROWS);
	expect_ok(npu_deviation_add(&deviation, float_runner_result(reference, 2),
				    results + count - last, last, &err));
	float_runner_destroy(reference);
	free(results);
	return sqrt(deviation.noise / deviation.signal);
}

/* Three steps of 8 bits in a row lose about a percent, whatever way they are taken. */
static void test_all_ways(void **state)
{
	struct technique t = rig_technique();

	for (int mode = INPUT_STATIC; mode <= INPUT_ADAPTIVE; mode++) {
		t.mode = (enum input_mode)mode;
		assert_in_range((int)(1e5 * error_of(*state, t)), 100, 2000);
	}
	t.granularity = NPU_QUANT_PER_GROUP;
	t.group_size = 32;
	for (int mode = INPUT_STATIC; mode <= INPUT_ADAPTIVE; mode++) {
		t.mode = (enum input_mode)mode;
		assert_in_range((int)(1e5 * error_of(*state, t)), 100, 2000);
	}
	t = rig_technique();
	for (int scaling = NPU_SCALING_FIXED16; scaling < NPU_SCALING_NONE; scaling++) {
		t.has_scaling = true;
		t.scaling = (enum npu_scaling)scaling;
		assert_in_range((int)(1e5 * error_of(*state, t)), 100, 2000);
	}
	t = rig_technique();
	t.rotate = true;
	assert_in_range((int)(1e5 * error_of(*state, t)), 100, 2000);
	t.smooth = true;
	t.alpha = 0.5f;
	assert_in_range((int)(1e5 * error_of(*state, t)), 100, 2000);
	t.input_bits = 16;
	assert_in_range((int)(1e5 * error_of(*state, t)), 100, 2000);
}

static void test_compensation(void **state)
{
	struct technique t = rig_technique();
	double nearest;

	t.weights.bits = 3;
	nearest = error_of(*state, t);
	t.compensate = true;
	assert_true(error_of(*state, t) < 0.8 * nearest);
}

/* Migration alone changes nothing but the last bits of floats. */
static void test_migration(void **state)
{
	struct bench *b = *state;
	struct float_runner *before, *after;
	struct float_network *copy = malloc(sizeof(*copy));
	float *factor[NETWORK_MAX_LAYERS] = { NULL };
	struct stream stream;
	size_t moved = 0;

	rig_copy(&b->network, copy);
	expect_ok(stream_open(b->samples, widths[0], &stream, &err));
	expect_ok(migrate_outliers(copy, &stream, 0.5f, factor, &err));
	stream_close(&stream);
	expect_ok(float_runner_create(&b->network, ROWS, &before, &err));
	float_runner_run(before, b->x, ROWS);
	for (size_t i = 0; i < (size_t)ROWS * widths[0]; i++) {
		moved += factor[0][i % widths[0]] != 1;
		b->x[i] /= factor[0][i % widths[0]];
	}
	assert_true(moved > 0);
	expect_ok(float_runner_create(copy, ROWS, &after, &err));
	float_runner_run(after, b->x, ROWS);
	for (size_t i = 0; i < (size_t)ROWS * widths[1]; i++)
		assert_float_equal(float_runner_result(before, 0)[i],
				   float_runner_result(after, 0)[i] * factor[1][i % widths[1]],
				   1e-4);
	for (size_t i = 0; i < (size_t)ROWS * widths[3]; i++)
		assert_float_equal(float_runner_result(before, 2)[i],
				   float_runner_result(after, 2)[i], 1e-3);
	for (int i = 0; i < 3; i++)
		free(factor[i]);
	float_runner_destroy(before);
	float_runner_destroy(after);
	float_network_free(copy);
	free(copy);
}

/* Channels without weights, or next to none, keep their bias and do not spoil the others. */
static void test_dead_channels(void **state)
{
	struct bench *b = *state;
	struct float_layer *layer = &b->network.layer[0];
	struct technique t = rig_technique();
	double error = error_of(b, t);

	for (uint32_t k = 0; k < layer->k; k++) {
		layer->weight[k] = 0;
		layer->weight[layer->k + k] *= 1e-7f;
	}
	layer->bias[0] = layer->bias[1] = 0.75f;
	assert_true(error_of(b, t) < 2 * error);
	assert_true(b->quant.layer[0].weight_scale[0] <= 1);
	t.asymmetric = true;
	assert_true(error_of(b, t) < 2 * error);
	t.asymmetric = false;
	t.weights.form = FORM_KMEANS;
	assert_true(error_of(b, t) < 2 * error);
}

/* A layer of nothing but zeros is its bias. */
static void test_dead_layer(void **state)
{
	struct bench *b = *state;
	struct technique t = rig_technique();

	memset(b->network.layer[2].weight, 0, (size_t)widths[3] * widths[2] * sizeof(float));
	assert_true(error_of(b, t) < 0.01);
	t.granularity = NPU_QUANT_PER_TENSOR;
	assert_true(error_of(b, t) < 0.01);
	t.mode = INPUT_DYNAMIC;
	assert_true(error_of(b, t) < 1e-6);
}

static void test_budget(void **state)
{
	struct bench *b = *state;
	struct technique t = rig_technique();
	const uint64_t all = (uint64_t)64 * 40 + 40 * 33 + 33 * 9;
	uint32_t chosen[3];

	t.has_budget = true;
	t.budget = NPU_BUDGET_BYTES;
	t.limit = (double)all * 5 / 8 + 1000;
	error_of(b, t);
	assert_true(quant_network_bytes(&b->quant) <= (uint64_t)t.limit);
	assert_true(quant_network_bytes(&b->quant) > (uint64_t)t.limit * 3 / 4);
	for (int i = 0; i < 3; i++)
		chosen[i] = b->quant.layer[i].type.bits;
	/* Half of the budget cannot be kept with as many bits. */
	t.limit = (double)all * 3 / 8 + 800;
	error_of(b, t);
	assert_true(b->quant.layer[0].type.bits < chosen[0] ||
		    b->quant.layer[1].type.bits < chosen[1]);
	t.budget = NPU_BUDGET_ERROR;
	t.limit = 1e-4;
	assert_true(error_of(b, t) < 0.05);
	assert_true(b->quant.layer[0].type.bits > 4);
}

/* ---- Learnt scales ---------------------------------------------------------------------- */

static struct learnt *learnt_from(const struct npu_safetensors_entry *entries, size_t count)
{
	char path[] = "/tmp/test_quantize.XXXXXX";
	struct learnt *learnt;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	expect_ok(npu_safetensors_write(path, entries, count, NULL, 0, &err));
	expect_ok(learnt_open(path, &learnt, &err));
	unlink(path);
	return learnt;
}

static int quantize_with(struct bench *b, struct technique t, const struct samples *samples,
			 const struct learnt *learnt, struct npu_error *err)
{
	struct float_network *copy = malloc(sizeof(*copy));
	int ret = technique_check(&t, err);

	quant_network_free(&b->quant);
	rig_copy(&b->network, copy);
	if (!ret)
		ret = network_quantize(&t, copy, samples, learnt, &b->quant, &b->findings, err);
	float_network_free(copy);
	free(copy);
	return ret;
}

static void test_learnt(void **state)
{
	struct bench *b = *state;
	struct technique t = rig_technique();
	float weight[40], input = 0.02f, output = 0.25f;
	int32_t zero = -50, weight_zero[33];
	float weight2[33];
	struct npu_safetensors_entry entries[] = {
		{ "0.weight_scale", "F32", 1, { 40 }, weight },
		{ "0.input_scale", "F32", 0, { 0 }, &input },
		{ "0.input_zero_point", "I32", 1, { 1 }, &zero },
		{ "2.input_scale", "F32", 1, { 1 }, &output },
		{ "4.input_scale", "F32", 1, { 1 }, &output },
		{ "4.output_scale", "F32", 1, { 1 }, &output },
		{ "2.weight_scale", "F32", 1, { 33 }, weight2 },
		{ "2.weight_zero_point", "I32", 1, { 33 }, weight_zero },
	};
	struct learnt *learnt;

	for (int i = 0; i < 40; i++)
		weight[i] = 0.003f + 0.0001f * (float)i;
	for (int i = 0; i < 33; i++) {
		weight2[i] = 0.01f;
		weight_zero[i] = i - 16;
	}
	learnt = learnt_from(entries, 8);
	expect_ok(quantize_with(b, t, NULL, learnt, &err));
	assert_null(b->quant.layer[0].weight_zero);
	assert_memory_equal(b->quant.layer[1].weight_zero, weight_zero, sizeof(weight_zero));
	assert_memory_equal(b->quant.layer[0].weight_scale, weight, sizeof(weight));
	assert_true(b->quant.layer[0].input_scale == input);
	assert_int_equal(b->quant.layer[0].input_zero, -50);
	assert_true(b->quant.layer[1].input_scale == output);
	assert_true(b->quant.quantized_output && b->quant.output_scale == output);
	for (size_t i = 0; i < (size_t)40 * 64; i++)
		assert_int_equal(
			b->quant.layer[0].weight[i],
			(int)fmin(fmax(rintf(b->network.layer[0].weight[i] / weight[i / 64]), -127),
				  127));
	/* Scales that are given are kept by compensation, too. */
	t.compensate = true;
	expect_ok(quantize_with(b, t, b->samples, learnt, &err));
	assert_memory_equal(b->quant.layer[0].weight_scale, weight, sizeof(weight));

	t.granularity = NPU_QUANT_PER_TENSOR;
	expect_error(quantize_with(b, t, b->samples, learnt, &err), -EINVAL,
		     "0.weight_scale has 40 values");
	t.granularity = NPU_QUANT_PER_ROW;
	t.compensate = false;
	t.weights.form = FORM_KMEANS;
	expect_error(quantize_with(b, t, b->samples, learnt, &err), -EINVAL, "codebook");
	learnt_close(learnt);
	t.weights.form = FORM_UNIFORM;
	weight[3] = 0;
	learnt = learnt_from(entries, 6);
	expect_error(quantize_with(b, t, b->samples, learnt, &err), -EINVAL, "value 3 of 0");
	learnt_close(learnt);
}

/* ---- What is refused -------------------------------------------------------------------- */

static void test_refused(void **state)
{
	struct bench *b = *state;
	struct technique t = rig_technique();

	expect_error(quantize_with(b, t, NULL, NULL, &err), -EDOM, "layer 0 need --samples");
	t.compensate = true;
	expect_error(quantize_with(b, t, NULL, NULL, &err), -EDOM, "--round compensate needs");
	t.weights.form = FORM_LOG;
	t.weights.bits = 4;
	expect_error(quantize_with(b, t, b->samples, NULL, &err), -EINVAL, "compensate");
	t.compensate = false;
	t.asymmetric = true;
	expect_error(quantize_with(b, t, b->samples, NULL, &err), -EINVAL, "zero points");
	t.asymmetric = false;
	t.granularity = NPU_QUANT_PER_GROUP;
	t.group_size = 32;
	expect_error(quantize_with(b, t, b->samples, NULL, &err), -EINVAL, "groups");
	t.weights.form = FORM_UNIFORM;
	t.has_scaling = true;
	expect_error(quantize_with(b, t, b->samples, NULL, &err), -EINVAL, "--scaling float");
	t = rig_technique();
	t.mode = INPUT_ADAPTIVE;
	t.input_bits = 16;
	expect_error(quantize_with(b, t, b->samples, NULL, &err), -EINVAL, "8 bits");
	t = rig_technique();
	t.has_budget = true;
	t.limit = 10;
	expect_error(quantize_with(b, t, b->samples, NULL, &err), -EDOM, "budget cannot be kept");
	t = rig_technique();
	b->network.layer[1].bias[4] = 1e9f;
	expect_error(quantize_with(b, t, b->samples, NULL, &err), -ERANGE,
		     "layer 2: npu_quant_bias: the bias of channel 4");
	t.has_scaling = true;
	t.scaling = NPU_SCALING_FLOAT;
	expect_ok(quantize_with(b, t, b->samples, NULL, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compensation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_migration, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dead_channels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dead_layer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_budget, setup, teardown),
		cmocka_unit_test_setup_teardown(test_learnt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
