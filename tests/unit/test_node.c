// SPDX-License-Identifier: MIT
/*
 * Looking for the NPU among nodes that cannot be opened: whose they are decides what is told.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "../../libnpu/backend/node.h"
#include "../expect.h"
#include "fake_root.h"

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __real_stat64(const char *path, struct stat *st);
int __wrap_stat64(const char *path, struct stat *st);

static bool is_node(const char *path)
{
	size_t length = strlen(fake_root());

	return !strncmp(path, fake_root(), length) && !strncmp(path + length, "/dev/", 5);
}

/* The tree's own files are opened with other functions. */
int __wrap_open64(const char *path, int flags, ...)
{
	assert_true(is_node(path));
	(void)flags;
	errno = EACCES;
	return -1;
}

/* A file stands for the character device that has its number. */
int __wrap_stat64(const char *path, struct stat *st)
{
	int ret = __real_stat64(path, st);

	if (!ret && is_node(path)) {
		st->st_mode = S_IFCHR | 0660;
		st->st_rdev = makedev(226, atoi(strpbrk(path + strlen(fake_root()), "0123456789")));
	}
	return ret;
}

static void put_node(const char *path, const char *device, const char *driver)
{
	char link[100], target[100];

	fake_root_text(path, "");
	if (!driver)
		return;
	snprintf(link, sizeof(link), "/sys/dev/char/%s/device/driver", device);
	snprintf(target, sizeof(target), "../../../../bus/pci/drivers/%s", driver);
	fake_root_link(link, target);
}

static void finds_none(int code, const char *says)
{
	char path[300];

	expect_error(npu_node_find(fake_root(), "npu", path, sizeof(path), &err), code, says);
}

static void nodes_of_others_are_no_reason(void **state)
{
	(void)state;
	put_node("/dev/dri/renderD128", "226:128", "i915");
	put_node("/dev/accel/accel0", "226:0", "intel_vpu");
	finds_none(-ENODEV, "no NPU: 2 nodes");
}

static void a_node_of_the_npu_is(void **state)
{
	(void)state;
	put_node("/dev/dri/renderD128", "226:128", "i915");
	put_node("/dev/dri/renderD129", "226:129", "npu");
	finds_none(-EACCES, "renderD129: no permission");
}

static void a_node_of_nobody_may_be(void **state)
{
	(void)state;
	put_node("/dev/dri/renderD128", "226:128", NULL);
	finds_none(-EACCES, "renderD128: no permission");
}

static void without_nodes_there_is_no_npu(void **state)
{
	(void)state;
	finds_none(-ENODEV, "there is no /dev/accel/accel*");
}

#define node_test(function) \
	cmocka_unit_test_setup_teardown(function, fake_root_create, fake_root_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		node_test(nodes_of_others_are_no_reason),
		node_test(a_node_of_the_npu_is),
		node_test(a_node_of_nobody_may_be),
		node_test(without_nodes_there_is_no_npu),
	};

	return cmocka_run_group_tests_name("device nodes", tests, NULL, NULL);
}
