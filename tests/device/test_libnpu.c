// SPDX-License-Identifier: MIT
/*
 * The library on an NPU: the device, its memory, its permissions. NPU_TEST_DEVICE chooses the
 * device, as npu_device_open() names it; without it the first NPU is taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../expect.h"
#include "user.h"
#include "workbench.h"

/* ---- Devices --------------------------------------------------------------------------- */

static void npu_tells_what_it_is(void **state)
{
	(void)state;
	assert_string_not_equal(info.backend, "cpu");
	assert_string_equal(info.driver, "npu");
	assert_true(info.name[0] && info.node[0] == '/');
	assert_true(info.macs_per_cycle && info.bus_bytes_per_cycle && info.cbuf_bytes);
}

static void node_can_be_opened_by_its_path(void **state)
{
	struct npu_device_info again = { .size = sizeof(again) };
	struct npu_device *second;

	(void)state;
	expect_ok(npu_device_open(info.node, &second, &err));
	expect_ok(npu_device_get_info(second, &again, &err));
	assert_memory_equal(&again, &info, sizeof(info));
	npu_device_close(second);
}

/* Runs in a child that has given up root's rights. */
static int open_as_nobody(void)
{
	struct npu_device *none;
	struct npu_error err;

	if (setgid(65534) || setuid(65534))
		return 1;
	if (npu_device_open(info.node, &none, &err) != -EACCES || !strstr(err.text, info.node) ||
	    !strstr(err.text, "group"))
		return 2;
	return npu_device_open(NULL, &none, &err) == -EACCES ? 0 : 3;
}

static void missing_permission_is_told(void **state)
{
	struct stat st;
	pid_t child;
	int status;

	(void)state;
	if (getuid() || stat(info.node, &st))
		skip();
	assert_int_equal(chmod(info.node, 0660), 0);
	child = fork();
	if (!child)
		_exit(open_as_nobody());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(chmod(info.node, st.st_mode & 07777), 0);
	assert_int_equal(status, 0);
}

/* Runs in a child. */
static int open_once_more(void)
{
	const struct rlimit files = { 8192, 8192 };
	struct npu_device *none;
	struct npu_error err;
	unsigned int i;

	if (setrlimit(RLIMIT_NOFILE, &files) || user_become(1001))
		return 1;
	for (i = 0; i < 8000 && open(info.node, O_RDWR | O_CLOEXEC) >= 0; i++)
		;
	if (i == 8000 || errno != EDQUOT)
		return 2;
	return npu_device_open(info.node, &none, &err) == -EDQUOT && strstr(err.text, "this user")
		       ? 0
		       : 3;
}

static void a_user_with_too_much_is_told(void **state)
{
	pid_t child;
	int status;

	(void)state;
	if (geteuid())
		skip();
	child = fork();
	assert_true(child >= 0);
	if (!child)
		_exit(open_once_more());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- Memory ---------------------------------------------------------------------------- */

static void too_much_memory_is_refused(void **state)
{
	struct npu_tensor *tensor;
	struct npu_buffer *buf;

	(void)state;
	expect_error(npu_buffer_create(dev, SIZE_MAX / 2, &buf, &err), -ENOMEM, "no memory");
	expect_error(npu_tensor_create(dev, NPU_TYPE_INT8, 1u << 30, 8, &tensor, &err), -EINVAL,
		     "too large");
	/* And the device goes on. */
	expect_ok(npu_buffer_create(dev, 4096, &buf, &err));
	npu_buffer_destroy(buf);
}

/* What a process gives back can be had again: nothing leaks on the way. */
static void memory_comes_back(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++) {
		struct npu_buffer *buf;
		void *data;

		expect_ok(npu_buffer_create(dev, 4 << 20, &buf, &err));
		expect_ok(npu_buffer_begin_access(buf, NPU_ACCESS_READ | NPU_ACCESS_WRITE, 0, 8, -1,
						  &data, &err));
		assert_int_equal(*(uint64_t *)data, 0);
		*(uint64_t *)data = UINT64_MAX;
		expect_ok(
			npu_buffer_end_access(buf, NPU_ACCESS_READ | NPU_ACCESS_WRITE, 0, 8, &err));
		npu_buffer_destroy(buf);
	}
}

static void tensors_lie_end_to_end(void **state)
{
	struct npu_buffer *buf;
	struct bench b;
	size_t offset = 0, bytes;

	(void)state;
	bench_init(&b, dev, 60, 9, 30, 21);
	bytes = npu_tensor_bytes(dev, NPU_TYPE_INT8, 9, 21);
	assert_int_equal(bytes % 64, 0);
	expect_ok(npu_buffer_create(dev, 20 * bytes, &buf, &err));
	for (int i = 0; i < 20; i++, offset += bytes) {
		struct npu_queue *queue;
		struct npu_tensor *c;
		struct npu_matmul *matmul;

		expect_ok(npu_queue_create(dev, NULL, &queue, &err));
		expect_ok(npu_tensor_create_in(buf, offset, NPU_TYPE_INT8, 9, 21, &c, &err));
		matmul = bench_bind(&b, b.a, c);
		expect_ok(npu_queue_run(queue, &matmul, 1, &err));
		bench_check(&b, c);
		npu_matmul_destroy(matmul);
		npu_tensor_destroy(c);
		npu_queue_destroy(queue);
	}
	npu_buffer_destroy(buf);
	bench_free(&b);
}

/* ---- Plans ----------------------------------------------------------------------------- */

static void plan_is_told(void **state)
{
	struct npu_plan plan = { .size = sizeof(plan) };
	struct bench b;

	(void)state;
	bench_init(&b, dev, 83, 64, 256, 64);
	expect_ok(npu_matmul_get_plan(b.matmul, &plan, &err));
	assert_int_equal(plan.macs, 64 * 256 * 64);
	assert_true(plan.jobs >= 1 && plan.host_steps == 0);
	assert_true(plan.limit_cycles >= plan.macs / info.macs_per_cycle);
	assert_true(plan.limit_cycles >= plan.bytes / info.bus_bytes_per_cycle);
	assert_true(plan.cycles >= plan.limit_cycles);
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(npu_tells_what_it_is),
		cmocka_unit_test(node_can_be_opened_by_its_path),
		cmocka_unit_test(missing_permission_is_told),
		cmocka_unit_test(a_user_with_too_much_is_told),
		cmocka_unit_test(too_much_memory_is_refused),
		cmocka_unit_test(memory_comes_back),
		cmocka_unit_test(tensors_lie_end_to_end),
		cmocka_unit_test(plan_is_told),
	};

	return cmocka_run_group_tests_name("libnpu on the NPU", tests, open_npu, close_npu);
}
