// SPDX-License-Identifier: MIT
/*
 * An engine that misbehaves, by faults that the virtual board injects. Elsewhere there is nothing
 * to inject with, and all of this is skipped.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "board_control.h"
#include "drm_node.h"

struct fixture {
	struct node node;
	struct board_control *control;
	struct node_bo bos[4];
	uint32_t ctx;
};

static int setup(void **state)
{
	static struct fixture f;
	unsigned int i;

	node_open(&f.node);
	f.control = board_control_open();
	for (i = 0; i < 4; i++) {
		node_bo_create(&f.node, &f.bos[i], 65536);
		node_bo_randomize(&f.node, &f.bos[i]);
	}
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < 4; i++)
		node_bo_destroy(&f->node, &f->bos[i]);
	if (f->control)
		board_control_close(f->control);
	node_close(&f->node);
	return 0;
}

static int new_ctx(void **state)
{
	struct fixture *f = *state;
	struct drm_npu_ctx_create args = { 0 };

	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_CTX_CREATE, &args), 0);
	f->ctx = args.id;
	return 0;
}

static int old_ctx(void **state)
{
	struct fixture *f = *state;
	struct drm_npu_ctx_destroy args = { .id = f->ctx };

	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_CTX_DESTROY, &args), 0);
	return 0;
}

static int has_reset(const struct fixture *f)
{
	return !!(f->node.info.caps & DRM_NPU_CAP_RESET);
}

static void inject(const struct fixture *f, const char *fault)
{
	if (!f->control || !has_reset(f))
		skip();
	assert_int_equal(board_control_inject(f->control, fault), 0);
}

static struct drm_npu_job_matmul make_job(const struct fixture *f)
{
	struct drm_npu_job_matmul job =
		node_job(&f->node, 32, 32, 32, &f->bos[0], &f->bos[1], &f->bos[2]);

	job.cvt_shift = 6;
	return job;
}

static void device_works(const struct fixture *f)
{
	struct drm_npu_job_matmul job = make_job(f);

	node_bo_randomize(&f->node, &f->bos[0]);
	assert_int_equal(node_run(&f->node, &job, 1), 0);
	node_check_result(&f->node, &job, f->bos, 4);
}

/* The guilty submission fails and is counted; the one behind it gives the right result. */
static void hang(void **state)
{
	struct fixture *f = *state;
	const uint64_t innocent_before = node_ctx_state(&f->node, 0).submits_failed;
	struct drm_npu_job_matmul guilty = make_job(f), innocent[8];
	uint32_t guilty_sync, innocent_sync, i;
	struct drm_npu_ctx_state st;

	for (i = 0; i < 8; i++) {
		innocent[i] = make_job(f);
		innocent[i].c.handle = f->bos[3].handle;
		innocent[i].c.offset = i * 2048;
	}
	inject(f, "hang:1");
	assert_int_equal(node_submit_sync(&f->node, f->ctx, &guilty, 1, &guilty_sync), 0);
	assert_int_equal(node_submit_sync(&f->node, 0, innocent, 8, &innocent_sync), 0);
	assert_int_equal(node_finish(&f->node, guilty_sync), -ETIMEDOUT);
	assert_int_equal(node_finish(&f->node, innocent_sync), 0);
	for (i = 0; i < 8; i++)
		node_check_result(&f->node, &innocent[i], f->bos, 4);

	st = node_ctx_state(&f->node, f->ctx);
	assert_int_equal(st.submits_done, 1);
	assert_int_equal(st.submits_failed, 1);
	assert_int_equal(st.last_error, ETIMEDOUT);
	assert_int_equal(st.jobs_done, 0);
	assert_int_equal(node_ctx_state(&f->node, 0).submits_failed, innocent_before);
	device_works(f);
}

/* Half a submission is done when the hang comes: what follows in it is not run. */
static void hang_in_the_middle(void **state)
{
	struct fixture *f = *state;
	struct drm_npu_job_matmul first = make_job(f), jobs[2];
	struct drm_npu_ctx_state st;
	uint32_t sync[3];
	unsigned int i;

	jobs[0] = make_job(f);
	jobs[1] = make_job(f);
	jobs[1].c.handle = f->bos[3].handle;
	assert_int_equal(node_submit_sync(&f->node, f->ctx, &first, 1, &sync[0]), 0);
	assert_int_equal(node_finish(&f->node, sync[0]), 0);
	inject(f, "hang:1");
	for (i = 1; i < 3; i++)
		assert_int_equal(node_submit_sync(&f->node, f->ctx, jobs, 2, &sync[i]), 0);
	assert_int_equal(node_finish(&f->node, sync[1]), -ETIMEDOUT);
	assert_int_equal(node_finish(&f->node, sync[2]), 0);
	st = node_ctx_state(&f->node, f->ctx);
	assert_int_equal(st.submits_done, 3);
	assert_int_equal(st.submits_failed, 1);
	assert_int_equal(st.jobs_done, 3);
	node_check_result(&f->node, &jobs[1], f->bos, 4);
}

/* While the engine hangs, BO_PREP's ways of waiting can be told apart. */
static void waiting_for_a_busy_bo(void **state)
{
	struct fixture *f = *state;
	struct drm_npu_job_matmul job = make_job(f);
	struct drm_npu_bo_prep prep = { .handle = f->bos[2].handle };
	struct timespec now;
	uint32_t sync;

	inject(f, "hang:1");
	assert_int_equal(node_submit_sync(&f->node, f->ctx, &job, 1, &sync), 0);
	prep.flags = DRM_NPU_ACCESS_READ | DRM_NPU_ACCESS_NOWAIT;
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_BO_PREP, &prep), -EBUSY);
	prep.flags = DRM_NPU_ACCESS_READ;
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_BO_PREP, &prep), -ETIME);
	clock_gettime(CLOCK_MONOTONIC, &now);
	prep.deadline_ns = now.tv_sec * 1000000000LL + now.tv_nsec + 20000000;
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_BO_PREP, &prep), -ETIME);

	/* An input may be read while the engine reads it, but not written. */
	prep.handle = f->bos[0].handle;
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_BO_PREP, &prep), 0);
	prep.flags = DRM_NPU_ACCESS_WRITE | DRM_NPU_ACCESS_NOWAIT;
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_BO_PREP, &prep), -EBUSY);
	assert_int_equal(node_finish(&f->node, sync), -ETIMEDOUT);
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_BO_PREP, &prep), 0);
	device_works(f);
}

/*
 * Queued submissions of a context that goes away are cancelled, not run: those that are with the
 * scheduler and those in the engine's queue, behind the two jobs of the one that hangs.
 */
static void context_closed_behind_a_hang(void **state)
{
	struct fixture *f = *state;
	struct drm_npu_ctx_create create = { 0 };
	struct drm_npu_ctx_destroy destroy = { 0 };
	struct drm_npu_job_matmul job = make_job(f);
	const struct drm_npu_job_matmul guilty[2] = { job, job };
	uint32_t guilty_sync, sync[12];
	unsigned int i;

	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_CTX_CREATE, &create), 0);
	inject(f, "hang:1");
	assert_int_equal(node_submit_sync(&f->node, 0, guilty, 2, &guilty_sync), 0);
	for (i = 0; i < 12; i++)
		assert_int_equal(node_submit_sync(&f->node, create.id, &job, 1, &sync[i]), 0);
	destroy.id = create.id;
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_CTX_DESTROY, &destroy), 0);
	assert_int_equal(node_finish(&f->node, guilty_sync), -ETIMEDOUT);
	for (i = 0; i < 12; i++)
		assert_int_equal(node_finish(&f->node, sync[i]), -ECANCELED);
	device_works(f);
}

static void lost_interrupt(void **state)
{
	struct fixture *f = *state;
	struct drm_npu_job_matmul job = make_job(f);

	inject(f, "lost-irq:1");
	assert_int_equal(node_run(&f->node, &job, 1), 0);
	node_check_result(&f->node, &job, f->bos, 4);
	device_works(f);
}

static void hang_after_hang(void **state)
{
	struct fixture *f = *state;
	struct drm_npu_job_matmul job = make_job(f);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		inject(f, "hang:1");
		assert_int_equal(node_run(&f->node, &job, 1), -ETIMEDOUT);
	}
	device_works(f);
}

/* Last: after it the engine is of no use. */
static void hang_without_reset(void **state)
{
	struct fixture *f = *state;
	struct drm_npu_job_matmul job = make_job(f);
	uint32_t sync[2];
	unsigned int i;

	if (!f->control || has_reset(f))
		skip();
	assert_int_equal(board_control_inject(f->control, "hang:1"), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(node_submit_sync(&f->node, 0, &job, 1, &sync[i]), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(node_finish(&f->node, sync[i]), -EIO);
	assert_int_equal(node_submit(&f->node, 0, &job, 1, NULL), -EIO);
	assert_int_equal(node_ctx_state(&f->node, 0).last_error, EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hang, new_ctx, old_ctx),
		cmocka_unit_test_setup_teardown(hang_in_the_middle, new_ctx, old_ctx),
		cmocka_unit_test_setup_teardown(waiting_for_a_busy_bo, new_ctx, old_ctx),
		cmocka_unit_test(context_closed_behind_a_hang),
		cmocka_unit_test(lost_interrupt),
		cmocka_unit_test(hang_after_hang),
		cmocka_unit_test(hang_without_reset),
	};

	return cmocka_run_group_tests_name("recovery", tests, setup, teardown);
}
