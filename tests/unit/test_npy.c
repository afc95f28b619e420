// SPDX-License-Identifier: MIT
/*
 * .npy files: what NumPy writes is read, what is broken or hostile is refused by name, and a result
 * file appears complete or not at all.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/npu-run/npy.h"

static char dir[] = "/tmp/test_npy.XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/x.npy", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void put_file(const void *data, size_t bytes)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, bytes, file), bytes);
	assert_int_equal(fclose(file), 0);
}

/* A file of the given format with @header as it is and @bytes of data. */
static void put_npy(int major, const char *header, size_t header_bytes, const void *data,
		    size_t bytes)
{
	uint8_t file[512] = { 0x93, 'N', 'U', 'M', 'P', 'Y', (uint8_t)major, 0 };
	size_t at = 8;

	assert_true(12 + header_bytes + bytes <= sizeof(file));
	file[at++] = (uint8_t)header_bytes;
	file[at++] = (uint8_t)(header_bytes >> 8);
	if (major > 1)
		at += 2;
	memcpy(file + at, header, header_bytes);
	memcpy(file + at + header_bytes, data, bytes);
	put_file(file, at + header_bytes + bytes);
}

static void expect_refused(int code, const char *text)
{
	struct npu_error err = { 0 };
	struct npy npy;

	assert_int_equal(npy_read(path, &npy, &err), code);
	assert_int_equal(err.code, code);
	assert_string_equal(err.text, text);
	assert_null(npy.data);
}

static void expect_header_refused(const char *header, const char *text)
{
	put_npy(1, header, strlen(header), "\1\2\3\4", 4);
	expect_refused(-EINVAL, text);
}

static void reads_what_numpy_writes(void **state)
{
	/* numpy.save(f, numpy.array([[1, -2, 3], [4, 5, -6]], numpy.int8)), byte for byte */
	static const char header[] = "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 3), }"
				     "                                                          \n";
	const int8_t data[] = { 1, -2, 3, 4, 5, -6 };
	struct npu_error err;
	struct npy npy;

	(void)state;
	assert_int_equal(sizeof(header) - 1, 118);
	for (int major = 1; major <= 3; major++) {
		put_npy(major, header, sizeof(header) - 1, data, sizeof(data));
		assert_int_equal(npy_read(path, &npy, &err), 0);
		assert_int_equal(npy.type, NPY_INT8);
		assert_int_equal(npy.rank, 2);
		assert_int_equal(npy.dim[0], 2);
		assert_int_equal(npy.dim[1], 3);
		assert_int_equal(npy.dim[2], 1);
		assert_int_equal(npy.count, 6);
		assert_memory_equal(npy.data, data, sizeof(data));
		npy_free(&npy);
	}
}

static void reads_every_type(void **state)
{
	static const struct {
		const char *descr;
		enum npy_type type;
		size_t size;
	} types[] = {
		{ "|i1", NPY_INT8, 1 },	   { "|u1", NPY_UINT8, 1 },   { "<i2", NPY_INT16, 2 },
		{ "<i4", NPY_INT32, 4 },   { "<f2", NPY_FLOAT16, 2 }, { "<f4", NPY_FLOAT32, 4 },
		{ "<f8", NPY_FLOAT64, 8 },
	};
	const uint8_t data[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct npu_error err;
		struct npy npy;
		char header[80];

		snprintf(header, sizeof(header),
			 "{'descr': '%s', 'fortran_order': False, 'shape': (2,), }\n",
			 types[i].descr);
		put_npy(1, header, strlen(header), data, 2 * types[i].size);
		assert_int_equal(npy_read(path, &npy, &err), 0);
		assert_int_equal(npy.type, types[i].type);
		assert_int_equal(npy.rank, 1);
		assert_memory_equal(npy.data, data, 2 * types[i].size);
		npy_free(&npy);
	}
}

/* Other writers order, quote and space the entries differently; one dimension is in both orders. */
static void reads_what_others_write(void **state)
{
	static const char *const headers[] = {
		"{\"shape\":(4,),\"fortran_order\":False,\"descr\":\"|i1\"}",
		"{ 'fortran_order' : True , 'descr' : '|i1' , 'shape' : ( 4L , ) , } \n",
		"{'descr': '|i1', 'fortran_order': False, 'shape': (2, 2)}",
		"{'descr': '|i1', 'fortran_order': False, 'shape': (1, 2, 1, 2)}",
		"{'descr': '<i4', 'fortran_order': False, 'shape': ()}",
	};
	struct npu_error err;
	struct npy npy;

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		put_npy(1, headers[i], strlen(headers[i]), "\1\2\3\4", 4);
		assert_int_equal(npy_read(path, &npy, &err), 0);
		assert_memory_equal(npy.data, "\1\2\3\4", 4);
		npy_free(&npy);
	}
}

static void refuses_what_it_cannot_use(void **state)
{
	(void)state;
	expect_header_refused("{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }",
			      "holds elements of type '<u2'; int8, uint8, int16, int32, "
			      "float16, float32 and float64 are read");
	expect_header_refused("{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }",
			      "is big-endian ('>i4'): save it with .astype('<i4')");
	expect_header_refused("{'descr': [('x', '<i4')], 'fortran_order': False, 'shape': (1,), }",
			      "has a structured type; plain numbers are read");
	expect_header_refused("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 2), }",
			      "is in Fortran order: save numpy.ascontiguousarray() of it");
	expect_header_refused("{'descr': '|i1', 'fortran_order': False, 'shape': (1, 1, 2, 2, 1)}",
			      "has more than 4 dimensions");
}

static void refuses_damaged_headers(void **state)
{
	(void)state;
	expect_header_refused("", "has a damaged header: no '{' at character 0");
	expect_header_refused("{'descr': '|i1', 'fortran_order': False, ",
			      "has a damaged header: no string at character 41");
	expect_header_refused("{'descr': '|i1', 'shape': (4,), }",
			      "has a damaged header: no 'descr', 'fortran_order' or 'shape' at "
			      "character 33");
	expect_header_refused("{'descr': '|i1', 'descr': '|i1', }",
			      "has a damaged header: an entry that was there before at character "
			      "24");
	expect_header_refused("{'order': 1}",
			      "has a damaged header: an unknown entry at character 8");
	expect_header_refused("{'descr': '|i1",
			      "has a damaged header: an endless string at character 14");
	expect_header_refused("{'descr': '|i1'; }",
			      "has a damaged header: neither ',' nor '}' at character 15");
	expect_header_refused("{'fortran_order': None, }",
			      "has a damaged header: neither True nor False at character 18");
	expect_header_refused("{'shape': 4, }", "has a damaged header: no '(' at character 10");
	expect_header_refused("{'shape': (4), }", "has a damaged header: no ',' at character 12");
	expect_header_refused("{'shape': (-4,), }",
			      "has a damaged header: no size at character 11");
	expect_header_refused("{'shape': (4,", "has a damaged header: no size at character 13");
	expect_header_refused("{'descr': '|i1', 'fortran_order': False, 'shape': (4,), } + 1",
			      "has a damaged header: something after the '}' at character 58");
	expect_header_refused("{'a_key_that_is_longer_than_any_buffer_for_keys': 1}",
			      "has a damaged header: an unknown string at character 33");
}

/* NULs, and headers that end anywhere, must not lead out of the text. */
static void refuses_every_prefix_of_a_header(void **state)
{
	static const char header[] = "{'descr': '|i1', 'fortran_order': False, 'shape': (4,), }";
	struct npu_error err;
	struct npy npy;

	(void)state;
	for (size_t length = 0; length < sizeof(header) - 1; length++) {
		put_npy(1, header, length, "\1\2\3\4", 4);
		assert_int_equal(npy_read(path, &npy, &err), -EINVAL);
	}
	for (size_t at = 0; at < sizeof(header) - 1; at++) {
		char broken[sizeof(header)];

		memcpy(broken, header, sizeof(header));
		broken[at] = '\0';
		put_npy(1, broken, sizeof(header) - 1, "\1\2\3\4", 4);
		assert_int_equal(npy_read(path, &npy, &err), -EINVAL);
	}
}

static void refuses_sizes_that_overflow(void **state)
{
	static const char *const shapes[] = {
		"99999999999999999999999",
		"18446744073709551616",
		"4294967296, 4294967296",
		"9223372036854775807, 3",
	};
	char header[128];

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		snprintf(header, sizeof(header),
			 "{'descr': '<f8', 'fortran_order': False, 'shape': (%s,), }", shapes[i]);
		expect_header_refused(header, "is too large: its size overflows");
	}
	/* As many elements as there can be, but 8 bytes each. */
	expect_header_refused(
		"{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904,), }",
		"is too large: its size overflows");
}

/* A promise of 16 TiB costs no memory: there is far less of it than that. */
static void refuses_promises_it_does_not_keep(void **state)
{
	(void)state;
	expect_header_refused("{'descr': '|i1', 'fortran_order': False, 'shape': (5,), }",
			      "ends after 4 of 5 bytes of data");
	expect_header_refused(
		"{'descr': '|i1', 'fortran_order': False, 'shape': (4194304, 4194304), }",
		"ends after 4 of 17592186044416 bytes of data");
	expect_header_refused("{'descr': '|i1', 'fortran_order': False, 'shape': (3,), }",
			      "goes on after its 3 bytes of data");
	expect_header_refused("{'descr': '|i1', 'fortran_order': False, 'shape': (0, 7), }",
			      "goes on after its 0 bytes of data");
}

static void refuses_other_files(void **state)
{
	(void)state;
	put_file("", 0);
	expect_refused(-EINVAL, "is not an .npy file");
	put_file("PK\3\4, as .npz files begin", 25);
	expect_refused(-EINVAL, "is not an .npy file");
	put_file("\x93NUMPY\4\0\0\0", 10);
	expect_refused(-EINVAL, "has .npy format 4.0; 1.0, 2.0 and 3.0 are read");
	put_file("\x93NUMPY\2\0\377\377\377\377", 12);
	expect_refused(-EINVAL, "has a header of 4294967295 bytes, more than 65535");
	put_file("\x93NUMPY\1\0\166", 9);
	expect_refused(-EINVAL, "ends inside the header");
	put_file("\x93NUMPY\1\0\166\0{'descr'", 18);
	expect_refused(-EINVAL, "ends inside the header");
	unlink(path);
	expect_refused(-ENOENT, "cannot be opened: No such file or directory");
}

static void large_arrays_arrive_whole(void **state)
{
	const size_t rows = 1500, cols = 1700; /* more than two of the reader's chunks */
	int8_t *data = malloc(rows * cols);
	struct npu_error err;
	struct npy npy;

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < rows * cols; i++)
		data[i] = (int8_t)(i * 31 >> 3);
	assert_int_equal(npy_write(path, NPY_INT8, data, rows, cols, &err), 0);
	assert_int_equal(npy_read(path, &npy, &err), 0);
	assert_int_equal(npy.rank, 2);
	assert_int_equal(npy.dim[0], rows);
	assert_int_equal(npy.dim[1], cols);
	assert_memory_equal(npy.data, data, rows * cols);
	npy_free(&npy);
	free(data);
}

/* What is written is what NumPy would write: data at a multiple of 64, header ended by newline. */
static void writes_what_numpy_writes(void **state)
{
	static const char start[] = "\x93NUMPY\1\0\166\0{'descr': '|i1', 'fortran_order': False, "
				    "'shape': (2, 3), } ";
	const int8_t data[] = { 1, -2, 3, 4, 5, -6 };
	struct npu_error err;
	char file[200];
	FILE *in;

	(void)state;
	assert_int_equal(npy_write(path, NPY_INT8, data, 2, 3, &err), 0);
	in = fopen(path, "rb");
	assert_non_null(in);
	assert_int_equal(fread(file, 1, sizeof(file), in), 128 + 6);
	fclose(in);
	assert_memory_equal(file, start, sizeof(start) - 1);
	assert_int_equal(file[127], '\n');
	assert_memory_equal(file + 128, data, 6);
}

static void writes_every_type(void **state)
{
	const uint8_t data[48] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	struct npu_error err;
	struct npy npy;

	(void)state;
	for (enum npy_type type = NPY_INT8; type <= NPY_FLOAT64; type++) {
		assert_int_equal(npy_write(path, type, data, 2, 3, &err), 0);
		assert_int_equal(npy_read(path, &npy, &err), 0);
		assert_int_equal(npy.type, type);
		assert_int_equal(npy.count, 6);
		assert_memory_equal(npy.data, data, 6 * npy_type_size(type));
		npy_free(&npy);
	}
}

static int count_files(void)
{
	DIR *d = opendir(dir);
	int count = 0;

	assert_non_null(d);
	for (struct dirent *entry = readdir(d); entry; entry = readdir(d))
		count += entry->d_name[0] != '.';
	closedir(d);
	return count;
}

/* A disk that is full half-way: the old file stays as it was and nothing lies beside it. */
static void failed_write_leaves_nothing(void **state)
{
	const struct rlimit small = { 4096, RLIM_INFINITY };
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	static const int8_t data[10000];
	struct npu_error err;
	struct npy npy;

	(void)state;
	assert_int_equal(npy_write(path, NPY_INT8, data, 1, 2, &err), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(npy_write(path, NPY_INT8, data, 100, 100, &err), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
	assert_string_equal(err.text, "cannot be written: File too large");
	assert_int_equal(count_files(), 1);
	assert_int_equal(npy_read(path, &npy, &err), 0);
	assert_int_equal(npy.count, 2);
	npy_free(&npy);
}

/* Renaming over a device or a pipe would replace it. */
static void writes_regular_files_only(void **state)
{
	const int8_t data[1] = { 0 };
	struct npu_error err;

	(void)state;
	assert_int_equal(npy_write("/dev/null", NPY_INT8, data, 1, 1, &err), -EINVAL);
	assert_string_equal(err.text, "is not a regular file");
	assert_int_equal(npy_write(dir, NPY_INT8, data, 1, 1, &err), -EINVAL);
	assert_int_equal(npy_write("/nowhere/at/all.npy", NPY_INT8, data, 1, 1, &err), -ENOENT);
	assert_string_equal(err.text,
			    "cannot be created in /nowhere/at: No such file or directory");
	assert_int_equal(npy_check_writable("in_the_current_folder.npy", &err), 0);
	assert_int_equal(npy_check_writable("/in_the_root.npy", &err),
			 access("/", W_OK) ? -errno : 0);
}

/* What is written to stays where it is, as private as it was. */
static void links_and_modes_stay(void **state)
{
	const int8_t data[1] = { 7 };
	struct npu_error err;
	char link[PATH_MAX], lost[PATH_MAX], name[PATH_MAX];
	struct stat st;
	int ends[2];

	(void)state;
	snprintf(link, sizeof(link), "%s.link", path);
	snprintf(lost, sizeof(lost), "%s.lost", path);
	assert_int_equal(npy_write(path, NPY_INT8, data, 1, 1, &err), 0);
	assert_int_equal(chmod(path, 0604), 0);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(npy_write(link, NPY_INT8, data, 1, 1, &err), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0604);
	assert_int_equal(symlink("nowhere", lost), 0);
	assert_int_equal(npy_write(lost, NPY_INT8, data, 1, 1, &err), -ENOENT);
	assert_string_equal(err.text, "is a link to what is not there");
	assert_int_equal(pipe(ends), 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[1]);
	assert_int_equal(npy_write(name, NPY_INT8, data, 1, 1, &err), -EINVAL);
	assert_string_equal(err.text, "is not a regular file");
	close(ends[0]);
	close(ends[1]);
	unlink(link);
	unlink(lost);
	assert_int_equal(count_files(), 1);
	/* A name as long as can be, and one byte more. */
	snprintf(name, sizeof(name), "%s/%0255d", dir, 0);
	assert_int_equal(npy_write(name, NPY_INT8, data, 1, 1, &err), 0);
	unlink(name);
	snprintf(name, sizeof(name), "%s/%0256d", dir, 0);
	assert_int_equal(npy_check_writable(name, &err), -ENAMETOOLONG);
	assert_int_equal(npy_check_writable("", &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_numpy_writes),
		cmocka_unit_test(reads_every_type),
		cmocka_unit_test(reads_what_others_write),
		cmocka_unit_test(refuses_what_it_cannot_use),
		cmocka_unit_test(refuses_damaged_headers),
		cmocka_unit_test(refuses_every_prefix_of_a_header),
		cmocka_unit_test(refuses_sizes_that_overflow),
		cmocka_unit_test(refuses_promises_it_does_not_keep),
		cmocka_unit_test(refuses_other_files),
		cmocka_unit_test(large_arrays_arrive_whole),
		cmocka_unit_test(writes_what_numpy_writes),
		cmocka_unit_test(writes_every_type),
		cmocka_unit_test(failed_write_leaves_nothing),
		cmocka_unit_test(writes_regular_files_only),
		cmocka_unit_test(links_and_modes_stay),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
