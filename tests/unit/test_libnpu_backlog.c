// SPDX-License-Identifier: MIT
/*
 * Backlogs of queues, checked on the CPU, where everything goes through them: long and full ones,
 * what they leave behind, and threads.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "../allocations.h"
#include "../expect.h"
#include "../submit.h"
#include "chain.h"
#include "cpu_rig.h"
#include "fake_fence.h"

static void *signal_fence(void *fence)
{
	fake_fence_signal(*(int *)fence, 0);
	return NULL;
}

/* ---- Full queues and long submissions -------------------------------------------------- */

static void full_queue_waits_for_its_oldest(void **state)
{
	int fence = fake_fence_create();
	uint64_t first, ticket = 0;
	struct chain chain;
	pthread_t thread;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	first = chain_submit(chain.queue, &chain, 1, fence, NULL);
	for (int i = 1; i < 64; i++)
		expect_ok(submit_list(chain.queue, chain.matmul, 2, &ticket, &err));
	expect_error(npu_queue_wait(chain.queue, first, 0, &err), -ETIME, "has not ended");
	assert_int_equal(pthread_create(&thread, NULL, signal_fence, &fence), 0);
	expect_ok(submit_list(chain.queue, chain.matmul, 2, &ticket, &err));
	pthread_join(thread, NULL);
	expect_ok(npu_queue_wait(chain.queue, first, 0, &err));
	expect_ok(npu_queue_wait(chain.queue, ticket, -1, &err));
	chain_expect(&chain, chain.c, 16);
	close(fence);
	chain_destroy(&chain);
}

static void submissions_grow(void **state)
{
	struct npu_matmul *list[700];
	struct npu_queue_stats stats = { .size = sizeof(stats) };
	uint64_t ticket = 0;
	struct chain chain;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	for (int i = 0; i < 700; i++)
		list[i] = chain.matmul[i % 2];
	for (size_t count = 1; count <= 700; count += 233)
		for (int i = 0; i < 3; i++)
			expect_ok(submit_list(chain.queue, list, count, &ticket, &err));
	expect_ok(npu_queue_wait(chain.queue, ticket, -1, &err));
	expect_ok(npu_queue_get_stats(chain.queue, &stats, &err));
	assert_int_equal(stats.matmuls, 3 * (1 + 234 + 467 + 700));
	chain_expect(&chain, chain.c, 16);
	chain_destroy(&chain);
}

/* The thread that signals the fence is the one that submits: nothing may wait for it. */
static void long_submissions_do_not_wait(void **state)
{
	struct npu_matmul *list[500];
	int fence = fake_fence_create();
	uint64_t first, ticket = 0;
	struct chain chain;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	for (int i = 0; i < 500; i++)
		list[i] = chain.matmul[i % 2];
	first = chain_submit(chain.queue, &chain, 2, fence, NULL);
	for (size_t count = 9; count < 500; count *= 3)
		expect_ok(submit_list(chain.queue, list, count, &ticket, &err));
	expect_error(npu_queue_wait(chain.queue, first, 0, &err), -ETIME, "has not ended");
	fake_fence_signal(fence, 0);
	expect_ok(npu_queue_wait(chain.queue, ticket, -1, &err));
	chain_expect(&chain, chain.c, 16);
	close(fence);
	chain_destroy(&chain);
}

/* ---- What is left behind --------------------------------------------------------------- */

/* The first round is for warming up. */
static void nothing_is_allocated_and_no_descriptor_lost(void **state)
{
	struct chain one, two;
	unsigned int allocated = 0, fds = 0;

	(void)state;
	chain_create(&one, dev, 4, 0);
	chain_create(&two, dev, 4, 0);
	for (int i = 0; i < 100; i++) {
		int fence = fake_fence_create();
		uint64_t first = chain_submit(one.queue, &one, 2, fence, NULL);
		uint64_t second = chain_submit_after(two.queue, &two, 2, one.queue, first);

		fake_fence_signal(fence, i % 2 ? EIO : 0);
		close(fence);
		assert_int_equal(npu_queue_wait(two.queue, second, -1, NULL),
				 i % 2 ? -ECANCELED : 0);
		if (!i) {
			allocated = allocations();
			fds = open_fds();
		}
	}
	assert_int_equal(allocations(), allocated);
	assert_int_equal(open_fds(), fds);
	chain_destroy(&one);
	chain_destroy(&two);
}

/* Everything may go while it is still needed; the sanitizers look for what was forgotten. */
static void objects_go_while_work_is_under_way(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		int fence = fake_fence_create();
		struct npu_queue *queue;
		struct npu_device *own;
		struct chain chain;
		pthread_t thread;

		expect_ok(npu_device_open("cpu", &own, &err));
		chain_create(&chain, own, 4, 0);
		npu_device_close(own);
		chain_submit(chain.queue, &chain, 2, fence, NULL);
		queue = chain.queue;
		chain.queue = NULL;
		chain_destroy(&chain);
		assert_int_equal(pthread_create(&thread, NULL, signal_fence, &fence), 0);
		npu_queue_destroy(queue);
		pthread_join(thread, NULL);
		close(fence);
	}
}

/* ---- Threads --------------------------------------------------------------------------- */

/* Half of the time it waits for its own ticket, otherwise it runs to the end in the call. */
static void *use_queue(void *arg)
{
	struct npu_queue *queue = arg;
	struct chain chain;
	uint64_t ticket;

	chain_create(&chain, dev, 4, 0);
	for (int i = 0; i < 200; i++) {
		if (i % 2) {
			expect_ok(npu_queue_run(queue, chain.matmul, 2, &err));
		} else {
			expect_ok(submit_list(queue, chain.matmul, 2, &ticket, &err));
			expect_ok(npu_queue_wait(queue, ticket, -1, &err));
		}
		chain_expect(&chain, chain.c, 16);
		expect_ok(npu_tensor_write(chain.a, 0, 4, chain_ones, 0, &err));
	}
	chain_destroy(&chain);
	return NULL;
}

static void threads_share_a_queue(void **state)
{
	struct npu_queue_stats stats = { .size = sizeof(stats) };
	struct npu_queue *queue;
	pthread_t thread[4];

	(void)state;
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, use_queue, queue), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	expect_ok(npu_queue_get_stats(queue, &stats, &err));
	assert_int_equal(stats.matmuls, 4 * 200 * 2);
	npu_queue_destroy(queue);
}

/* Each turns a wheel that the others hang on: no order of theirs may stop it. */
static void *use_neighbours(void *arg)
{
	struct chain *chain = arg;
	uint64_t ticket = 0;

	for (int i = 0; i < 200; i++) {
		struct npu_matmul *list[2] = { chain[0].matmul[0], chain[1].matmul[1] };

		expect_ok(submit_list(chain->queue, list, 2, &ticket, &err));
	}
	expect_ok(npu_queue_wait(chain->queue, ticket, -1, &err));
	return NULL;
}

static void threads_use_the_same_buffers(void **state)
{
	struct chain chain[5];
	pthread_t thread[4];

	(void)state;
	for (int i = 0; i < 5; i++) {
		chain_create(&chain[i], dev, 4, 0);
		expect_ok(npu_queue_run(chain[i].queue, chain[i].matmul, 1, &err));
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, use_neighbours, &chain[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (int i = 1; i < 4; i++)
		chain_expect(&chain[i], chain[i].c, 16);
	for (int i = 0; i < 5; i++)
		chain_destroy(&chain[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_queue_waits_for_its_oldest),
		cmocka_unit_test(submissions_grow),
		cmocka_unit_test(long_submissions_do_not_wait),
		cmocka_unit_test(nothing_is_allocated_and_no_descriptor_lost),
		cmocka_unit_test(objects_go_while_work_is_under_way),
		cmocka_unit_test(threads_share_a_queue),
		cmocka_unit_test(threads_use_the_same_buffers),
	};

	return cmocka_run_group_tests_name("backlogs of queues", tests, open_cpu, close_cpu);
}
