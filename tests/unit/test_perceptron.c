// SPDX-License-Identifier: MIT
/*
 * What the examples of networks read and write: the model's file, the digits, and .npy for npu-run.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>
#include <npu_file.h>

#include "../../examples/data-sets/npy.h"
#include "../../examples/digits/digits.h"
#include "../../examples/perceptron/model.h"
#include "../expect.h"

#define COUNT(x) (sizeof(x) / sizeof((x)[0]))

static char dir[] = "/tmp/test_perceptron.XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

/* ---- Model ------------------------------------------------------------------------------- */

/* 3 inputs, 2 hidden, 1 output. */
static void make_model(struct model *model)
{
	static const uint32_t width[] = { 3, 2, 1 };

	expect_ok(model_create(width, 2, model, &err));
	model->input_max = 16;
	for (int i = 0; i < 6; i++)
		model->layer[0].weight[i] = (float)i - 2.5f;
	model->layer[0].bias[1] = 7;
	model->layer[0].range = 3;
	model->layer[1].weight[1] = -1;
	model->layer[1].range = 0.5f;
}

static void a_model_there_and_back(void **state)
{
	struct model model, got;
	struct npu_file *file;
	size_t index;

	(void)state;
	make_model(&model);
	expect_ok(model_save(path, &model, &err));
	expect_ok(model_load(path, 3, 16, 1, &got, &err));
	assert_int_equal(got.layer_count, 2);
	assert_true(got.input_max == 16);
	for (int i = 0; i < 2; i++) {
		const struct layer *a = &model.layer[i], *b = &got.layer[i];

		assert_int_equal(a->n, b->n);
		assert_int_equal(a->k, b->k);
		assert_true(a->range == b->range);
		assert_memory_equal(a->weight, b->weight, a->n * a->k * sizeof(float));
		assert_memory_equal(a->bias, b->bias, a->n * sizeof(float));
	}
	model_free(&got);
	model_free(&model);

	/* The names that PyTorch would look for. */
	expect_ok(npu_file_open(path, &file, &err));
	index = npu_file_find(file, "2.weight");
	assert_true(index != NPU_FILE_NONE);
	assert_int_equal(npu_file_tensor(file, index)->rank, 2);
	assert_int_equal(npu_file_tensor(file, index)->shape[1], 2);
	assert_true(npu_file_find(file, "0.bias") != NPU_FILE_NONE);
	npu_file_close(file);
}

static const float values[] = { 1, 2, 3, 4, NAN, -1 };

/* A model of one layer, 3 to 2, of which one tensor is replaced or, without a name, left out. */
static void expect_refused(int code, size_t replaced, struct npu_safetensors_entry by,
			   const char *text)
{
	struct npu_safetensors_entry tensors[] = {
		{ "0.weight", "F32", 2, { 2, 3 }, (const float[6]){ 0 } },
		{ "0.bias", "F32", 1, { 2 }, (const float[2]){ 0 } },
		{ "0.output_range", "F32", 0, { 0 }, &values[0] },
		{ "input_max", "F32", 0, { 0 }, &values[0] },
	};
	struct npu_error refusal = { 0 };
	struct model model;

	if (by.type)
		tensors[replaced] = by;
	else
		tensors[replaced].name = "other";
	expect_ok(npu_safetensors_write(path, tensors, COUNT(tensors), NULL, 0, &err));
	assert_int_equal(model_load(path, 3, 1, 2, &model, &refusal), code);
	assert_int_equal(strncmp(refusal.text, path, strlen(path)), 0);
	assert_string_equal(refusal.text + strlen(path), text);
	assert_null(model.layer[0].weight);
}

#define TENSOR(...) ((struct npu_safetensors_entry){ __VA_ARGS__ })

static void models_refused(void **state)
{
	static const float none[6];
	const struct npu_safetensors_entry nothing = { 0 };

	(void)state;
	expect_refused(-EINVAL, 0, nothing, ": has no tensor '0.weight'");
	expect_refused(-EINVAL, 1, nothing, ": has no tensor '0.bias'");
	expect_refused(-EINVAL, 2, nothing, ": has no tensor '0.output_range'");
	expect_refused(-EINVAL, 3, nothing, ": has no tensor 'input_max'");
	expect_refused(-EINVAL, 0, TENSOR("0.weight", "F32", 1, { 6 }, none),
		       ": '0.weight' has 1 dimensions, not 2");
	expect_refused(-EINVAL, 0, TENSOR("0.weight", "F32", 2, { 3, 2 }, none),
		       ": '0.weight' takes 2 inputs but is given 3");
	expect_refused(-EINVAL, 0, TENSOR("0.weight", "F32", 2, { 1, 3 }, none),
		       ": '0.bias' has 2 values, not 1");
	expect_refused(-EINVAL, 0, TENSOR("0.weight", "F32", 2, { 0, 3 }, NULL),
		       ": '0.weight' has 0 outputs, not 1 to 4096");
	expect_refused(-EINVAL, 0, TENSOR("0.weight", "F32", 2, { 2, 3 }, values),
		       ": value 4 of '0.weight' is nan");
	expect_refused(-ENOTSUP, 0, TENSOR("0.weight", "I64", 2, { 2, 3 }, (const int64_t[6]){ 0 }),
		       ": tensor '0.weight' is of type I64, which is not read as float: convert it "
		       "first");
	expect_refused(-EINVAL, 2, TENSOR("0.output_range", "F32", 0, { 0 }, none),
		       ": '0.output_range' is 0, which is not above 0");
	expect_refused(-EINVAL, 3, TENSOR("input_max", "F32", 0, { 0 }, &values[5]),
		       ": 'input_max' is -1, which is not above 0");
	expect_refused(-EINVAL, 3, TENSOR("input_max", "F32", 0, { 0 }, &values[1]),
		       ": takes pixels of 0 to 2, not 1");
}

static void another_number_of_classes(void **state)
{
	struct model model, got;

	(void)state;
	make_model(&model);
	expect_ok(model_save(path, &model, &err));
	expect_error(model_load(path, 3, 16, 10, &got, &err), -EINVAL,
		     "gives 1 outputs where 10 are needed");
	model_free(&model);
	expect_error(model_load(dir, 3, 16, 1, &got, &err), -EISDIR, dir);
}

/* ---- Digits ------------------------------------------------------------------------------ */

/* @lines images, of which line @odd (from 1) is @text. */
static void write_digits(int lines, int odd, const char *text)
{
	gzFile out = gzopen(path, "wb");

	assert_non_null(out);
	for (int i = 1; i <= lines; i++) {
		if (i == odd) {
			gzputs(out, text);
			continue;
		}
		for (int p = 0; p < DIGITS_PIXELS; p++)
			gzprintf(out, "%d,", (i + p) % 17);
		gzprintf(out, "%d\n", i % 10);
	}
	assert_int_equal(gzclose(out), Z_OK);
}

static void digits_are_read(void **state)
{
	struct digits digits;

	(void)state;
	write_digits(3000, 0, NULL);
	expect_ok(digits_load(path, &digits, &err));
	assert_int_equal(digits.count, 3000);
	for (size_t i = 0; i < digits.count; i++) {
		for (size_t p = 0; p < DIGITS_PIXELS; p++)
			assert_int_equal(digits.pixels[i * DIGITS_PIXELS + p], (i + 1 + p) % 17);
		assert_int_equal(digits.labels[i], (i + 1) % 10);
	}
	digits_free(&digits);
}

#define Z8 "0,0,0,0,0,0,0,0,"
#define Z63 Z8 Z8 Z8 Z8 Z8 Z8 Z8 "0,0,0,0,0,0,0,"

static void digits_refused(void **state)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{ Z63 "17,1\n", "line 2 has something else than a pixel of 0 to 16 in column 64" },
		{ "-1,\n", "line 2 has something else than a pixel of 0 to 16 in column 1" },
		{ "0,,0\n", "in column 2" },
		{ "0, 1\n", "in column 2" },
		{ "18446744073709551617,1\n", "in column 1" },
		{ "\n", "in column 1" },
		{ Z63 "1,10\n", "line 2 does not end with a digit" },
		{ Z63 "1,1,1\n", "line 2 does not end with a digit" },
		{ Z63 "1,\n", "line 2 does not end with a digit" },
	};
	struct digits digits;
	FILE *file;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		write_digits(600, 2, cases[i].line);
		expect_error(digits_load(path, &digits, &err), -EINVAL, cases[i].text);
		assert_null(digits.pixels);
	}
	write_digits(500, 0, NULL);
	expect_error(digits_load(path, &digits, &err), -EINVAL, "has 500 images, not more than");
	write_digits(600, 600, Z63 "1,1");
	expect_error(digits_load(path, &digits, &err), -EINVAL, "line 600 does not end");
	write_digits(600, 0, NULL);
	assert_int_equal(truncate(path, 300), 0);
	expect_error(digits_load(path, &digits, &err), -EIO, "damaged gzip file");
	file = fopen(path, "wb");
	assert_non_null(file);
	fclose(file);
	expect_error(digits_load(path, &digits, &err), -EINVAL, "has 0 images");
	unlink(path);
	expect_error(digits_load(path, &digits, &err), -ENOENT, "cannot be opened");
	expect_error(digits_load(dir, &digits, &err), -EIO, "cannot be read");
}

/* ---- .npy -------------------------------------------------------------------------------- */

static void arrays_are_what_libnpu_reads(void **state)
{
	static const uint8_t bytes[] = { 0, 255, 3, 4, 5, 6 };
	static const size_t cols[] = { 3, 0 };
	char temporary[64];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct npu_file_tensor *tensor;
		struct npu_file *file;
		size_t rows = cols[i] ? 2 : 6;

		expect_ok(npy_write_bytes(path, bytes, rows, cols[i], &err));
		expect_ok(npu_file_open(path, &file, &err));
		tensor = npu_file_tensor(file, 0);
		assert_string_equal(npu_file_format(file), "npy");
		assert_string_equal(tensor->type, "|u1");
		assert_int_equal(tensor->rank, cols[i] ? 2 : 1);
		assert_int_equal(tensor->shape[0], rows);
		assert_int_equal(tensor->shape[1], cols[i] ? 3 : 1);
		assert_memory_equal(npu_file_data(file, 0), bytes, sizeof(bytes));
		npu_file_close(file);
	}
	expect_error(npy_write_bytes("/nowhere/x.npy", bytes, 6, 0, &err), -ENOENT,
		     "/nowhere/x.npy");
	expect_error(npy_write_bytes(dir, bytes, 6, 0, &err), -EISDIR, dir);
	snprintf(temporary, sizeof(temporary), "%s.tmp", dir);
	assert_int_equal(access(temporary, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_there_and_back),
		cmocka_unit_test(models_refused),
		cmocka_unit_test(another_number_of_classes),
		cmocka_unit_test(digits_are_read),
		cmocka_unit_test(digits_refused),
		cmocka_unit_test(arrays_are_what_libnpu_reads),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
