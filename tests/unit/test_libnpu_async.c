// SPDX-License-Identifier: MIT
/*
 * What queues wait for, and who waits for queues, checked on the CPU: sync_files, tickets, buffers,
 * failures on the way. Fences are the test's own, so nothing depends on speed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "../expect.h"
#include "../submit.h"
#include "chain.h"
#include "cpu_rig.h"
#include "fake_fence.h"

static void expect_pending(struct npu_queue *queue, uint64_t ticket)
{
	expect_error(npu_queue_wait(queue, ticket, 0, &err), -ETIME, "has not ended");
}

static void expect_cancelled(struct npu_queue *queue, uint64_t ticket)
{
	expect_error(npu_queue_wait(queue, ticket, -1, &err), -ECANCELED, "had to wait for");
}

/* ---- Fences ---------------------------------------------------------------------------- */

static void submission_waits_for_its_fence(void **state)
{
	int fence = fake_fence_create(), copy = dup(fence);
	struct chain chain;
	uint64_t ticket;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	ticket = chain_submit(chain.queue, &chain, 2, fence, NULL);
	/* The descriptor was only lent. */
	close(fence);
	expect_pending(chain.queue, ticket);
	fake_fence_signal(copy, 0);
	expect_ok(npu_queue_wait(chain.queue, ticket, -1, &err));
	chain_expect(&chain, chain.c, 16);
	/* Those that have signalled are nothing to wait for. */
	ticket = chain_submit(chain.queue, &chain, 2, copy, NULL);
	expect_ok(npu_queue_wait(chain.queue, ticket, -1, &err));
	ticket = chain_submit(chain.queue, &chain, 2, -1, NULL);
	expect_ok(npu_queue_wait(chain.queue, ticket, -1, &err));
	close(copy);
	chain_destroy(&chain);
}

static void failed_fence_cancels(void **state)
{
	int fence = fake_fence_create();
	struct chain chain;
	uint64_t ticket;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	/* Before it is known, and after. */
	ticket = chain_submit(chain.queue, &chain, 2, fence, NULL);
	fake_fence_signal(fence, EIO);
	expect_cancelled(chain.queue, ticket);
	expect_cancelled(chain.queue, chain_submit(chain.queue, &chain, 2, fence, NULL));
	chain_expect(&chain, chain.c, 0);
	expect_ok(npu_queue_run(chain.queue, chain.matmul, 2, &err));
	chain_expect(&chain, chain.c, 16);
	expect_cancelled(chain.queue, ticket);
	close(fence);
	chain_destroy(&chain);
}

/* A cancelled submission keeps its place behind one that is under way. */
static void cancelled_submission_keeps_its_place(void **state)
{
	int fence = fake_fence_create(), failed = fake_fence_create();
	uint64_t first, second;
	struct chain chain;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	fake_fence_signal(failed, EIO);
	first = chain_submit(chain.queue, &chain, 2, fence, NULL);
	second = chain_submit(chain.queue, &chain, 1, failed, NULL);
	expect_pending(chain.queue, first);
	expect_pending(chain.queue, second);
	fake_fence_signal(fence, 0);
	expect_ok(npu_queue_wait(chain.queue, first, -1, &err));
	expect_cancelled(chain.queue, second);
	chain_expect(&chain, chain.c, 16);
	close(fence);
	close(failed);
	chain_destroy(&chain);
}

static void fence_of_the_cpu_has_signalled(void **state)
{
	struct npu_submit_desc desc = { .size = sizeof(desc), .count = 2 };
	struct chain chain;
	uint64_t ticket;
	int fence = 1000;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	desc.matmuls = chain.matmul;
	desc.fence_fd = &fence;
	expect_ok(npu_queue_submit(chain.queue, &desc, &ticket, &err));
	assert_int_equal(fence, -1);
	expect_ok(npu_queue_wait(chain.queue, ticket, 0, &err));
	chain_expect(&chain, chain.c, 16);
	chain_destroy(&chain);
}

/* ---- Wrong descriptions ---------------------------------------------------------------- */

static void wrong_fences_are_refused(void **state)
{
	int fds[NPU_MAX_WAITS + 1] = { open("/dev/null", O_RDONLY) };
	struct npu_submit_desc desc = { .size = sizeof(desc), .count = 1 };
	struct chain chain;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	desc.matmuls = chain.matmul;
	desc.wait_fds = fds;
	desc.wait_fd_count = 1;
	expect_error(npu_queue_submit(chain.queue, &desc, NULL, &err), -EINVAL, "no sync_file");
	close(fds[0]);
	fds[1] = fds[0];
	fds[0] = -1;
	desc.wait_fd_count = 2;
	expect_error(npu_queue_submit(chain.queue, &desc, NULL, &err), -EINVAL, "wait_fds[1]");
	desc.wait_fd_count = NPU_MAX_WAITS + 1;
	expect_error(npu_queue_submit(chain.queue, &desc, NULL, &err), -EINVAL, "17 wait_fds");
	desc.wait_fds = NULL;
	desc.wait_fd_count = 1;
	expect_error(npu_queue_submit(chain.queue, &desc, NULL, &err), -EINVAL, "wait_fds is NULL");
	desc.size = 1;
	expect_error(npu_queue_submit(chain.queue, &desc, NULL, &err), -EINVAL, "npu_submit_desc");
	expect_error(npu_queue_submit(chain.queue, NULL, NULL, &err), -EINVAL, "no desc");
	/* None of them has a ticket. */
	expect_error(npu_queue_wait(chain.queue, 1, 0, &err), -EINVAL, "no ticket 1");
	chain_destroy(&chain);
}

static void wrong_dependencies_are_refused(void **state)
{
	struct npu_dependency after = { .ticket = 1 };
	struct npu_submit_desc desc = { .size = sizeof(desc), .count = 1, .after_count = 1 };
	struct npu_device *second;
	struct chain here, there;

	(void)state;
	expect_ok(npu_device_open("cpu", &second, &err));
	chain_create(&here, dev, 4, 0);
	chain_create(&there, second, 4, 0);
	expect_ok(npu_queue_run(there.queue, there.matmul, 1, &err));
	desc.matmuls = here.matmul;
	expect_error(npu_queue_submit(here.queue, &desc, NULL, &err), -EINVAL, "after is NULL");
	desc.after = &after;
	expect_error(npu_queue_submit(here.queue, &desc, NULL, &err), -EINVAL, "has no queue");
	after.queue = there.queue;
	expect_error(npu_queue_submit(here.queue, &desc, NULL, &err), -EINVAL, "another device");
	after.queue = here.queue;
	expect_error(npu_queue_submit(here.queue, &desc, NULL, &err), -EINVAL, "no ticket 1");
	desc.after_count = NPU_MAX_WAITS + 1;
	expect_error(npu_queue_submit(here.queue, &desc, NULL, &err), -EINVAL, "17 after");
	chain_destroy(&here);
	chain_destroy(&there);
	npu_device_close(second);
}

static void wrong_queues_are_refused(void **state)
{
	struct npu_queue_desc desc = { .size = 1 };
	struct npu_queue *queue;

	(void)state;
	expect_error(npu_queue_create(dev, &desc, &queue, &err), -EINVAL, "npu_queue_desc.size");
	desc.size = sizeof(desc);
	desc.priority = 2;
	expect_error(npu_queue_create(dev, &desc, &queue, &err), -EINVAL, "priority is 2");
	for (int i = NPU_PRIORITY_LOW; i <= NPU_PRIORITY_HIGH; i++) {
		desc.priority = i;
		expect_ok(npu_queue_create(dev, &desc, &queue, &err));
		npu_queue_destroy(queue);
	}
}

/* ---- Order ----------------------------------------------------------------------------- */

static void submission_waits_for_a_ticket(void **state)
{
	int fence = fake_fence_create();
	uint64_t first, second, third;
	struct chain one, two;

	(void)state;
	chain_create(&one, dev, 4, 0);
	chain_create(&two, dev, 4, 0);
	first = chain_submit(one.queue, &one, 2, fence, NULL);
	second = chain_submit_after(two.queue, &two, 2, one.queue, first);
	/* A queue may name itself. */
	third = chain_submit_after(two.queue, &two, 1, two.queue, second);
	expect_pending(two.queue, second);
	expect_pending(two.queue, third);
	fake_fence_signal(fence, 0);
	expect_ok(npu_queue_wait(two.queue, third, -1, &err));
	expect_ok(npu_queue_wait(one.queue, first, 0, &err));
	chain_expect(&two, two.c, 16);
	/* What has ended is no obstacle. */
	expect_ok(npu_queue_wait(
		two.queue, chain_submit_after(two.queue, &two, 2, one.queue, first), -1, &err));
	close(fence);
	chain_destroy(&one);
	chain_destroy(&two);
}

static void failure_goes_from_ticket_to_ticket(void **state)
{
	int fence = fake_fence_create();
	uint64_t first, second, third;
	struct chain one, two;

	(void)state;
	chain_create(&one, dev, 4, 0);
	chain_create(&two, dev, 4, 0);
	first = chain_submit(one.queue, &one, 1, fence, NULL);
	second = chain_submit_after(two.queue, &two, 2, one.queue, first);
	third = chain_submit_after(one.queue, &one, 1, two.queue, second);
	fake_fence_signal(fence, ETIMEDOUT);
	expect_cancelled(one.queue, third);
	expect_cancelled(two.queue, second);
	expect_cancelled(one.queue, first);
	expect_cancelled(two.queue, chain_submit_after(two.queue, &two, 1, one.queue, first));
	/* Far behind, it is still known that something failed. */
	for (int i = 0; i < 64; i++)
		expect_ok(npu_queue_run(one.queue, one.matmul, 1, &err));
	expect_error(npu_queue_wait(one.queue, first, 0, &err), -EINVAL, "forgotten");
	expect_cancelled(two.queue, chain_submit_after(two.queue, &two, 1, one.queue, first));
	expect_ok(npu_queue_wait(
		two.queue, chain_submit_after(two.queue, &two, 1, one.queue, third + 1), -1, &err));
	close(fence);
	chain_destroy(&one);
	chain_destroy(&two);
}

/* The queue that is waited for may go before it is needed. */
static void queue_goes_before_its_ticket_is_needed(void **state)
{
	int fence = fake_fence_create();
	struct chain one, two;
	uint64_t first, second;

	(void)state;
	chain_create(&one, dev, 4, 0);
	chain_create(&two, dev, 4, 0);
	first = chain_submit(one.queue, &one, 2, -1, NULL);
	expect_ok(npu_queue_wait(one.queue, first, -1, &err));
	chain_submit(two.queue, &two, 1, fence, NULL);
	second = chain_submit_after(two.queue, &two, 2, one.queue, first);
	chain_destroy(&one);
	fake_fence_signal(fence, 0);
	expect_ok(npu_queue_wait(two.queue, second, -1, &err));
	chain_expect(&two, two.c, 16);
	close(fence);
	chain_destroy(&two);
}

/* Nobody says so, but the second queue reads what the first one writes. */
static void buffers_order_queues(void **state)
{
	int fence = fake_fence_create();
	struct npu_queue *other;
	struct chain chain;
	uint64_t ticket;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	expect_ok(npu_queue_create(dev, NULL, &other, &err));
	chain_submit(chain.queue, &chain, 1, fence, NULL);
	expect_ok(submit_list(other, &chain.matmul[1], 1, &ticket, &err));
	expect_pending(other, ticket);
	fake_fence_signal(fence, 0);
	expect_ok(npu_queue_wait(other, ticket, -1, &err));
	chain_expect(&chain, chain.c, 16);
	close(fence);
	npu_queue_destroy(other);
	chain_destroy(&chain);
}

static void *signal_fence(void *fence)
{
	fake_fence_signal(*(int *)fence, 0);
	return NULL;
}

/* The CPU's own accesses wait as well. */
/* One queue adds what another one is still to write. */
static void residuals_order_queues(void **state)
{
	const struct npu_epilogue_desc add = { .size = sizeof(add),
					       .n = 4,
					       .scaling = NPU_SCALING_NONE };
	int fence = fake_fence_create();
	struct npu_matmul_desc desc;
	struct npu_matmul *matmul;
	struct npu_queue *queue;
	struct chain chain;
	uint64_t ticket;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	desc = chain_desc(&chain, 0);
	desc.residual = chain.b;
	desc.c = chain.c;
	/* The residual is all that they share. */
	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, 4, 4, &desc.a, &err));
	expect_ok(npu_tensor_write(desc.a, 0, 4, chain_ones, 0, &err));
	expect_ok(npu_epilogue_create(dev, &add, &desc.epilogue, &err));
	expect_ok(npu_matmul_create(dev, &desc, &matmul, &err));
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	chain_submit(chain.queue, &chain, 1, fence, NULL);
	expect_ok(submit_list(queue, &matmul, 1, &ticket, &err));
	/* Time enough to go wrong, however long it takes to be right. */
	expect_error(npu_queue_wait(queue, ticket, 50000000, &err), -ETIME, "has not ended");
	fake_fence_signal(fence, 0);
	expect_ok(npu_queue_wait(queue, ticket, -1, &err));
	chain_expect(&chain, chain.c, 8);
	npu_queue_destroy(queue);
	npu_matmul_destroy(matmul);
	npu_epilogue_destroy(desc.epilogue);
	npu_tensor_destroy(desc.a);
	chain_destroy(&chain);
	close(fence);
}

static void reading_waits(void **state)
{
	int fence = fake_fence_create();
	struct npu_buffer *buf;
	struct npu_matmul_desc desc;
	struct npu_matmul *matmul;
	struct chain chain;
	pthread_t thread;
	void *data;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	expect_ok(npu_buffer_create(dev, 4096, &buf, &err));
	desc = chain_desc(&chain, 1);
	expect_ok(npu_tensor_create_in(buf, 0, NPU_TYPE_INT8, 4, 4, &desc.c, &err));
	expect_ok(npu_matmul_create(dev, &desc, &matmul, &err));
	chain_submit(chain.queue, &chain, 2, fence, NULL);
	expect_ok(submit_list(chain.queue, &matmul, 1, NULL, &err));
	expect_error(npu_buffer_begin_access(buf, NPU_ACCESS_READ, 0, 16, 0, &data, &err), -ETIME,
		     "still uses the buffer");
	assert_int_equal(pthread_create(&thread, NULL, signal_fence, &fence), 0);
	chain_expect(&chain, desc.c, 16);
	pthread_join(thread, NULL);
	expect_ok(npu_buffer_begin_access(buf, NPU_ACCESS_READ, 0, 16, 0, &data, &err));
	close(fence);
	npu_matmul_destroy(matmul);
	npu_tensor_destroy(desc.c);
	npu_buffer_destroy(buf);
	chain_destroy(&chain);
}

/* More queues than there is room for at first; the submission waits for them, the call does not. */
static void one_submission_waits_for_many_queues(void **state)
{
	enum {
		COUNT = 40
	};
	int fence = fake_fence_create();
	struct npu_matmul *last[COUNT];
	static struct chain chain[COUNT];
	struct npu_queue *queue;
	uint64_t ticket;

	(void)state;
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	for (int i = 0; i < COUNT; i++) {
		chain_create(&chain[i], dev, 4, 0);
		chain_submit(chain[i].queue, &chain[i], 1, fence, NULL);
		last[i] = chain[i].matmul[1];
	}
	expect_ok(submit_list(queue, last, COUNT, &ticket, &err));
	expect_pending(queue, ticket);
	fake_fence_signal(fence, 0);
	expect_ok(npu_queue_wait(queue, ticket, -1, &err));
	for (int i = 0; i < COUNT; i++) {
		chain_expect(&chain[i], chain[i].c, 16);
		chain_destroy(&chain[i]);
	}
	npu_queue_destroy(queue);
	close(fence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(submission_waits_for_its_fence),
		cmocka_unit_test(failed_fence_cancels),
		cmocka_unit_test(cancelled_submission_keeps_its_place),
		cmocka_unit_test(fence_of_the_cpu_has_signalled),
		cmocka_unit_test(wrong_fences_are_refused),
		cmocka_unit_test(wrong_dependencies_are_refused),
		cmocka_unit_test(wrong_queues_are_refused),
		cmocka_unit_test(submission_waits_for_a_ticket),
		cmocka_unit_test(failure_goes_from_ticket_to_ticket),
		cmocka_unit_test(queue_goes_before_its_ticket_is_needed),
		cmocka_unit_test(buffers_order_queues),
		cmocka_unit_test(residuals_order_queues),
		cmocka_unit_test(reading_waits),
		cmocka_unit_test(one_submission_waits_for_many_queues),
	};

	return cmocka_run_group_tests_name("queues and what they wait for", tests, open_cpu,
					   close_cpu);
}
