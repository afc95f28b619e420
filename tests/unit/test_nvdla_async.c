// SPDX-License-Identifier: MIT
/*
 * Queues of the NVDLA backend above a fake kernel: what is left to the kernel and what is not,
 * order across both, failures on the way, threads.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../allocations.h"
#include "../expect.h"
#include "../submit.h"
#include "chain.h"
#include "fake_fence.h"
#include "fake_npu.h"
#include "fake_syncobj.h"

/*
 * A chain that the engine does alone, and one that it cannot: K is cut, and the CPU adds up. The
 * matmuls of the first give 8 and 64, those of the second 3 and 9.
 */
static struct npu_device *dev;
static struct chain whole, split;

static int open_fake_with(uint32_t max_syncs)
{
	fake_reset();
	fake.limits.max_k = 16;
	fake.max_syncs = max_syncs;
	expect_ok(npu_device_open("fake", &dev, &err));
	chain_create(&whole, dev, 8, 0);
	chain_create(&split, dev, 24, 3);
	return 0;
}

static int open_fake(void **state)
{
	(void)state;
	return open_fake_with(64);
}

static int close_fake(void **state)
{
	(void)state;
	fake_fence_signal_all();
	chain_destroy(&whole);
	chain_destroy(&split);
	npu_device_close(dev);
	assert_int_equal(fake.objects, 0);
	return 0;
}

/* Asks the library: what has signalled is not handed on to the kernel. */
static bool has_signalled(int fd)
{
	unsigned int before = fake.waits;

	chain_submit(whole.queue, &whole, 1, fd, NULL);
	return fake.waits == before;
}

static void *signal_fence(void *fence)
{
	fake_fence_signal(*(int *)fence, 0);
	return NULL;
}

/* ---- Left to the kernel ---------------------------------------------------------------- */

static void kernel_waits_for_fences(void **state)
{
	int fence = fake_fence_create();
	uint64_t ticket;

	(void)state;
	ticket = chain_submit(whole.queue, &whole, 2, fence, NULL);
	assert_int_equal(fake.submits, 1);
	assert_int_equal(fake.waits, 1);
	fake_fence_signal(fence, 0);
	expect_ok(npu_queue_wait(whole.queue, ticket, -1, &err));
	chain_expect(&whole, whole.c, 64);
	chain_submit(whole.queue, &whole, 2, fence, NULL);
	assert_int_equal(fake.waits, 1);
	close(fence);
}

static void failed_fence_cancels_what_ran(void **state)
{
	int fence = fake_fence_create();
	uint64_t before, ticket, after;

	(void)state;
	expect_ok(submit_list(whole.queue, whole.matmul, 2, &before, &err));
	ticket = chain_submit(whole.queue, &whole, 2, fence, NULL);
	expect_ok(submit_list(whole.queue, whole.matmul, 2, &after, &err));
	fake_fence_signal(fence, EIO);
	expect_error(npu_queue_wait(whole.queue, ticket, -1, &err), -ECANCELED, "had to wait for");
	expect_ok(npu_queue_wait(whole.queue, before, -1, &err));
	expect_ok(npu_queue_wait(whole.queue, after, -1, &err));
	/* A fence of which it is known is not even tried. */
	assert_int_equal(fake.submits, 3);
	ticket = chain_submit(whole.queue, &whole, 2, fence, NULL);
	assert_int_equal(fake.submits, 3);
	expect_error(npu_queue_wait(whole.queue, ticket, 0, &err), -ECANCELED, "had to wait for");
	/* Nor is what depends on it, although there is work under way before it. */
	chain_submit(whole.queue, &whole, 2, -1, NULL);
	ticket = chain_submit(whole.queue, &whole, 2, fence, NULL);
	ticket = chain_submit_after(split.queue, &whole, 2, whole.queue, ticket);
	assert_int_equal(fake.submits, 4);
	expect_error(npu_queue_wait(split.queue, ticket, -1, &err), -ECANCELED, "had to wait for");
	close(fence);
}

static void kernel_waits_for_tickets(void **state)
{
	struct npu_queue *other;
	uint64_t first, second;

	(void)state;
	expect_ok(npu_queue_create(dev, NULL, &other, &err));
	fake.outcome = 4;
	fake.outcome_errno = ETIMEDOUT;
	expect_ok(submit_list(whole.queue, whole.matmul, 2, &first, &err));
	second = chain_submit_after(other, &whole, 2, whole.queue, first);
	assert_int_equal(fake.submits, 2);
	assert_int_equal(fake.waits, 1);
	expect_error(npu_queue_wait(other, second, 0, &err), -ETIME, "has not ended");
	expect_ok(npu_queue_wait(other, second, -1, &err));
	/* The third submission fails, and the next with it. */
	expect_ok(submit_list(whole.queue, whole.matmul, 2, &first, &err));
	second = chain_submit_after(other, &whole, 2, whole.queue, first);
	expect_error(npu_queue_wait(whole.queue, first, -1, &err), -ETIMEDOUT, "hung");
	expect_error(npu_queue_wait(other, second, -1, &err), -ECANCELED, "had to wait for");
	second = chain_submit_after(other, &whole, 2, whole.queue, first);
	expect_error(npu_queue_wait(other, second, -1, &err), -ECANCELED, "had to wait for");
	npu_queue_destroy(other);
}

/* Each of the three runs, and only the first has a fence that fails. */
static void failure_goes_from_ticket_to_ticket(void **state)
{
	int fence = fake_fence_create(), fences[NPU_MAX_WAITS];
	struct npu_queue *queue[2];
	uint64_t ticket[3];

	(void)state;
	for (int i = 0; i < 2; i++)
		expect_ok(npu_queue_create(dev, NULL, &queue[i], &err));
	ticket[0] = chain_submit(whole.queue, &whole, 2, fence, NULL);
	ticket[1] = chain_submit_after(queue[0], &whole, 2, whole.queue, ticket[0]);
	ticket[2] = chain_submit_after(queue[1], &whole, 2, queue[0], ticket[1]);
	assert_int_equal(fake.submits, 3);
	assert_int_equal(fake.waits, 1 + 2 + 3);
	fake_fence_signal(fence, EIO);
	expect_error(npu_queue_wait(queue[1], ticket[2], -1, &err), -ECANCELED, "had to wait for");
	expect_error(npu_queue_wait(queue[0], ticket[1], -1, &err), -ECANCELED, "had to wait for");
	close(fence);
	for (int i = 0; i < 2; i++)
		npu_queue_destroy(queue[i]);

	/* More than a submission can hand on: its dependents wait for it in the library. */
	for (int i = 0; i < NPU_MAX_WAITS; i++)
		fences[i] = fake_fence_create();
	expect_ok(npu_queue_submit(whole.queue,
				   &(struct npu_submit_desc){
					   .size = sizeof(struct npu_submit_desc),
					   .matmuls = whole.matmul,
					   .count = 2,
					   .wait_fds = fences,
					   .wait_fd_count = NPU_MAX_WAITS,
				   },
				   &ticket[0], &err));
	for (int i = 0; i < NPU_MAX_WAITS; i++) {
		fake_fence_signal(fences[i], i == 7 ? EIO : 0);
		close(fences[i]);
	}
	ticket[1] = chain_submit_after(split.queue, &whole, 2, whole.queue, ticket[0]);
	expect_error(npu_queue_wait(split.queue, ticket[1], -1, &err), -ECANCELED,
		     "had to wait for");
	assert_int_equal(fake.submits, 4);
}

/* Three SUBMITs: the first fails. */
static void failure_of_a_part_goes_on(void **state)
{
	struct npu_matmul *list[150];
	uint64_t first, ticket;

	(void)state;
	for (int i = 0; i < 150; i++)
		list[i] = whole.matmul[i % 2];
	fake.outcome = 1;
	fake.outcome_errno = EIO;
	expect_ok(submit_list(whole.queue, list, 150, &first, &err));
	ticket = chain_submit_after(split.queue, &whole, 2, whole.queue, first);
	assert_int_equal(fake.waits, 3);
	expect_error(npu_queue_wait(whole.queue, first, -1, &err), -EIO, "bus error");
	expect_error(npu_queue_wait(split.queue, ticket, -1, &err), -ECANCELED, "had to wait for");
}

/* Three SUBMITs: the first waits, the last has the fence. */
static void long_submission_has_one_fence(void **state)
{
	int fence = fake_fence_create(), out;
	struct npu_matmul *list[150];
	struct npu_submit_desc desc = {
		.size = sizeof(desc),
		.matmuls = list,
		.count = 150,
		.wait_fds = &fence,
		.wait_fd_count = 1,
		.fence_fd = &out,
	};
	uint64_t ticket;

	(void)state;
	for (int i = 0; i < 150; i++)
		list[i] = whole.matmul[i % 2];
	expect_ok(npu_queue_submit(whole.queue, &desc, &ticket, &err));
	assert_true(out >= 0);
	assert_int_equal(fake.submits, 3);
	assert_int_equal(fake.waits, 1);
	assert_false(has_signalled(out));
	expect_ok(npu_queue_wait(whole.queue, ticket, -1, &err));
	assert_true(has_signalled(out));
	close(out);
	close(fence);
}

static pthread_t waiter;

static void *wait_for_first(void *arg)
{
	(void)arg;
	expect_ok(npu_queue_wait(whole.queue, 1, -1, &err));
	return NULL;
}

/* In the time between a ticket and its SUBMIT, and long enough for the thread to fall asleep. */
static void start_waiter(void)
{
	fake.before_submit = NULL;
	assert_int_equal(pthread_create(&waiter, NULL, wait_for_first, NULL), 0);
	usleep(50000);
}

static void a_ticket_can_be_waited_for_before_it_is_handed_over(void **state)
{
	struct timespec limit;

	(void)state;
	fake.before_submit = start_waiter;
	expect_ok(submit_list(whole.queue, whole.matmul, 2, NULL, &err));
	/* A limit only for the test that fails. */
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 60;
	assert_int_equal(pthread_timedjoin_np(waiter, NULL, &limit), 0);
	chain_expect(&whole, whole.c, 64);
}

/* ---- Not left to the kernel ------------------------------------------------------------ */

static void processor_waits_for_fences(void **state)
{
	int fence = fake_fence_create();
	uint64_t ticket;

	(void)state;
	ticket = chain_submit(split.queue, &split, 2, fence, NULL);
	expect_error(npu_queue_wait(split.queue, ticket, 0, &err), -ETIME, "has not ended");
	assert_int_equal(fake.submits, 0);
	fake_fence_signal(fence, 0);
	expect_ok(npu_queue_wait(split.queue, ticket, -1, &err));
	assert_int_equal(fake.waits, 0);
	chain_expect(&split, split.b, 3);
	chain_expect(&split, split.c, 9);
	close(fence);
}

/* What the engine could do alone must not overtake what the CPU has a part in. */
static void order_holds_across_both_kinds(void **state)
{
	int fence = fake_fence_create();
	struct npu_matmul *list[3] = { whole.matmul[0], split.matmul[0], whole.matmul[1] };
	uint64_t first, second, third;

	(void)state;
	first = chain_submit(split.queue, &split, 2, fence, NULL);
	expect_ok(submit_list(split.queue, whole.matmul, 2, &second, &err));
	expect_ok(submit_list(split.queue, list, 3, &third, &err));
	assert_int_equal(fake.submits, 0);
	fake_fence_signal(fence, 0);
	expect_ok(npu_queue_wait(split.queue, second, -1, &err));
	expect_ok(npu_queue_wait(split.queue, first, 0, &err));
	expect_ok(npu_queue_wait(split.queue, third, -1, &err));
	chain_expect(&whole, whole.c, 64);
	chain_expect(&split, split.c, 9);
	/* Nothing is left to be done: the kernel gets it in the call again. */
	fake.submits = 0;
	expect_ok(submit_list(split.queue, whole.matmul, 2, NULL, &err));
	assert_int_equal(fake.submits, 1);
	close(fence);
}

/* The kernel does not know that somebody is still going to write what another queue reads. */
static void buffers_order_queues(void **state)
{
	int fence = fake_fence_create();
	struct npu_matmul_desc desc = chain_desc(&split, 1);
	struct npu_epilogue_desc narrow = { .size = sizeof(narrow), .n = 8 };
	const int16_t one = 1;
	struct npu_matmul *reader;
	struct npu_buffer *buf;
	void *data;
	uint64_t ticket;

	(void)state;
	/* A matmul for the engine alone, in a buffer that a split one writes. */
	narrow.multiplier = &one;
	narrow.scale_count = 1;
	expect_ok(npu_buffer_create(dev, 4096, &buf, &err));
	expect_ok(npu_tensor_create_in(buf, 0, NPU_TYPE_INT8, 24, 24, &desc.c, &err));
	expect_ok(npu_matmul_create(dev, &desc, &reader, &err));
	chain_submit(split.queue, &split, 2, fence, NULL);
	expect_ok(submit_list(split.queue, &reader, 1, NULL, &err));
	npu_matmul_destroy(reader);
	npu_tensor_destroy(desc.c);

	desc = chain_desc(&whole, 1);
	expect_ok(npu_tensor_create_in(buf, 2048, NPU_TYPE_INT8, 8, 8, &desc.a, &err));
	expect_ok(npu_matmul_create(dev, &desc, &reader, &err));
	expect_ok(submit_list(whole.queue, &reader, 1, &ticket, &err));
	expect_error(npu_queue_wait(whole.queue, ticket, 0, &err), -ETIME, "has not ended");
	assert_int_equal(fake.submits, 0);
	expect_error(npu_buffer_begin_access(buf, NPU_ACCESS_READ, 0, 8, 0, &data, &err), -ETIME,
		     "still uses the buffer");
	fake_fence_signal(fence, 0);
	expect_ok(npu_queue_wait(whole.queue, ticket, -1, &err));
	expect_ok(npu_buffer_begin_access(buf, NPU_ACCESS_READ, 0, 8, -1, &data, &err));
	assert_int_equal(*(int8_t *)data, 9);
	npu_matmul_destroy(reader);
	npu_tensor_destroy(desc.a);
	npu_buffer_destroy(buf);
	close(fence);
}

static struct npu_matmul *between;

/* When this queue's submission has been let go, another one comes with the same buffer. */
static void come_in_between(void)
{
	unsigned int submits;

	fake.before_submit = NULL;
	expect_ok(submit_list(split.queue, &between, 1, NULL, &err));
	/* Time enough to go wrong, however long it takes to be right. */
	usleep(50000);
	pthread_mutex_lock(&fake_lock);
	submits = fake.submits;
	pthread_mutex_unlock(&fake_lock);
	assert_int_equal(submits, 0);
}

/* Nor does one queue know what another one is handing over. */
static void nothing_lands_in_the_middle(void **state)
{
	struct npu_matmul_desc desc = chain_desc(&split, 0);
	struct npu_matmul *writer;
	struct npu_buffer *buf;
	struct npu_tensor *read;
	uint64_t ticket;

	(void)state;
	expect_ok(npu_buffer_create(dev, 4096, &buf, &err));
	expect_ok(npu_tensor_create_in(buf, 0, NPU_TYPE_INT8, 24, 24, &desc.c, &err));
	expect_ok(npu_matmul_create(dev, &desc, &between, &err));
	read = desc.c;
	desc = chain_desc(&whole, 0);
	expect_ok(npu_tensor_create_in(buf, 2048, NPU_TYPE_INT8, 8, 8, &desc.c, &err));
	expect_ok(npu_matmul_create(dev, &desc, &writer, &err));
	fake.before_submit = come_in_between;
	expect_ok(submit_list(whole.queue, &writer, 1, &ticket, &err));
	expect_ok(npu_queue_wait(split.queue, 1, -1, &err));
	expect_ok(npu_queue_wait(whole.queue, ticket, -1, &err));
	chain_expect(&split, read, 3);
	chain_expect(&whole, desc.c, 8);
	npu_matmul_destroy(between);
	npu_matmul_destroy(writer);
	npu_tensor_destroy(read);
	npu_tensor_destroy(desc.c);
	npu_buffer_destroy(buf);
}

/* The last matmul needs the engine only: its fence can be had when the CPU is done. */
static void fence_of_a_split_submission(void **state)
{
	struct npu_matmul *list[2] = { split.matmul[0], whole.matmul[0] };
	struct npu_submit_desc desc = { .size = sizeof(desc), .matmuls = list, .count = 2 };
	uint64_t ticket;
	int fence = 1000;

	(void)state;
	desc.fence_fd = &fence;
	expect_ok(npu_queue_submit(split.queue, &desc, &ticket, &err));
	assert_true(fence >= 0 && fence != 1000);
	assert_false(has_signalled(fence));
	expect_ok(npu_queue_wait(split.queue, ticket, -1, &err));
	assert_true(has_signalled(fence));
	close(fence);
	ticket = chain_submit(split.queue, &split, 2, -1, &fence);
	assert_int_equal(fence, -1);
	expect_ok(npu_queue_wait(split.queue, ticket, 0, &err));
}

/* A ticket that is still in a backlog is no fence yet. */
static void tickets_of_a_backlog_are_waited_for(void **state)
{
	int fence = fake_fence_create();
	uint64_t first, second;

	(void)state;
	first = chain_submit(split.queue, &split, 2, fence, NULL);
	second = chain_submit_after(whole.queue, &whole, 2, split.queue, first);
	assert_int_equal(fake.submits, 0);
	expect_error(npu_queue_wait(whole.queue, second, 0, &err), -ETIME, "has not ended");
	fake_fence_signal(fence, 0);
	expect_ok(npu_queue_wait(whole.queue, second, -1, &err));
	expect_ok(npu_queue_wait(split.queue, first, 0, &err));
	/* And its failure counts. */
	fake.outcome = 1;
	fake.outcome_errno = EIO;
	expect_error(npu_queue_run(split.queue, split.matmul, 2, &err), -EIO, "bus error");
	second = chain_submit_after(whole.queue, &whole, 2, split.queue, first + 1);
	expect_error(npu_queue_wait(whole.queue, second, -1, &err), -ECANCELED, "had to wait for");
	close(fence);
}

/* Where a driver takes few fences, the library waits for the rest. */
static void more_fences_than_the_driver_takes(void **state)
{
	struct npu_submit_desc desc = { .size = sizeof(desc), .count = 2 };
	int fences[3];
	uint64_t ticket;

	close_fake(state);
	open_fake_with(3);
	for (int i = 0; i < 3; i++)
		fences[i] = fake_fence_create();
	desc.matmuls = whole.matmul;
	desc.wait_fds = fences;
	desc.wait_fd_count = 2;
	expect_ok(npu_queue_submit(whole.queue, &desc, NULL, &err));
	assert_int_equal(fake.waits, 2);
	desc.wait_fd_count = 3;
	expect_ok(npu_queue_submit(whole.queue, &desc, &ticket, &err));
	expect_error(npu_queue_wait(whole.queue, ticket, 0, &err), -ETIME, "has not ended");
	assert_int_equal(fake.submits, 1);
	for (int i = 0; i < 3; i++)
		fake_fence_signal(fences[i], 0);
	expect_ok(npu_queue_wait(whole.queue, ticket, -1, &err));
	for (int i = 0; i < 3; i++)
		close(fences[i]);
}

/* ---- Failures -------------------------------------------------------------------------- */

static void priority_needs_a_right(void **state)
{
	struct npu_queue_desc desc = { .size = sizeof(desc), .priority = NPU_PRIORITY_HIGH };
	struct npu_queue *queue;

	(void)state;
	expect_error(npu_queue_create(dev, &desc, &queue, &err), -EACCES, "CAP_SYS_NICE");
	desc.priority = NPU_PRIORITY_LOW;
	expect_ok(npu_queue_create(dev, &desc, &queue, &err));
	npu_queue_destroy(queue);
}

/* What the thread could not submit is told to whoever waits, in the words it had. */
static void failure_of_the_thread_is_told(void **state)
{
	int fence = fake_fence_create();
	uint64_t ticket, next;

	(void)state;
	/* The status of the fence is asked twice, then comes the SUBMIT. */
	fake.fail_after = 2;
	fake.fail_errno = ENOMEM;
	ticket = chain_submit(split.queue, &split, 2, fence, NULL);
	expect_ok(submit_list(split.queue, split.matmul, 2, &next, &err));
	fake_fence_signal(fence, 0);
	expect_error(npu_queue_wait(split.queue, ticket, -1, &err), -ENOMEM, "cannot submit");
	expect_ok(npu_queue_wait(split.queue, next, -1, &err));
	chain_expect(&split, split.c, 9);
	close(fence);
}

/* Each call of a submission with all kinds of waits fails once, and nothing is lost. */
static void any_call_may_fail(void **state)
{
	unsigned int fds = open_fds();
	bool failed = true;

	(void)state;
	for (int i = 0; failed; i++) {
		struct npu_dependency after = { .queue = split.queue };
		int wait_fd = fake_fence_create(), fence = -1;
		struct npu_submit_desc desc = {
			.size = sizeof(desc),
			.matmuls = whole.matmul,
			.count = 2,
			.wait_fds = &wait_fd,
			.wait_fd_count = 1,
			.after = &after,
			.after_count = 1,
			.fence_fd = &fence,
		};
		struct npu_error why = { 0 };
		int ret;

		expect_ok(submit_list(split.queue, whole.matmul, 1, &after.ticket, &err));
		fake.fail_after = i;
		fake.fail_errno = EMFILE;
		ret = npu_queue_submit(whole.queue, &desc, NULL, &why);
		failed = fake.fail_after < 0;
		fake.fail_after = -1;
		if (ret)
			assert_true(failed && why.code == ret && why.text[0]);
		if (fence >= 0)
			close(fence);
		fake_fence_signal(wait_fd, 0);
		close(wait_fd);
		expect_ok(npu_queue_run(split.queue, split.matmul, 2, &err));
		chain_expect(&split, split.c, 9);
		assert_int_equal(open_fds(), fds);
		assert_true(failed || i > 5);
	}
}

/* ---- What is left behind --------------------------------------------------------------- */

static void nothing_is_allocated_and_no_descriptor_lost(void **state)
{
	unsigned int allocated = 0, fds = 0;
	int objects = 0;

	(void)state;
	for (int i = 0; i < 300; i++) {
		int fence = fake_fence_create(), out = -1;
		uint64_t first = chain_submit(whole.queue, &whole, 2, fence, &out);
		uint64_t second = chain_submit(split.queue, &split, 2, fence, NULL);
		uint64_t third = chain_submit_after(whole.queue, &split, 2, split.queue, second);

		fake_fence_signal(fence, 0);
		close(fence);
		close(out);
		expect_ok(npu_queue_wait(whole.queue, third, -1, &err));
		expect_ok(npu_queue_wait(whole.queue, first, -1, &err));
		/* Warm means: every part of the ring has waited for something once. */
		if (i == 99) {
			allocated = allocations();
			fds = open_fds();
			objects = fake.objects;
		}
	}
	assert_int_equal(allocations(), allocated);
	assert_int_equal(open_fds(), fds);
	assert_int_equal(fake.objects, objects);
}

static void objects_go_while_work_is_under_way(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		int fence = fake_fence_create();
		struct npu_queue *queue;
		struct chain chain;
		pthread_t thread;

		chain_create(&chain, dev, 24, 3);
		chain_submit(chain.queue, &chain, 2, fence, NULL);
		expect_ok(submit_list(chain.queue, chain.matmul, 2, NULL, &err));
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

static void *use_queue(void *arg)
{
	struct npu_queue *queue = arg;
	struct chain own_whole, own_split;
	uint64_t ticket;

	chain_create(&own_whole, dev, 8, 0);
	chain_create(&own_split, dev, 24, 3);
	for (int i = 0; i < 60; i++) {
		if (i % 3)
			expect_ok(submit_list(queue, own_whole.matmul, 2, &ticket, &err));
		else if (i % 2)
			expect_ok(submit_list(queue, own_split.matmul, 2, &ticket, &err));
		else
			expect_ok(npu_queue_run(queue, own_split.matmul, 2, &err));
		if (i % 5 == 4)
			expect_ok(npu_queue_wait(queue, ticket, -1, &err));
	}
	expect_ok(npu_queue_wait(queue, ticket, -1, &err));
	chain_expect(&own_whole, own_whole.c, 64);
	chain_expect(&own_split, own_split.c, 9);
	chain_destroy(&own_whole);
	chain_destroy(&own_split);
	return NULL;
}

static void use_queues(struct npu_queue *const queues[4])
{
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, use_queue, queues[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
}

static void threads_have_queues(void **state)
{
	struct npu_queue *queues[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		expect_ok(npu_queue_create(dev, NULL, &queues[i], &err));
	use_queues(queues);
	for (int i = 0; i < 4; i++)
		npu_queue_destroy(queues[i]);
}

static void threads_share_a_queue(void **state)
{
	(void)state;
	use_queues((struct npu_queue *[]){ whole.queue, whole.queue, whole.queue, whole.queue });
}

#define async_test(function) cmocka_unit_test_setup_teardown(function, open_fake, close_fake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		async_test(kernel_waits_for_fences),
		async_test(failed_fence_cancels_what_ran),
		async_test(kernel_waits_for_tickets),
		async_test(failure_goes_from_ticket_to_ticket),
		async_test(failure_of_a_part_goes_on),
		async_test(long_submission_has_one_fence),
		async_test(a_ticket_can_be_waited_for_before_it_is_handed_over),
		async_test(processor_waits_for_fences),
		async_test(order_holds_across_both_kinds),
		async_test(buffers_order_queues),
		async_test(nothing_lands_in_the_middle),
		async_test(fence_of_a_split_submission),
		async_test(tickets_of_a_backlog_are_waited_for),
		async_test(more_fences_than_the_driver_takes),
		async_test(priority_needs_a_right),
		async_test(failure_of_the_thread_is_told),
		async_test(any_call_may_fail),
		async_test(nothing_is_allocated_and_no_descriptor_lost),
		async_test(objects_go_while_work_is_under_way),
		async_test(threads_have_queues),
		async_test(threads_share_a_queue),
	};

	return cmocka_run_group_tests_name("NVDLA queues", tests, NULL, NULL);
}
