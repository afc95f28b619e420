// SPDX-License-Identifier: MIT
/*
 * Writing safetensors: the bytes of a small file, all types there and back, and mistakes, none of
 * which may touch a file that is there already.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <npu_file.h>

#include "file_rig.h"

#define COUNT(x) (sizeof(x) / sizeof((x)[0]))

static char dir[] = "/tmp/test_safetensors_write.XXXXXX";
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

static size_t files_in_dir(void)
{
	DIR *folder = opendir(dir);
	size_t count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count - 2; /* . and .. */
}

static void write_it(const struct npu_safetensors_entry *tensors, size_t count,
		     const struct npu_safetensors_note *notes, size_t n_notes)
{
	struct npu_error err = { 0 };

	if (npu_safetensors_write(path, tensors, count, notes, n_notes, &err))
		fail_msg("%s", err.text);
	assert_int_equal(files_in_dir(), 1);
}

static struct npu_file *open_it(void)
{
	struct npu_error err = { 0 };
	struct npu_file *file;

	if (npu_file_open(path, &file, &err))
		fail_msg("%s", err.text);
	return file;
}

static void expect_file(const struct bytes *b)
{
	FILE *in = fopen(path, "rb");
	char got[512];

	assert_non_null(in);
	assert_true(b->length < sizeof(got));
	assert_int_equal(fread(got, 1, sizeof(got), in), b->length);
	assert_memory_equal(got, b->data, b->length);
	fclose(in);
}

/* ---- What is written -------------------------------------------------------------------- */

/* By hand: the float in front of the bytes that come first in the list, and the spaces at the end
 * of the header, which make its length a multiple of 8. */
static void bytes_of_a_small_file(void **state)
{
	const struct npu_safetensors_entry tensors[] = {
		{ .name = "b\"\\",
		  .type = "I8",
		  .rank = 1,
		  .shape = { 3 },
		  .data = "\x80\x01\x7f" },
		{ .name = "a", .type = "F32", .data = &(float){ 1.5f } },
	};
	static const struct npu_safetensors_note notes[] = {
		{ "z", "\n" },
		{ "a", "\xc3\xa9" },
	};
	struct bytes b = { 0 };

	(void)state;
	safetensors_begin(&b, "{\"__metadata__\":{\"z\":\"\\u000a\",\"a\":\"\xc3\xa9\"},"
			      "\"b\\\"\\\\\":{\"dtype\":\"I8\",\"shape\":[3],"
			      "\"data_offsets\":[4,7]},"
			      "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}    ");
	assert_int_equal(b.length % 8, 0);
	bytes_f32(&b, 1.5f);
	bytes_put(&b, "\x80\x01\x7f", 3);
	write_it(tensors, COUNT(tensors), notes, COUNT(notes));
	expect_file(&b);
	bytes_free(&b);
}

static void nothing_is_a_file(void **state)
{
	struct npu_file *file;

	(void)state;
	write_it(NULL, 0, NULL, 0);
	file = open_it();
	assert_int_equal(npu_file_count(file), 0);
	assert_int_equal(npu_file_note_count(file), 0);
	npu_file_close(file);
}

static const struct {
	const char *type;
	size_t size;
} types[] = {
	{ "I8", 1 },  { "F32", 4 }, { "U8", 1 },  { "F16", 2 },	 { "I64", 8 },
	{ "U16", 2 }, { "I16", 2 }, { "I32", 4 }, { "BF16", 2 },
};

/* Three times, empty tensors among them, so that most would lie askew if nobody took care. */
static void all_types_there_and_back(void **state)
{
	static uint8_t data[27][8 * 7];
	struct npu_safetensors_entry tensors[27];
	char names[27][8];
	struct npu_file *file;
	uint64_t seed = 5;

	(void)state;
	for (size_t i = 0; i < 27; i++) {
		for (size_t j = 0; j < sizeof(data[i]); j++)
			data[i][j] = (uint8_t)rig_random(&seed);
		snprintf(names[i], sizeof(names[i]), "t%zu", i);
		tensors[i] = (struct npu_safetensors_entry){
			.name = names[i],
			.type = types[i % 9].type,
			.rank = 2,
			.shape = { i % 4 ? 7 : 0, 1, 99 },
			.data = i % 4 ? data[i] : NULL,
		};
	}
	write_it(tensors, 27, NULL, 0);
	file = open_it();
	assert_int_equal(npu_file_count(file), 27);
	for (size_t i = 0; i < 27; i++) {
		const struct npu_file_tensor *tensor = npu_file_tensor(file, i);
		uint64_t count = i % 4 ? 7 : 0;
		uint8_t got[8 * 7];

		assert_string_equal(tensor->name, names[i]);
		assert_int_equal(tensor->rank, 2);
		assert_int_equal(tensor->shape[0], count);
		assert_int_equal(tensor->shape[1], 1);
		assert_int_equal((uintptr_t)npu_file_data(file, i) % types[i % 9].size, 0);
		assert_int_equal(npu_file_copy(file, i, types[i % 9].type, 0, count, got, NULL), 0);
		assert_memory_equal(got, data[i], count * types[i % 9].size);
	}
	npu_file_close(file);
}

static void notes_there_and_back(void **state)
{
	char control[33];
	const struct npu_safetensors_note notes[] = {
		{ "z", "" },
		{ "", control },
		{ "\"\\/", "\xf0\x9f\x98\x80 \\u0041 \"" },
	};
	struct npu_file *file;

	(void)state;
	for (int i = 0; i < 32; i++)
		control[i] = (char)(i + 1);
	control[32] = '\0';
	write_it(NULL, 0, notes, COUNT(notes));
	file = open_it();
	assert_int_equal(npu_file_note_count(file), COUNT(notes));
	for (size_t i = 0; i < COUNT(notes); i++)
		assert_string_equal(npu_file_find_note(file, notes[i].key), notes[i].value);
	npu_file_close(file);
}

static void a_file_is_replaced(void **state)
{
	static const struct npu_safetensors_entry tensor = { .name = "x",
							     .type = "U8",
							     .data = "1" };
	struct npu_file *file;

	(void)state;
	write_it(&tensor, 1, NULL, 0);
	write_it(NULL, 0, NULL, 0);
	file = open_it();
	assert_int_equal(npu_file_count(file), 0);
	npu_file_close(file);
}

/* ---- Mistakes --------------------------------------------------------------------------- */

/* Nothing is left of it, and the file of before is still there. */
static void expect_refused(const struct npu_safetensors_entry *tensors, size_t count,
			   const struct npu_safetensors_note *notes, size_t n_notes,
			   const char *text)
{
	static const struct npu_safetensors_entry before = { .name = "x",
							     .type = "U8",
							     .data = "1" };
	struct npu_error err = { 0 };
	struct npu_file *file;

	write_it(&before, 1, NULL, 0);
	assert_int_equal(npu_safetensors_write(path, tensors, count, notes, n_notes, &err),
			 -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_int_equal(strncmp(err.text, path, strlen(path)), 0);
	assert_string_equal(err.text + strlen(path), text);
	assert_int_equal(npu_safetensors_write(path, tensors, count, notes, n_notes, NULL),
			 -EINVAL);
	assert_int_equal(files_in_dir(), 1);
	file = open_it();
	assert_int_equal(npu_file_find(file, "x"), 0);
	npu_file_close(file);
}

#define T(...) ((struct npu_safetensors_entry){ __VA_ARGS__ })

static void tensors_refused(void **state)
{
	char name[NPU_FILE_MAX_NAME + 2];
	const struct {
		struct npu_safetensors_entry tensor;
		const char *text;
	} cases[] = {
		{ T(.type = "U8", .data = "1"), ": tensor 1 has no name" },
		{ T(.name = "", .type = "U8", .data = "1"), ": tensor 1 has no name" },
		{ T(.name = "__metadata__", .type = "U8", .data = "1"),
		  ": tensor 1 has the name __metadata__, which is that of the notes" },
		{ T(.name = "a\n", .type = "U8", .data = "1"),
		  ": the name of tensor 1 has a control character at byte 1" },
		{ T(.name = "a\xff", .type = "U8", .data = "1"),
		  ": the name of tensor 1 has what is not UTF-8 at byte 1" },
		{ T(.name = name, .type = "U8", .data = "1"),
		  ": tensor 1 has a name of 512 bytes, more than 511" },
		{ T(.name = "first", .type = "U8", .data = "1"),
		  ": has two tensors named 'first'" },
		{ T(.name = "a", .data = "1"),
		  ": tensor 'a' is to have the type '', which is not F32, F16, BF16, I8, U8, I16, "
		  "U16, I32 or I64" },
		{ T(.name = "a", .type = "F64", .data = "1"),
		  ": tensor 'a' is to have the type 'F64', which is not F32, F16, BF16, I8, U8, "
		  "I16, U16, I32 or I64" },
		{ T(.name = "a", .type = "U8", .rank = 9, .data = "1"),
		  ": tensor 'a' has 9 dimensions, more than 8" },
		{ T(.name = "a", .type = "U8", .rank = 2, .shape = { 1ull << 32, 1ull << 32 }),
		  ": tensor 'a' is too large: its size overflows" },
		{ T(.name = "a", .type = "U8", .rank = 1, .shape = { 2 }),
		  ": tensor 'a' has no data" },
	};

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct npu_safetensors_entry tensors[] = {
			{ .name = "first", .type = "F32", .data = &(float){ 1 } },
			cases[i].tensor,
		};

		expect_refused(tensors, 2, NULL, 0, cases[i].text);
	}
}

/* Each fits, but all together do not. */
static void sizes_that_overflow(void **state)
{
	struct npu_safetensors_entry tensors[9];
	char names[9][2];

	(void)state;
	for (int i = 0; i < 9; i++) {
		names[i][0] = (char)('a' + i);
		names[i][1] = '\0';
		tensors[i] = T(.name = names[i], .type = "U8", .rank = 1,
			       .shape = { UINT64_MAX / 8 }, .data = "1");
	}
	expect_refused(tensors, 9, NULL, 0, ": is too large: the size of all tensors overflows");
}

static void notes_refused(void **state)
{
	static const struct {
		struct npu_safetensors_note note;
		const char *text;
	} cases[] = {
		{ { NULL, "" }, ": note 1 has a key or a value that is missing" },
		{ { "k", NULL }, ": note 1 has a key or a value that is missing" },
		{ { "\x80", "" }, ": note 1 has a key or a value that is not UTF-8" },
		{ { "k", "ok \n\xed\xa0\x80" }, ": note 1 has a key or a value that is not UTF-8" },
		{ { "first", "2" }, ": has two notes named 'first'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct npu_safetensors_note notes[] = { { "first", "1" }, cases[i].note };

		expect_refused(NULL, 0, notes, 2, cases[i].text);
	}
}

static void places_refused(void **state)
{
	struct npu_error err = { 0 };
	char missing[96];

	(void)state;
	assert_int_equal(npu_safetensors_write(NULL, NULL, 0, NULL, 0, &err), -EINVAL);
	assert_int_equal(npu_safetensors_write(path, NULL, 1, NULL, 0, &err), -EINVAL);
	assert_int_equal(npu_safetensors_write(path, NULL, 0, NULL, 1, &err), -EINVAL);
	assert_int_equal(npu_safetensors_write(dir, NULL, 0, NULL, 0, &err), -EINVAL);
	assert_non_null(strstr(err.text, "it is not a file"));
	snprintf(missing, sizeof(missing), "%s/no/model", dir);
	assert_int_equal(npu_safetensors_write(missing, NULL, 0, NULL, 0, &err), -ENOENT);
	assert_non_null(strstr(err.text, missing));
}

/* The disk is full after some of the data. */
static void half_a_file_is_removed(void **state)
{
	static uint8_t data[65536];
	const struct npu_safetensors_entry tensors[] = {
		T(.name = "a", .type = "U8", .rank = 1, .shape = { sizeof(data) }, .data = data),
		T(.name = "b", .type = "U8", .rank = 1, .shape = { sizeof(data) }, .data = data),
	};
	struct rlimit limit, small;
	struct npu_error err = { 0 };
	int ret;

	(void)state;
	unlink(path);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = limit;
	small.rlim_cur = 100000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	ret = npu_safetensors_write(path, tensors, 2, NULL, 0, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(ret, -EFBIG);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(files_in_dir(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_of_a_small_file),
		cmocka_unit_test(nothing_is_a_file),
		cmocka_unit_test(all_types_there_and_back),
		cmocka_unit_test(notes_there_and_back),
		cmocka_unit_test(a_file_is_replaced),
		cmocka_unit_test(tensors_refused),
		cmocka_unit_test(sizes_that_overflow),
		cmocka_unit_test(notes_refused),
		cmocka_unit_test(places_refused),
		cmocka_unit_test(half_a_file_is_removed),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
