// SPDX-License-Identifier: MIT
/*
 * Neighbours that read the same operands fetch them once. Whatever is shared, results are the ones
 * of jobs that share nothing: in any mixture, between contexts, and after a reset in the middle.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "board_control.h"
#include "drm_node.h"

#define JOBS 24
#define INPUTS 3
#define SLOT 8192 /* bytes for one operand */

enum {
	A,
	W,
	C,
	N_BOS
};

/* A submission and its memory: a few inputs, and a result for each job. */
struct batch {
	struct node_bo bos[N_BOS];
	struct drm_npu_job_matmul job[JOBS];
	unsigned int count;
};

struct fixture {
	struct node node;
	struct board_control *control;
};

static uint32_t below(uint32_t n)
{
	return (uint32_t)random() % n;
}

static int setup(void **state)
{
	static struct fixture f;

	node_open(&f.node);
	f.control = board_control_open();
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->control)
		board_control_close(f->control);
	node_close(&f->node);
	return 0;
}

static void batch_init(const struct node *node, struct batch *b)
{
	node_bos_create(node, b->bos, N_BOS, JOBS * SLOT);
}

static void batch_free(const struct node *node, struct batch *b)
{
	node_bos_destroy(node, b->bos, N_BOS);
}

/* Now and then something that looks the same is not, in each of the ways it can differ. */
static void vary(struct drm_npu_job_matmul *job, uint32_t atom)
{
	switch (below(12)) {
	case 0:
		job->n -= 1 + below(8);
		break;
	case 1:
		job->height = 2;
		job->a.row_stride = job->m / 2 * atom;
		job->c.row_stride = job->a.row_stride;
		break;
	case 2:
		job->a.plane_stride += atom;
		break;
	case 3:
		job->data_banks = 4;
		job->weight_banks = 1 + (uint8_t)below(4);
		break;
	case 4:
		job->k -= 1 + below(8);
		break;
	case 5:
		job->a.offset += atom;
		break;
	}
}

/*
 * A is an input or, if @chain, what an earlier job of the batch has left; W is an input. Most are
 * as in the job before.
 */
static void batch_fill(const struct node *node, struct batch *b, bool chain)
{
	const uint32_t m = 2 + 2 * below(16), side = 24 + below(48);
	struct drm_npu_tensor a = { 0 };
	uint64_t w = 0;

	b->count = 2 + below(JOBS - 1);
	for (unsigned int i = 0; i < b->count; i++) {
		struct drm_npu_job_matmul *job = &b->job[i];

		*job = node_job(node, m, side, side, &b->bos[A], &b->bos[W], &b->bos[C]);
		job->c.offset = i * SLOT;
		job->cvt_shift = 4 + (uint8_t)below(6);
		if (!i || below(3) == 0) {
			a = job->a;
			a.offset = (uint64_t)below(INPUTS) * SLOT;
		}
		if (chain && i && below(4) == 0) {
			a = job->a;
			a.handle = b->bos[C].handle;
			a.offset = (uint64_t)below(i) * SLOT;
		}
		if (below(3) == 0)
			w = (uint64_t)below(INPUTS) * SLOT;
		job->a = a;
		job->w.offset = w;
		vary(job, node->limits.atom_bytes);
	}
	for (unsigned int i = 0; i < N_BOS; i++)
		node_bo_randomize(node, &b->bos[i]);
}

static void batch_check(const struct node *node, const struct batch *b)
{
	for (unsigned int i = 0; i < b->count; i++)
		node_check_result(node, &b->job[i], b->bos, N_BOS);
}

static void mixtures(void **state)
{
	const struct fixture *f = *state;
	struct batch b;

	srandom(11);
	batch_init(&f->node, &b);
	for (unsigned int round = 0; round < 60; round++) {
		batch_fill(&f->node, &b, round % 2);
		assert_int_equal(node_run(&f->node, b.job, b.count), 0);
		batch_check(&f->node, &b);
	}
	batch_free(&f->node, &b);
}

/* The largest weights that stay in their banks, and the smallest that do not. */
static void weights_that_just_fit(void **state)
{
	const struct fixture *f = *state;
	struct node_bo bos[N_BOS];
	struct drm_npu_job_matmul job[4];

	srandom(12);
	node_bos_create(&f->node, bos, N_BOS, 65536);
	for (uint32_t n = 63; n <= 66; n++) {
		for (unsigned int i = 0; i < 4; i++) {
			job[i] = node_job(&f->node, 6, n, 256, &bos[A], &bos[W], &bos[C]);
			job[i].c.offset = i * SLOT;
			job[i].cvt_shift = (uint8_t)(6 + i);
			job[i].data_banks = 2;
			job[i].weight_banks = 4; /* 64 kernels of 256 bytes */
		}
		assert_int_equal(node_run(&f->node, job, 4), 0);
		for (unsigned int i = 0; i < 4; i++)
			node_check_result(&f->node, &job[i], bos, N_BOS);
	}
	node_bos_destroy(&f->node, bos, N_BOS);
}

/* Submissions of two contexts, as many as the queue takes, in whatever order they come. */
static void two_contexts(void **state)
{
	enum {
		BATCHES = 6
	};
	const struct fixture *f = *state;
	struct drm_npu_ctx_create ctx = { 0 };
	struct drm_npu_ctx_destroy destroy = { 0 };
	static struct batch b[BATCHES];
	uint32_t sync[BATCHES];

	srandom(13);
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_CTX_CREATE, &ctx), 0);
	for (unsigned int i = 0; i < BATCHES; i++)
		batch_init(&f->node, &b[i]);
	for (unsigned int round = 0; round < 6; round++) {
		for (unsigned int i = 0; i < BATCHES; i++)
			batch_fill(&f->node, &b[i], true);
		for (unsigned int i = 0; i < BATCHES; i++)
			assert_int_equal(node_submit_sync(&f->node, i % 2 ? ctx.id : 0, b[i].job,
							  b[i].count, &sync[i]),
					 0);
		for (unsigned int i = 0; i < BATCHES; i++) {
			assert_int_equal(node_finish(&f->node, sync[i]), 0);
			batch_check(&f->node, &b[i]);
		}
	}
	for (unsigned int i = 0; i < BATCHES; i++)
		batch_free(&f->node, &b[i]);
	destroy.id = ctx.id;
	assert_int_equal(node_ioctl(&f->node, DRM_IOCTL_NPU_CTX_DESTROY, &destroy), 0);
}

/* The reset empties the CBUF: those that follow find nothing there and fetch. */
static void reset_in_the_middle(void **state)
{
	const struct fixture *f = *state;
	static struct batch b[2];
	char fault[] = "hang:1";
	uint32_t sync[2];

	if (!f->control || !(f->node.info.caps & DRM_NPU_CAP_RESET))
		skip();
	srandom(14);
	for (unsigned int i = 0; i < 2; i++)
		batch_init(&f->node, &b[i]);
	for (unsigned int round = 0; round < 4; round++) {
		for (unsigned int i = 0; i < 2; i++) {
			batch_fill(&f->node, &b[i], true);
			b[i].count = JOBS;
			for (unsigned int j = 1; j < JOBS; j++) {
				b[i].job[j] = b[i].job[0];
				b[i].job[j].c.offset = j * SLOT;
			}
		}
		fault[5] = (char)('1' + 2 * round);
		assert_int_equal(board_control_inject(f->control, fault), 0);
		for (unsigned int i = 0; i < 2; i++)
			assert_int_equal(
				node_submit_sync(&f->node, 0, b[i].job, b[i].count, &sync[i]), 0);
		assert_int_equal(node_finish(&f->node, sync[0]), -ETIMEDOUT);
		assert_int_equal(node_finish(&f->node, sync[1]), 0);
		batch_check(&f->node, &b[1]);
	}
	for (unsigned int i = 0; i < 2; i++)
		batch_free(&f->node, &b[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mixtures),
		cmocka_unit_test(weights_that_just_fit),
		cmocka_unit_test(two_contexts),
		cmocka_unit_test(reset_in_the_middle),
	};

	return cmocka_run_group_tests_name("reuse", tests, setup, teardown);
}
