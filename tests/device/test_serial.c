// SPDX-License-Identifier: MIT
/*
 * Many ops, each of which begins when the one before has ended: the engine drains every time. That
 * is what wears out an engine with gated clocks, and a long life for any other one.
 *
 * NPU_TEST_SERIAL is how many, 2000 if it is not set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "drm_node.h"

enum {
	A,
	W,
	C,
	N_BOS
};

struct shape {
	uint32_t m, n, k;
	uint8_t data_banks, weight_banks;
};

/* Some hardly touch the CBUF, some fill their banks, and of some the weights stream through. */
static const struct shape shapes[] = {
	{ 4, 32, 64, 0, 0 },	{ 1, 8, 8, 0, 0 },     { 3, 100, 90, 0, 0 },
	{ 16, 64, 64, 4, 2 },	{ 8, 256, 64, 2, 4 },  { 5, 17, 33, 30, 2 },
	{ 2, 512, 128, 2, 30 }, { 2, 640, 128, 2, 8 }, { 33, 8, 512, 0, 0 },
};

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

static uint32_t how_many(void)
{
	const char *text = getenv("NPU_TEST_SERIAL");

	return text ? (uint32_t)strtoul(text, NULL, 10) : 2000;
}

/* Each at another place of A and W, so that the result of an older op would not do. */
static struct drm_npu_job_matmul random_job(const struct node *node, const struct node_bo *bos,
					    const struct shape *shape)
{
	struct drm_npu_job_matmul job =
		node_job(node, shape->m, shape->n, shape->k, &bos[A], &bos[W], &bos[C]);

	if (shape->data_banks + shape->weight_banks <= node->limits.cbuf_banks) {
		job.data_banks = shape->data_banks;
		job.weight_banks = shape->weight_banks;
	}
	job.a.offset = (uint64_t)random() % 1024 * 64;
	job.w.offset = (uint64_t)random() % 1024 * 64;
	job.cvt_shift = 8;
	return job;
}

static void one_after_the_other(void **state)
{
	const struct node *node = *state;
	const uint32_t ops = how_many();
	struct node_bo bos[N_BOS];

	srandom(21);
	node_bos_create(node, bos, N_BOS, 262144);
	for (uint32_t i = 0; i < ops; i++) {
		const struct shape *shape = &shapes[i % (sizeof(shapes) / sizeof(*shapes))];
		struct drm_npu_job_matmul job = random_job(node, bos, shape);

		assert_int_equal(node_run(node, &job, 1), 0);
		node_check_result(node, &job, bos, N_BOS);
	}
	node_bos_destroy(node, bos, N_BOS);
}

/* The same with a partner, whose operands are fetched while the first one runs. */
static void two_at_a_time(void **state)
{
	const struct node *node = *state;
	const uint32_t pairs = how_many() / 4;
	struct node_bo bos[N_BOS];

	srandom(22);
	node_bos_create(node, bos, N_BOS, 262144);
	for (uint32_t i = 0; i < pairs; i++) {
		struct drm_npu_job_matmul job[2];

		for (uint32_t j = 0; j < 2; j++) {
			uint32_t shape = (i / 3 + j * i) % (sizeof(shapes) / sizeof(*shapes));

			job[j] = random_job(node, bos, &shapes[shape]);
			job[j].c.offset = j * 131072;
		}
		assert_int_equal(node_run(node, job, 2), 0);
		node_check_result(node, &job[0], bos, N_BOS);
		node_check_result(node, &job[1], bos, N_BOS);
	}
	node_bos_destroy(node, bos, N_BOS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(two_at_a_time),
	};

	return cmocka_run_group_tests_name("serial", tests, setup, teardown);
}
