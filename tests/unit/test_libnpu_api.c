// SPDX-License-Identifier: MIT
/*
 * The library's objects, checked on the CPU: what they keep, and errors that name what is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../expect.h"
#include "../matmul_case.h"

static struct npu_device *dev;

static int open_cpu(void **state)
{
	(void)state;
	return npu_device_open("cpu", &dev, NULL);
}

static int close_cpu(void **state)
{
	(void)state;
	npu_device_close(dev);
	return 0;
}

/* ---- Devices --------------------------------------------------------------------------- */

static void version_is_that_of_the_header(void **state)
{
	char expected[32];

	(void)state;
	snprintf(expected, sizeof(expected), "%d.%d.%d", NPU_VERSION_MAJOR, NPU_VERSION_MINOR,
		 NPU_VERSION_PATCH);
	assert_string_equal(npu_version(), expected);
}

static void cpu_takes_a_number_of_threads(void **state)
{
	static const char *const good[] = { "cpu:1", "cpu:2", "cpu:256", "cpu:all" };
	static const char *const bad[] = { "cpu:",     "cpu:0",		 "cpu:257",
					   "cpu:-1",   "cpu: 2",	 "cpu:2x",
					   "cpu:some", "cpu:4294967297", "cpu:all " };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct npu_device *own;

		expect_ok(npu_device_open(good[i], &own, &err));
		npu_device_close(own);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct npu_device *own;

		expect_error(npu_device_open(bad[i], &own, &err), -EINVAL, bad[i]);
	}
}

static void cpu_tells_what_it_is(void **state)
{
	struct npu_device_info info = { .size = sizeof(info) };

	(void)state;
	expect_ok(npu_device_get_info(dev, &info, &err));
	assert_string_equal(info.backend, "cpu");
	assert_string_equal(info.node, "");
	assert_true(info.name[0]);
	assert_int_equal(info.macs_per_cycle, 0);
	info.size = 8;
	expect_error(npu_device_get_info(dev, &info, &err), -EINVAL, "npu_device_info.size is 8");
}

static void wrong_paths_are_told_apart(void **state)
{
	char file[] = "/tmp/npu-test-XXXXXX";
	struct npu_device *none = NULL;
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	expect_error(npu_device_open("/dev/no/such/npu", &none, &err), -ENOENT,
		     "/dev/no/such/npu: there is no such file");
	expect_error(npu_device_open("/dev/null", &none, &err), -ENODEV,
		     "/dev/null: not a DRM node");
	expect_error(npu_device_open(file, &none, &err), -ENODEV, "not a device node");
	expect_error(npu_device_open("cpu", NULL, &err), -EINVAL, "no place");
	assert_null(none);
	close(fd);
	unlink(file);
}

/* With an NPU this opens it, without one it says so; it never falls back to the CPU. */
static void default_is_an_npu(void **state)
{
	struct npu_device_info info = { .size = sizeof(info) };
	struct npu_device *found = NULL;
	struct npu_error why = { 0 };
	int ret = npu_device_open(NULL, &found, &why);

	(void)state;
	if (!ret) {
		expect_ok(npu_device_get_info(found, &info, &err));
		assert_string_not_equal(info.backend, "cpu");
		npu_device_close(found);
		return;
	}
	assert_true(ret == -ENODEV || ret == -EACCES);
	assert_int_equal(why.code, ret);
	assert_non_null(strstr(why.text, ret == -ENODEV ? "no NPU" : "no permission"));
	assert_null(found);
}

/* Runs in a child that has given up root's rights. */
static int open_without_permission(const char *path)
{
	struct npu_device *none;
	struct npu_error err;

	if (!getuid() && (setgid(65534) || setuid(65534)))
		return 1;
	if (npu_device_open(path, &none, &err) != -EACCES)
		return 2;
	return strstr(err.text, "no permission") && strstr(err.text, "group") ? 0 : 3;
}

static void missing_permission_names_the_group(void **state)
{
	char file[] = "/tmp/npu-test-XXXXXX";
	int fd = mkstemp(file), status;
	pid_t child;

	(void)state;
	assert_true(fd >= 0 && !fchmod(fd, 0));
	child = fork();
	if (!child)
		_exit(open_without_permission(file));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(fd);
	unlink(file);
}

/* ---- Buffers and tensors --------------------------------------------------------------- */

static void buffers_keep_what_is_written(void **state)
{
	struct npu_buffer *buf;
	uint8_t *data;
	void *at;

	(void)state;
	expect_ok(npu_buffer_create(dev, 5000, &buf, &err));
	assert_int_equal(npu_buffer_size(buf) % sysconf(_SC_PAGESIZE), 0);
	assert_true(npu_buffer_size(buf) >= 5000);

	expect_ok(npu_buffer_begin_access(buf, NPU_ACCESS_WRITE, 100, 50, 0, &at, &err));
	data = at;
	assert_int_equal(data[0], 0);
	data[49] = 7;
	expect_ok(npu_buffer_end_access(buf, NPU_ACCESS_WRITE, 100, 50, &err));
	expect_ok(npu_buffer_begin_access(buf, NPU_ACCESS_READ, 149, 1, -1, &at, &err));
	assert_int_equal(*(uint8_t *)at, 7);
	expect_ok(npu_buffer_end_access(buf, NPU_ACCESS_READ, 149, 1, &err));
	npu_buffer_destroy(buf);
}

static void wrong_buffer_accesses_are_refused(void **state)
{
	struct npu_buffer *buf;
	size_t size;
	void *at;

	(void)state;
	expect_error(npu_buffer_create(dev, 0, &buf, &err), -EINVAL, "0 bytes");
	expect_error(npu_buffer_create(dev, SIZE_MAX, &buf, &err), -ENOMEM, "no memory");
	expect_error(npu_buffer_create(dev, SIZE_MAX / 4, &buf, &err), -ENOMEM, "no memory");
	expect_ok(npu_buffer_create(dev, 1, &buf, &err));
	size = npu_buffer_size(buf);
	expect_error(npu_buffer_begin_access(buf, 0, 0, 1, 0, &at, &err), -EINVAL, "access 0x0");
	expect_error(npu_buffer_begin_access(buf, 4, 0, 1, 0, &at, &err), -EINVAL, "access 0x4");
	expect_error(npu_buffer_begin_access(buf, 1, 0, 0, 0, &at, &err), -EINVAL, "0 bytes");
	expect_error(npu_buffer_begin_access(buf, 1, size, 1, 0, &at, &err), -EINVAL, "inside");
	expect_error(npu_buffer_begin_access(buf, 1, 1, size, 0, &at, &err), -EINVAL, "inside");
	expect_error(npu_buffer_begin_access(buf, 1, 1, SIZE_MAX, 0, &at, &err), -EINVAL, "inside");
	expect_error(npu_buffer_end_access(buf, 1, 1, size, &err), -EINVAL, "inside");
	npu_buffer_destroy(buf);
}

static void rows_come_and_go_with_strides(void **state)
{
	const int8_t rows[2][5] = { { 1, 2, 3, 4, 5 }, { 6, 7, 8, 9, 10 } };
	struct npu_tensor *tensor;
	int8_t all[12], some[5];

	(void)state;
	expect_ok(npu_tensor_create(dev, 4, 3, &tensor, &err));
	assert_int_equal(npu_tensor_rows(tensor), 4);
	assert_int_equal(npu_tensor_cols(tensor), 3);
	expect_ok(npu_tensor_write(tensor, 1, 2, rows[0], 5, &err));
	expect_ok(npu_tensor_read(tensor, 0, 4, all, 0, &err));
	assert_memory_equal(all, ((int8_t[]){ 0, 0, 0, 1, 2, 3, 6, 7, 8, 0, 0, 0 }), 12);
	memset(some, 99, sizeof(some));
	expect_ok(npu_tensor_read(tensor, 2, 1, some, 4, &err));
	assert_memory_equal(some, ((int8_t[]){ 6, 7, 8, 99, 99 }), 5);

	expect_error(npu_tensor_write(tensor, 3, 2, rows[0], 0, &err), -EINVAL, "from row 3");
	expect_error(npu_tensor_read(tensor, 5, 1, all, 0, &err), -EINVAL, "from row 5");
	expect_error(npu_tensor_read(tensor, 0, 0, all, 0, &err), -EINVAL, "0 rows");
	expect_error(npu_tensor_write(tensor, 0, 1, rows[0], 2, &err), -EINVAL, "row stride 2");
	npu_tensor_destroy(tensor);
}

static void tensors_share_a_buffer(void **state)
{
	size_t bytes = npu_tensor_bytes(dev, 3, 5);
	struct npu_tensor *one, *two, *none;
	struct npu_buffer *buf;
	int8_t back[15];

	(void)state;
	assert_true(bytes >= 15 && bytes % 64 == 0);
	assert_int_equal(npu_tensor_bytes(dev, 0, 5), 0);
	assert_int_equal(npu_tensor_bytes(dev, UINT32_MAX, UINT32_MAX), 0);
	expect_ok(npu_buffer_create(dev, 4096, &buf, &err));
	expect_ok(npu_tensor_create_in(buf, 0, 3, 5, &one, &err));
	expect_ok(npu_tensor_create_in(buf, bytes, 3, 5, &two, &err));
	expect_error(npu_tensor_create_in(buf, 63, 3, 5, &none, &err), -EINVAL, "offset 63");
	expect_error(npu_tensor_create_in(buf, npu_buffer_size(buf), 3, 5, &none, &err), -EINVAL,
		     "does not fit");
	expect_error(npu_tensor_create_in(buf, 0, 1000, 5000, &none, &err), -EINVAL, "1000 x 5000");
	npu_buffer_destroy(buf);

	expect_ok(npu_tensor_write(one, 0, 3, (int8_t[15]){ 1, 2, 3 }, 0, &err));
	expect_ok(npu_tensor_write(two, 0, 3, (int8_t[15]){ 4, 5, 6 }, 0, &err));
	expect_ok(npu_tensor_read(one, 0, 3, back, 0, &err));
	assert_memory_equal(back, ((int8_t[15]){ 1, 2, 3 }), 15);
	npu_tensor_destroy(one);
	npu_tensor_destroy(two);
}

static void impossible_tensors_are_refused(void **state)
{
	struct npu_tensor *none;

	(void)state;
	expect_error(npu_tensor_create(dev, 0, 5, &none, &err), -EINVAL, "0 x 5");
	expect_error(npu_tensor_create(dev, 5, 0, &none, &err), -EINVAL, "5 x 0");
	expect_error(npu_tensor_create(dev, UINT32_MAX, UINT32_MAX, &none, &err), -EINVAL,
		     "too large");
	expect_error(npu_tensor_create(dev, UINT32_MAX, 1u << 30, &none, &err), -ENOMEM,
		     "no memory");
}

/* ---- Weights and epilogues ------------------------------------------------------------- */

static void wrong_weights_are_refused(void **state)
{
	const int8_t data[6] = { 0 };
	struct npu_weights *none;

	(void)state;
	expect_error(npu_weights_create(dev, 0, 3, data, 0, &none, &err), -EINVAL, "0 x 3");
	expect_error(npu_weights_create(dev, 2, 0, data, 0, &none, &err), -EINVAL, "2 x 0");
	expect_error(npu_weights_create(dev, 2, 3, data, 2, &none, &err), -EINVAL, "row stride 2");
	expect_error(npu_weights_create(dev, 2, 3, NULL, 0, &none, &err), -EINVAL, "no data");
}

/* Fails because of one field of the description, which the text names. */
#define expect_bad_epilogue(field, value, word)                                           \
	do {                                                                              \
		struct npu_epilogue_desc bad = good;                                      \
		bad.field = value;                                                        \
		expect_error(npu_epilogue_create(dev, &bad, &none, &err), -EINVAL, word); \
	} while (0)

static void wrong_epilogues_are_refused(void **state)
{
	const int32_t bias[] = { NPU_BIAS_MAX, -NPU_BIAS_MAX, NPU_BIAS_MAX + 1 };
	const int16_t multiplier[] = { 1, 2, 3 };
	const struct npu_epilogue_desc good = {
		.size = sizeof(good),
		.n = 2,
		.bias = bias,
		.multiplier = multiplier,
		.multiplier_count = 1,
		.shift = NPU_SHIFT_MAX,
	};
	struct npu_epilogue *epilogue, *none;

	(void)state;
	expect_ok(npu_epilogue_create(dev, &good, &epilogue, &err));
	npu_epilogue_destroy(epilogue);
	expect_bad_epilogue(size, 0, "npu_epilogue_desc.size is 0");
	expect_bad_epilogue(n, 0, "n is 0");
	expect_bad_epilogue(n, 3, "bias[2] is 1073741825");
	expect_bad_epilogue(multiplier, NULL, "multiplier is NULL");
	expect_bad_epilogue(multiplier_count, 3, "multiplier_count is 3");
	expect_bad_epilogue(multiplier_count, 0, "multiplier_count is 0");
	expect_bad_epilogue(shift, NPU_SHIFT_MAX + 1, "shift is 63");
	expect_bad_epilogue(zero_point, 128, "zero_point is 128");
	expect_bad_epilogue(zero_point, -129, "zero_point is -129");
	expect_bad_epilogue(activation, 2, "activation is 2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_is_that_of_the_header),
		cmocka_unit_test(cpu_takes_a_number_of_threads),
		cmocka_unit_test(cpu_tells_what_it_is),
		cmocka_unit_test(wrong_paths_are_told_apart),
		cmocka_unit_test(default_is_an_npu),
		cmocka_unit_test(missing_permission_names_the_group),
		cmocka_unit_test(buffers_keep_what_is_written),
		cmocka_unit_test(wrong_buffer_accesses_are_refused),
		cmocka_unit_test(rows_come_and_go_with_strides),
		cmocka_unit_test(tensors_share_a_buffer),
		cmocka_unit_test(impossible_tensors_are_refused),
		cmocka_unit_test(wrong_weights_are_refused),
		cmocka_unit_test(wrong_epilogues_are_refused),
	};

	return cmocka_run_group_tests_name("libnpu's objects", tests, open_cpu, close_cpu);
}
