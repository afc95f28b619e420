// SPDX-License-Identifier: MIT
/* IDX files, plain and compressed, and the pair of them that is a data set. */
#include <errno.h>
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

#include "../../examples/fashion-mnist/dataset.h"
#include "../../examples/fashion-mnist/idx.h"

static char dir[] = "/tmp/test_idx.XXXXXX";
static char images_path[64];
static char labels_path[64];

/* Two images of 28 x 28 and their labels. */
static uint8_t images[16 + 2 * IMAGE_PIXELS] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28 };
static const uint8_t labels[] = { 0, 0, 8, 1, 0, 0, 0, 2, 7, 9 };

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(images_path, sizeof(images_path), "%s/images", dir);
	snprintf(labels_path, sizeof(labels_path), "%s/labels", dir);
	for (size_t i = 16; i < sizeof(images); i++)
		images[i] = (uint8_t)(i * 7);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(images_path);
	unlink(labels_path);
	return rmdir(dir);
}

static void put_file(const char *path, const void *data, size_t bytes)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, bytes, file), bytes);
	assert_int_equal(fclose(file), 0);
}

static void put_gzip(const char *path, const void *data, size_t bytes)
{
	gzFile file = gzopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(gzwrite(file, data, (unsigned int)bytes), bytes);
	assert_int_equal(gzclose(file), Z_OK);
}

static void expect_refused(unsigned int rank, int code, const char *text)
{
	struct npu_error err = { 0 };
	struct idx idx;

	assert_int_equal(idx_read(labels_path, rank, &idx, &err), code);
	assert_int_equal(err.code, code);
	assert_string_equal(err.text, text);
	assert_null(idx.data);
}

static void reads_plain_and_compressed(void **state)
{
	struct npu_error err;
	struct idx idx;

	(void)state;
	for (int compressed = 0; compressed < 2; compressed++) {
		(compressed ? put_gzip : put_file)(images_path, images, sizeof(images));
		assert_int_equal(idx_read(images_path, 3, &idx, &err), 0);
		assert_int_equal(idx.rank, 3);
		assert_int_equal(idx.dim[0], 2);
		assert_int_equal(idx.dim[1], 28);
		assert_int_equal(idx.dim[2], 28);
		assert_int_equal(idx.bytes, 2 * IMAGE_PIXELS);
		assert_memory_equal(idx.data, images + 16, idx.bytes);
		idx_free(&idx);
	}
}

static void reads_large_files(void **state)
{
	const uint32_t count = 3000001; /* more than two of the reader's chunks, and not even */
	uint8_t *file = malloc(8 + count);
	struct npu_error err;
	struct idx idx;

	(void)state;
	assert_non_null(file);
	memcpy(file, "\0\0\10\1\0\55\306\301", 8);
	for (uint32_t i = 0; i < count; i++)
		file[8 + i] = (uint8_t)(i * 31 >> 3);
	put_gzip(labels_path, file, 8 + count);
	assert_int_equal(idx_read(labels_path, 1, &idx, &err), 0);
	assert_int_equal(idx.dim[0], count);
	assert_memory_equal(idx.data, file + 8, count);
	idx_free(&idx);
	free(file);
}

static void refuses_other_files(void **state)
{
	(void)state;
	put_file(labels_path, "", 0);
	expect_refused(1, -EINVAL, "is not an IDX file");
	put_file(labels_path, "plain text", 10);
	expect_refused(1, -EINVAL, "is not an IDX file");
	put_file(labels_path, "\0\0\15\1\0\0\0\1....", 12);
	expect_refused(1, -EINVAL, "holds elements of type 0x0d, not bytes (0x08)");
	put_file(labels_path, labels, sizeof(labels));
	expect_refused(3, -EINVAL, "has 1 dimensions where 3 are needed");
	unlink(labels_path);
	expect_refused(1, -ENOENT, "cannot be opened: No such file or directory");
}

/* Some promise more than is read, the last of them more than can be counted: none costs memory. */
static void refuses_promises_it_does_not_keep(void **state)
{
	(void)state;
	put_file(labels_path, labels, 7);
	expect_refused(1, -EINVAL, "ends inside the header");
	put_file(labels_path, labels, 9);
	expect_refused(1, -EINVAL, "ends after 1 of 2 bytes of data");
	put_file(labels_path, "\0\0\10\2\177\377\377\377\177\377\377\377.", 13);
	expect_refused(2, -EINVAL,
		       SIZE_MAX > UINT32_MAX ? "is too large: 4611686014132420609 bytes, at most "
					       "1073741824 are read"
					     : "is too large: its size overflows");
	put_file(labels_path, "\0\0\10\1\100\0\0\0.", 9);
	expect_refused(1, -EINVAL, "ends after 1 of 1073741824 bytes of data");
	put_file(labels_path, "\0\0\10\3\377\377\377\377\377\377\377\377\377\377\377\377.", 17);
	expect_refused(3, -EINVAL, "is too large: its size overflows");
	put_file(labels_path, "\0\0\10\1\0\0\0\1..", 10);
	expect_refused(1, -EINVAL, "goes on after its data");
}

/* A download that broke off: the header is whole, the stream is not. */
static void refuses_damaged_gzip(void **state)
{
	uint8_t file[4096];
	size_t bytes;
	FILE *in;

	(void)state;
	put_gzip(labels_path, labels, sizeof(labels));
	in = fopen(labels_path, "rb");
	assert_non_null(in);
	bytes = fread(file, 1, sizeof(file), in);
	fclose(in);

	put_file(labels_path, file, bytes - 4);
	expect_refused(1, -EIO, "is a damaged gzip file");
	file[bytes - 8] ^= 1; /* the check sum */
	put_file(labels_path, file, bytes);
	expect_refused(1, -EIO, "is a damaged gzip file");
}

static void expect_set_refused(const char *culprit, const char *text)
{
	const char *what = NULL;
	struct npu_error err;
	struct dataset set;

	assert_int_equal(dataset_load(images_path, labels_path, &set, &what, &err), -EINVAL);
	assert_string_equal(what, culprit);
	assert_string_equal(err.text, text);
}

static void images_and_labels_belong_together(void **state)
{
	struct npu_error err;
	struct dataset set;
	const char *what;

	(void)state;
	put_file(images_path, images, sizeof(images));
	put_file(labels_path, labels, sizeof(labels));
	assert_int_equal(dataset_load(images_path, labels_path, &set, &what, &err), 0);
	assert_int_equal(set.count, 2);
	assert_int_equal(dataset_label(&set, 1), 9);
	assert_memory_equal(dataset_image(&set, 1), images + 16 + IMAGE_PIXELS, IMAGE_PIXELS);
	dataset_free(&set);

	put_file(labels_path, "\0\0\10\1\0\0\0\1\3", 9);
	expect_set_refused(labels_path, "has 1 labels for 2 images");
	put_file(labels_path, "\0\0\10\1\0\0\0\2\3\12", 10);
	expect_set_refused(labels_path, "has label 10 for image 1, not 0 to 9");
	put_file(images_path, "\0\0\10\3\0\0\0\1\0\0\0\1\0\0\0\2..", 18);
	expect_set_refused(images_path, "has images of 1 x 2 pixels, not 28 x 28");
	put_file(images_path, "\0\0\10\3\0\0\0\0\0\0\0\34\0\0\0\34", 16);
	expect_set_refused(images_path, "has no images");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_plain_and_compressed),
		cmocka_unit_test(reads_large_files),
		cmocka_unit_test(refuses_other_files),
		cmocka_unit_test(refuses_promises_it_does_not_keep),
		cmocka_unit_test(refuses_damaged_gzip),
		cmocka_unit_test(images_and_labels_belong_together),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
