// SPDX-License-Identifier: MIT
/*
 * Queues on an NPU: waiting, order, lifetimes, threads, hangs. NPU_TEST_DEVICE chooses the device,
 * as npu_device_open() names it; without it the first NPU is taken.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../allocations.h"
#include "../expect.h"
#include "../submit.h"
#include "board_control.h"
#include "workbench.h"

/* ---- Queues ---------------------------------------------------------------------------- */

/* Reading a result waits for the device by itself. */
static void reading_waits(void **state)
{
	struct npu_queue *queue;
	struct bench b;

	(void)state;
	bench_init(&b, dev, 61, 64, 512, 64);
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	for (int i = 0; i < 10; i++) {
		expect_ok(submit_list(queue, &b.matmul, 1, NULL, &err));
		bench_check(&b, b.result);
	}
	npu_queue_destroy(queue);
	bench_free(&b);
}

/* Many more submissions than the queue remembers, none of them waited for. */
static void queue_takes_what_it_gets(void **state)
{
	struct npu_queue_stats stats = { .size = sizeof(stats) };
	struct npu_plan plan = { .size = sizeof(plan) };
	uint64_t ticket, first;
	struct npu_queue *queue;
	struct bench b;

	(void)state;
	bench_init(&b, dev, 62, 16, 64, 16);
	expect_ok(npu_matmul_get_plan(b.matmul, &plan, &err));
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	expect_ok(submit_list(queue, &b.matmul, 1, &first, &err));
	for (int i = 1; i < 300; i++)
		expect_ok(submit_list(queue, &b.matmul, 1, &ticket, &err));
	assert_int_equal(ticket, first + 299);
	/* That one is forgotten, but nothing has failed since. */
	expect_ok(npu_queue_wait(queue, first, -1, &err));
	expect_error(npu_queue_wait(queue, ticket + 1, -1, &err), -EINVAL, "no ticket");
	for (uint64_t t = ticket - 63; t <= ticket; t++)
		expect_ok(npu_queue_wait(queue, t, -1, &err));
	expect_ok(npu_queue_wait(queue, ticket, 0, &err));
	bench_check(&b, b.result);

	expect_ok(npu_queue_get_stats(queue, &stats, &err));
	assert_int_equal(stats.matmuls, 300);
	assert_int_equal(stats.jobs, 300 * plan.jobs);
	assert_int_equal(stats.host_steps, 0);
	assert_true(stats.engine_ns > 0);
	npu_queue_destroy(queue);
	bench_free(&b);
}

/* One submission of more jobs than the kernel takes at once. */
static void submission_of_many_matmuls(void **state)
{
	enum {
		COUNT = 700
	};
	static struct npu_matmul *list[COUNT];
	struct npu_queue_stats stats = { .size = sizeof(stats) };
	struct npu_queue *queue;
	struct bench b;

	(void)state;
	bench_init(&b, dev, 63, 5, 40, 11);
	for (int i = 0; i < COUNT; i++)
		list[i] = b.matmul;
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	expect_ok(npu_queue_run(queue, list, COUNT, &err));
	bench_check(&b, b.result);
	expect_ok(npu_queue_get_stats(queue, &stats, &err));
	assert_int_equal(stats.matmuls, COUNT);
	assert_int_equal(stats.jobs, COUNT);
	npu_queue_destroy(queue);
	bench_free(&b);
}

/*
 * Work that takes a while, and waits that do not: each says that it has not ended yet, or that it
 * has, and the last one has the outcome.
 */
static void waiting_has_a_limit(void **state)
{
	struct npu_queue *queue;
	uint64_t ticket;
	struct bench b;

	(void)state;
	bench_init(&b, dev, 64, 128, 1024, 64);
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	for (int i = 0; i < 8; i++) {
		struct npu_error why = { 0 };
		int ret;

		expect_ok(submit_list(queue, &b.matmul, 1, &ticket, &err));
		ret = npu_queue_wait(queue, ticket, 0, &why);
		assert_true(ret == 0 || ret == -ETIME);
		if (ret)
			assert_non_null(strstr(why.text, "has not ended"));
	}
	expect_ok(npu_queue_wait(queue, ticket, -1, &err));
	bench_check(&b, b.result);
	npu_queue_destroy(queue);
	bench_free(&b);
}

/* What a second queue reads of a first one is ordered by the kernel. */
static void queues_wait_for_each_other(void **state)
{
	struct npu_queue *one, *two;
	struct npu_matmul *again;
	struct npu_tensor *copy;
	struct bench b;
	int8_t *chained, *expected;

	(void)state;
	bench_init(&b, dev, 65, 40, 48, 48);
	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, 40, 48, &copy, &err));
	again = bench_bind(&b, b.result, copy);
	expect_ok(npu_queue_create(dev, NULL, &one, &err));
	expect_ok(npu_queue_create(dev, NULL, &two, &err));
	for (int i = 0; i < 20; i++) {
		expect_ok(submit_list(one, &b.matmul, 1, NULL, &err));
		expect_ok(submit_list(two, &again, 1, NULL, &err));
	}
	npu_queue_destroy(two);
	npu_queue_destroy(one);

	chained = malloc(40 * 48);
	expect_ok(npu_tensor_read(copy, 0, 40, chained, 0, &err));
	memcpy(b.c.a, b.expected, 40 * 48);
	expected = case_reference(&b.c);
	case_compare(&b.c, chained, expected);
	free(expected);
	free(chained);
	npu_matmul_destroy(again);
	npu_tensor_destroy(copy);
	bench_free(&b);
}

/* Everything may go while the engine still works on it. */
static void objects_go_while_jobs_run(void **state)
{
	(void)state;
	for (int round = 0; round < 10; round++) {
		struct npu_tensor *result;
		struct npu_queue *queue;
		struct bench b;

		bench_init(&b, dev, 66 + round, 64, 300, 40);
		expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, 64, 40, &result, &err));
		npu_matmul_destroy(b.matmul);
		b.matmul = bench_bind(&b, b.a, result);
		expect_ok(npu_queue_create(dev, NULL, &queue, &err));
		for (int i = 0; i < 4; i++)
			expect_ok(submit_list(queue, &b.matmul, 1, NULL, &err));
		npu_matmul_destroy(b.matmul);
		npu_weights_destroy(b.weights);
		npu_epilogue_destroy(b.epilogue);
		npu_tensor_destroy(b.a);
		b.matmul = NULL;
		b.weights = NULL;
		b.epilogue = NULL;
		b.a = NULL;
		bench_check(&b, result);
		npu_tensor_destroy(result);
		npu_queue_destroy(queue);
		bench_free(&b);
	}
}

static void *run_a_lot(void *arg)
{
	const struct bench *b = arg;
	intptr_t failures = 0;
	struct npu_queue *queue;
	struct npu_tensor *c = NULL;
	struct npu_matmul_desc desc = {
		.size = sizeof(desc),
		.a = b->a,
		.weights = b->weights,
		.epilogue = b->epilogue,
	};
	int8_t *got = malloc((size_t)b->c.m * b->c.n);

	if (npu_queue_create(dev, NULL, &queue, NULL) ||
	    npu_tensor_create(dev, NPU_TYPE_INT8, b->c.m, b->c.n, &c, NULL))
		return (void *)1;
	desc.c = c;
	for (int i = 0; i < 25; i++) {
		struct npu_matmul *matmul = NULL;

		failures += npu_matmul_create(dev, &desc, &matmul, NULL) ||
			    npu_queue_run(queue, &matmul, 1, NULL) ||
			    npu_tensor_read(c, 0, b->c.m, got, 0, NULL) ||
			    memcmp(got, b->expected, (size_t)b->c.m * b->c.n);
		npu_matmul_destroy(matmul);
	}
	npu_tensor_destroy(c);
	npu_queue_destroy(queue);
	free(got);
	return (void *)failures;
}

static void threads_share_the_engine(void **state)
{
	pthread_t thread[4];
	struct bench b;

	(void)state;
	bench_init(&b, dev, 80, 30, 100, 30);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, run_a_lot, &b), 0);
	for (int i = 0; i < 4; i++) {
		void *failures;

		assert_int_equal(pthread_join(thread[i], &failures), 0);
		assert_null(failures);
	}
	bench_free(&b);
}

/* ---- Allocations ----------------------------------------------------------------------- */

static void submitting_allocates_nothing(void **state)
{
	struct npu_queue *queue;
	struct bench small, split;
	unsigned int before;

	(void)state;
	bench_init(&small, dev, 81, 20, 50, 20);
	bench_init(&split, dev, 82, 3, 9000, 9);
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	/* The CPU's part needs something the first time. */
	expect_ok(npu_queue_run(queue, &split.matmul, 1, &err));
	before = allocations();
	for (int i = 0; i < 100; i++)
		expect_ok(submit_list(queue, &small.matmul, 1, NULL, &err));
	expect_ok(npu_queue_run(queue, &split.matmul, 1, &err));
	assert_int_equal(allocations(), before);
	bench_check(&small, small.result);
	bench_check(&split, split.result);
	npu_queue_destroy(queue);
	bench_free(&small);
	bench_free(&split);
}

/* ---- Faults ---------------------------------------------------------------------------- */

/* A hang costs one submission: its own ticket says so, and the others are right. */
static void hang_is_told_to_its_ticket(void **state)
{
	struct board_control *board = board_control_open();
	uint64_t before, hung, after;
	struct npu_queue *queue;
	struct bench b;

	(void)state;
	if (!board || !info.can_reset)
		skip();
	bench_init(&b, dev, 70, 20, 40, 20);
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	for (int i = 0; i < 3; i++) {
		expect_ok(submit_list(queue, &b.matmul, 1, &before, &err));
		expect_ok(npu_queue_wait(queue, before, -1, &err));
		assert_int_equal(board_control_inject(board, "hang:1"), 0);
		expect_ok(submit_list(queue, &b.matmul, 1, &hung, &err));
		expect_ok(submit_list(queue, &b.matmul, 1, &after, &err));
		expect_error(npu_queue_wait(queue, hung, -1, &err), -ETIMEDOUT, "hung");
		expect_ok(npu_queue_wait(queue, after, -1, &err));
		expect_ok(npu_queue_wait(queue, before, -1, &err));
		bench_check(&b, b.result);
	}
	npu_queue_destroy(queue);
	bench_free(&b);
	board_control_close(board);
}

/* The CPU waits for the engine in the middle of a split matmul: a hang there is an outcome too. */
static void hang_ends_a_split_matmul(void **state)
{
	struct board_control *board = board_control_open();
	struct npu_queue *queue;
	struct bench b;

	(void)state;
	if (!board || !info.can_reset)
		skip();
	bench_init(&b, dev, 71, 3, 9000, 9);
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	assert_int_equal(board_control_inject(board, "hang:2"), 0);
	expect_error(npu_queue_run(queue, &b.matmul, 1, &err), -ETIMEDOUT, "hung");
	expect_ok(npu_queue_run(queue, &b.matmul, 1, &err));
	bench_check(&b, b.result);
	npu_queue_destroy(queue);
	bench_free(&b);
	board_control_close(board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_waits),
		cmocka_unit_test(queue_takes_what_it_gets),
		cmocka_unit_test(submission_of_many_matmuls),
		cmocka_unit_test(waiting_has_a_limit),
		cmocka_unit_test(queues_wait_for_each_other),
		cmocka_unit_test(objects_go_while_jobs_run),
		cmocka_unit_test(threads_share_the_engine),
		cmocka_unit_test(hang_is_told_to_its_ticket),
		cmocka_unit_test(hang_ends_a_split_matmul),
		cmocka_unit_test(submitting_allocates_nothing),
	};

	return cmocka_run_group_tests_name("queues on the NPU", tests, open_npu, close_npu);
}
