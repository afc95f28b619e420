// SPDX-License-Identifier: MIT
/*
 * Jobs that are right: results against the reference, order, dependencies, the cap.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "drm_node.h"
#include "vgem.h"

static int setup(void **state)
{
	static struct node node;

	node_open(&node);
	*state = &node;
	return 0;
}

static int teardown(void **state)
{
	node_close(*state);
	return 0;
}

enum {
	A,
	W,
	C,
	X1,
	X2,
	N_BOS
};

static void one_matmul(void **state)
{
	const struct node *node = *state;
	struct node_bo bos[3];
	struct drm_npu_job_matmul job;

	node_bos_create(node, bos, 3, 65536);
	job = node_job(node, 33, 27, 100, &bos[A], &bos[W], &bos[C]);
	job.cvt_shift = 9;
	assert_int_equal(node_run(node, &job, 1), 0);
	node_check_result(node, &job, bos, 3);
	node_bos_destroy(node, bos, 3);
}

static uint32_t up_to(uint32_t max)
{
	return 1 + (uint32_t)random() % max;
}

static void random_strides(const struct drm_npu_job_matmul *job, struct drm_npu_tensor *t,
			   uint32_t atom)
{
	const uint32_t gap = job->m > 1 ? (uint32_t)random() % 4 * atom : 0;

	t->offset = (uint64_t)(random() % 8) * atom;
	t->row_stride = job->m / job->height * atom + gap;
	t->plane_stride = t->row_stride * job->height + gap;
}

static struct drm_npu_stage random_stage(const struct node *node,
					 const struct drm_npu_job_matmul *job,
					 const struct node_bo *bo)
{
	const uint32_t atom = node->limits.atom_bytes;
	struct drm_npu_stage st = { 0 };
	const uint8_t memory = DRM_NPU_OPERAND_CHANNEL + random() % 2;
	uint32_t both;

	if (random() % 4 == 0)
		return st;
	st.alu_op = (uint8_t)(random() % 4);
	if (st.alu_op) {
		st.alu_src = random() % 2 ? memory : DRM_NPU_OPERAND_IMM;
		st.alu_shift = (uint8_t)(random() % 20);
	}
	if (random() % 3)
		st.mul_src = random() % 2 ? memory : DRM_NPU_OPERAND_IMM;
	st.mul_shift = (uint8_t)(random() % (st.mul_src ? 20 : 4));
	st.act = (uint8_t)(random() % (st.mul_src ? 3 : 2));
	if (st.alu_src == DRM_NPU_OPERAND_IMM)
		st.alu_imm = (int16_t)random();
	if (st.mul_src == DRM_NPU_OPERAND_IMM)
		st.mul_imm = (int16_t)(random() % 1024 - 512);
	if (st.alu_src != memory && st.mul_src != memory)
		return st;
	both = st.alu_src == memory && st.mul_src == memory;
	st.operand_bytes = (uint8_t)up_to(2);
	st.operand.handle = bo->handle;
	if (memory == DRM_NPU_OPERAND_ELEMENT)
		random_strides(job, &st.operand, atom * (st.operand_bytes << both));
	else
		st.operand.offset = (uint64_t)(random() % 8) * atom;
	return st;
}

static struct drm_npu_job_matmul random_job(const struct node *node, const struct node_bo *bos,
					    uint32_t max)
{
	const uint32_t height = random() % 2 ? 1 : up_to(6);
	struct drm_npu_job_matmul job = node_job(node, height * up_to(max / height), up_to(max),
						 up_to(max), &bos[A], &bos[W], &bos[C]);

	job.height = height;
	random_strides(&job, &job.a, node->limits.atom_bytes);
	random_strides(&job, &job.c, node->limits.atom_bytes);
	job.x1 = random_stage(node, &job, &bos[X1]);
	job.x2 = random_stage(node, &job, &bos[X2]);
	job.acc_shift = random() % 3 ? 0 : (uint8_t)(random() % 16);
	if (node->limits.narrows & 1U << DRM_NPU_NARROW_LOW8)
		job.narrow = random() % 2 ? DRM_NPU_NARROW_LOW8 : DRM_NPU_NARROW_SAT8;
	job.cvt_offset = (int32_t)(random() % 200000 - 100000);
	job.cvt_scale = (int16_t)(random() % 4096 - 2048);
	job.cvt_shift = (uint8_t)(random() % 28);
	return job;
}

static void random_jobs(void **state)
{
	const struct node *node = *state;
	struct node_bo bos[N_BOS];
	struct drm_npu_job_matmul job;
	unsigned int i;

	srandom(3);
	node_bos_create(node, bos, N_BOS, 262144);
	for (i = 0; i < 300; i++) {
		job = random_job(node, bos, 70);
		assert_int_equal(node_run(node, &job, 1), 0);
		node_check_result(node, &job, bos, N_BOS);
	}
	node_bos_destroy(node, bos, N_BOS);
}

/* Nothing but C's atoms is written. */
static void surroundings_stay(void **state)
{
	const struct node *node = *state;
	struct node_bo bos[3];
	struct drm_npu_job_matmul job;
	const size_t bytes = node_cube_bytes(node, 20, 30);
	size_t i;

	node_bos_create(node, bos, 3, 8192);
	node_bo_prep(node, &bos[C]);
	memset(bos[C].map, 0xa5, bos[C].size);
	node_bo_fini(node, &bos[C]);
	job = node_job(node, 20, 30, 40, &bos[A], &bos[W], &bos[C]);
	job.c.offset = 1024;
	assert_int_equal(node_run(node, &job, 1), 0);
	node_check_result(node, &job, bos, 3);
	for (i = 0; i < bos[C].size; i++)
		if (i < 1024 || i >= 1024 + bytes)
			assert_int_equal(bos[C].map[i], 0xa5);
	node_bos_destroy(node, bos, 3);
}

static void the_largest(void **state)
{
	static const uint32_t shape[][3] = {
		{ 1, 8192, 64 }, { 1, 64, 8192 }, { 1984, 16, 64 }, { 64, 1024, 256 }
	};
	const struct node *node = *state;
	struct drm_npu_job_matmul job;
	struct node_bo bos[3];
	unsigned int i;

	node_bos_create(node, bos, 3, 1 << 20);
	for (i = 0; i < sizeof(shape) / sizeof(*shape); i++) {
		job = node_job(node, shape[i][0], shape[i][1], shape[i][2], &bos[A], &bos[W],
			       &bos[C]);
		job.cvt_shift = 8;
		assert_int_equal(node_run(node, &job, 1), 0);
		node_check_result(node, &job, bos, 3);
	}
	node_bos_destroy(node, bos, 3);
}

/* Independent jobs of changing shapes, so that bank splits change in flight, too. */
static void many_jobs(void **state)
{
	enum {
		JOBS = 64
	};
	const struct node *node = *state;
	struct drm_npu_job_matmul jobs[JOBS];
	struct node_bo bos[3];
	unsigned int i;

	srandom(4);
	node_bos_create(node, bos, 3, JOBS * 8192);
	for (i = 0; i < JOBS; i++) {
		jobs[i] =
			node_job(node, up_to(64), up_to(64), up_to(64), &bos[A], &bos[W], &bos[C]);
		jobs[i].a.offset = i * 8192;
		jobs[i].w.offset = i * 8192;
		jobs[i].c.offset = i * 8192;
		jobs[i].cvt_shift = 7;
		if (random() % 2) {
			jobs[i].data_banks = (uint8_t)up_to(node->limits.cbuf_banks / 2);
			jobs[i].weight_banks = (uint8_t)up_to(node->limits.cbuf_banks / 2);
		}
	}
	assert_int_equal(node_run(node, jobs, JOBS), 0);
	for (i = 0; i < JOBS; i++)
		node_check_result(node, &jobs[i], bos, 3);
	node_bos_destroy(node, bos, 3);
}

/*
 * Job 2 reads what job 1 writes, back to back in one submission: the engine fetches ahead, so the
 * driver has to keep them apart. The jobs are long, or the second would come too late to be wrong.
 */
static void chained_jobs(void **state)
{
	enum {
		LINKS = 8,
		SIDE = 160,
	};
	const struct node *node = *state;
	struct drm_npu_job_matmul jobs[LINKS];
	struct node_bo bos[LINKS + 2];
	unsigned int i;

	srandom(5);
	node_bos_create(node, bos, LINKS + 2, SIDE * SIDE);
	for (i = 0; i < LINKS; i++) {
		jobs[i] = node_job(node, 64, SIDE, SIDE, &bos[i], &bos[LINKS + 1], &bos[i + 1]);
		jobs[i].cvt_shift = 8;
	}
	assert_int_equal(node_run(node, jobs, LINKS), 0);
	for (i = 0; i < LINKS; i++)
		node_check_result(node, &jobs[i], bos, LINKS + 2);
	node_bos_destroy(node, bos, LINKS + 2);
}

/* The same through the weights and through epilogue operands, and through separate submissions. */
static void chained_operands(void **state)
{
	enum {
		SIDE = 128,
	};
	const struct node *node = *state;
	struct drm_npu_job_matmul jobs[3];
	struct node_bo bos[6];
	uint32_t last;
	unsigned int i, round;

	srandom(6);
	node_bos_create(node, bos, 6, SIDE * SIDE);
	jobs[0] = node_job(node, SIDE, SIDE, SIDE, &bos[0], &bos[1], &bos[2]);
	jobs[0].cvt_shift = 8;
	jobs[1] = node_job(node, SIDE, SIDE, SIDE, &bos[0], &bos[2], &bos[3]);
	jobs[1].cvt_shift = 8;
	jobs[2] = node_job(node, SIDE, SIDE, SIDE, &bos[0], &bos[1], &bos[4]);
	jobs[2].cvt_shift = 4;
	jobs[2].x2 = (struct drm_npu_stage){
		.alu_op = DRM_NPU_ALU_ADD,
		.alu_src = DRM_NPU_OPERAND_ELEMENT,
		.alu_shift = 8,
		.operand_bytes = 1,
		.operand = jobs[1].c,
	};
	for (round = 0; round < 6; round++) {
		for (i = 0; i < 5; i++)
			node_bo_randomize(node, &bos[i]);
		if (round % 2) {
			assert_int_equal(node_run(node, jobs, 3), 0);
		} else {
			assert_int_equal(node_submit(node, 0, &jobs[0], 1, NULL), 0);
			assert_int_equal(node_submit(node, 0, &jobs[1], 1, NULL), 0);
			assert_int_equal(node_submit_sync(node, 0, &jobs[2], 1, &last), 0);
			assert_int_equal(node_finish(node, last), 0);
		}
		for (i = 0; i < 3; i++)
			node_check_result(node, &jobs[i], bos, 6);
	}
	node_bos_destroy(node, bos, 6);
}

/* The fences on the BOs keep contexts in order, without any sync named. */
static void contexts_in_order(void **state)
{
	enum {
		CTXS = 4,
		ROUNDS = 8
	};
	const struct node *node = *state;
	struct drm_npu_job_matmul jobs[CTXS];
	struct drm_npu_ctx_create ctx[CTXS] = { 0 };
	struct drm_npu_ctx_destroy destroy = { 0 };
	struct node_bo bos[CTXS + 2];
	unsigned int i, round;
	uint32_t last;

	srandom(7);
	node_bos_create(node, bos, CTXS + 2, 8192);
	for (i = 0; i < CTXS; i++) {
		assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_CTX_CREATE, &ctx[i]), 0);
		jobs[i] = node_job(node, 40, 40, 40, &bos[i], &bos[CTXS + 1], &bos[i + 1]);
		jobs[i].cvt_shift = 7;
	}
	for (round = 0; round < ROUNDS; round++) {
		node_bo_randomize(node, &bos[0]);
		for (i = 0; i < CTXS - 1; i++)
			assert_int_equal(node_submit(node, ctx[i].id, &jobs[i], 1, NULL), 0);
		assert_int_equal(node_submit_sync(node, ctx[i].id, &jobs[i], 1, &last), 0);
		assert_int_equal(node_finish(node, last), 0);
		for (i = 0; i < CTXS; i++)
			node_check_result(node, &jobs[i], bos, CTXS + 2);
	}
	for (i = 0; i < CTXS; i++) {
		assert_int_equal(node_ctx_state(node, ctx[i].id).jobs_done, ROUNDS);
		assert_int_equal(node_ctx_state(node, ctx[i].id).submits_done, ROUNDS);
		assert_int_equal(node_ctx_state(node, ctx[i].id).submits_failed, 0);
		assert_true(node_ctx_state(node, ctx[i].id).engine_ns > 0);
		destroy.id = ctx[i].id;
		assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_CTX_DESTROY, &destroy), 0);
	}
	node_bos_destroy(node, bos, CTXS + 2);
}

static void submit_with_syncs(const struct node *node, const struct drm_npu_job_matmul *job,
			      struct drm_npu_sync *syncs, uint32_t n)
{
	struct drm_npu_submit args = {
		.jobs = { sizeof(*job), 1, (uintptr_t)job },
		.syncs = { sizeof(*syncs), n, (uintptr_t)syncs },
	};

	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_SUBMIT, &args), 0);
	assert_int_equal(args.fail_index, UINT32_MAX);
}

static void syncobjs(void **state)
{
	const struct node *node = *state;
	struct drm_npu_sync syncs[3] = { { .flags = DRM_NPU_SYNC_SIGNAL },
					 { .flags = DRM_NPU_SYNC_SIGNAL, .point = 5 },
					 { .flags = DRM_NPU_SYNC_SIGNAL, .point = 9 } };
	struct drm_npu_job_matmul job;
	struct node_bo bos[3];
	uint32_t binary, timeline;
	uint64_t point = 9, reached;

	node_bos_create(node, bos, 3, 65536);
	job = node_job(node, 64, 64, 64, &bos[A], &bos[W], &bos[C]);
	assert_int_equal(drmSyncobjCreate(node->fd, 0, &binary), 0);
	assert_int_equal(drmSyncobjCreate(node->fd, 0, &timeline), 0);

	syncs[0].handle = binary;
	syncs[1].handle = timeline;
	submit_with_syncs(node, &job, syncs, 2);

	syncs[0].flags = DRM_NPU_SYNC_WAIT;
	syncs[1].flags = DRM_NPU_SYNC_WAIT;
	syncs[2].handle = timeline;
	submit_with_syncs(node, &job, syncs, 3);

	assert_int_equal(drmSyncobjTimelineWait(node->fd, &timeline, &point, 1, INT64_MAX, 0, NULL),
			 0);
	assert_int_equal(drmSyncobjQuery(node->fd, &timeline, &reached, 1), 0);
	assert_int_equal(reached, 9);
	assert_int_equal(node_finish(node, binary), 0);
	drmSyncobjDestroy(node->fd, timeline);
	node_check_result(node, &job, bos, 3);
	node_bos_destroy(node, bos, 3);
}

static void cap_on_pending_jobs(void **state)
{
	const struct node *node = *state;
	/* Without vgem it takes an engine that does not keep up: 4096 cycles each, on any. */
	const uint32_t n = node->limits.mac_channels * node->limits.mac_kernels;
	struct drm_npu_job_matmul *jobs;
	struct node_bo bos[3];
	const int vgem = vgem_open();
	unsigned int i, submitted = 0;
	uint32_t fence = 0;
	int err;

	node_bos_create(node, bos, 3, 1048576);
	jobs = calloc(node->info.max_jobs, sizeof(*jobs));
	assert_non_null(jobs);
	for (i = 0; i < node->info.max_jobs; i++)
		jobs[i] = node_job(node, 64, n, 64, &bos[A], &bos[W], &bos[C]);
	/* One waits for vgem, all after it for that one. */
	if (vgem >= 0) {
		int held = vgem_hold(vgem, &fence);

		assert_int_equal(node_submit_held(node, 0, jobs, 1, held), 0);
		close(held);
	}
	for (i = 0; i < 64; i++) {
		err = node_submit(node, 0, jobs, node->info.max_jobs, NULL);
		if (err)
			break;
		submitted++;
	}
	assert_int_equal(err, -EBUSY);
	if (vgem >= 0) {
		assert_int_equal(submitted, (node->info.max_pending - 1) / node->info.max_jobs);
		vgem_end_write(vgem, fence);
		close(vgem);
	}
	assert_true(submitted >= (node->info.max_pending - 1) / node->info.max_jobs);
	node_bo_prep(node, &bos[C]);
	node_bo_fini(node, &bos[C]);
	assert_int_equal(node_run(node, jobs, 1), 0);
	free(jobs);
	node_bos_destroy(node, bos, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_matmul),
		cmocka_unit_test(random_jobs),
		cmocka_unit_test(surroundings_stay),
		cmocka_unit_test(the_largest),
		cmocka_unit_test(many_jobs),
		cmocka_unit_test(chained_jobs),
		cmocka_unit_test(chained_operands),
		cmocka_unit_test(contexts_in_order),
		cmocka_unit_test(syncobjs),

		cmocka_unit_test(cap_on_pending_jobs),
	};

	return cmocka_run_group_tests_name("submit", tests, setup, teardown);
}
