// SPDX-License-Identifier: MIT
/*
 * The driver is unbound while files, mappings, dma-bufs and jobs are there, and bound again.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "driver.h"
#include "drm_node.h"

static void device_works(void)
{
	struct drm_npu_job_matmul job;
	struct node_bo bos[3];
	struct node node;
	unsigned int i;

	node_open(&node);
	for (i = 0; i < 3; i++) {
		node_bo_create(&node, &bos[i], 8192);
		node_bo_randomize(&node, &bos[i]);
	}
	job = node_job(&node, 30, 40, 50, &bos[0], &bos[1], &bos[2]);
	job.cvt_shift = 7;
	assert_int_equal(node_run(&node, &job, 1), 0);
	node_check_result(&node, &job, bos, 3);
	for (i = 0; i < 3; i++)
		node_bo_destroy(&node, &bos[i]);
	node_close(&node);
}

/* Nothing works on a file of a device that is gone, and nothing hangs. */
static void file_is_dead(const struct node *node, const struct drm_npu_job_matmul *job)
{
	struct drm_npu_bo_create create = { .size = 4096 };

	assert_int_equal(node_submit(node, 0, job, 1, NULL), -ENODEV);
	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_BO_CREATE, &create), -ENODEV);
}

static void unbind_under_load(void **state)
{
	enum {
		JOBS = 64,
		SUBMITS = 8
	};
	struct drm_npu_job_matmul jobs[JOBS];
	uint32_t sync[SUBMITS];
	struct node_bo bos[3];
	struct node node;
	struct driver_binding binding;
	unsigned int i, round;
	int exported;

	(void)state;
	driver_find(&binding);
	for (round = 0; round < 4; round++) {
		node_open(&node);
		for (i = 0; i < 3; i++)
			node_bo_create(&node, &bos[i], 65536);
		assert_int_equal(drmPrimeHandleToFD(node.fd, bos[0].handle, O_CLOEXEC, &exported),
				 0);
		for (i = 0; i < JOBS; i++)
			jobs[i] = node_job(&node, 128, 64, 256, &bos[0], &bos[1], &bos[2]);
		for (i = 0; i < SUBMITS; i++)
			assert_int_equal(node_submit_sync(&node, 0, jobs, JOBS, &sync[i]), 0);

		driver_unbind(&binding);
		file_is_dead(&node, jobs);
		/* The memory stays for those who have it mapped. */
		memset(bos[2].map, 1, bos[2].size);
		for (i = 0; i < 3; i++)
			munmap(bos[i].map, bos[i].size);
		if (round % 2)
			node_close(&node);
		driver_bind(&binding);
		device_works();
		if (round % 2 == 0)
			node_close(&node);
		close(exported);
	}
	device_works();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unbind_under_load),
	};

	return cmocka_run_group_tests_name("unplug", tests, NULL, NULL);
}
