// SPDX-License-Identifier: MIT
/*
 * Perfmons: what they sum is what the jobs that name them did, whoever else runs beside.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "board_control.h"
#include "drm_node.h"

#define SIDE 64
#define JOBS 8
#define BO_BYTES (JOBS * SIDE * SIDE)
#define MAX_COUNTERS 64

enum {
	A,
	W,
	C,
	N_BOS
};

struct fixture {
	struct node node;
	struct drm_npu_counter counter[MAX_COUNTERS];
	uint32_t n_counters;
	uint32_t saturation; /* index of "out-saturation" */
	struct node_bo bos[N_BOS];
	struct drm_npu_job_matmul job[JOBS];
	uint64_t clips[JOBS];
};

static uint32_t find_counter(const struct fixture *f, const char *name)
{
	for (uint32_t i = 0; i < f->n_counters; i++)
		if (!strcmp(f->counter[i].name, name))
			return i;
	fail_msg("there is no counter \"%s\"", name);
	return 0;
}

/* Jobs that differ, each with some results clipped. */
static int setup(void **state)
{
	static struct fixture f;
	struct drm_npu_dev_query q = { .type = DRM_NPU_QUERY_COUNTERS,
				       .size = sizeof(f.counter),
				       .pointer = (uintptr_t)f.counter };

	srandom(21);
	node_open(&f.node);
	assert_int_equal(node_ioctl(&f.node, DRM_IOCTL_NPU_DEV_QUERY, &q), 0);
	f.n_counters = q.size / sizeof(f.counter[0]);
	f.saturation = find_counter(&f, "out-saturation");
	node_bos_create(&f.node, f.bos, N_BOS, BO_BYTES);
	for (uint32_t i = 0; i < JOBS; i++) {
		f.job[i] = node_job(&f.node, SIDE - 8 * (i % 3), SIDE, SIDE, &f.bos[A], &f.bos[W],
				    &f.bos[C]);
		f.job[i].a.offset = f.job[i].w.offset = f.job[i].c.offset = i * SIDE * SIDE;
		f.job[i].cvt_scale = (int16_t)(4 + i);
		f.clips[i] = node_count_clips(&f.node, &f.job[i], f.bos, N_BOS);
		assert_in_range(f.clips[i], 1, (uint64_t)f.job[i].m * SIDE - 1);
	}
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	node_bos_destroy(&f->node, f->bos, N_BOS);
	node_close(&f->node);
	return 0;
}

static uint32_t perfmon_create(const struct fixture *f, uint64_t counters)
{
	struct drm_npu_perfmon_create args = { .counters = counters };

	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_PERFMON_CREATE, &args), 0);
	assert_int_not_equal(args.id, 0);
	return args.id;
}

static int perfmon_destroy(const struct fixture *f, uint32_t id)
{
	struct drm_npu_perfmon_destroy args = { .id = id };

	return node_ioctl(&f->node, DRM_IOCTL_NPU_PERFMON_DESTROY, &args);
}

/* Reads the saturation counter of a perfmon that has no other. */
static uint64_t perfmon_clips(const struct fixture *f, uint32_t id, uint32_t flags, uint64_t jobs)
{
	uint64_t value = 0;
	struct drm_npu_perfmon_values args = {
		.id = id, .flags = flags, .count = 1, .pointer = (uintptr_t)&value
	};

	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_PERFMON_VALUES, &args), 0);
	assert_int_equal(args.jobs, jobs);
	return value;
}

static int submit(const struct fixture *f, uint32_t ctx, uint32_t perfmon, uint32_t first,
		  uint32_t count, uint32_t *syncobj)
{
	struct drm_npu_sync sync = { .flags = DRM_NPU_SYNC_SIGNAL };
	struct drm_npu_submit args = {
		.ctx = ctx,
		.jobs = { sizeof(f->job[0]), count, (uintptr_t)&f->job[first] },
		.syncs = { sizeof(sync), 1, (uintptr_t)&sync },
		.perfmon = perfmon,
	};

	assert_int_equal(drmSyncobjCreate(f->node.fd, 0, syncobj), 0);
	sync.handle = *syncobj;
	return node_ioctl(&f->node, DRM_IOCTL_NPU_SUBMIT, &args);
}

static void run(const struct fixture *f, uint32_t perfmon, uint32_t first, uint32_t count)
{
	uint32_t syncobj;

	assert_int_equal(submit(f, 0, perfmon, first, count, &syncobj), 0);
	assert_int_equal(node_finish(&f->node, syncobj), 0);
}

static uint64_t sum(const struct fixture *f, uint32_t first, uint32_t count)
{
	uint64_t clips = 0;

	while (count--)
		clips += f->clips[first++];
	return clips;
}

static void counters_are_listed(void **state)
{
	const struct fixture *f = *state;

	assert_in_range(f->n_counters, 1, MAX_COUNTERS);
	for (uint32_t i = 0; i < f->n_counters; i++) {
		assert_int_not_equal(f->counter[i].name[0], 0);
		assert_int_not_equal(f->counter[i].unit[0], 0);
		assert_int_equal(find_counter(f, f->counter[i].name), i);
	}
	assert_string_equal(f->counter[f->saturation].unit, "results");
}

/* Over jobs and over submissions, and from zero again after a reset. */
static void values_add_up(void **state)
{
	const struct fixture *f = *state;
	uint32_t id = perfmon_create(f, 1ULL << f->saturation);

	assert_int_equal(perfmon_clips(f, id, 0, 0), 0);
	for (uint32_t i = 0; i < JOBS; i++) {
		run(f, id, i, 1);
		assert_int_equal(perfmon_clips(f, id, 0, i + 1), sum(f, 0, i + 1));
	}
	assert_int_equal(perfmon_clips(f, id, DRM_NPU_PERFMON_RESET, JOBS), sum(f, 0, JOBS));
	assert_int_equal(perfmon_clips(f, id, 0, 0), 0);
	run(f, id, 0, JOBS);
	run(f, id, 2, 3);
	assert_int_equal(perfmon_clips(f, id, 0, JOBS + 3), sum(f, 0, JOBS) + sum(f, 2, 3));
	for (uint32_t i = 0; i < JOBS; i++)
		node_check_result(&f->node, &f->job[i], f->bos, N_BOS);
	assert_int_equal(perfmon_destroy(f, id), 0);
}

/* Each job reads what the one before writes, so a group waits for its enable while one is read. */
static void chained_jobs(void **state)
{
	struct fixture chain = *(struct fixture *)*state;
	struct node_bo bos[JOBS + 2];
	uint32_t id = perfmon_create(&chain, 1ULL << chain.saturation);
	uint64_t clips = 0;

	node_bos_create(&chain.node, bos, JOBS + 2, SIDE * SIDE);
	for (uint32_t i = 0; i < JOBS; i++) {
		chain.job[i] = node_job(&chain.node, SIDE, SIDE, SIDE, &bos[i], &bos[JOBS + 1],
					&bos[i + 1]);
		chain.job[i].cvt_scale = 6;
	}
	run(&chain, id, 0, JOBS);
	for (uint32_t i = 0; i < JOBS; i++) {
		node_check_result(&chain.node, &chain.job[i], bos, JOBS + 2);
		clips += node_count_clips(&chain.node, &chain.job[i], bos, JOBS + 2);
	}
	assert_int_equal(perfmon_clips(&chain, id, 0, JOBS), clips);
	assert_int_equal(perfmon_destroy(&chain, id), 0);
	node_bos_destroy(&chain.node, bos, JOBS + 2);
}

/* A second context with a perfmon of its own, and submissions in between that have none. */
static void contexts_do_not_mix(void **state)
{
	const struct fixture *f = *state;
	struct drm_npu_ctx_create ctx = { 0 };
	struct drm_npu_ctx_destroy destroy;
	uint32_t id[2], syncobj[3 * JOBS];

	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_CTX_CREATE, &ctx), 0);
	for (uint32_t i = 0; i < 2; i++)
		id[i] = perfmon_create(f, 1ULL << f->saturation);
	for (uint32_t i = 0; i < JOBS; i++) {
		assert_int_equal(submit(f, 0, id[0], i, 1, &syncobj[3 * i]), 0);
		assert_int_equal(submit(f, i % 2 ? ctx.id : 0, 0, i, 1, &syncobj[3 * i + 1]), 0);
		assert_int_equal(submit(f, ctx.id, id[1], 0, 2, &syncobj[3 * i + 2]), 0);
	}
	for (uint32_t i = 0; i < 3 * JOBS; i++)
		assert_int_equal(node_finish(&f->node, syncobj[i]), 0);
	assert_int_equal(perfmon_clips(f, id[0], 0, JOBS), sum(f, 0, JOBS));
	assert_int_equal(perfmon_clips(f, id[1], 0, 2 * JOBS), JOBS * sum(f, 0, 2));
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(perfmon_destroy(f, id[i]), 0);
	destroy = (struct drm_npu_ctx_destroy){ .id = ctx.id };
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_CTX_DESTROY, &destroy), 0);
}

/* All counters at once, in the order of the list. */
static void all_counters(void **state)
{
	const struct fixture *f = *state;
	uint64_t values[MAX_COUNTERS];
	struct drm_npu_perfmon_values args = { .count = f->n_counters,
					       .pointer = (uintptr_t)values };

	memset(values, 0xff, sizeof(values));
	args.id = perfmon_create(f, (1ULL << f->n_counters) - 1);
	run(f, args.id, 0, JOBS);
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_PERFMON_VALUES, &args), 0);
	assert_int_equal(args.jobs, JOBS);
	assert_int_equal(values[f->saturation], sum(f, 0, JOBS));
	assert_true(values[find_counter(f, "weight-read-stall")] > 0);
	assert_int_equal(values[f->n_counters], UINT64_MAX);
	assert_int_equal(perfmon_destroy(f, args.id), 0);
}

static void destroyed_in_flight(void **state)
{
	const struct fixture *f = *state;
	uint32_t id, other, syncobj[4];

	for (uint32_t round = 0; round < 8; round++) {
		id = perfmon_create(f, 1ULL << f->saturation);
		for (uint32_t i = 0; i < 4; i++)
			assert_int_equal(submit(f, 0, id, 0, JOBS, &syncobj[i]), 0);
		assert_int_equal(perfmon_destroy(f, id), 0);
		assert_int_equal(perfmon_destroy(f, id), -ENOENT);
		other = perfmon_create(f, 1ULL << f->saturation);
		for (uint32_t i = 0; i < 4; i++)
			assert_int_equal(node_finish(&f->node, syncobj[i]), 0);
		assert_int_equal(perfmon_clips(f, other, 0, 0), 0);
		assert_int_equal(perfmon_destroy(f, other), 0);
	}
}

/* Another file closes while its jobs run. */
static void closed_in_flight(void **state)
{
	struct fixture f = *(struct fixture *)*state;
	uint32_t syncobj;

	node_open(&f.node);
	node_bos_create(&f.node, f.bos, N_BOS, BO_BYTES);
	for (uint32_t i = 0; i < JOBS; i++) {
		f.job[i].a.handle = f.bos[A].handle;
		f.job[i].w.handle = f.bos[W].handle;
		f.job[i].c.handle = f.bos[C].handle;
	}
	assert_int_equal(submit(&f, 0, perfmon_create(&f, 1), 0, JOBS, &syncobj), 0);
	node_close(&f.node);
	f = *(struct fixture *)*state;
	run(&f, 0, 0, JOBS);
}

/* What hangs did not complete, and what runs again after the reset counts once. */
static void hang(void **state)
{
	const struct fixture *f = *state;
	struct board_control *control = board_control_open();
	uint32_t id, syncobj[2];

	if (!control || !(f->node.info.caps & DRM_NPU_CAP_RESET))
		skip();
	id = perfmon_create(f, 1ULL << f->saturation);
	assert_int_equal(board_control_inject(control, "hang:3"), 0);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(submit(f, 0, id, 0, JOBS, &syncobj[i]), 0);
	assert_int_equal(node_finish(&f->node, syncobj[0]), -ETIMEDOUT);
	assert_int_equal(node_finish(&f->node, syncobj[1]), 0);
	assert_int_equal(perfmon_clips(f, id, 0, 2 + JOBS), sum(f, 0, 2) + sum(f, 0, JOBS));
	assert_int_equal(perfmon_destroy(f, id), 0);
	board_control_close(control);
}

static int create(const struct fixture *f, uint32_t flags, uint64_t counters)
{
	struct drm_npu_perfmon_create args = { .flags = flags, .counters = counters };

	return node_ioctl(&f->node, DRM_IOCTL_NPU_PERFMON_CREATE, &args);
}

static void refusals(void **state)
{
	const struct fixture *f = *state;
	struct drm_npu_perfmon_destroy destroy = { .pad = 1 };
	struct drm_npu_perfmon_values good = { .count = 2 }, args;
	uint64_t values[2];
	uint32_t syncobj;

	assert_int_equal(create(f, 1, 1), -EINVAL);
	assert_int_equal(create(f, 0, 0), -EINVAL);
	assert_int_equal(create(f, 0, 1ULL << f->n_counters), -EINVAL);
	assert_int_equal(perfmon_destroy(f, 0), -ENOENT);
	assert_int_equal(submit(f, 0, 77, 0, 1, &syncobj), -ENOENT);

	good.id = perfmon_create(f, 1ULL << f->saturation | 1);
	good.pointer = (uintptr_t)values;
	destroy.id = good.id;
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_PERFMON_DESTROY, &destroy), -EINVAL);
	run(f, good.id, 0, 1);
	args = good;
	args.id++;
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_PERFMON_VALUES, &args), -ENOENT);
	args = good;
	args.flags = 2;
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_PERFMON_VALUES, &args), -EINVAL);
	args = good;
	args.pad = 1;
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_PERFMON_VALUES, &args), -EINVAL);
	args = good;
	args.count = 1;
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_PERFMON_VALUES, &args), -EINVAL);
	args = good;
	args.pointer = 8;
	args.flags = DRM_NPU_PERFMON_RESET;
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_PERFMON_VALUES, &args), -EFAULT);
	/* Nothing was lost by all that. */
	args = good;
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_PERFMON_VALUES, &args), 0);
	assert_int_equal(values[1], f->clips[0]);
	assert_int_equal(perfmon_destroy(f, good.id), 0);
}

static void quota(void **state)
{
	const struct fixture *f = *state;
	uint32_t id = 0, last = 0;

	while (!create(f, 0, 1) && ++last < 100000)
		;
	assert_int_equal(create(f, 0, 1), -EDQUOT);
	for (id = 1; id <= last; id++)
		assert_int_equal(perfmon_destroy(f, id), 0);
	assert_int_equal(perfmon_destroy(f, perfmon_create(f, 1)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_are_listed),
		cmocka_unit_test(values_add_up),
		cmocka_unit_test(chained_jobs),
		cmocka_unit_test(contexts_do_not_mix),
		cmocka_unit_test(all_counters),
		cmocka_unit_test(destroyed_in_flight),
		cmocka_unit_test(closed_in_flight),
		cmocka_unit_test(hang),
		cmocka_unit_test(refusals),
		cmocka_unit_test(quota),
	};

	return cmocka_run_group_tests_name("perfmon", tests, setup, teardown);
}
