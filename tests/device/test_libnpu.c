// SPDX-License-Identifier: MIT
/*
 * The library on an NPU: queues, fences, memory and errors that only a device has.
 * NPU_TEST_DEVICE chooses the device, as npu_device_open() names it; without it the first NPU is
 * taken.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../expect.h"
#include "../matmul_case.h"
#include "board_control.h"

static struct npu_device *dev;
static struct npu_device_info info = { .size = sizeof(info) };

static int open_npu(void **state)
{
	struct npu_error err = { 0 };

	(void)state;
	if (npu_device_open(getenv("NPU_TEST_DEVICE"), &dev, &err) ||
	    npu_device_get_info(dev, &info, &err)) {
		print_error("%s\n", err.text);
		return -1;
	}
	return 0;
}

static int close_npu(void **state)
{
	(void)state;
	npu_device_close(dev);
	return 0;
}

/* ---- A multiplication to play with ----------------------------------------------------- */

struct bench {
	struct matmul_case c;
	struct npu_tensor *a, *result;
	struct npu_weights *weights;
	struct npu_epilogue *epilogue;
	struct npu_matmul *matmul;
	int8_t *expected;
};

static struct npu_matmul *bind(struct npu_tensor *a, const struct bench *b, struct npu_tensor *c)
{
	const struct npu_matmul_desc desc = {
		.size = sizeof(desc),
		.a = a,
		.weights = b->weights,
		.epilogue = b->epilogue,
		.c = c,
	};
	struct npu_matmul *matmul = NULL;

	expect_ok(npu_matmul_create(dev, &desc, &matmul, &err));
	return matmul;
}

static void bench_init(struct bench *b, uint32_t seed, uint32_t m, uint32_t k, uint32_t n)
{
	struct rng rng = { seed };

	case_init(&b->c, &rng, m, k, n, CASE_BIAS | CASE_PER_CHANNEL);
	b->expected = case_reference(&b->c);
	expect_ok(npu_tensor_create(dev, m, k, &b->a, &err));
	expect_ok(npu_tensor_create(dev, m, n, &b->result, &err));
	expect_ok(npu_weights_create(dev, n, k, b->c.w, 0, &b->weights, &err));
	expect_ok(npu_epilogue_create(dev, &b->c.epilogue, &b->epilogue, &err));
	expect_ok(npu_tensor_write(b->a, 0, m, b->c.a, 0, &err));
	b->matmul = bind(b->a, b, b->result);
}

static void bench_check(const struct bench *b, struct npu_tensor *result)
{
	int8_t *got = malloc((size_t)b->c.m * b->c.n);

	expect_ok(npu_tensor_read(result, 0, b->c.m, got, 0, &err));
	case_compare(&b->c, got, b->expected);
	free(got);
}

static void bench_free(struct bench *b)
{
	npu_matmul_destroy(b->matmul);
	npu_epilogue_destroy(b->epilogue);
	npu_weights_destroy(b->weights);
	npu_tensor_destroy(b->a);
	npu_tensor_destroy(b->result);
	free(b->expected);
	case_free(&b->c);
}

/* ---- Devices --------------------------------------------------------------------------- */

static void npu_tells_what_it_is(void **state)
{
	(void)state;
	assert_string_not_equal(info.backend, "cpu");
	assert_string_equal(info.driver, "npu");
	assert_true(info.name[0] && info.node[0] == '/');
	assert_true(info.macs_per_cycle && info.bus_bytes_per_cycle && info.cbuf_bytes);
}

static void node_can_be_opened_by_its_path(void **state)
{
	struct npu_device_info again = { .size = sizeof(again) };
	struct npu_device *second;

	(void)state;
	expect_ok(npu_device_open(info.node, &second, &err));
	expect_ok(npu_device_get_info(second, &again, &err));
	assert_memory_equal(&again, &info, sizeof(info));
	npu_device_close(second);
}

/* Runs in a child that has given up root's rights. */
static int open_as_nobody(void)
{
	struct npu_device *none;
	struct npu_error err;

	if (setgid(65534) || setuid(65534))
		return 1;
	if (npu_device_open(info.node, &none, &err) != -EACCES || !strstr(err.text, info.node) ||
	    !strstr(err.text, "group"))
		return 2;
	return npu_device_open(NULL, &none, &err) == -EACCES ? 0 : 3;
}

static void missing_permission_is_told(void **state)
{
	struct stat st;
	pid_t child;
	int status;

	(void)state;
	if (getuid() || stat(info.node, &st))
		skip();
	assert_int_equal(chmod(info.node, 0660), 0);
	child = fork();
	if (!child)
		_exit(open_as_nobody());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(chmod(info.node, st.st_mode & 07777), 0);
	assert_int_equal(status, 0);
}

/* ---- Memory ---------------------------------------------------------------------------- */

static void too_much_memory_is_refused(void **state)
{
	struct npu_tensor *tensor;
	struct npu_buffer *buf;

	(void)state;
	expect_error(npu_buffer_create(dev, SIZE_MAX / 2, &buf, &err), -ENOMEM, "no memory");
	expect_error(npu_tensor_create(dev, 1u << 30, 8, &tensor, &err), -EINVAL, "too large");
	/* And the device goes on. */
	expect_ok(npu_buffer_create(dev, 4096, &buf, &err));
	npu_buffer_destroy(buf);
}

/* What a process gives back can be had again: nothing leaks on the way. */
static void memory_comes_back(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++) {
		struct npu_buffer *buf;
		void *data;

		expect_ok(npu_buffer_create(dev, 4 << 20, &buf, &err));
		expect_ok(npu_buffer_begin_access(buf, NPU_ACCESS_READ | NPU_ACCESS_WRITE, 0, 8, -1,
						  &data, &err));
		assert_int_equal(*(uint64_t *)data, 0);
		*(uint64_t *)data = UINT64_MAX;
		expect_ok(
			npu_buffer_end_access(buf, NPU_ACCESS_READ | NPU_ACCESS_WRITE, 0, 8, &err));
		npu_buffer_destroy(buf);
	}
}

static void tensors_lie_end_to_end(void **state)
{
	struct npu_buffer *buf;
	struct bench b;
	size_t offset = 0, bytes;

	(void)state;
	bench_init(&b, 60, 9, 30, 21);
	bytes = npu_tensor_bytes(dev, 9, 21);
	assert_int_equal(bytes % 64, 0);
	expect_ok(npu_buffer_create(dev, 20 * bytes, &buf, &err));
	for (int i = 0; i < 20; i++, offset += bytes) {
		struct npu_queue *queue;
		struct npu_tensor *c;
		struct npu_matmul *matmul;

		expect_ok(npu_queue_create(dev, &queue, &err));
		expect_ok(npu_tensor_create_in(buf, offset, 9, 21, &c, &err));
		matmul = bind(b.a, &b, c);
		expect_ok(npu_queue_run(queue, &matmul, 1, &err));
		bench_check(&b, c);
		npu_matmul_destroy(matmul);
		npu_tensor_destroy(c);
		npu_queue_destroy(queue);
	}
	npu_buffer_destroy(buf);
	bench_free(&b);
}

/* ---- Queues ---------------------------------------------------------------------------- */

/* Reading a result waits for the device by itself. */
static void reading_waits(void **state)
{
	struct npu_queue *queue;
	struct bench b;

	(void)state;
	bench_init(&b, 61, 64, 512, 64);
	expect_ok(npu_queue_create(dev, &queue, &err));
	for (int i = 0; i < 10; i++) {
		expect_ok(npu_queue_submit(queue, &b.matmul, 1, NULL, &err));
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
	bench_init(&b, 62, 16, 64, 16);
	expect_ok(npu_matmul_get_plan(b.matmul, &plan, &err));
	expect_ok(npu_queue_create(dev, &queue, &err));
	expect_ok(npu_queue_submit(queue, &b.matmul, 1, &first, &err));
	for (int i = 1; i < 300; i++)
		expect_ok(npu_queue_submit(queue, &b.matmul, 1, &ticket, &err));
	assert_int_equal(ticket, first + 299);
	expect_error(npu_queue_wait(queue, first, -1, &err), -EINVAL, "forgotten");
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
	bench_init(&b, 63, 5, 40, 11);
	for (int i = 0; i < COUNT; i++)
		list[i] = b.matmul;
	expect_ok(npu_queue_create(dev, &queue, &err));
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
	bench_init(&b, 64, 128, 1024, 64);
	expect_ok(npu_queue_create(dev, &queue, &err));
	for (int i = 0; i < 8; i++) {
		struct npu_error why = { 0 };
		int ret;

		expect_ok(npu_queue_submit(queue, &b.matmul, 1, &ticket, &err));
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
	bench_init(&b, 65, 40, 48, 48);
	expect_ok(npu_tensor_create(dev, 40, 48, &copy, &err));
	again = bind(b.result, &b, copy);
	expect_ok(npu_queue_create(dev, &one, &err));
	expect_ok(npu_queue_create(dev, &two, &err));
	for (int i = 0; i < 20; i++) {
		expect_ok(npu_queue_submit(one, &b.matmul, 1, NULL, &err));
		expect_ok(npu_queue_submit(two, &again, 1, NULL, &err));
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

		bench_init(&b, 66 + round, 64, 300, 40);
		expect_ok(npu_tensor_create(dev, 64, 40, &result, &err));
		npu_matmul_destroy(b.matmul);
		b.matmul = bind(b.a, &b, result);
		expect_ok(npu_queue_create(dev, &queue, &err));
		for (int i = 0; i < 4; i++)
			expect_ok(npu_queue_submit(queue, &b.matmul, 1, NULL, &err));
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

	if (npu_queue_create(dev, &queue, NULL) || npu_tensor_create(dev, b->c.m, b->c.n, &c, NULL))
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
	bench_init(&b, 80, 30, 100, 30);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, run_a_lot, &b), 0);
	for (int i = 0; i < 4; i++) {
		void *failures;

		assert_int_equal(pthread_join(thread[i], &failures), 0);
		assert_null(failures);
	}
	bench_free(&b);
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
	bench_init(&b, 70, 20, 40, 20);
	expect_ok(npu_queue_create(dev, &queue, &err));
	for (int i = 0; i < 3; i++) {
		expect_ok(npu_queue_submit(queue, &b.matmul, 1, &before, &err));
		expect_ok(npu_queue_wait(queue, before, -1, &err));
		assert_int_equal(board_control_inject(board, "hang:1"), 0);
		expect_ok(npu_queue_submit(queue, &b.matmul, 1, &hung, &err));
		expect_ok(npu_queue_submit(queue, &b.matmul, 1, &after, &err));
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
	bench_init(&b, 71, 3, 9000, 9);
	expect_ok(npu_queue_create(dev, &queue, &err));
	assert_int_equal(board_control_inject(board, "hang:2"), 0);
	expect_error(npu_queue_run(queue, &b.matmul, 1, &err), -ETIMEDOUT, "hung");
	expect_ok(npu_queue_run(queue, &b.matmul, 1, &err));
	bench_check(&b, b.result);
	npu_queue_destroy(queue);
	bench_free(&b);
	board_control_close(board);
}

/* ---- Allocations: the linker sends the library's calls here -------------------------------- */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);

static unsigned int allocations;

void *__wrap_malloc(size_t bytes)
{
	allocations++;
	return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	allocations++;
	return __real_calloc(count, bytes);
}

static void submitting_allocates_nothing(void **state)
{
	struct npu_queue *queue;
	struct bench small, split;
	unsigned int before;

	(void)state;
	bench_init(&small, 81, 20, 50, 20);
	bench_init(&split, 82, 3, 9000, 9);
	expect_ok(npu_queue_create(dev, &queue, &err));
	before = allocations;
	for (int i = 0; i < 100; i++)
		expect_ok(npu_queue_submit(queue, &small.matmul, 1, NULL, &err));
	expect_ok(npu_queue_run(queue, &split.matmul, 1, &err));
	assert_int_equal(allocations, before);
	bench_check(&small, small.result);
	bench_check(&split, split.result);
	npu_queue_destroy(queue);
	bench_free(&small);
	bench_free(&split);
}

/* ---- Plans ----------------------------------------------------------------------------- */

static void plan_is_told(void **state)
{
	struct npu_plan plan = { .size = sizeof(plan) };
	struct bench b;

	(void)state;
	bench_init(&b, 83, 64, 256, 64);
	expect_ok(npu_matmul_get_plan(b.matmul, &plan, &err));
	assert_int_equal(plan.macs, 64 * 256 * 64);
	assert_true(plan.jobs >= 1 && plan.host_steps == 0);
	assert_true(plan.limit_cycles >= plan.macs / info.macs_per_cycle);
	assert_true(plan.limit_cycles >= plan.bytes / info.bus_bytes_per_cycle);
	assert_true(plan.cycles >= plan.limit_cycles);
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(npu_tells_what_it_is),
		cmocka_unit_test(node_can_be_opened_by_its_path),
		cmocka_unit_test(missing_permission_is_told),
		cmocka_unit_test(too_much_memory_is_refused),
		cmocka_unit_test(memory_comes_back),
		cmocka_unit_test(tensors_lie_end_to_end),
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
		cmocka_unit_test(plan_is_told),
	};

	return cmocka_run_group_tests_name("libnpu on the NPU", tests, open_npu, close_npu);
}
