// SPDX-License-Identifier: MIT
/*
 * Quantized networks give the same on the NPU as on the CPU, in every layer and to the bit, however
 * they were quantized; and what the processor has a part in is counted.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/npu-run/network/pack.h"
#include "../../tools/npu-run/network/runner.h"
#include "../expect.h"
#include "../network_rig.h"

#define ROWS 20

static const uint32_t widths[] = { 100, 40, 33, 10 };

static struct npu_device *npu;

static int setup(void **state)
{
	expect_ok(npu_device_open(NULL, &npu, &err));
	*state = rig_open(11, widths, 3, ROWS);
	return 0;
}

static int teardown(void **state)
{
	rig_close(*state);
	npu_device_close(npu);
	return 0;
}

static void check(const struct bench *b, struct technique technique)
{
	struct quant_network *quant = malloc(sizeof(*quant));
	float *on_npu, *on_cpu;
	size_t count;

	rig_quantize(technique, &b->network, b->samples, quant);
	on_npu = rig_run(npu, quant, b->x, ROWS, &count);
	on_cpu = rig_run(b->cpu, quant, b->x, ROWS, &count);
	if (memcmp(on_npu, on_cpu, count * sizeof(*on_npu)))
		fail_msg("%s: not the same", quant->technique);
	free(on_npu);
	free(on_cpu);
	quant_network_free(quant);
	free(quant);
}

static void test_static(void **state)
{
	struct technique t = rig_technique();

	check(*state, t);
	t.asymmetric = true;
	t.granularity = NPU_QUANT_PER_TENSOR;
	check(*state, t);
	t.input_bits = 5;
	check(*state, t);
	t = rig_technique();
	t.input_bits = 16;
	check(*state, t);
	t.has_scaling = true;
	t.scaling = NPU_SCALING_TFLITE;
	check(*state, t);
}

static void test_weights(void **state)
{
	struct technique t = rig_technique();

	t.weights.bits = 4;
	t.granularity = NPU_QUANT_PER_GROUP;
	t.group_size = 32;
	check(*state, t);
	t.asymmetric = true;
	t.compensate = true;
	check(*state, t);
	t = rig_technique();
	t.weights = (struct weight_type){ FORM_KMEANS, 3 };
	check(*state, t);
	t.weights = (struct weight_type){ FORM_LOG, 4 };
	check(*state, t);
}

static void test_run_time(void **state)
{
	struct technique t = rig_technique();

	for (int mode = INPUT_DYNAMIC; mode <= INPUT_ADAPTIVE; mode++) {
		t.mode = (enum input_mode)mode;
		check(*state, t);
	}
	t = rig_technique();
	t.rotate = true;
	check(*state, t);
	t.mode = INPUT_DYNAMIC_ROW;
	t.weights.bits = 4;
	t.granularity = NPU_QUANT_PER_GROUP;
	t.group_size = 64;
	check(*state, t);
}

/* A static network of 8 bits is integers from end to end; rotation takes the processor. */
static void test_counted(void **state)
{
	const struct bench *b = *state;
	struct technique t = rig_technique();
	struct quant_network *quant = malloc(sizeof(*quant));
	struct runner_work work;
	struct runner *runner;

	rig_quantize(t, &b->network, b->samples, quant);
	expect_ok(runner_create(npu, quant, ROWS, NULL, &runner, &err));
	expect_ok(runner_run(runner, b->x, ROWS, &err));
	expect_ok(runner_get_work(runner, &work, &err));
	assert_true(work.jobs >= 3);
	assert_int_equal(work.library_steps, 0);
	assert_int_equal(work.edge_steps, 1);
	runner_destroy(runner);
	quant_network_free(quant);

	t.rotate = true;
	rig_quantize(t, &b->network, b->samples, quant);
	expect_ok(runner_create(npu, quant, ROWS, NULL, &runner, &err));
	expect_ok(runner_run(runner, b->x, ROWS, &err));
	expect_ok(runner_get_work(runner, &work, &err));
	assert_true(work.library_steps > 0);
	assert_int_equal(work.edge_steps, 3);
	runner_destroy(runner);
	quant_network_free(quant);
	free(quant);
}

/* Weights from files that were packed ahead give what those packed now do. */
static void test_packed(void **state)
{
	const struct bench *b = *state;
	struct quant_network *quant = malloc(sizeof(*quant));
	struct technique t = rig_technique();
	const size_t bytes = ROWS * widths[3] * sizeof(float);
	char dir[] = "/tmp/test_network.XXXXXX", prefix[64];
	struct runner *packed;
	float *fresh;
	size_t count;

	assert_non_null(mkdtemp(dir));
	snprintf(prefix, sizeof(prefix), "%s/w", dir);
	t.weights.bits = 4;
	t.asymmetric = true;
	rig_quantize(t, &b->network, b->samples, quant);
	expect_ok(pack_write(npu, quant, prefix, &err));
	fresh = rig_run(npu, quant, b->x, ROWS, &count);
	expect_ok(runner_create(npu, quant, ROWS, prefix, &packed, &err));
	expect_ok(runner_run(packed, b->x, ROWS, &err));
	assert_memory_equal(runner_result(packed, 2), fresh + count - bytes / sizeof(float), bytes);
	runner_destroy(packed);
	expect_error(runner_create(b->cpu, quant, ROWS, prefix, &packed, &err), -ENOTSUP,
		     "w.0.npuw");
	for (uint32_t i = 0; i < quant->count; i++) {
		char *path = pack_path(prefix, quant->layer[i].name);

		assert_int_equal(unlink(path), 0);
		free(path);
	}
	rmdir(dir);
	free(fresh);
	quant_network_free(quant);
	free(quant);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_static, setup, teardown),
		cmocka_unit_test_setup_teardown(test_weights, setup, teardown),
		cmocka_unit_test_setup_teardown(test_run_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
