// SPDX-License-Identifier: MIT
/*
 * The library's objects, checked on the CPU: what they keep, and errors that name what is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../expect.h"
#include "cpu_rig.h"
#include "../matmul_case.h"

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

/* A kernel for so many processors that their set has more than the 1024 bits of a cpu_set_t. */
static bool is_large_machine;

int __real_sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *set);

int __wrap_sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *set)
{
	if (!is_large_machine)
		return __real_sched_getaffinity(pid, bytes, set);
	if (bytes < 8192 / 8) {
		errno = EINVAL;
		return -1;
	}
	CPU_ZERO_S(bytes, set);
	CPU_SET_S(3, bytes, set);
	CPU_SET_S(1500, bytes, set);
	CPU_SET_S(8000, bytes, set);
	return 0;
}

static void all_processors_of_a_large_machine_are_used(void **state)
{
	struct npu_device_info info = { .size = sizeof(info) };
	struct npu_device *own;

	(void)state;
	is_large_machine = true;
	expect_ok(npu_device_open("cpu:all", &own, &err));
	is_large_machine = false;
	expect_ok(npu_device_get_info(own, &info, &err));
	assert_int_equal(info.threads, 3);
	npu_device_close(own);
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
	expect_error(npu_buffer_create(dev, SIZE_MAX / 4 * 3, &buf, &err), -ENOMEM, "no memory");
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
	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, 4, 3, &tensor, &err));
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
	size_t bytes = npu_tensor_bytes(dev, NPU_TYPE_INT8, 3, 5);
	struct npu_tensor *one, *two, *none;
	struct npu_buffer *buf;
	int8_t back[15];

	(void)state;
	assert_true(bytes >= 15 && bytes % 64 == 0);
	assert_int_equal(npu_tensor_bytes(dev, NPU_TYPE_INT8, 0, 5), 0);
	assert_int_equal(npu_tensor_bytes(dev, NPU_TYPE_INT8, UINT32_MAX, UINT32_MAX), 0);
	expect_ok(npu_buffer_create(dev, 4096, &buf, &err));
	expect_ok(npu_tensor_create_in(buf, 0, NPU_TYPE_INT8, 3, 5, &one, &err));
	expect_ok(npu_tensor_create_in(buf, bytes, NPU_TYPE_INT8, 3, 5, &two, &err));
	expect_error(npu_tensor_create_in(buf, 63, NPU_TYPE_INT8, 3, 5, &none, &err), -EINVAL,
		     "offset 63");
	expect_error(
		npu_tensor_create_in(buf, npu_buffer_size(buf), NPU_TYPE_INT8, 3, 5, &none, &err),
		-EINVAL, "does not fit");
	expect_error(npu_tensor_create_in(buf, 0, NPU_TYPE_INT8, 1000, 5000, &none, &err), -EINVAL,
		     "1000 x 5000");
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
	expect_error(npu_tensor_create(dev, NPU_TYPE_INT8, 0, 5, &none, &err), -EINVAL, "0 x 5");
	expect_error(npu_tensor_create(dev, NPU_TYPE_INT8, 5, 0, &none, &err), -EINVAL, "5 x 0");
	expect_error(npu_tensor_create(dev, NPU_TYPE_INT8, UINT32_MAX, UINT32_MAX, &none, &err),
		     -EINVAL, "too large");
	/* Bytes that 64 bits count and no machine has; 32 bits do not count them. */
	if (SIZE_MAX > UINT32_MAX)
		expect_error(
			npu_tensor_create(dev, NPU_TYPE_INT8, UINT32_MAX, 1u << 30, &none, &err),
			-ENOMEM, "no memory");
}

/* ---- Weights and epilogues ------------------------------------------------------------- */

/* Fails because of one field of the description, which the text names. */
#define expect_bad_weights(field, value, word)                                           \
	do {                                                                             \
		struct npu_weights_desc bad = good;                                      \
		bad.field = value;                                                       \
		expect_error(npu_weights_create(dev, &bad, &none, &err), -EINVAL, word); \
	} while (0)

static void wrong_weights_are_refused(void **state)
{
	static const int8_t data[1024];
	static const int32_t zero_points[] = { 0, 128 };
	const struct npu_weights_desc good = {
		.size = sizeof(good),
		.n = 2,
		.k = 100,
		.data = data,
		.group_size = 32,
		.zero_point = zero_points,
		.zero_point_count = 1,
		.index_bits = 4,
		.codebook = data,
		.codebook_entries = 16,
	};
	struct npu_weights *weights, *none;

	(void)state;
	expect_ok(npu_weights_create(dev, &good, &weights, &err));
	npu_weights_destroy(weights);
	expect_bad_weights(size, 8, "npu_weights_desc.size is 8");
	expect_bad_weights(type, 3, "type is 3");
	expect_bad_weights(n, 0, "0 x 100");
	expect_bad_weights(k, 0, "2 x 0");
	expect_bad_weights(data, NULL, "data is NULL");
	expect_bad_weights(row_stride, 99, "row_stride is 99");
	expect_bad_weights(matrix_stride, 199, "matrix_stride is 199");
	expect_bad_weights(row_stride, SIZE_MAX / 2 + 1, "larger than any memory");
	expect_bad_weights(matrix_stride, SIZE_MAX / 2 + 1, "larger than any memory");
	expect_bad_weights(group_size, 33, "group_size is 33");
	expect_bad_weights(zero_point, NULL, "zero_point is NULL");
	expect_bad_weights(zero_point_count, 3, "zero_point_count is 3");
	expect_bad_weights(zero_point_count, 2, "zero_point[1] is 128");
}

static void wrong_codebooks_are_refused(void **state)
{
	const int8_t codebook[8] = { 0 };
	/* Rows of three indices of three bits: 1, 2, 3 and 4, 5, 6. */
	const uint8_t data[] = { 0xd1, 0, 0xac, 1 };
	struct npu_weights_desc good = {
		.size = sizeof(good),
		.type = NPU_WEIGHTS_CODEBOOK,
		.n = 2,
		.k = 3,
		.data = data,
		.index_bits = 3,
		.codebook = codebook,
		.codebook_entries = 7,
	};
	struct npu_weights *weights, *none;

	(void)state;
	expect_ok(npu_weights_create(dev, &good, &weights, &err));
	npu_weights_destroy(weights);
	expect_bad_weights(index_bits, 0, "index_bits is 0");
	expect_bad_weights(index_bits, 9, "index_bits is 9");
	expect_bad_weights(codebook, NULL, "codebook is NULL");
	expect_bad_weights(codebook_entries, 9, "codebook_entries is 9");
	expect_bad_weights(codebook_entries, 6, "row 1, column 2 has index 6");

	/* 2^32 bits, which are none in 32 bits. */
	good.k = 1u << 29;
	good.index_bits = 8;
	expect_bad_weights(matrix_stride, 1, "matrix_stride is 1");
	expect_bad_weights(row_stride, 1, "row_stride is 1");
}

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
	const float ones[] = { 1, 1 };
	const struct npu_epilogue_desc good = {
		.size = sizeof(good),
		.n = 2,
		.bias = bias,
		.multiplier = multiplier,
		.scale_count = 1,
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
	expect_bad_epilogue(scale_count, 3, "scale_count is 3");
	expect_bad_epilogue(scale_count, 0, "scale_count is 0");
	expect_bad_epilogue(shift, NPU_SHIFT_MAX + 1, "shift is 63");
	expect_bad_epilogue(residual_shift, NPU_SHIFT_MAX + 1, "residual_shift is 63");
	expect_bad_epilogue(activation, 3, "activation is 3");
	expect_bad_epilogue(scaling, 5, "scaling is 5");
	expect_bad_epilogue(groups, 2, "groups is 2");
	expect_bad_epilogue(float_bias, ones, "float_bias goes with");
}

static void wrong_scalings_are_refused(void **state)
{
	const int32_t multiplier[] = { INT32_MAX, -1 };
	const int32_t exponent[] = { NPU_EXPONENT_MIN, NPU_EXPONENT_MAX + 1 };
	const struct npu_epilogue_desc good = {
		.size = sizeof(good),
		.n = 2,
		.scaling = NPU_SCALING_TFLITE,
		.multiplier_q31 = multiplier,
		.exponent = exponent,
		.scale_count = 1,
	};
	struct npu_epilogue *epilogue, *none;

	(void)state;
	expect_ok(npu_epilogue_create(dev, &good, &epilogue, &err));
	npu_epilogue_destroy(epilogue);
	expect_bad_epilogue(multiplier_q31, NULL, "multiplier_q31 is NULL");
	expect_bad_epilogue(exponent, NULL, "exponent is NULL");
	expect_bad_epilogue(scale_count, 2, "multiplier_q31[1] is -1");
	expect_bad_epilogue(exponent, exponent + 1, "exponent[0] is 31");
	expect_bad_epilogue(residual_multiplier_q31, -1, "residual_multiplier_q31 is -1");
	expect_bad_epilogue(residual_exponent, -32, "residual_exponent -32");
}

static void wrong_floats_are_refused(void **state)
{
	const float scale[] = { 1, NAN };
	const struct npu_epilogue_desc good = {
		.size = sizeof(good),
		.n = 2,
		.scaling = NPU_SCALING_FLOAT,
		.scale = scale,
		.scale_count = 1,
		.clamp = true,
		.clamp_max = 1,
	};
	struct npu_epilogue *epilogue, *none;

	(void)state;
	expect_ok(npu_epilogue_create(dev, &good, &epilogue, &err));
	npu_epilogue_destroy(epilogue);
	expect_bad_epilogue(scale, NULL, "scale is NULL");
	expect_bad_epilogue(scale_count, 2, "scale[1] is not finite");
	expect_bad_epilogue(float_bias, scale, "float_bias[1] is not finite");
	expect_bad_epilogue(residual_scale, INFINITY, "residual_scale is not finite");
	expect_bad_epilogue(clamp_min, 2, "clamp_min is 2 and clamp_max 1");
	expect_bad_epilogue(clamp_min, NAN, "clamp_min is nan");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_is_that_of_the_header),
		cmocka_unit_test(cpu_takes_a_number_of_threads),
		cmocka_unit_test(all_processors_of_a_large_machine_are_used),
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
		cmocka_unit_test(wrong_codebooks_are_refused),
		cmocka_unit_test(wrong_epilogues_are_refused),
		cmocka_unit_test(wrong_scalings_are_refused),
		cmocka_unit_test(wrong_floats_are_refused),
	};

	return cmocka_run_group_tests_name("libnpu's objects", tests, open_cpu, close_cpu);
}
