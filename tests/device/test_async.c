// SPDX-License-Identifier: MIT
/*
 * Fences, dependencies and priorities of queues on an NPU, with the kernel's own sync_files. What
 * has to wait is put behind a submission that hangs where order must be seen, and behind long ones
 * elsewhere. NPU_TEST_DEVICE chooses the device, as npu_device_open() names it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/sync_file.h>

#include "../allocations.h"
#include "../expect.h"
#include "../submit.h"
#include "board_control.h"
#include "workbench.h"

/* K that the engine cannot take in one op. */
#define LONG_K 9000

static unsigned int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* Submits a matmul behind fences and tickets; fails the test where that fails. */
static uint64_t submit(struct npu_queue *queue, struct npu_matmul *matmul, int wait_fd,
		       const struct npu_dependency *after, int *fence_fd)
{
	const struct npu_submit_desc desc = {
		.size = sizeof(desc),
		.matmuls = &matmul,
		.count = 1,
		.wait_fds = &wait_fd,
		.wait_fd_count = 1,
		.after = after,
		.after_count = after ? 1 : 0,
		.fence_fd = fence_fd,
	};
	uint64_t ticket;

	expect_ok(npu_queue_submit(queue, &desc, &ticket, &err));
	return ticket;
}

static int fence_wait(int fd)
{
	struct sync_file_info status = { 0 };
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, -1), 1);
	assert_int_equal(ioctl(fd, SYNC_IOC_FILE_INFO, &status), 0);
	return status.status;
}

/* ---- Fences ---------------------------------------------------------------------------- */

/* The result is read without a wait: the fence said that it is there. */
static void fence_signals_the_end(void **state)
{
	struct npu_queue *queue;
	struct bench b;
	uint64_t ticket;
	int fence;

	(void)state;
	bench_init(&b, dev, 90, 64, 1024, 64);
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	ticket = submit(queue, b.matmul, -1, NULL, &fence);
	assert_true(fence >= 0);
	assert_int_equal(fence_wait(fence), 1);
	expect_ok(npu_queue_wait(queue, ticket, 0, &err));
	bench_check(&b, b.result);
	close(fence);
	npu_queue_destroy(queue);
	bench_free(&b);
}

/* Fences go from device to device: NPU to NPU opened twice, NPU to CPU. */
static void check_fence_across(const char *name)
{
	struct npu_queue *from, *to;
	struct npu_device *other;
	struct bench a, b;
	uint64_t ticket;
	int fence;

	expect_ok(npu_device_open(name, &other, &err));
	bench_init(&a, dev, 91, 64, 1024, 64);
	bench_init(&b, other, 92, 8, 16, 8);
	expect_ok(npu_queue_create(dev, NULL, &from, &err));
	expect_ok(npu_queue_create(other, NULL, &to, &err));
	for (int i = 0; i < 20; i++) {
		uint64_t first = submit(from, a.matmul, -1, NULL, &fence);

		ticket = submit(to, b.matmul, fence, NULL, NULL);
		close(fence);
		expect_ok(npu_queue_wait(to, ticket, -1, &err));
		/* So this is over too. */
		expect_ok(npu_queue_wait(from, first, 0, &err));
	}
	bench_check(&b, b.result);
	npu_queue_destroy(from);
	npu_queue_destroy(to);
	bench_free(&a);
	bench_free(&b);
	npu_device_close(other);
}

static void fences_go_between_devices(void **state)
{
	(void)state;
	check_fence_across(info.node);
	check_fence_across("cpu");
}

static void what_is_no_fence_is_refused(void **state)
{
	struct npu_submit_desc desc = { .size = sizeof(desc), .count = 1, .wait_fd_count = 1 };
	int fd = open(info.node, O_RDWR | O_CLOEXEC);
	struct npu_queue *queue;
	struct bench b;

	(void)state;
	assert_true(fd >= 0);
	bench_init(&b, dev, 93, 4, 8, 4);
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	desc.matmuls = &b.matmul;
	desc.wait_fds = &fd;
	expect_error(npu_queue_submit(queue, &desc, NULL, &err), -EINVAL, "no sync_file");
	close(fd);
	expect_error(npu_queue_submit(queue, &desc, NULL, &err), -EINVAL, "no sync_file");
	npu_queue_destroy(queue);
	bench_free(&b);
}

/* ---- Order ----------------------------------------------------------------------------- */

/* The matmuls have nothing in common, so nothing but the ticket holds the second one back. */
static void ticket_orders_queues(void **state)
{
	struct npu_queue_desc high = { .size = sizeof(high), .priority = NPU_PRIORITY_HIGH };
	struct npu_queue *one, *two;
	struct bench slow, quick;

	(void)state;
	bench_init(&slow, dev, 94, 128, 1024, 64);
	bench_init(&quick, dev, 95, 4, 8, 4);
	expect_ok(npu_queue_create(dev, NULL, &one, &err));
	/* Where that may be had, the second one would even go first. */
	if (npu_queue_create(dev, &high, &two, NULL))
		expect_ok(npu_queue_create(dev, NULL, &two, &err));
	for (int i = 0; i < 20; i++) {
		struct npu_dependency after = { .queue = one };
		uint64_t ticket;

		after.ticket = submit(one, slow.matmul, -1, NULL, NULL);
		ticket = submit(two, quick.matmul, -1, &after, NULL);
		expect_ok(npu_queue_wait(two, ticket, -1, &err));
		expect_ok(npu_queue_wait(one, after.ticket, 0, &err));
	}
	bench_check(&slow, slow.result);
	bench_check(&quick, quick.result);
	npu_queue_destroy(one);
	npu_queue_destroy(two);
	bench_free(&slow);
	bench_free(&quick);
}

/* Two queues hand a tensor to and fro; one of them has the CPU in the middle. */
static void engine_and_processor_take_turns(void **state)
{
	struct npu_queue *one, *two;
	struct bench split, whole;
	struct npu_matmul *second;
	struct npu_tensor *result;
	int8_t *got, *expected;

	(void)state;
	bench_init(&split, dev, 96, 6, LONG_K, 24);
	bench_init(&whole, dev, 97, 6, 24, 16);
	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, 6, 16, &result, &err));
	second = bench_bind(&whole, split.result, result);
	expect_ok(npu_queue_create(dev, NULL, &one, &err));
	expect_ok(npu_queue_create(dev, NULL, &two, &err));
	for (int i = 0; i < 5; i++) {
		/* In one queue, and across two. */
		submit(one, split.matmul, -1, NULL, NULL);
		submit(i % 2 ? one : two, second, -1, NULL, NULL);
	}
	got = malloc(6 * 16);
	expect_ok(npu_tensor_read(result, 0, 6, got, 0, &err));
	memcpy(whole.c.a, split.expected, 6 * 24);
	expected = case_reference(&whole.c);
	case_compare(&whole.c, got, expected);
	free(expected);
	free(got);
	npu_matmul_destroy(second);
	npu_tensor_destroy(result);
	npu_queue_destroy(one);
	npu_queue_destroy(two);
	bench_free(&split);
	bench_free(&whole);
}

/* ---- Failures -------------------------------------------------------------------------- */

/* What depends on a hang is told so, by its ticket or by its fence, and the rest goes on. */
static void hang_reaches_what_depends_on_it(void **state)
{
	struct board_control *board = board_control_open();
	struct npu_dependency after = { 0 };
	struct npu_queue *one, *two;
	struct bench a, b;
	uint64_t second, third;
	int fence;

	(void)state;
	if (!board || !info.can_reset)
		skip();
	bench_init(&a, dev, 98, 20, 40, 20);
	bench_init(&b, dev, 99, 4, LONG_K, 4);
	expect_ok(npu_queue_create(dev, NULL, &one, &err));
	expect_ok(npu_queue_create(dev, NULL, &two, &err));
	assert_int_equal(board_control_inject(board, "hang:1"), 0);
	after.queue = one;
	after.ticket = submit(one, a.matmul, -1, NULL, &fence);
	second = submit(two, a.matmul, -1, &after, NULL);
	third = submit(two, b.matmul, fence, NULL, NULL);
	expect_error(npu_queue_wait(two, third, -1, &err), -ECANCELED, "had to wait for");
	expect_error(npu_queue_wait(two, second, -1, &err), -ECANCELED, "had to wait for");
	expect_error(npu_queue_wait(one, after.ticket, -1, &err), -ETIMEDOUT, "hung");
	assert_int_equal(fence_wait(fence), -ETIMEDOUT);
	third = submit(two, b.matmul, -1, NULL, NULL);
	expect_ok(npu_queue_wait(two, third, -1, &err));
	bench_check(&b, b.result);
	close(fence);
	npu_queue_destroy(one);
	npu_queue_destroy(two);
	bench_free(&a);
	bench_free(&b);
	board_control_close(board);
}

/* Runs in a child that has given up root's rights; the device was opened before. */
static int create_as_nobody(void)
{
	struct npu_queue_desc desc = { .size = sizeof(desc), .priority = NPU_PRIORITY_HIGH };
	struct npu_queue *queue;
	struct npu_error why;

	if (setgid(65534) || setuid(65534))
		return 1;
	if (npu_queue_create(dev, &desc, &queue, &why) != -EACCES ||
	    !strstr(why.text, "CAP_SYS_NICE"))
		return 2;
	desc.priority = NPU_PRIORITY_LOW;
	return npu_queue_create(dev, &desc, &queue, &why) ? 3 : 0;
}

static void high_priority_needs_a_right(void **state)
{
	struct npu_queue_desc desc = { .size = sizeof(desc), .priority = NPU_PRIORITY_HIGH };
	struct npu_queue *queue;
	pid_t child;
	int status;

	(void)state;
	if (getuid())
		skip();
	expect_ok(npu_queue_create(dev, &desc, &queue, &err));
	npu_queue_destroy(queue);
	child = fork();
	if (!child)
		_exit(create_as_nobody());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- Threads, processes, and what is left behind --------------------------------------- */

struct sharer {
	struct npu_queue *queue;
	uint32_t seed;
};

/* Submissions of both kinds, some waited for. */
static void *use_queue(void *arg)
{
	const struct sharer *sharer = arg;
	struct bench whole, split;
	uint64_t ticket;

	bench_init(&whole, dev, sharer->seed, 20, 60, 20);
	bench_init(&split, dev, sharer->seed, 2, LONG_K, 4);
	for (int i = 0; i < 40; i++) {
		ticket = submit(sharer->queue, i % 8 ? whole.matmul : split.matmul, -1, NULL, NULL);
		if (i % 5 == 0)
			expect_ok(npu_queue_wait(sharer->queue, ticket, -1, &err));
	}
	bench_check(&whole, whole.result);
	bench_check(&split, split.result);
	bench_free(&whole);
	bench_free(&split);
	return NULL;
}

static void check_threads(bool share)
{
	struct sharer sharer[4];
	pthread_t thread[4];

	for (int i = 0; i < 4; i++) {
		sharer[i].seed = 100 + i;
		if (i && share)
			sharer[i].queue = sharer[0].queue;
		else
			expect_ok(npu_queue_create(dev, NULL, &sharer[i].queue, &err));
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, use_queue, &sharer[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < (share ? 1 : 4); i++)
		npu_queue_destroy(sharer[i].queue);
}

static void threads_have_queues(void **state)
{
	(void)state;
	check_threads(false);
}

static void threads_share_a_queue(void **state)
{
	(void)state;
	check_threads(true);
}

static int run_as_process(uint32_t seed)
{
	struct npu_queue_desc desc = { .size = sizeof(desc) };
	struct sharer sharer = { .seed = seed };

	/* A device of its own: what is inherited belongs to the parent. */
	desc.priority = seed % 2 ? NPU_PRIORITY_NORMAL : NPU_PRIORITY_LOW;
	expect_ok(npu_device_open(info.node, &dev, &err));
	expect_ok(npu_queue_create(dev, &desc, &sharer.queue, &err));
	use_queue(&sharer);
	npu_queue_destroy(sharer.queue);
	npu_device_close(dev);
	return 0;
}

static void processes_share_the_engine(void **state)
{
	pid_t child[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		child[i] = fork();
		if (!child[i])
			_exit(run_as_process(110 + i));
	}
	for (int i = 0; i < 3; i++) {
		int status;

		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
		assert_int_equal(status, 0);
	}
}

static void nothing_is_allocated_and_no_descriptor_lost(void **state)
{
	struct npu_queue *one, *two;
	struct bench whole, split;
	unsigned int allocated = 0, fds = 0;

	(void)state;
	bench_init(&whole, dev, 120, 20, 60, 20);
	bench_init(&split, dev, 121, 2, LONG_K, 4);
	expect_ok(npu_queue_create(dev, NULL, &one, &err));
	expect_ok(npu_queue_create(dev, NULL, &two, &err));
	for (int i = 0; i < 50; i++) {
		struct npu_dependency after = { .queue = one };
		uint64_t ticket;
		int fence;

		after.ticket = submit(one, whole.matmul, -1, NULL, &fence);
		ticket = submit(two, whole.matmul, fence, &after, NULL);
		close(fence);
		expect_ok(npu_queue_wait(two, ticket, -1, &err));
		ticket = submit(one, split.matmul, -1, &after, NULL);
		expect_ok(npu_queue_wait(one, ticket, -1, &err));
		if (i == 9) {
			allocated = allocations();
			fds = open_fds();
		}
	}
	assert_int_equal(allocations(), allocated);
	assert_int_equal(open_fds(), fds);
	npu_queue_destroy(one);
	npu_queue_destroy(two);
	bench_free(&whole);
	bench_free(&split);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fence_signals_the_end),
		cmocka_unit_test(fences_go_between_devices),
		cmocka_unit_test(what_is_no_fence_is_refused),
		cmocka_unit_test(ticket_orders_queues),
		cmocka_unit_test(engine_and_processor_take_turns),
		cmocka_unit_test(hang_reaches_what_depends_on_it),
		cmocka_unit_test(high_priority_needs_a_right),
		cmocka_unit_test(threads_have_queues),
		cmocka_unit_test(threads_share_a_queue),
		cmocka_unit_test(processes_share_the_engine),
		cmocka_unit_test(nothing_is_allocated_and_no_descriptor_lost),
	};

	return cmocka_run_group_tests_name("asynchronous queues on the NPU", tests, open_npu,
					   close_npu);
}
