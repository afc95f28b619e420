// SPDX-License-Identifier: MIT
/*
 * Two NPUs in one machine work side by side, and what happens to one is nothing to the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "board_control.h"
#include "driver.h"
#include "drm_node.h"
#include "user.h"

enum {
	A,
	W,
	C,
	LAST_C,
	N_BOS
};

/* The queue of one NPU: long enough that both still work when the second one has got its own. */
enum {
	JOBS = 64,
	SUBMITS = 8
};

struct npu {
	struct driver_binding binding;
	struct node node;
	struct node_bo bos[N_BOS];
	struct drm_npu_job_matmul jobs[JOBS];
	struct drm_npu_job_matmul last;
	uint32_t sync[SUBMITS];
};

static void open_npu(struct npu *npu)
{
	unsigned int i;

	node_open_device(&npu->node, npu->binding.device);
	node_bos_create(&npu->node, npu->bos, N_BOS, 65536);
	for (i = 0; i < JOBS; i++) {
		npu->jobs[i] = node_job(&npu->node, 128, 64, 128, &npu->bos[A], &npu->bos[W],
					&npu->bos[C]);
		npu->jobs[i].cvt_shift = 7;
	}
	npu->last = node_job(&npu->node, 20, 30, 40, &npu->bos[A], &npu->bos[W], &npu->bos[LAST_C]);
	npu->last.cvt_shift = 6;
}

static void close_npu(struct npu *npu)
{
	node_bos_destroy(&npu->node, npu->bos, N_BOS);
	node_close(&npu->node);
}

static int setup(void **state)
{
	static struct npu npus[2];
	struct driver_binding bindings[2];
	unsigned int i;

	if (driver_find_all(bindings, 2) == 2) {
		for (i = 0; i < 2; i++) {
			npus[i].binding = bindings[i];
			open_npu(&npus[i]);
		}
		*state = npus;
	}
	return 0;
}

static int teardown(void **state)
{
	struct npu *npus = *state;

	if (npus) {
		close_npu(&npus[0]);
		close_npu(&npus[1]);
	}
	return 0;
}

static struct npu *both(void **state)
{
	if (!*state)
		skip();
	return *state;
}

static void fill(struct npu *npu)
{
	unsigned int i;

	node_bo_randomize(&npu->node, &npu->bos[A]);
	node_bo_randomize(&npu->node, &npu->bos[W]);
	for (i = 0; i < SUBMITS - 1; i++)
		assert_int_equal(node_submit_sync(&npu->node, 0, npu->jobs, JOBS, &npu->sync[i]),
				 0);
	assert_int_equal(node_submit_sync(&npu->node, 0, &npu->last, 1, &npu->sync[i]), 0);
}

/* What was queued has ended well, with the right results. */
static void check(struct npu *npu)
{
	unsigned int i;

	for (i = 0; i < SUBMITS; i++)
		assert_int_equal(node_finish(&npu->node, npu->sync[i]), 0);
	node_check_result(&npu->node, &npu->jobs[0], npu->bos, N_BOS);
	node_check_result(&npu->node, &npu->last, npu->bos, N_BOS);
}

static void works(struct npu *npu)
{
	fill(npu);
	check(npu);
}

static void at_once(void **state)
{
	struct npu *npus = both(state);
	unsigned int round;

	for (round = 0; round < 4; round++) {
		fill(&npus[round % 2]);
		fill(&npus[!(round % 2)]);
		check(&npus[0]);
		check(&npus[1]);
	}
}

static uint64_t perfmon_jobs(const struct node *node, uint32_t id)
{
	uint64_t value;
	struct drm_npu_perfmon_values values = { .id = id,
						 .count = 1,
						 .pointer = (uintptr_t)&value };

	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_PERFMON_VALUES, &values), 0);
	return values.jobs;
}

/* Contexts and perfmons of both have the same ids, and count their own device only. */
static void counted_apart(void **state)
{
	struct npu *npus = both(state);
	struct drm_npu_perfmon_create monitor[2] = { { .counters = 1 }, { .counters = 1 } };
	struct drm_npu_ctx_state before, after;
	struct drm_npu_submit args = {
		.jobs = { sizeof(npus->last), 1, (uintptr_t)&npus[0].last },
	};
	unsigned int i;

	for (i = 0; i < 2; i++)
		assert_int_equal(
			node_ioctl(&npus[i].node, DRM_IOCTL_NPU_PERFMON_CREATE, &monitor[i]), 0);
	assert_int_equal(monitor[0].id, monitor[1].id);
	before = node_ctx_state(&npus[1].node, 0);
	args.perfmon = monitor[0].id;
	for (i = 0; i < 3; i++)
		assert_int_equal(node_ioctl(&npus[0].node, DRM_IOCTL_NPU_SUBMIT, &args), 0);
	node_bo_prep(&npus[0].node, &npus[0].bos[LAST_C]);
	node_bo_fini(&npus[0].node, &npus[0].bos[LAST_C]);
	after = node_ctx_state(&npus[1].node, 0);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(perfmon_jobs(&npus[0].node, monitor[0].id), 3);
	assert_int_equal(perfmon_jobs(&npus[1].node, monitor[1].id), 0);
	for (i = 0; i < 2; i++) {
		struct drm_npu_perfmon_destroy destroy = { .id = monitor[i].id };

		assert_int_equal(node_ioctl(&npus[i].node, DRM_IOCTL_NPU_PERFMON_DESTROY, &destroy),
				 0);
	}
}

/* Both have their memory of the same machine. */
static void memory_of_a_user(void **state)
{
	struct npu *npus = both(state);
	struct drm_npu_bo_create bo = { .size = 3 << 20 };
	struct node node[2];
	unsigned int i, usual_mib;

	if (geteuid())
		skip();
	usual_mib = driver_set_param("max_user_mib", 4);
	assert_int_equal(user_become(1001), 0);
	for (i = 0; i < 2; i++)
		node_open_device(&node[i], npus[i].binding.device);
	assert_int_equal(node_ioctl(&node[0], DRM_IOCTL_NPU_BO_CREATE, &bo), 0);
	assert_int_equal(node_ioctl(&node[1], DRM_IOCTL_NPU_BO_CREATE, &bo), -EDQUOT);
	node_close(&node[0]);
	assert_int_equal(node_ioctl(&node[1], DRM_IOCTL_NPU_BO_CREATE, &bo), 0);
	node_close(&node[1]);
	assert_int_equal(user_become_root(), 0);
	driver_set_param("max_user_mib", usual_mib);
}

/* C of one is A of the other, without a copy, and the second job waits for the first. */
static void chained(void **state)
{
	struct npu *npus = both(state);
	struct drm_npu_job_matmul second = npus[1].last;
	struct node_bo bos[N_BOS];
	int dma_buf;

	assert_int_equal(drmPrimeHandleToFD(npus[0].node.fd, npus[0].bos[LAST_C].handle, O_CLOEXEC,
					    &dma_buf),
			 0);
	assert_int_equal(drmPrimeFDToHandle(npus[1].node.fd, dma_buf, &second.a.handle), 0);
	close(dma_buf);
	fill(&npus[0]);
	assert_int_equal(node_run(&npus[1].node, &second, 1), 0);
	check(&npus[0]);

	bos[A] = npus[0].bos[LAST_C];
	bos[A].handle = second.a.handle;
	bos[W] = npus[1].bos[W];
	bos[LAST_C] = npus[1].bos[LAST_C];
	bos[C] = npus[1].bos[C];
	node_check_result(&npus[1].node, &second, bos, N_BOS);
	drmCloseBufferHandle(npus[1].node.fd, second.a.handle);
}

/* Each of the two hangs in its turn, while the other one has a full queue. */
static void one_hangs(void **state)
{
	struct npu *npus = both(state);
	struct drm_npu_ctx_state before, after;
	struct board_control *control;
	unsigned int i;
	uint32_t sync;

	for (i = 0; i < 2; i++) {
		struct npu *bad = &npus[i], *good = &npus[!i];

		control = board_control_open_nth(i);
		if (!control || !(bad->node.info.caps & DRM_NPU_CAP_RESET))
			skip();
		before = node_ctx_state(&good->node, 0);
		assert_int_equal(board_control_inject(control, "hang:1"), 0);
		assert_int_equal(node_submit_sync(&bad->node, 0, &bad->last, 1, &sync), 0);
		fill(good);
		assert_int_equal(node_finish(&bad->node, sync), -ETIMEDOUT);
		check(good);
		after = node_ctx_state(&good->node, 0);
		assert_int_equal(after.submits_failed, before.submits_failed);
		assert_int_equal(after.submits_done, before.submits_done + SUBMITS);
		works(bad);
		board_control_close(control);
	}
}

static void one_leaves(void **state)
{
	struct npu *npus = both(state);
	unsigned int i, j;

	if (geteuid())
		skip();
	for (i = 0; i < 2; i++) {
		struct npu *gone = &npus[i], *stays = &npus[!i];

		fill(stays);
		fill(gone);
		driver_unbind(&gone->binding);
		assert_int_equal(node_submit(&gone->node, 0, &gone->last, 1, NULL), -ENODEV);
		check(stays);
		works(stays);
		for (j = 0; j < N_BOS; j++)
			munmap(gone->bos[j].map, gone->bos[j].size);
		node_close(&gone->node);
		driver_bind(&gone->binding);
		open_npu(gone);
		works(gone);
		works(stays);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_once),	    cmocka_unit_test(counted_apart),
		cmocka_unit_test(memory_of_a_user), cmocka_unit_test(chained),
		cmocka_unit_test(one_hangs),	    cmocka_unit_test(one_leaves),
	};

	return cmocka_run_group_tests_name("several", tests, setup, teardown);
}
