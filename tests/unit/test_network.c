// SPDX-License-Identifier: MIT
/*
 * Quantized networks on the CPU device against integers that are computed here, one by one, from
 * what the network's description says and npu_epilogue.h defines.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/npu-run/network/device_layer.h"
#include "../../tools/npu-run/network/runner.h"
#include "../expect.h"
#include "../network_rig.h"

#define ROWS 37

static const uint32_t widths[] = { 70, 40, 33, 9 };

static int setup(void **state)
{
	*state = rig_open(42, widths, 3, ROWS);
	return 0;
}

static int teardown(void **state)
{
	rig_close(*state);
	return 0;
}

/* ---- What a layer is, in plain arithmetic ----------------------------------------------- */

/* The value that column @k of channel @n has in integers, zero point taken off. */
static int64_t weight_of(const struct quant_layer *layer, uint32_t n, uint32_t k)
{
	const uint32_t groups = quant_groups(layer);
	size_t at = (size_t)n * groups + (groups > 1 ? k / layer->group_size : 0);

	if (layer->scale_count == 1)
		at = 0;
	return layer->weight[(size_t)n * layer->k + k] -
	       (layer->weight_zero ? layer->weight_zero[at] : 0);
}

/* ONNX's QuantizeLinear. */
static int32_t quantize(float x, float scale, int32_t zero, int32_t min, int32_t max)
{
	double q = rint((double)(x / scale)) + zero;

	return q < min ? min : q > max ? max : (int32_t)q;
}

static double round_away(double x)
{
	return x < 0 ? ceil(x - 0.5) : floor(x + 0.5);
}

/* FIXED16 of npu_epilogue.h for all channels of a layer. */
struct fixed {
	int16_t multiplier[64];
	uint32_t shift;
	int32_t bias[64];
};

static struct fixed fixed_of(const struct quant_layer *layer, float scale_c)
{
	struct fixed f;
	double factor[64];
	float scale[64];

	for (uint32_t n = 0; n < layer->n; n++) {
		scale[n] = layer->weight_scale[layer->scale_count == 1 ? 0 : n];
		factor[n] = (double)layer->input_scale * (double)scale[n] / (double)scale_c;
		f.bias[n] = (int32_t)rint((double)layer->bias[n] /
					  ((double)layer->input_scale * (double)scale[n]));
	}
	expect_ok(npu_quant_fixed16(factor, layer->n, f.multiplier, &f.shift, &err));
	return f;
}

/* One layer of static inputs in place, from integers to integers; @a has room for both. */
static void static_layer(const struct quant_layer *layer, const struct result_form *form, bool relu,
			 int32_t *a)
{
	const int32_t top = 1 << (form->bits - 1);
	const int32_t lowest = form->bits < 8 && form->symmetric ? 1 - top : -top;
	const struct fixed f = fixed_of(layer, form->scale);
	int32_t c[ROWS * 64];

	for (uint32_t m = 0; m < ROWS; m++) {
		for (uint32_t n = 0; n < layer->n; n++) {
			int64_t sum = f.bias[n];
			double t;

			for (uint32_t k = 0; k < layer->k; k++)
				sum += (a[m * layer->k + k] - layer->input_zero) *
				       weight_of(layer, n, k);
			t = round_away(ldexp((double)(sum * f.multiplier[n]), -(int)f.shift));
			t = (relu && t < 0 ? 0 : t) + form->zero;
			c[m * layer->n + n] = (int32_t)fmin(fmax(t, lowest), top - 1);
		}
	}
	memcpy(a, c, ROWS * layer->n * sizeof(*c));
}

/* All results of a network of static inputs, like rig_run(). */
static float *static_reference(const struct bench *b, size_t count)
{
	const struct quant_layer *first = &b->quant.layer[0];
	const int32_t top = 1 << (first->input_bits - 1);
	const int32_t lowest = first->asymmetric_input ? -top : 1 - top;
	float *all = malloc(count * sizeof(*all));
	int32_t a[ROWS * 70];
	size_t at = 0;

	for (size_t i = 0; i < ROWS * widths[0]; i++)
		a[i] = quantize(b->x[i], first->input_scale, first->input_zero, lowest, top - 1);
	for (uint32_t i = 0; i < b->quant.count; i++) {
		const struct result_form form = result_form(&b->quant, i);

		static_layer(&b->quant.layer[i], &form, i + 1 < b->quant.count, a);
		for (size_t j = 0; j < ROWS * b->quant.layer[i].n; j++)
			all[at++] = form.scale * (float)(a[j] - form.zero);
	}
	return all;
}

static void check_static(struct bench *b, struct technique technique)
{
	float *results, *expected;
	size_t count;

	quant_network_free(&b->quant);
	rig_quantize(technique, &b->network, b->samples, &b->quant);
	assert_true(b->quant.quantized_output);
	results = rig_run(b->cpu, &b->quant, b->x, ROWS, &count);
	expected = static_reference(b, count);
	for (size_t i = 0; i < count; i++)
		if (results[i] != expected[i])
			fail_msg("%s: result %zu is %g, not %g", b->quant.technique, i,
				 (double)results[i], (double)expected[i]);
	free(results);
	free(expected);
}

/* ---- Tests ------------------------------------------------------------------------------ */

static void test_static(void **state)
{
	struct technique t = rig_technique();

	check_static(*state, t);
	t.asymmetric = true;
	check_static(*state, t);
	t.granularity = NPU_QUANT_PER_TENSOR;
	check_static(*state, t);
	t.symmetric_inputs = true;
	check_static(*state, t);
}

static void test_few_bits(void **state)
{
	struct technique t = rig_technique();

	/* A range that results go beyond. */
	t.observer = NPU_OBSERVER_PERCENTILE;
	t.percentile = 90;
	for (uint32_t bits = 2; bits <= 8; bits++) {
		t.weights.bits = bits;
		t.input_bits = 10 - bits;
		t.symmetric_inputs = bits & 1;
		check_static(*state, t);
	}
	t.input_bits = 16;
	check_static(*state, t);
}

static void test_codebooks(void **state)
{
	struct technique t = rig_technique();

	for (uint32_t bits = 2; bits <= 6; bits++) {
		t.granularity = bits & 1 ? NPU_QUANT_PER_ROW : NPU_QUANT_PER_TENSOR;
		t.weights = (struct weight_type){ FORM_KMEANS, bits };
		check_static(*state, t);
		if (bits > 4)
			continue;
		t.weights.form = FORM_LOG;
		check_static(*state, t);
	}
}

static void test_rounded(void **state)
{
	struct technique t = rig_technique();

	t.weights.bits = 4;
	t.compensate = true;
	check_static(*state, t);
	t.asymmetric = true;
	check_static(*state, t);
	t.granularity = NPU_QUANT_PER_TENSOR;
	check_static(*state, t);
}

/* Exact sums and real scales, one for each row. */
static void test_dynamic(void **state)
{
	struct bench *b = *state;
	struct technique t = rig_technique();
	const struct quant_layer *layer = &b->quant.layer[0];
	const float *result;
	float scale[ROWS];
	int32_t zero[ROWS];
	int8_t q[ROWS * 70];
	struct npu_quant_scheme scheme;
	struct runner *runner;

	t.mode = INPUT_DYNAMIC_ROW;
	t.asymmetric = true;
	rig_quantize(t, &b->network, b->samples, &b->quant);
	expect_ok(runner_create(b->cpu, &b->quant, ROWS, NULL, &runner, &err));
	expect_ok(runner_run(runner, b->x, ROWS, &err));
	result = runner_result(runner, 0);
	scheme = quant_input_scheme(layer);
	expect_ok(npu_quant_matrix(&scheme, b->x, ROWS, layer->k, q, scale, zero, &err));
	for (uint32_t m = 0; m < ROWS; m++) {
		for (uint32_t n = 0; n < layer->n; n++) {
			int64_t sum = 0;
			double y;

			for (uint32_t k = 0; k < layer->k; k++)
				sum += (q[m * layer->k + k] - zero[m]) * weight_of(layer, n, k);
			y = (double)sum * ((double)scale[m] * (double)layer->weight_scale[n]);
			y += (double)layer->bias[n];
			assert_true(result[m * layer->n + n] == (float)fmax(y, 0));
		}
	}
	runner_destroy(runner);
}

/* Groups: sums in float, in the order of K. */
static void test_groups(void **state)
{
	struct bench *b = *state;
	struct technique t = rig_technique();
	const struct quant_layer *layer = &b->quant.layer[0];
	struct result_form form;
	float *results;
	size_t count;

	t.granularity = NPU_QUANT_PER_GROUP;
	t.group_size = 32;
	t.weights.bits = 4;
	t.asymmetric = true;
	rig_quantize(t, &b->network, b->samples, &b->quant);
	form = result_form(&b->quant, 0);
	results = rig_run(b->cpu, &b->quant, b->x, ROWS, &count);
	for (uint32_t m = 0; m < ROWS; m++) {
		for (uint32_t n = 0; n < layer->n; n++) {
			float y = 0;
			int32_t c;

			for (uint32_t g = 0; g < 3; g++) {
				float scale = (float)((double)layer->input_scale *
						      (double)layer->weight_scale[n * 3 + g] /
						      (double)form.scale);
				int64_t sum = 0;

				for (uint32_t k = 32 * g; k < layer->k && k < 32 * (g + 1); k++) {
					float x = b->x[m * layer->k + k];

					sum += (quantize(x, layer->input_scale, layer->input_zero,
							 -128, 127) -
						layer->input_zero) *
					       weight_of(layer, n, k);
				}
				y += (float)sum * scale;
			}
			y += (float)((double)layer->bias[n] / (double)form.scale);
			c = (int32_t)fmaxf(rintf(y), 0) + form.zero;
			c = c > 127 ? 127 : c;
			assert_true(results[m * layer->n + n] ==
				    form.scale * (float)(c - form.zero));
		}
	}
	free(results);
}

/* The parts of a batch, and batches of other sizes, give the same. */
static void test_batches(void **state)
{
	struct bench *b = *state;
	struct technique t = rig_technique();
	struct runner *runner;
	float *results;
	size_t count;
	const size_t last = ROWS * widths[3];

	rig_quantize(t, &b->network, b->samples, &b->quant);
	results = rig_run(b->cpu, &b->quant, b->x, ROWS, &count);
	expect_ok(runner_create(b->cpu, &b->quant, 10, NULL, &runner, &err));
	for (uint32_t row = 0; row < ROWS; row += 10) {
		const uint32_t rows = ROWS - row < 10 ? ROWS - row : 10;

		expect_ok(runner_run(runner, b->x + row * widths[0], rows, &err));
		assert_memory_equal(runner_result(runner, 2),
				    results + count - last + row * widths[3],
				    rows * widths[3] * sizeof(float));
	}
	runner_destroy(runner);
	free(results);
}

/* A range that follows the input is the same as a static one once it has got there. */
static void test_adaptive(void **state)
{
	struct bench *b = *state;
	struct technique t = rig_technique();
	struct runner *runner;
	float *first;
	size_t count, same = 0;

	t.mode = INPUT_ADAPTIVE;
	t.momentum = 0.5f;
	rig_quantize(t, &b->network, b->samples, &b->quant);
	/* From far too wide a range. */
	b->quant.layer[0].input_high *= 64;
	first = rig_run(b->cpu, &b->quant, b->x, ROWS, &count);
	expect_ok(runner_create(b->cpu, &b->quant, ROWS, NULL, &runner, &err));
	for (int i = 0; i < 40; i++)
		expect_ok(runner_run(runner, b->x, ROWS, &err));
	b->quant.layer[0].mode = INPUT_DYNAMIC;
	for (uint32_t i = 0; i < ROWS * widths[1]; i++)
		same += runner_result(runner, 0)[i] == first[i];
	assert_true(same < ROWS * widths[1]);
	free(first);
	first = rig_run(b->cpu, &b->quant, b->x, ROWS, &count);
	for (uint32_t i = 0; i < ROWS * widths[1]; i++)
		assert_float_equal(runner_result(runner, 0)[i], first[i], 1e-3);
	runner_destroy(runner);
	free(first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_static, setup, teardown),
		cmocka_unit_test_setup_teardown(test_few_bits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_codebooks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dynamic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batches, setup, teardown),
		cmocka_unit_test_setup_teardown(test_adaptive, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
