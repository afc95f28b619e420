// SPDX-License-Identifier: MIT
/*
 * Who gets the engine when all want it: equal contexts equal parts, those of high priority what
 * they ask for, those of low priority what is left. Judged by what the driver counted, in jobs and
 * in engine time, not by the clock.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "drm_node.h"
#include "vgem.h"

enum {
	USERS = 8,
	CONTEXTS = 4,
	/*
	 * Submissions a context has outstanding, and jobs in each: so much that it is the engine
	 * that is short, not the processor.
	 */
	DEPTH = 3,
	JOBS = 2,
	/* Submissions of a context, on average, after which the parts are compared. */
	ROUNDS = 100,
	/* Submissions of each of two contexts where one goes before the other. */
	QUEUED = 32
};

/**
 * struct user - a process as far as the driver can tell: a file with contexts of its own
 * @node: The file.
 * @bos: A, W, and a C for each context, so that none waits for another one's result.
 * @jobs: What each submission runs in each context.
 * @ctxs: Contexts.
 * @syncs: Syncobj of each outstanding submission.
 * @thread: Who submits.
 */
struct user {
	struct node node;
	struct node_bo bos[2 + CONTEXTS];
	struct drm_npu_job_matmul jobs[CONTEXTS][JOBS];
	uint32_t ctxs[CONTEXTS];
	uint32_t syncs[CONTEXTS][DEPTH];
	pthread_t thread;
};

static struct user users[USERS];
static atomic_uint n_submitted;

static void open_user(struct user *u, int priority)
{
	struct drm_npu_ctx_create create = { .priority = priority };
	unsigned int i, j;

	node_open(&u->node);
	node_bos_create(&u->node, u->bos, 2 + CONTEXTS, 32768);
	for (i = 0; i < CONTEXTS; i++) {
		for (j = 0; j < JOBS; j++)
			u->jobs[i][j] = node_job(&u->node, 128, 128, 256, &u->bos[0], &u->bos[1],
						 &u->bos[2 + i]);
		assert_int_equal(node_ioctl(&u->node, DRM_IOCTL_NPU_CTX_CREATE, &create), 0);
		u->ctxs[i] = create.id;
	}
}

static void close_user(struct user *u)
{
	node_bos_destroy(&u->node, u->bos, 2 + CONTEXTS);
	node_close(&u->node);
}

/* Keeps all contexts supplied until all users together have submitted enough. */
static void *supply(void *arg)
{
	struct user *u = arg;
	unsigned int i, turn;

	memset(u->syncs, 0, sizeof(u->syncs));
	for (turn = 0; n_submitted < USERS * CONTEXTS * ROUNDS; turn++)
		for (i = 0; i < CONTEXTS; i++) {
			uint32_t *sync = &u->syncs[i][turn % DEPTH];

			if (*sync && node_finish(&u->node, *sync))
				return "a submission failed";
			if (node_submit_sync(&u->node, u->ctxs[i], u->jobs[i], JOBS, sync))
				return "cannot submit";
			n_submitted++;
		}
	return NULL;
}

static void drain(struct user *u)
{
	unsigned int i, j;

	for (i = 0; i < CONTEXTS; i++)
		for (j = 0; j < DEPTH; j++)
			if (u->syncs[i][j])
				assert_int_equal(node_finish(&u->node, u->syncs[i][j]), 0);
}

/* Whether no context's part is further than a tenth of the mean from another one's. */
static int parts_are_equal(void)
{
	uint64_t least = UINT64_MAX, most = 0, sum = 0;
	struct drm_npu_ctx_state ctx;
	unsigned int i, j;
	void *why;

	n_submitted = 0;
	for (i = 0; i < USERS; i++)
		open_user(&users[i], DRM_NPU_PRIORITY_NORMAL);
	for (i = 0; i < USERS; i++)
		assert_int_equal(pthread_create(&users[i].thread, NULL, supply, &users[i]), 0);
	for (i = 0; i < USERS; i++) {
		assert_int_equal(pthread_join(users[i].thread, &why), 0);
		assert_null(why);
		drain(&users[i]);
		for (j = 0; j < CONTEXTS; j++) {
			ctx = node_ctx_state(&users[i].node, users[i].ctxs[j]);
			least = ctx.jobs_done < least ? ctx.jobs_done : least;
			most = ctx.jobs_done > most ? ctx.jobs_done : most;
			sum += ctx.jobs_done;
		}
		close_user(&users[i]);
	}
	print_message("jobs of a context: %llu to %llu, mean %llu\n", (unsigned long long)least,
		      (unsigned long long)most, (unsigned long long)sum / (USERS * CONTEXTS));
	return (most - least) * 10 * USERS * CONTEXTS <= sum;
}

/*
 * On a machine that is busy elsewhere it is the threads that are short of time, and the engine
 * waits; that says nothing about the driver, so there are several tries.
 */
static void equal_contexts_get_equal_parts(void **state)
{
	unsigned int tries = 1;

	(void)state;
	while (!parts_are_equal())
		assert_true(++tries <= 5);
}

/* Lets the first context of @u begin when @held signals, and has submissions wait there. */
static void queue_up(struct user *u, int held, uint32_t *syncs)
{
	unsigned int i;

	assert_int_equal(node_submit_held(&u->node, u->ctxs[0], u->jobs[0], 1, held), 0);
	for (i = 0; i < QUEUED; i++)
		assert_int_equal(
			node_submit_sync(&u->node, u->ctxs[0], u->jobs[0], JOBS, &syncs[i]), 0);
}

/* Waits for submissions, and tells when each was done. */
static void done_at(const struct user *u, const uint32_t *syncs, uint64_t *times)
{
	unsigned int i;

	for (i = 0; i < QUEUED; i++) {
		node_wait(&u->node, syncs[i]);
		times[i] = node_fence_time(&u->node, syncs[i]);
		assert_int_equal(node_finish(&u->node, syncs[i]), 0);
	}
}

/*
 * Checks that all of a context's work is done before that of another one, which came first. The
 * engine begins when all is queued, so neither has to be quicker than it. What it has taken up
 * before it sees the more urgent work goes first; with equal priorities they would take turns.
 */
static void check_overtakes(int vgem, int priority, int priority_of_first)
{
	struct user *first = &users[0], *late = &users[1];
	uint32_t fence, syncs_of_first[QUEUED], syncs[QUEUED];
	uint64_t times_of_first[QUEUED], times[QUEUED];
	int held = vgem_hold(vgem, &fence);
	unsigned int i, before = 0;

	open_user(first, priority_of_first);
	open_user(late, priority);
	queue_up(first, held, syncs_of_first);
	queue_up(late, held, syncs);
	vgem_end_write(vgem, fence);
	close(held);
	done_at(late, syncs, times);
	done_at(first, syncs_of_first, times_of_first);
	close_user(late);
	close_user(first);
	for (i = 0; i < QUEUED; i++)
		before += times_of_first[i] < times[QUEUED - 1];
	print_message("%u of %u submissions were not overtaken\n", before, QUEUED);
	assert_in_range(before, 0, QUEUED / 4);
}

static void high_goes_before_normal(void **state)
{
	const int vgem = vgem_open();

	(void)state;
	if (vgem < 0 || geteuid())
		skip();
	check_overtakes(vgem, DRM_NPU_PRIORITY_HIGH, DRM_NPU_PRIORITY_NORMAL);
	close(vgem);
}

static void normal_goes_before_low(void **state)
{
	const int vgem = vgem_open();

	(void)state;
	if (vgem < 0)
		skip();
	check_overtakes(vgem, DRM_NPU_PRIORITY_NORMAL, DRM_NPU_PRIORITY_LOW);
	close(vgem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_contexts_get_equal_parts),
		cmocka_unit_test(high_goes_before_normal),
		cmocka_unit_test(normal_goes_before_low),
	};

	return cmocka_run_group_tests_name("fairness", tests, NULL, NULL);
}
