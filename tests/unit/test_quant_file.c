// SPDX-License-Identifier: MIT
/* Files of quantized networks: what is written is read again, and what is damaged is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <npu_file.h>

#include "../../tools/npu-run/network/quant_file.h"
#include "../../tools/npu-run/network/runner.h"
#include "../expect.h"
#include "../network_rig.h"

#define ROWS 5

static const uint32_t widths[] = { 37, 8, 3 };
static char path[] = "/tmp/test_quant_file.XXXXXX";

static int setup(void **state)
{
	*state = rig_open(3, widths, 2, ROWS);
	return 0;
}

static int teardown(void **state)
{
	rig_close(*state);
	return 0;
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

/* Whatever the technique, the file computes what the network did. */
static void check(struct bench *b, struct technique technique)
{
	float *before, *after;
	size_t count;

	quant_network_free(&b->quant);
	quant_network_free(&b->loaded);
	rig_quantize(technique, &b->network, b->samples, &b->quant);
	expect_ok(quant_file_save(path, &b->quant, &err));
	expect_ok(quant_file_load(path, &b->loaded, &err));
	assert_string_equal(b->quant.technique, b->loaded.technique);
	assert_int_equal(quant_network_bytes(&b->quant), quant_network_bytes(&b->loaded));
	before = rig_run(b->cpu, &b->quant, b->x, ROWS, &count);
	after = rig_run(b->cpu, &b->loaded, b->x, ROWS, &count);
	assert_memory_equal(before, after, count * sizeof(*before));
	free(before);
	free(after);
}

static void test_round_trip(void **state)
{
	struct technique t = rig_technique();

	for (uint32_t bits = 2; bits <= 8; bits++) {
		t.weights = (struct weight_type){ FORM_UNIFORM, bits };
		t.asymmetric = bits & 1;
		t.granularity = (enum npu_quant_granularity)(bits % 3);
		t.group_size = 32;
		check(*state, t);
	}
	t = rig_technique();
	t.weights = (struct weight_type){ FORM_KMEANS, 5 };
	check(*state, t);
	t.granularity = NPU_QUANT_PER_TENSOR;
	t.weights = (struct weight_type){ FORM_LOG, 3 };
	check(*state, t);
	for (int mode = INPUT_STATIC; mode <= INPUT_ADAPTIVE; mode++) {
		t = rig_technique();
		t.mode = (enum input_mode)mode;
		t.rotate = true;
		t.seed = UINT64_MAX;
		t.smooth = true;
		t.alpha = 0.25f;
		check(*state, t);
	}
	t = rig_technique();
	t.input_bits = 16;
	t.float_output = true;
	check(*state, t);
}

/* ---- Damage ----------------------------------------------------------------------------- */

struct bytes {
	uint8_t *data;
	size_t count;
};

static struct bytes read_all(void)
{
	struct bytes bytes = { malloc(1 << 16), 0 };
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	bytes.count = fread(bytes.data, 1, 1 << 16, file);
	fclose(file);
	return bytes;
}

static void write_all(const char *file_path, const uint8_t *data, size_t count)
{
	FILE *file = fopen(file_path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, count, file), count);
	fclose(file);
}

/* Loads what may be anything; what is taken for a network can be run, or is refused for a reason.
 */
static void try_to_run(struct bench *b, const char *damaged, const uint8_t *data, size_t count)
{
	struct runner *runner;
	struct npu_error err = { 0 };

	write_all(damaged, data, count);
	if (quant_file_load(damaged, &b->loaded, &err)) {
		assert_int_equal(strncmp(err.text, damaged, strlen(damaged)), 0);
		return;
	}
	if (b->loaded.layer[0].k == widths[0] &&
	    !runner_create(b->cpu, &b->loaded, ROWS, NULL, &runner, &err)) {
		if (runner_run(runner, b->x, ROWS, &err))
			assert_true(err.text[0]);
		runner_destroy(runner);
	}
	quant_network_free(&b->loaded);
}

static void test_damage(void **state)
{
	struct bench *b = *state;
	struct technique t = rig_technique();
	char damaged[32];
	int fd = memfd_create("damaged", 0);
	struct bytes good;

	assert_true(fd >= 0);
	snprintf(damaged, sizeof(damaged), "/proc/self/fd/%d", fd);
	t.weights = (struct weight_type){ FORM_KMEANS, 3 };
	t.rotate = true;
	check(b, t);
	quant_network_free(&b->loaded);
	good = read_all();
	for (size_t i = 0; i < good.count; i++)
		try_to_run(b, damaged, good.data, i);
	for (size_t i = 0; i < good.count; i++) {
		good.data[i] ^= (uint8_t)(1 << i % 8);
		try_to_run(b, damaged, good.data, good.count);
		good.data[i] ^= (uint8_t)(1 << i % 8);
	}
	free(good.data);
	close(fd);
}

/* Replaces a text of the header by one as long. */
static void spoil(struct bench *b, const char *from, const char *to, int code, const char *says)
{
	struct bytes good = read_all();
	uint8_t *at = memmem(good.data, good.count, from, strlen(from));

	assert_int_equal(strlen(from), strlen(to));
	assert_non_null(at);
	memcpy(at, to, strlen(to));
	write_all(path, good.data, good.count);
	expect_error(quant_file_load(path, &b->loaded, &err), code, says);
	memcpy(at, from, strlen(from));
	write_all(path, good.data, good.count);
	free(good.data);
}

static void test_refused(void **state)
{
	struct bench *b = *state;
	struct technique t = rig_technique();
	const struct npu_safetensors_entry entry = { "x", "F32", 1, { 37 }, b->x };

	t.weights.bits = 4;
	check(b, t);
	quant_network_free(&b->loaded);
	spoil(b, "\"npu_quantized\":\"1\"", "\"npu_quantized\":\"2\"", -ENOTSUP,
	      "of version '2', this program reads version 1");
	spoil(b, "\"npu_quantized\"", "\"npu_quantizer\"", -EINVAL, "is not a quantized network");
	spoil(b, "\"0.weights\"", "\"0.weightz\"", -EBADMSG, "0.weights is missing");
	spoil(b, "\"int4\"", "\"int3\"", -EBADMSG, "0.weight has not the type or the shape");
	spoil(b, "\"int4\"", "\"int9\"", -EBADMSG, "0.weights is no type that is known");
	spoil(b, "\"37\"", "\"-7\"", -EBADMSG, "0.columns is no number of columns");
	spoil(b, "static int8", "static int9", -EBADMSG, "0.inputs is none that is known");
	spoil(b, "int8 asymmetric", "int8 asymmetrix", -EBADMSG, "0.inputs is none that is known");
	spoil(b, "fixed16", "fixed17", -EBADMSG, "0.scaling does not go with the rest");
	spoil(b, "\"0.weight_scale\"", "\"0.weight_scala\"", -EBADMSG, "0.weight_scale is missing");
	spoil(b, "\"2.input_scale\"", "\"2.input_scala\"", -EBADMSG, "2.input_scale is missing");
	spoil(b, "0\\u000a2", "2\\u000a0", -EBADMSG,
	      "has not as many columns as the layer before has rows");
	spoil(b, "0\\u000a2", "0\\u000a0", -EBADMSG, "has layer 0 twice");
	spoil(b, "0\\u000a2", "\\u001bab", -EBADMSG, "the name of layer 0 has a control character");
	b->quant.layer[0].weight_scale[3] = 0;
	expect_ok(quant_file_save(path, &b->quant, &err));
	expect_error(quant_file_load(path, &b->loaded, &err), -EBADMSG,
		     "value 3 of 0.weight_scale is 0");
	expect_ok(npu_safetensors_write(path, &entry, 1, NULL, 0, &err));
	expect_error(quant_file_load(path, &b->loaded, &err), -EINVAL,
		     "is not a quantized network");
	expect_error(quant_file_load("/nowhere/q", &b->loaded, &err), -ENOENT, "/nowhere/q: ");
}

/* Zero points beyond a byte, and with a codebook, which has none. */
static void test_zero_points(void **state)
{
	struct bench *b = *state;
	struct technique t = rig_technique();

	t.asymmetric = true;
	check(b, t);
	quant_network_free(&b->loaded);
	b->quant.layer[0].weight_zero[0] = 128;
	expect_ok(quant_file_save(path, &b->quant, &err));
	expect_error(quant_file_load(path, &b->loaded, &err), -EBADMSG,
		     "0.weight_zero_point has a value that is not in -128 to 127");
	t = rig_technique();
	t.weights = (struct weight_type){ FORM_KMEANS, 3 };
	check(b, t);
	quant_network_free(&b->loaded);
	b->quant.layer[0].asymmetric = true;
	b->quant.layer[0].weight_zero = calloc(b->quant.layer[0].scale_count, sizeof(int32_t));
	expect_ok(quant_file_save(path, &b->quant, &err));
	expect_error(quant_file_load(path, &b->loaded, &err), -EBADMSG,
		     "0.weight_zero_point goes with uniform weights only");
}

/* A file of holes, so long that its groups are more than 32 bits count. */
static void test_too_many(void **state)
{
	static const char text[] =
		"{\"__metadata__\":{\"npu_quantized\":\"1\",\"layers\":\"a\",\"a.weights\":\"int2\","
		"\"a.columns\":\"65\",\"a.granularity\":\"32\",\"a.inputs\":\"dynamic int8 "
		"symmetric\"},\"a.weight\":{\"dtype\":\"U8\",\"shape\":[1431655766,17],"
		"\"data_offsets\":[0,24338148022]}}";
	const uint64_t length = sizeof(text) - 1, all = 8 + length + 24338148022;
	struct quant_network network;
	char holes[32];
	int fd = memfd_create("holes", 0);

	(void)state;
	if (sizeof(size_t) < sizeof(uint64_t))
		skip();
	assert_true(fd >= 0 && !ftruncate(fd, (off_t)all));
	assert_int_equal(pwrite(fd, &length, 8, 0), 8);
	assert_int_equal(pwrite(fd, text, length, 8), length);
	snprintf(holes, sizeof(holes), "/proc/self/fd/%d", fd);
	expect_error(quant_file_load(holes, &network, &err), -EBADMSG,
		     "a.weight has more rows and groups than can be");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zero_points, setup, teardown),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
