// SPDX-License-Identifier: MIT
/*
 * Files of tensors: what is listed, and the values that come out of every type, in whole and in
 * ranges. Files and expected values are made by file_rig.c.
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <npu_file.h>

#include "file_rig.h"

static char dir[] = "/tmp/test_file.XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/model", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

/* Writes @b to the file, frees it and opens the file. */
static struct npu_file *open_bytes(struct bytes *b)
{
	FILE *out = fopen(path, "wb");
	struct npu_error err = { 0 };
	struct npu_file *file;

	assert_non_null(out);
	assert_int_equal(fwrite(b->data, 1, b->length, out), b->length);
	assert_int_equal(fclose(out), 0);
	bytes_free(b);
	if (npu_file_open(path, &file, &err))
		fail_msg("%s", err.text);
	return file;
}

/* Bit for bit: NaN and the sign of a zero count. */
static void expect_values(const struct npu_file *file, size_t index, const float *expected,
			  size_t count)
{
	float *got = malloc((count + 1) * sizeof(*got));
	struct npu_error err = { 0 };

	assert_non_null(got);
	if (npu_file_read(file, index, 0, count, got, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < count; i++)
		if (memcmp(got + i, expected + i, sizeof(*got)))
			fail_msg("element %zu is %a, not %a", i, (double)got[i],
				 (double)expected[i]);
	free(got);
}

/* ---- .npy ------------------------------------------------------------------------------- */

static void npy_is_listed(void **state)
{
	const struct npu_file_tensor *tensor;
	struct bytes b = { 0 };
	struct npu_file *file;

	(void)state;
	npy_begin(&b, 2, "<f2", "2, 3, 1");
	for (uint16_t i = 0; i < 6; i++)
		bytes_u16(&b, 0x3c00 + i);
	file = open_bytes(&b);
	assert_string_equal(npu_file_format(file), "npy");
	assert_int_equal(npu_file_count(file), 1);
	assert_null(npu_file_tensor(file, 1));
	assert_null(npu_file_data(file, 1));
	assert_int_equal(npu_file_find(file, ""), 0);
	assert_true(npu_file_find(file, "x") == NPU_FILE_NONE);

	tensor = npu_file_tensor(file, 0);
	assert_string_equal(tensor->name, "");
	assert_string_equal(tensor->type, "<f2");
	assert_int_equal(tensor->rank, 3);
	assert_int_equal(tensor->shape[0], 2);
	assert_int_equal(tensor->shape[1], 3);
	assert_int_equal(tensor->shape[2], 1);
	assert_int_equal(tensor->shape[7], 1);
	assert_int_equal(tensor->elements, 6);
	assert_int_equal(tensor->bytes, 12);
	assert_true(tensor->readable);
	assert_memory_equal(npu_file_data(file, 0), "\x00\x3c\x01\x3c", 4);
	npu_file_close(file);
}

struct number_case {
	const char *type;
	const uint8_t bytes[16];
	float values[2];
};

/* Two elements of each type, by hand. */
static const struct number_case numbers[] = {
	{ "|i1", { 0x80, 0x7f }, { -128, 127 } },
	{ "|u1", { 0x80, 0xff }, { 128, 255 } },
	{ "<i2", { 0x00, 0x80, 0x34, 0x12 }, { -32768, 0x1234 } },
	{ "<u2", { 0xff, 0xff, 0x34, 0x12 }, { 65535, 0x1234 } },
	/* 2^24 + 1 lies between two floats, the even one is 2^24; 2^24 + 3 goes to 2^24 + 4. */
	{ "<i4", { 1, 0, 0, 1, 3, 0, 0, 1 }, { 0x1p24f, 0x1p24f + 4 } },
	/* The least denormal half, and the largest negative half. */
	{ "<f2", { 0x01, 0x00, 0xff, 0xfb }, { 0x1p-24f, -65504 } },
	{ "<f4", { 0, 0, 0xc0, 0x3f, 1, 0, 0, 0x80 }, { 1.5f, -0x1p-149f } },
	/* 1 + 2^-24 is a tie that goes to 1; 1e300 is beyond all floats. */
	{ "<f8",
	  { 0, 0, 0, 0x10, 0, 0, 0xf0, 0x3f, 0x9c, 0x75, 0, 0x88, 0x3c, 0xe4, 0x37, 0x7e },
	  { 1, INFINITY } },
};

static void numbers_of_npy(void **state)
{
	static const uint8_t sizes[] = { 1, 1, 2, 2, 4, 2, 4, 8 };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct bytes b = { 0 };
		struct npu_file *file;

		npy_begin(&b, 1, numbers[i].type, "2,");
		bytes_put(&b, numbers[i].bytes, 2 * sizes[i]);
		file = open_bytes(&b);
		expect_values(file, 0, numbers[i].values, 2);
		npu_file_close(file);
	}
}

static void what_npy_cannot_give_as_float(void **state)
{
	static const char *const types[] = { "<i8", "<u8", "<u4", "<c8", "<c16", "|b1" };
	static const uint8_t sizes[] = { 8, 8, 4, 8, 16, 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct npu_error err = { 0 };
		struct bytes b = { 0 };
		struct npu_file *file;
		float value = 7;

		npy_begin(&b, 3, types[i], "");
		bytes_put(&b, "0123456789abcdef", sizes[i]);
		file = open_bytes(&b);
		assert_false(npu_file_tensor(file, 0)->readable);
		assert_int_equal(npu_file_read(file, 0, 0, 1, &value, &err), -ENOTSUP);
		assert_non_null(strstr(err.text, types[i]));
		assert_true(value == 7);
		npu_file_close(file);
	}
}

/* ---- safetensors ------------------------------------------------------------------------ */

static const char header[] =
	"{\"__metadata__\": {\"format\": \"pt\", \"\": \"\\ud83d\\ude00\\n\", \"e\": \"\"},"
	" \"b\": {\"dtype\":\"BF16\",\"shape\":[2,2],\"data_offsets\":[12,20]},\n"
	" \"a/\\u00e9\\\"\": {\"data_offsets\": [0, 12], \"shape\": [3], \"dtype\": \"F32\"},"
	" \"empty\": {\"dtype\":\"F16\",\"shape\":[4,0],\"data_offsets\":[12,12]},"
	" \"one\": {\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[20,28]},"
	" \"nibbles\": {\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[28,30]}}   ";

static struct npu_file *open_safetensors(void)
{
	struct bytes b = { 0 };

	safetensors_begin(&b, header);
	bytes_f32(&b, 1);
	bytes_f32(&b, -0.0f);
	bytes_u32(&b, 0x7fc00123); /* a NaN with something in it */
	bytes_u16(&b, 0x3f80);
	bytes_u16(&b, 0xc049);
	bytes_u16(&b, 0xff80);
	bytes_u16(&b, 0x0001);
	bytes_put(&b, "01234567ab", 10);
	return open_bytes(&b);
}

static void safetensors_are_listed(void **state)
{
	struct npu_file *file = open_safetensors();
	const struct npu_file_tensor *tensor = npu_file_tensor(file, 0);

	(void)state;
	assert_string_equal(npu_file_format(file), "safetensors");
	assert_int_equal(npu_file_count(file), 5);
	assert_string_equal(tensor->name, "b");
	assert_string_equal(tensor->type, "BF16");
	assert_int_equal(tensor->rank, 2);
	assert_int_equal(tensor->elements, 4);
	assert_int_equal(tensor->bytes, 8);
	assert_int_equal(npu_file_find(file, "b"), 0);
	assert_int_equal(npu_file_find(file, "a/\xc3\xa9\""), 1);
	assert_int_equal(npu_file_find(file, "empty"), 2);
	assert_int_equal(npu_file_find(file, "nibbles"), 4);
	assert_true(npu_file_find(file, "__metadata__") == NPU_FILE_NONE);
	assert_int_equal(npu_file_tensor(file, 2)->elements, 0);
	assert_int_equal(npu_file_tensor(file, 3)->rank, 0);
	assert_int_equal(npu_file_tensor(file, 3)->elements, 1);
	assert_int_equal(npu_file_tensor(file, 4)->bytes, 2);
	assert_false(npu_file_tensor(file, 3)->readable);
	assert_memory_equal(npu_file_data(file, 3), "01234567", 8);
	npu_file_close(file);
}

static void values_of_safetensors(void **state)
{
	struct npu_file *file = open_safetensors();
	const uint32_t nan_bits = 0x7fc00123, pi_bits = 0xc0490000, least_bits = 0x00010000;
	float a[3] = { 1, -0.0f }, b[4] = { 1, 0, -INFINITY };

	(void)state;
	memcpy(&a[2], &nan_bits, sizeof(float));
	memcpy(&b[1], &pi_bits, sizeof(float));
	memcpy(&b[3], &least_bits, sizeof(float));
	expect_values(file, 1, a, 3);
	expect_values(file, 0, b, 4);
	expect_values(file, 2, NULL, 0);
	npu_file_close(file);
}

/* In the order of their keys, whatever the file's is. */
static void notes_of_safetensors(void **state)
{
	struct npu_file *file = open_safetensors();

	(void)state;
	assert_int_equal(npu_file_note_count(file), 3);
	assert_string_equal(npu_file_note(file, 0)->key, "");
	assert_string_equal(npu_file_note(file, 0)->value, "\xf0\x9f\x98\x80\n");
	assert_string_equal(npu_file_note(file, 1)->key, "e");
	assert_string_equal(npu_file_note(file, 1)->value, "");
	assert_string_equal(npu_file_note(file, 2)->key, "format");
	assert_null(npu_file_note(file, 3));
	assert_string_equal(npu_file_find_note(file, "format"), "pt");
	assert_string_equal(npu_file_find_note(file, "e"), "");
	assert_null(npu_file_find_note(file, "forma"));
	npu_file_close(file);
}

static void copies_of_elements(void **state)
{
	struct npu_file *file = open_safetensors();
	struct npu_error err = { 0 };
	uint16_t halves[2] = { 0 };
	uint64_t wide = 0;

	(void)state;
	assert_int_equal(npu_file_copy(file, 0, "BF16", 1, 2, halves, NULL), 0);
	assert_int_equal(halves[0], 0xc049);
	assert_int_equal(halves[1], 0xff80);
	assert_int_equal(npu_file_copy(file, 3, "I64", 0, 1, &wide, NULL), 0);
	assert_memory_equal(&wide, "01234567", 8);
	assert_int_equal(npu_file_copy(file, 2, "F16", 0, 0, NULL, NULL), 0);

	wide = 0;
	assert_int_equal(npu_file_copy(file, 3, "U64", 0, 1, &wide, &err), -EINVAL);
	assert_non_null(strstr(err.text, "tensor 'one' is of type I64, not U64"));
	assert_int_equal(npu_file_copy(file, 0, "BF16", 3, 2, &wide, &err), -EINVAL);
	assert_non_null(strstr(err.text, "tensor 'b' has 4 elements, not 2 from 3 on"));
	assert_int_equal(npu_file_copy(file, 0, "BF16", UINT64_MAX, 2, &wide, &err), -EINVAL);
	assert_int_equal(npu_file_copy(file, 5, "F4", 0, 1, &wide, &err), -EINVAL);
	assert_non_null(strstr(err.text, "has 5 tensors, so that there is no 5"));
	assert_int_equal(npu_file_copy(file, 4, "F4", 0, 1, &wide, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "tensor 'nibbles' is of type F4"));
	assert_int_equal(npu_file_copy(file, 3, NULL, 0, 1, &wide, &err), -EINVAL);
	assert_int_equal(npu_file_copy(file, 3, "I64", 0, 1, NULL, &err), -EINVAL);
	assert_true(wide == 0);
	npu_file_close(file);
}

static void nothing_in_safetensors(void **state)
{
	struct bytes b = { 0 };
	struct npu_file *file;

	(void)state;
	safetensors_begin(&b, "{}");
	file = open_bytes(&b);
	assert_int_equal(npu_file_count(file), 0);
	assert_true(npu_file_find(file, "") == NPU_FILE_NONE);
	npu_file_close(file);
}

/* ---- GGUF ------------------------------------------------------------------------------- */

/* Dimensions come out as NumPy would have them, and the alignment is the file's. */
static void gguf_is_listed(void **state)
{
	static const uint64_t wide[] = { 3, 2 }, none[] = { 0 };

	(void)state;
	for (uint32_t version = 2; version <= 3; version++) {
		static const float values[] = { 1, 2, 3, 4, 5, 6 };
		const struct npu_file_tensor *tensor;
		struct bytes b = { 0 }, metadata = { 0 };
		uint64_t pairs = gguf_metadata(&metadata, 64);
		struct npu_file *file;

		gguf_begin(&b, version, 2, pairs);
		bytes_put(&b, metadata.data, metadata.length);
		bytes_free(&metadata);
		gguf_tensor(&b, "blk.0.w", 2, wide, GGUF_F32, 64);
		gguf_tensor(&b, "none", 1, none, GGUF_F16, 0);
		bytes_align(&b, 64);
		for (int i = 0; i < 16; i++)
			bytes_u32(&b, 0xffffffff);
		for (int i = 0; i < 6; i++)
			bytes_f32(&b, values[i]);
		file = open_bytes(&b);
		assert_string_equal(npu_file_format(file), "gguf");
		assert_int_equal(npu_file_count(file), 2);
		assert_int_equal(npu_file_find(file, "none"), 1);
		tensor = npu_file_tensor(file, 0);
		assert_string_equal(tensor->name, "blk.0.w");
		assert_string_equal(tensor->type, "F32");
		assert_int_equal(tensor->rank, 2);
		assert_int_equal(tensor->shape[0], 2);
		assert_int_equal(tensor->shape[1], 3);
		expect_values(file, 0, values, 6);
		npu_file_close(file);
	}
}

#define BLOCKS 40

/* All blocks of a file with one tensor of @type, and what they mean. */
static struct npu_file *open_blocks(uint32_t type, float *expected)
{
	unsigned int elements = block_elements(type);
	const uint64_t dim[] = { elements * 4, BLOCKS / 4 };
	struct bytes b = { 0 };
	uint64_t seed = 1 + type;

	gguf_begin(&b, 3, 1, 0);
	gguf_tensor(&b, "w", 2, dim, type, 0);
	bytes_align(&b, 32);
	for (int i = 0; i < BLOCKS; i++) {
		struct block block;

		block_random(&seed, type, &block);
		block_pack(&b, type, &block);
		for (unsigned int j = 0; j < elements; j++)
			*expected++ = block_value(type, &block, j);
	}
	return open_bytes(&b);
}

static const uint32_t block_types[] = { GGUF_Q4_0, GGUF_Q4_1, GGUF_Q8_0, GGUF_Q4_K, GGUF_Q6_K };

#define BLOCK_TYPES (sizeof(block_types) / sizeof(block_types[0]))

static void blocks_mean_what_ggml_says(void **state)
{
	static const char *const names[] = { "Q4_0", "Q4_1", "Q8_0", "Q4_K", "Q6_K" };
	static float expected[BLOCKS * 256];

	(void)state;
	for (size_t i = 0; i < BLOCK_TYPES; i++) {
		struct npu_file *file = open_blocks(block_types[i], expected);
		const struct npu_file_tensor *tensor = npu_file_tensor(file, 0);

		assert_string_equal(tensor->type, names[i]);
		assert_int_equal(tensor->elements, BLOCKS * block_elements(block_types[i]));
		expect_values(file, 0, expected, tensor->elements);
		npu_file_close(file);
	}
}

/* Blocks by hand, whose values anybody can check. */
static void blocks_by_hand(void **state)
{
	static const uint64_t dim[] = { 32 };
	struct bytes b = { 0 };
	struct npu_file *file;
	float q4_0[32], q4_1[32];

	(void)state;
	gguf_begin(&b, 3, 2, 0);
	gguf_tensor(&b, "q4_0", 1, dim, GGUF_Q4_0, 0);
	gguf_tensor(&b, "q4_1", 1, dim, GGUF_Q4_1, 32);
	bytes_align(&b, 32);
	bytes_u16(&b, 0x3800); /* 0.5 */
	for (int i = 0; i < 16; i++)
		bytes_put(&b, (uint8_t[]){ (uint8_t)(i | (15 - i) << 4) }, 1);
	bytes_align(&b, 32);
	bytes_u16(&b, 0x4000); /* 2 */
	bytes_u16(&b, 0xbc00); /* -1 */
	for (int i = 0; i < 16; i++)
		bytes_put(&b, "\x73", 1);
	file = open_bytes(&b);
	for (int i = 0; i < 16; i++) {
		q4_0[i] = (float)(i - 8) / 2;
		q4_0[16 + i] = (float)(7 - i) / 2;
		q4_1[i] = 5;
		q4_1[16 + i] = 13;
	}
	expect_values(file, 0, q4_0, 32);
	expect_values(file, 1, q4_1, 32);
	npu_file_close(file);
}

/* Every beginning and several ends, in a block, at its edges and across it. */
static void ranges_are_parts_of_the_whole(void **state)
{
	static float expected[BLOCKS * 256];

	(void)state;
	for (size_t t = 0; t < BLOCK_TYPES; t++) {
		static const unsigned int counts[] = { 0, 1, 31, 32, 33, 255, 256, 257, 700 };
		struct npu_file *file = open_blocks(block_types[t], expected);
		uint64_t elements = npu_file_tensor(file, 0)->elements;

		for (uint64_t first = 0; first <= elements; first += first < 520 ? 1 : 97) {
			for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
				float got[701];
				uint64_t count = counts[c];

				if (count > elements - first)
					continue;
				got[count] = 12345;
				assert_int_equal(npu_file_read(file, 0, first, count, got, NULL),
						 0);
				assert_memory_equal(got, expected + first, count * sizeof(*got));
				assert_true(got[count] == 12345);
			}
		}
		npu_file_close(file);
	}
}

/* ---- What callers do -------------------------------------------------------------------- */

static void mistakes_of_callers(void **state)
{
	struct npu_file *file = open_safetensors();
	struct npu_error err = { 0 };
	char expected[128];
	float x[4];

	(void)state;
	assert_int_equal(npu_file_read(file, 5, 0, 0, x, &err), -EINVAL);
	snprintf(expected, sizeof(expected), "%s: has 5 tensors, so that there is no 5", path);
	assert_string_equal(err.text, expected);
	assert_int_equal(npu_file_read(file, 0, 1, 4, x, &err), -EINVAL);
	snprintf(expected, sizeof(expected), "%s: tensor 'b' has 4 elements, not 4 from 1 on",
		 path);
	assert_string_equal(err.text, expected);
	assert_int_equal(npu_file_read(file, 0, 5, 0, x, &err), -EINVAL);
	assert_int_equal(npu_file_read(file, 0, UINT64_MAX, 2, x, &err), -EINVAL);
	assert_int_equal(npu_file_read(file, 0, 2, UINT64_MAX, x, &err), -EINVAL);
	assert_int_equal(npu_file_read(file, 0, 0, 1, NULL, &err), -EINVAL);
	assert_int_equal(npu_file_read(NULL, 0, 0, 1, x, &err), -EINVAL);
	assert_int_equal(npu_file_read(file, 0, 4, 0, NULL, &err), 0);
	npu_file_close(file);
	npu_file_close(NULL);

	assert_int_equal(npu_file_open(NULL, &file, &err), -EINVAL);
	assert_int_equal(npu_file_open(path, NULL, &err), -EINVAL);
	assert_int_equal(npu_file_open(dir, &file, &err), -EISDIR);
	assert_int_equal(npu_file_open("/dev/null", &file, &err), -EINVAL);
	assert_string_equal(err.text, "/dev/null: is neither a file nor a pipe");
	assert_int_equal(npu_file_open("/nowhere", &file, NULL), -ENOENT);
	assert_int_equal(npu_file_open("/nowhere", &file, &err), -ENOENT);
	assert_string_equal(err.text, "/nowhere: cannot be opened: No such file or directory");
}

/* Of a path that would fill the text the end is shown, and all of what went wrong. */
static void long_paths_leave_room(void **state)
{
	struct npu_error err;
	struct npu_file *file;
	char name[400];

	(void)state;
	memset(name, 'a', sizeof(name));
	strcpy(name + sizeof(name) - 10, "/last.npy");
	assert_int_equal(npu_file_open(name, &file, &err), -ENAMETOOLONG);
	assert_memory_equal(err.text, "...aaa", 6);
	assert_non_null(strstr(err.text, "aaaa/last.npy: cannot be opened: File name too long"));
}

/* A pipe comes in pieces, and is larger than the first memory for it. */
static void pipes_are_read_to_their_end(void **state)
{
	const size_t elements = 50000;
	float *expected = malloc(elements * sizeof(*expected));
	char name[32];
	struct bytes b = { 0 };
	struct npu_file *file;
	int ends[2];
	pid_t child;

	(void)state;
	assert_non_null(expected);
	npy_begin(&b, 1, "<i2", "50000,");
	for (size_t i = 0; i < elements; i++) {
		bytes_u16(&b, (uint16_t)i);
		expected[i] = (int16_t)i;
	}
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		close(ends[0]);
		_exit(write(ends[1], b.data, b.length) != (ssize_t)b.length);
	}
	close(ends[1]);
	bytes_free(&b);
	snprintf(name, sizeof(name), "/dev/fd/%d", ends[0]);
	assert_int_equal(npu_file_open(name, &file, NULL), 0);
	close(ends[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	expect_values(file, 0, expected, elements);
	npu_file_close(file);
	free(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(npy_is_listed),
		cmocka_unit_test(numbers_of_npy),
		cmocka_unit_test(what_npy_cannot_give_as_float),
		cmocka_unit_test(safetensors_are_listed),
		cmocka_unit_test(values_of_safetensors),
		cmocka_unit_test(notes_of_safetensors),
		cmocka_unit_test(copies_of_elements),
		cmocka_unit_test(nothing_in_safetensors),
		cmocka_unit_test(gguf_is_listed),
		cmocka_unit_test(blocks_mean_what_ggml_says),
		cmocka_unit_test(blocks_by_hand),
		cmocka_unit_test(ranges_are_parts_of_the_whole),
		cmocka_unit_test(mistakes_of_callers),
		cmocka_unit_test(long_paths_leave_room),
		cmocka_unit_test(pipes_are_read_to_their_end),
	};

	return cmocka_run_group_tests_name("file", tests, make_dir, remove_dir);
}
