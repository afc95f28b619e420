// SPDX-License-Identifier: MIT
/*
 * Networks of npu-run without memory, and without what the system gives them: read from files,
 * written, and run.
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
#include <npu_file.h>

#include "../../tools/npu-run/network/quant_file.h"
#include "../../tools/npu-run/network/runner.h"
#include "../expect.h"
#include "../network_rig.h"
#include "failing.h"

#define ROWS 3

static const uint32_t widths[] = { 37, 8, 3 };

/* What the steps work on, and make. */
static struct bench *bench;
static char folder[32], float_path[64], quant_path[64];
static struct float_network network;
static struct samples *samples;
static struct runner *runner;

static int make_float(struct npu_error *err)
{
	return float_network_load(float_path, NULL, &network, err);
}

static void undo_float(void)
{
	float_network_free(&network);
}

static int make_samples(struct npu_error *err)
{
	return samples_open(float_path, 1, &samples, err);
}

static void undo_samples(void)
{
	samples_close(samples);
}

static int make_save(struct npu_error *err)
{
	int ret = quant_file_save(quant_path, &bench->quant, err);

	/* All of it or nothing; "nothing beside it" is seen when the folder is removed. */
	return ret && !access(quant_path, F_OK) ? -EEXIST : ret;
}

static void undo_save(void)
{
	unlink(quant_path);
}

static int make_load(struct npu_error *err)
{
	return quant_file_load(quant_path, &bench->loaded, err);
}

static void undo_load(void)
{
	quant_network_free(&bench->loaded);
}

static int make_runner(struct npu_error *err)
{
	return runner_create(bench->cpu, &bench->loaded, ROWS, NULL, &runner, err);
}

static void undo_runner(void)
{
	runner_destroy(runner);
}

static int make_run(struct npu_error *err)
{
	return runner_run(runner, bench->x, ROWS, err);
}

/* A network of one layer is a matrix of samples, too. */
static const struct failing_step float_steps[] = {
	{ "float_network_load", make_float, undo_float, false, 0 },
	{ "samples_open", make_samples, undo_samples, false, 0 },
};

/* That a new name lasts is more than some file systems can do. */
static const struct failing_step quant_steps[] = {
	{ "quant_file_save", make_save, undo_save, true, 0 },
	{ "quant_file_load", make_load, undo_load, false, 0 },
	{ "runner_create", make_runner, undo_runner, true, 0 },
	{ "runner_run", make_run, NULL, false, 0 },
};

#define COUNT(steps) (sizeof(steps) / sizeof(*(steps)))

static void try_all(const struct failing_step *steps, size_t count, unsigned int least_memory,
		    unsigned int least_calls)
{
	assert_in_range(failing_try(&failing_memory, ENOMEM, steps, count), least_memory, 500);
	assert_in_range(failing_try(&failing_calls, EIO, steps, count), least_calls, 500);
	assert_in_range(failing_try(&failing_calls, ENFILE, steps, count), least_calls, 500);
}

static void floats(void **state)
{
	const struct npu_safetensors_entry entry = {
		.name = "weights", .type = "F32", .rank = 2, .shape = { ROWS, 37 }, .data = bench->x
	};

	(void)state;
	expect_ok(npu_safetensors_write(float_path, &entry, 1, NULL, 0, &err));
	try_all(float_steps, COUNT(float_steps), 8, 6);
	unlink(float_path);
}

static void with(struct technique technique)
{
	quant_network_free(&bench->quant);
	rig_quantize(technique, &bench->network, bench->samples, &bench->quant);
	try_all(quant_steps, COUNT(quant_steps), 40, 10);
}

static void quantized(void **state)
{
	struct technique t = rig_technique();

	(void)state;
	t.weights = (struct weight_type){ FORM_UNIFORM, 4 };
	t.granularity = NPU_QUANT_PER_GROUP;
	t.group_size = 32;
	t.asymmetric = true;
	with(t);
	t = rig_technique();
	t.weights = (struct weight_type){ FORM_KMEANS, 3 };
	t.mode = INPUT_DYNAMIC_ROW;
	t.rotate = true;
	with(t);
	t = rig_technique();
	t.mode = INPUT_ADAPTIVE;
	t.smooth = true;
	t.alpha = 0.5f;
	with(t);
}

static int setup(void **state)
{
	(void)state;
	bench = rig_open(7, widths, COUNT(widths) - 1, ROWS);
	if (!mkdtemp(strcpy(folder, "/tmp/npu-test-XXXXXX")))
		return -1;
	snprintf(float_path, sizeof(float_path), "%s/float.safetensors", folder);
	snprintf(quant_path, sizeof(quant_path), "%s/quant.safetensors", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_close(bench);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floats),
		cmocka_unit_test(quantized),
	};

	return cmocka_run_group_tests_name("failing network", tests, setup, teardown);
}
