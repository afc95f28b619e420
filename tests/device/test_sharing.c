// SPDX-License-Identifier: MIT
/*
 * Memory of the library that others have too: other matmuls, devices, processes and drivers.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <dirent.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../expect.h"
#include "../submit.h"
#include "vgem.h"
#include "workbench.h"

#define PAGE 4096

static struct npu_queue *queue;

static int open_with_queue(void **state)
{
	return open_npu(state) || npu_queue_create(dev, NULL, &queue, NULL);
}

static int close_with_queue(void **state)
{
	npu_queue_destroy(queue);
	return close_npu(state);
}

static void check_with(struct npu_device *on, struct npu_queue *q, const struct matmul_case *c,
		       struct npu_weights *weights)
{
	int8_t *expected = case_reference(c), *got = case_run_with(on, q, c, weights);

	case_compare(c, got, expected);
	free(got);
	free(expected);
}

/* ---- Between processes ------------------------------------------------------------------ */

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static void send_fd(int socket, int fd)
{
	union control control = { 0 };
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.header = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	};
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	assert_int_equal(sendmsg(socket, &message, 0), 1);
}

static int receive_fd(int socket)
{
	union control control;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	assert_int_equal(recvmsg(socket, &message, MSG_CMSG_CLOEXEC), 1);
	assert_int_equal(control.header.cmsg_type, SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* Runs @work in a process of its own, at the other end of the socket that is returned. */
static int start(void (*work)(int socket), pid_t *child)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	*child = fork();
	assert_true(*child >= 0);
	if (!*child) {
		/* A failed assertion leaves through cmocka's end, with a status that is not 0. */
		close(ends[0]);
		work(ends[1]);
		_exit(0);
	}
	close(ends[1]);
	return ends[0];
}

static void expect_end(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

/* In an arena; in a buffer of their own; with a K that is cut into chunks. */
static const struct shape {
	uint32_t m, k, n;
} shapes[] = { { 5, 70, 33 }, { 2, 2048, 600 }, { 2, 9000, 20 } };

#define SHAPES (sizeof(shapes) / sizeof(*shapes))

static void shape_case(struct matmul_case *c, size_t which)
{
	struct rng rng = { 200 + which };

	case_init(c, &rng, shapes[which].m, shapes[which].k, shapes[which].n, CASE_BIAS);
}

static void give_weights(int socket)
{
	struct npu_device *own;
	struct npu_device_info ignored = { .size = sizeof(ignored) };

	assert_int_equal(bench_open(&own, &ignored), 0);
	for (size_t i = 0; i < SHAPES; i++) {
		struct npu_weights *weights;
		struct matmul_case c;
		int fd;

		shape_case(&c, i);
		expect_ok(case_weights(own, c.n, c.k, c.w, &weights, &err));
		expect_ok(npu_weights_export(weights, &fd, &err));
		send_fd(socket, fd);
		close(fd);
		npu_weights_destroy(weights);
		case_free(&c);
	}
	npu_device_close(own);
}

/* The other process has ended when its weights are used. */
static void weights_of_another_process(void **state)
{
	struct npu_weights *weights[SHAPES];
	pid_t child;
	int socket;

	(void)state;
	socket = start(give_weights, &child);
	for (size_t i = 0; i < SHAPES; i++) {
		int fd = receive_fd(socket);

		expect_ok(npu_weights_import(dev, fd, &weights[i], &err));
		close(fd);
	}
	expect_end(child);
	for (size_t i = 0; i < SHAPES; i++) {
		struct matmul_case c;

		shape_case(&c, i);
		check_with(dev, queue, &c, weights[i]);
		npu_weights_destroy(weights[i]);
		case_free(&c);
	}
	close(socket);
}

static void give_garbage(int socket)
{
	struct npu_device *own;
	struct npu_device_info ignored = { .size = sizeof(ignored) };
	struct npu_buffer *buf;
	void *data;
	int fd;

	assert_int_equal(bench_open(&own, &ignored), 0);
	expect_ok(npu_buffer_create(own, 3 * PAGE, &buf, &err));
	expect_ok(npu_buffer_begin_access(buf, NPU_ACCESS_WRITE, 0, 3 * PAGE, -1, &data, &err));
	memset(data, 0x89, 3 * PAGE);
	expect_ok(npu_buffer_end_access(buf, NPU_ACCESS_WRITE, 0, 3 * PAGE, &err));
	expect_ok(npu_buffer_export(buf, &fd, &err));
	send_fd(socket, fd);
	npu_buffer_destroy(buf);
	npu_device_close(own);
}

static void garbage_of_another_process(void **state)
{
	struct npu_weights *none;
	pid_t child;
	int socket = start(give_garbage, &child), fd = receive_fd(socket);

	(void)state;
	expect_error(npu_weights_import(dev, fd, &none, &err), -EBADMSG, "not packed weights");
	expect_error(npu_weights_import(dev, socket, &none, &err), -EINVAL, "not a dma-buf");
	expect_end(child);
	close(fd);
	close(socket);
}

/* Multiplies what is in the first half of the buffer it gets, into the second half. */
static void multiply(int socket)
{
	struct npu_tensor *a, *c;
	struct npu_device *own;
	struct npu_queue *own_queue;
	struct npu_buffer *buf;
	struct npu_matmul *matmul;
	struct bench b;
	int fd = receive_fd(socket);

	assert_int_equal(bench_open(&own, &info), 0);
	expect_ok(npu_queue_create(own, NULL, &own_queue, &err));
	expect_ok(npu_buffer_import(own, fd, &buf, &err));
	bench_init(&b, own, 70, 9, 30, 21);
	expect_ok(npu_tensor_create_in(buf, 0, NPU_TYPE_INT8, 9, 30, &a, &err));
	expect_ok(npu_tensor_create_in(buf, PAGE, NPU_TYPE_INT8, 9, 21, &c, &err));
	matmul = bench_bind(&b, a, c);
	/* No wait: whoever reads the result waits for it. */
	expect_ok(submit_list(own_queue, &matmul, 1, NULL, &err));
	assert_int_equal(write(socket, "", 1), 1);
	npu_matmul_destroy(matmul);
	npu_tensor_destroy(a);
	npu_tensor_destroy(c);
	bench_free(&b);
	npu_buffer_destroy(buf);
	npu_queue_destroy(own_queue);
	npu_device_close(own);
}

static void buffer_for_another_process(void **state)
{
	struct npu_tensor *a, *c;
	struct npu_buffer *buf;
	struct bench b;
	pid_t child;
	int socket, fd;
	char byte;

	(void)state;
	socket = start(multiply, &child);
	bench_init(&b, dev, 70, 9, 30, 21);
	expect_ok(npu_buffer_create(dev, 2 * PAGE, &buf, &err));
	expect_ok(npu_tensor_create_in(buf, 0, NPU_TYPE_INT8, 9, 30, &a, &err));
	expect_ok(npu_tensor_create_in(buf, PAGE, NPU_TYPE_INT8, 9, 21, &c, &err));
	expect_ok(npu_tensor_write(a, 0, 9, b.c.a, 0, &err));
	expect_ok(npu_buffer_export(buf, &fd, &err));
	send_fd(socket, fd);
	close(fd);
	assert_int_equal(read(socket, &byte, 1), 1);
	bench_check(&b, c);
	expect_end(child);
	npu_tensor_destroy(a);
	npu_tensor_destroy(c);
	npu_buffer_destroy(buf);
	bench_free(&b);
	close(socket);
}

/* ---- Between devices -------------------------------------------------------------------- */

/* Two contexts of one process, and the last one to go keeps the memory. */
static void weights_of_another_context(void **state)
{
	struct npu_device *second;
	struct npu_queue *second_queue;
	struct npu_device_info ignored = { .size = sizeof(ignored) };

	(void)state;
	assert_int_equal(bench_open(&second, &ignored), 0);
	expect_ok(npu_queue_create(second, NULL, &second_queue, &err));
	for (size_t i = 0; i < SHAPES; i++) {
		struct npu_weights *here, *there, *again;
		struct matmul_case c;
		int fd;

		shape_case(&c, i);
		expect_ok(case_weights(dev, c.n, c.k, c.w, &here, &err));
		expect_ok(npu_weights_export(here, &fd, &err));
		expect_ok(npu_weights_import(second, fd, &there, &err));
		expect_ok(npu_weights_import(dev, fd, &again, &err));
		close(fd);
		npu_weights_destroy(here);
		check_with(second, second_queue, &c, there);
		npu_weights_destroy(there);
		check_with(dev, queue, &c, again);
		npu_weights_destroy(again);
		case_free(&c);
	}
	npu_queue_destroy(second_queue);
	npu_device_close(second);
}

/* The CPU reads and writes what is the NPU's, through its dma-buf. */
static void buffer_for_the_cpu(void **state)
{
	const unsigned int both = NPU_ACCESS_READ | NPU_ACCESS_WRITE;
	struct npu_buffer *buf, *same;
	struct npu_device *cpu;
	struct npu_tensor *a;
	struct bench b;
	uint8_t *bytes;
	void *data;
	int8_t got;
	int fd;

	(void)state;
	bench_init(&b, dev, 71, 9, 30, 21);
	expect_ok(npu_device_open("cpu", &cpu, &err));
	expect_ok(npu_buffer_create(dev, 2 * PAGE, &buf, &err));
	expect_ok(npu_buffer_export(buf, &fd, &err));
	expect_ok(npu_buffer_import(cpu, fd, &same, &err));
	assert_int_equal(npu_buffer_size(same), 2 * PAGE);
	expect_ok(npu_tensor_create_in(buf, 0, NPU_TYPE_INT8, 9, 30, &a, &err));
	expect_ok(npu_tensor_write(a, 0, 9, b.c.a, 0, &err));
	expect_ok(npu_buffer_begin_access(same, both, 0, PAGE, -1, &data, &err));
	bytes = data;
	assert_int_equal((int8_t)bytes[0], b.c.a[0]);
	bytes[0] ^= 0x40;
	expect_ok(npu_buffer_end_access(same, both, 0, PAGE, &err));
	expect_ok(npu_tensor_read(a, 0, 1, (int8_t[30]){ 0 }, 0, &err));
	expect_ok(npu_buffer_begin_access(buf, NPU_ACCESS_READ, 0, 1, -1, &data, &err));
	got = *(int8_t *)data;
	assert_int_equal(got, b.c.a[0] ^ 0x40);
	expect_ok(npu_buffer_end_access(buf, NPU_ACCESS_READ, 0, 1, &err));
	npu_tensor_destroy(a);
	npu_buffer_destroy(same);
	npu_buffer_destroy(buf);
	npu_device_close(cpu);
	bench_free(&b);
	close(fd);
}

/* ---- Of other drivers ------------------------------------------------------------------- */

static void memory_of_another_driver(void **state)
{
	int vgem = vgem_open(), fd;
	struct npu_matmul *matmul;
	struct npu_buffer *buf;
	struct npu_tensor *a, *none;
	struct bench b;

	(void)state;
	if (vgem < 0)
		skip();
	fd = vgem_buffer(vgem, PAGE);
	bench_init(&b, dev, 72, 9, 30, 21);
	expect_ok(npu_buffer_import(dev, fd, &buf, &err));
	expect_ok(npu_tensor_create_in(buf, 64, NPU_TYPE_INT8, 9, 30, &a, &err));
	expect_error(npu_tensor_create_in(buf, PAGE - 64, NPU_TYPE_INT8, 9, 30, &none, &err),
		     -EINVAL, "does not fit");
	expect_ok(npu_tensor_write(a, 0, 9, b.c.a, 0, &err));
	matmul = bench_bind(&b, a, b.result);
	expect_ok(npu_queue_run(queue, &matmul, 1, &err));
	bench_check(&b, b.result);
	npu_matmul_destroy(matmul);
	npu_tensor_destroy(a);
	npu_buffer_destroy(buf);
	bench_free(&b);
	close(fd);
	close(vgem);
}

static void scattered_memory_needs_an_iommu(void **state)
{
	int vgem = vgem_open(), fd;
	struct npu_buffer *buf;

	(void)state;
	if (vgem < 0)
		skip();
	fd = vgem_buffer(vgem, 256 * PAGE);
	if (info.has_iommu) {
		expect_ok(npu_buffer_import(dev, fd, &buf, &err));
		assert_int_equal(npu_buffer_size(buf), 256 * PAGE);
		npu_buffer_destroy(buf);
	} else {
		expect_error(npu_buffer_import(dev, fd, &buf, &err), -EINVAL, "contiguous");
	}
	close(fd);
	close(vgem);
}

/* ---- Between matmuls -------------------------------------------------------------------- */

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* Each BO of the device has one mapping. */
static int count_mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	char line[512];
	int count = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += !!strstr(line, info.node);
	fclose(file);
	return count;
}

#define MANY 10000

static void many_weights_need_little(void **state)
{
	static struct npu_weights *weights[MANY];
	int fds = count_fds(), mappings = count_mappings();
	struct matmul_case c;
	struct rng rng = { 73 };

	(void)state;
	case_init(&c, &rng, 3, 40, 8, CASE_BIAS);
	for (int i = 0; i < MANY; i++)
		expect_ok(case_weights(dev, c.n, c.k, c.w, &weights[i], &err));
	assert_int_equal(count_fds(), fds);
	assert_in_range(count_mappings() - mappings, 1, 6);
	check_with(dev, queue, &c, weights[MANY - 1]);
	for (int i = 0; i < MANY; i++)
		npu_weights_destroy(weights[i]);
	assert_int_equal(count_mappings(), mappings);
	case_free(&c);
}

#define JOBS 64
#define COPIES 900

/* Submits what begins when vgem hands @fence back. */
static uint64_t submit_held(int vgem, struct npu_matmul *const *list, size_t count, uint32_t *fence)
{
	int held = vgem_hold(vgem, fence);
	struct npu_submit_desc desc = {
		.size = sizeof(desc),
		.matmuls = list,
		.count = count,
		.wait_fds = &held,
		.wait_fd_count = 1,
	};
	uint64_t ticket;

	expect_ok(npu_queue_submit(queue, &desc, &ticket, &err));
	close(held);
	return ticket;
}

/*
 * Weights that are destroyed while a job that reads them waits for its turn: their memory can be
 * had again, but not before the job is done. New memory can be had at once.
 */
static void busy_weights_are_not_overwritten(void **state)
{
	const int vgem = vgem_open();
	struct npu_matmul *long_list[JOBS];
	struct npu_weights *other[COPIES];
	struct bench slow, b;
	int8_t *noise = malloc(64 * 64);
	uint32_t fence = 0;
	uint64_t ticket;

	(void)state;
	memset(noise, 0x55, 64 * 64);
	bench_init(&slow, dev, 74, 64, 1024, 256);
	bench_init(&b, dev, 75, 16, 64, 64);
	for (int i = 0; i < JOBS; i++)
		long_list[i] = slow.matmul;
	long_list[JOBS - 1] = b.matmul;
	if (vgem >= 0)
		ticket = submit_held(vgem, long_list, JOBS, &fence);
	else
		expect_ok(submit_list(queue, long_list, JOBS, &ticket, &err));
	npu_matmul_destroy(b.matmul);
	npu_weights_destroy(b.weights);
	b.matmul = NULL;
	b.weights = NULL;
	expect_ok(case_weights(dev, 64, 64, noise, &other[0], &err));
	/* Without vgem it may have ended by now. */
	if (vgem >= 0) {
		expect_error(npu_queue_wait(queue, ticket, 0, &err), -ETIME, "has not ended");
		vgem_end_write(vgem, fence);
		close(vgem);
	}
	/* Enough for all chunks there are, used and new. */
	for (int i = 1; i < COPIES; i++)
		expect_ok(case_weights(dev, 64, 64, noise, &other[i], &err));
	expect_ok(npu_queue_wait(queue, ticket, -1, &err));
	bench_check(&b, b.result);
	for (int i = 0; i < COPIES; i++)
		npu_weights_destroy(other[i]);
	bench_free(&b);
	bench_free(&slow);
	free(noise);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_of_another_process),
		cmocka_unit_test(garbage_of_another_process),
		cmocka_unit_test(buffer_for_another_process),
		cmocka_unit_test(weights_of_another_context),
		cmocka_unit_test(buffer_for_the_cpu),
		cmocka_unit_test(memory_of_another_driver),
		cmocka_unit_test(scattered_memory_needs_an_iommu),
		cmocka_unit_test(many_weights_need_little),
		cmocka_unit_test(busy_weights_are_not_overwritten),
	};

	return cmocka_run_group_tests_name("shared memory", tests, open_with_queue,
					   close_with_queue);
}
