// SPDX-License-Identifier: MIT
/*
 * Several processes on one NPU, and processes and contexts that go away with jobs in flight.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "drm_node.h"

static uint32_t up_to(uint32_t max)
{
	return 1 + (uint32_t)random() % max;
}

/* Runs rounds of a chained pair and checks them. Used as a process of its own. */
static void work(unsigned int seed, unsigned int rounds)
{
	struct drm_npu_job_matmul jobs[2];
	struct node_bo bos[5];
	struct node node;
	unsigned int i;

	srandom(seed);
	node_open(&node);
	node_bos_create(&node, bos, 5, 8192);
	for (i = 0; i < rounds; i++) {
		node_bo_randomize(&node, &bos[0]);
		jobs[0] = node_job(&node, up_to(64), 64, up_to(64), &bos[0], &bos[1], &bos[2]);
		jobs[0].cvt_shift = 7;
		jobs[1] = node_job(&node, jobs[0].m, up_to(64), 64, &bos[2], &bos[3], &bos[4]);
		jobs[1].cvt_shift = 7;
		assert_int_equal(node_run(&node, jobs, 2), 0);
		node_check_result(&node, &jobs[0], bos, 5);
		node_check_result(&node, &jobs[1], bos, 5);
	}
	node_bos_destroy(&node, bos, 5);
	node_close(&node);
}

static void two_processes(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (!child) {
		/* A failed assertion leaves through cmocka's end, with a status that is not 0. */
		work(8, 40);
		_exit(0);
	}
	work(9, 40);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

/* Submits for ever. */
static void flood(int ready)
{
	enum {
		JOBS = 64
	};
	struct drm_npu_job_matmul jobs[JOBS];
	struct node_bo bos[3];
	struct node node;
	unsigned int i;

	node_open(&node);
	for (i = 0; i < 3; i++)
		node_bo_create(&node, &bos[i], 65536);
	for (i = 0; i < JOBS; i++)
		jobs[i] = node_job(&node, 128, 128, 256, &bos[0], &bos[1], &bos[2]);
	for (i = 0;; i++) {
		node_submit(&node, 0, jobs, JOBS, NULL);
		if (i == 3 && write(ready, "x", 1) != 1)
			_exit(1);
	}
}

static void killed_process(void **state)
{
	unsigned int round;
	int ready[2], status;
	pid_t child;
	char byte;

	(void)state;
	for (round = 0; round < 3; round++) {
		assert_int_equal(pipe(ready), 0);
		child = fork();
		assert_true(child >= 0);
		if (!child)
			flood(ready[1]);
		assert_int_equal(read(ready[0], &byte, 1), 1);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		close(ready[0]);
		close(ready[1]);
		work(10 + round, 4);
	}
}

/* Closes a file, and whatever it had mapped. */
static void close_with_bos(struct node *node, struct node_bo *bos, unsigned int n)
{
	while (n--)
		munmap(bos[n].map, bos[n].size);
	node_close(node);
}

/* Files closed with jobs in flight, and contexts destroyed. */
static void closed_file(void **state)
{
	struct drm_npu_ctx_destroy destroy = { 0 };
	struct drm_npu_ctx_create create = { 0 };
	struct drm_npu_job_matmul jobs[16];
	struct node_bo bos[3];
	struct node node;
	unsigned int i, round;
	uint32_t sync;
	int status;

	(void)state;
	for (round = 0; round < 8; round++) {
		node_open(&node);
		node_bos_create(&node, bos, 3, 65536);
		for (i = 0; i < 16; i++)
			jobs[i] = node_job(&node, 128, 64, 64, &bos[0], &bos[1], &bos[2]);
		assert_int_equal(node_ioctl(&node, DRM_IOCTL_NPU_CTX_CREATE, &create), 0);
		assert_int_equal(node_submit_sync(&node, create.id, jobs, 16, &sync), 0);
		destroy.id = create.id;
		assert_int_equal(node_ioctl(&node, DRM_IOCTL_NPU_CTX_DESTROY, &destroy), 0);
		status = node_finish(&node, sync);
		assert_true(status == 0 || status == -ECANCELED);
		assert_int_equal(node_submit(&node, 0, jobs, 16, NULL), 0);
		close_with_bos(&node, bos, 3);
	}
	work(20, 4);
}

/*
 * Of a file that is closed no further job runs, though its submission has begun. Its jobs are all
 * the same, so each keeps its operands on the engine for the next one, and those of the other file,
 * which come at once, need the room.
 */
static void closed_in_the_middle(void **state)
{
	enum {
		JOBS = 1024
	};
	static struct drm_npu_job_matmul jobs[JOBS];
	struct drm_npu_job_matmul job;
	struct node_bo bos[3], other_bos[3];
	uint32_t sync, other_sync[8];
	struct node node, other;
	unsigned int i;
	int fence;

	(void)state;
	node_open(&other);
	node_open(&node);
	node_bos_create(&other, other_bos, 3, 65536);
	node_bos_create(&node, bos, 3, 65536);
	job = node_job(&other, 128, 128, 256, &other_bos[0], &other_bos[1], &other_bos[2]);
	for (i = 0; i < JOBS; i++)
		jobs[i] = node_job(&node, 128, 128, 256, &bos[0], &bos[1], &bos[2]);
	assert_int_equal(node_submit_sync(&node, 0, jobs, JOBS, &sync), 0);
	assert_int_equal(drmSyncobjExportSyncFile(node.fd, sync, &fence), 0);
	for (i = 0; i < 8; i++)
		assert_int_equal(node_submit_sync(&other, 0, &job, 1, &other_sync[i]), 0);
	while (!node_ctx_state(&node, 0).jobs_done)
		usleep(1000);
	close_with_bos(&node, bos, 3);

	assert_int_equal(drmSyncobjCreate(other.fd, 0, &sync), 0);
	assert_int_equal(drmSyncobjImportSyncFile(other.fd, sync, fence), 0);
	close(fence);
	assert_int_equal(node_finish(&other, sync), -ECANCELED);
	for (i = 0; i < 8; i++)
		assert_int_equal(node_finish(&other, other_sync[i]), 0);
	node_check_result(&other, &job, other_bos, 3);
	node_bos_destroy(&other, other_bos, 3);
	node_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_processes),
		cmocka_unit_test(killed_process),
		cmocka_unit_test(closed_file),
		cmocka_unit_test(closed_in_the_middle),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
