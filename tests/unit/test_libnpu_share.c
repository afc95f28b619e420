// SPDX-License-Identifier: MIT
/*
 * Buffers of the CPU that are shared while they are in use. The test comes in between where the
 * library puts a memory file in the place of the old memory, so nothing depends on speed.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "../expect.h"
#include "../submit.h"
#include "chain.h"
#include "cpu_rig.h"
#include "fake_fence.h"

/* Called before memory is replaced; and whether it was. */
static void (*before_move)(void);
static atomic_bool moved;

void *__real_mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset);

void *__wrap_mmap64(void *at, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	if (flags & MAP_FIXED) {
		moved = true;
		if (before_move)
			before_move();
	}
	return __real_mmap64(at, bytes, prot, flags, fd, offset);
}

/* The flag of memory files that a kernel does not know, or insists on. */
#define NOEXEC_SEAL 8u
static enum {
	KNOWS_FLAG,
	INSISTS_ON_FLAG,
	KNOWS_NO_FLAG
} kernel;

int __real_memfd_create(const char *name, unsigned int flags);
int __wrap_memfd_create(const char *name, unsigned int flags);

int __wrap_memfd_create(const char *name, unsigned int flags)
{
	if (kernel == INSISTS_ON_FLAG && !(flags & NOEXEC_SEAL))
		errno = EACCES;
	else if (kernel == KNOWS_NO_FLAG && flags & NOEXEC_SEAL)
		errno = EINVAL;
	else
		return __real_memfd_create(name, kernel == INSISTS_ON_FLAG ? flags & ~NOEXEC_SEAL
									   : flags);
	return -1;
}

/* ---- A result in a buffer of its own ---------------------------------------------------- */

static struct chain chain;
static struct npu_buffer *buf;
static struct npu_tensor *result;
static struct npu_matmul *matmul;

static int setup(void **state)
{
	struct npu_matmul_desc desc;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	expect_ok(npu_buffer_create(dev, 4096, &buf, &err));
	expect_ok(npu_tensor_create_in(buf, 0, NPU_TYPE_INT8, 4, 4, &result, &err));
	desc = chain_desc(&chain, 0);
	desc.c = result;
	expect_ok(npu_matmul_create(dev, &desc, &matmul, &err));
	before_move = NULL;
	moved = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_fence_signal_all();
	npu_matmul_destroy(matmul);
	npu_tensor_destroy(result);
	npu_buffer_destroy(buf);
	chain_destroy(&chain);
	return 0;
}

static uint64_t submit_behind(int fence)
{
	const struct npu_submit_desc desc = {
		.size = sizeof(desc),
		.matmuls = &matmul,
		.count = 1,
		.wait_fds = &fence,
		.wait_fd_count = 1,
	};
	uint64_t ticket;

	expect_ok(npu_queue_submit(chain.queue, &desc, &ticket, &err));
	return ticket;
}

/* Both who had the buffer and who gets it see the result. Closes @fd. */
static void expect_shared(int fd, int value)
{
	struct npu_buffer *imported;
	struct npu_tensor *there;

	expect_ok(npu_buffer_import(dev, fd, &imported, &err));
	expect_ok(npu_tensor_create_in(imported, 0, NPU_TYPE_INT8, 4, 4, &there, &err));
	chain_expect(&chain, result, value);
	chain_expect(&chain, there, value);
	npu_tensor_destroy(there);
	npu_buffer_destroy(imported);
	close(fd);
}

/* ---- Submissions ------------------------------------------------------------------------ */

static void *export_it(void *fd)
{
	expect_ok(npu_buffer_export(buf, fd, &err));
	return NULL;
}

static void what_is_under_way_ends_first(void **state)
{
	int fence = fake_fence_create(), fd = -1;
	uint64_t ticket = submit_behind(fence);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, export_it, &fd), 0);
	/* Time enough to go wrong, however long it takes to be right. */
	usleep(50000);
	assert_false(moved);
	fake_fence_signal(fence, 0);
	pthread_join(thread, NULL);
	assert_true(moved);
	expect_ok(npu_queue_wait(chain.queue, ticket, 0, &err));
	expect_shared(fd, 4);
	close(fence);
}

static uint64_t later;

static void come_in_between(void)
{
	void *data;

	expect_ok(submit_list(chain.queue, &matmul, 1, &later, &err));
	expect_error(npu_queue_wait(chain.queue, later, 50000000, &err), -ETIME, "has not ended");
	expect_error(npu_buffer_begin_access(buf, NPU_ACCESS_WRITE, 0, 16, 0, &data, &err), -ETIME,
		     "still uses the buffer");
}

static void nothing_begins_while_memory_moves(void **state)
{
	int fd = -1;

	(void)state;
	before_move = come_in_between;
	expect_ok(npu_buffer_export(buf, &fd, &err));
	expect_ok(npu_queue_wait(chain.queue, later, -1, &err));
	expect_shared(fd, 4);
}

/* Whoever comes first, nothing is lost. */
static void exports_and_submissions_meet(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		uint64_t ticket;
		pthread_t thread;
		int fd = -1;

		assert_int_equal(pthread_create(&thread, NULL, export_it, &fd), 0);
		for (int j = 0; j < 3; j++)
			expect_ok(submit_list(chain.queue, &matmul, 1, &ticket, &err));
		pthread_join(thread, NULL);
		expect_ok(npu_queue_wait(chain.queue, ticket, -1, &err));
		expect_shared(fd, 4);
		teardown(NULL);
		setup(NULL);
	}
}

static void threads_export_the_same_buffer(void **state)
{
	int fd[4] = { -1, -1, -1, -1 };
	pthread_t thread[4];

	(void)state;
	expect_ok(npu_queue_run(chain.queue, &matmul, 1, &err));
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, export_it, &fd[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	expect_ok(npu_queue_run(chain.queue, chain.matmul, 1, &err));
	for (int i = 0; i < 4; i++)
		expect_shared(fd[i], 4);
}

/* ---- Accesses --------------------------------------------------------------------------- */

static void an_open_write_access_is_in_the_way(void **state)
{
	int first = -1, second = -1;
	void *data, *other;

	(void)state;
	expect_ok(npu_buffer_begin_access(buf, NPU_ACCESS_WRITE, 0, 64, 0, &data, &err));
	expect_error(npu_buffer_export(buf, &first, &err), -EBUSY, "end it first");
	assert_int_equal(first, -1);
	memset(data, 7, 64);
	expect_ok(npu_buffer_end_access(buf, NPU_ACCESS_WRITE, 0, 64, &err));
	/* An access that came to nothing is none, and reading does no harm. */
	expect_error(npu_buffer_begin_access(buf, NPU_ACCESS_WRITE, 0, 5000, 0, &data, &err),
		     -EINVAL, "not inside");
	expect_ok(npu_buffer_begin_access(buf, NPU_ACCESS_READ, 0, 64, 0, &data, &err));
	expect_ok(npu_buffer_export(buf, &first, &err));
	assert_int_equal(*(int8_t *)data, 7);
	expect_ok(npu_buffer_end_access(buf, NPU_ACCESS_READ, 0, 64, &err));
	/* Memory moves only once. */
	expect_ok(npu_buffer_begin_access(buf, NPU_ACCESS_WRITE, 0, 64, 0, &other, &err));
	assert_ptr_equal(other, data);
	expect_ok(npu_buffer_export(buf, &second, &err));
	expect_ok(npu_buffer_end_access(buf, NPU_ACCESS_WRITE, 0, 64, &err));
	expect_shared(first, 7);
	expect_shared(second, 7);
}

/* ---- Kernels ---------------------------------------------------------------------------- */

static void any_kernel_has_memory_files(void **state)
{
	(void)state;
	for (kernel = KNOWS_FLAG; kernel <= KNOWS_NO_FLAG; kernel++) {
		int fd = -1;

		expect_ok(npu_buffer_export(buf, &fd, &err));
		close(fd);
		teardown(NULL);
		setup(NULL);
	}
	kernel = KNOWS_FLAG;
}

#define share_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		share_test(what_is_under_way_ends_first),
		share_test(nothing_begins_while_memory_moves),
		share_test(exports_and_submissions_meet),
		share_test(threads_export_the_same_buffer),
		share_test(an_open_write_access_is_in_the_way),
		share_test(any_kernel_has_memory_files),
	};

	return cmocka_run_group_tests_name("shared buffers of the CPU", tests, open_cpu, close_cpu);
}
