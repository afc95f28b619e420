// SPDX-License-Identifier: MIT
/*
 * Memory of an NPU whose device tree names a region for it. Where that is the only contiguous
 * memory there is (cma=0), it shows who takes from it and whether it comes back.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "driver.h"
#include "drm_node.h"

#define MIB (1024 * 1024)

/* More than the kernel has in one piece elsewhere. */
#define BO_MIB 12

/* A line of /proc/meminfo, in MiB. */
static unsigned long meminfo(const char *name)
{
	char text[4096], *line;

	assert_true(driver_read("/proc/meminfo", text, sizeof(text)) > 0);
	line = strstr(text, name);
	return line ? strtoul(line + strlen(name), NULL, 10) / 1024 : 0;
}

/* Skips the test where there is no region, or other memory like it. Returns the region's MiB. */
static unsigned long region_mib(void)
{
	static const char node[] = "/proc/device-tree/reserved-memory/npu-memory-*";
	glob_t found = { 0 };
	int none = glob(node, 0, NULL, &found);
	char cmdline[4096];

	globfree(&found);
	assert_true(driver_read("/proc/cmdline", cmdline, sizeof(cmdline)) > 0);
	if (none || !strstr(cmdline, "cma=0"))
		skip();
	return meminfo("CmaTotal:");
}

static void bo_lies_in_it(void **state)
{
	const unsigned long total = region_mib();
	struct node_bo bo;
	struct node node;
	unsigned long before;

	(void)state;
	assert_true(total > BO_MIB);
	node_open(&node);
	before = meminfo("CmaFree:");
	node_bo_create(&node, &bo, BO_MIB * MIB);
	assert_in_range(before - meminfo("CmaFree:"), BO_MIB - 1, BO_MIB + 1);
	node_bo_destroy(&node, &bo);
	node_close(&node);
}

/* BOs that outlive the binding give back to the region, and more often than it has room for. */
static void it_comes_back(void **state)
{
	const unsigned long total = region_mib();
	struct driver_binding binding;
	struct node_bo bo;
	struct node node;
	unsigned long i;

	(void)state;
	driver_find(&binding);
	for (i = 0; i < 2 * total / BO_MIB; i++) {
		node_open(&node);
		node_bo_create(&node, &bo, BO_MIB * MIB);
		driver_unbind(&binding);
		bo.map[BO_MIB * MIB - 1] = 1;
		munmap(bo.map, bo.size);
		node_close(&node);
		driver_bind(&binding);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bo_lies_in_it),
		cmocka_unit_test(it_comes_back),
	};

	return cmocka_run_group_tests_name("region", tests, NULL, NULL);
}
