// SPDX-License-Identifier: MIT
/*
 * Matmuls and queues, checked on the CPU: what is refused, objects that may be destroyed in any
 * order, threads, and submissions that allocate nothing.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../allocations.h"
#include "../expect.h"
#include "../matmul_case.h"
#include "../submit.h"
#include "chain.h"
#include "cpu_rig.h"

/* ---- Matmuls and queues ---------------------------------------------------------------- */

static void one_matmul_reads_what_another_wrote(void **state)
{
	struct npu_queue_stats stats = { .size = sizeof(stats) };
	struct chain chain;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	expect_ok(npu_queue_run(chain.queue, chain.matmul, 2, &err));
	chain_expect(&chain, chain.c, 16);
	expect_ok(npu_queue_get_stats(chain.queue, &stats, &err));
	assert_int_equal(stats.matmuls, 2);
	assert_int_equal(stats.host_steps, 0);
	chain_destroy(&chain);
}

static void wrong_matmuls_are_refused(void **state)
{
	struct npu_matmul *none;
	struct npu_matmul_desc desc;
	struct npu_tensor *other;
	struct chain chain;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, 4, 5, &other, &err));
#define expect_bad_matmul(field, value, word)                                            \
	do {                                                                             \
		desc = chain_desc(&chain, 0);                                            \
		desc.field = value;                                                      \
		expect_error(npu_matmul_create(dev, &desc, &none, &err), -EINVAL, word); \
	} while (0)
	expect_bad_matmul(size, 1, "npu_matmul_desc.size is 1");
	expect_bad_matmul(a, NULL, "a is NULL");
	expect_bad_matmul(epilogue, NULL, "epilogue is NULL");
	expect_bad_matmul(a, other, "a is 4 x 5 and weights are 4 x 4");
	expect_bad_matmul(c, other, "c is 4 x 5");
	expect_bad_matmul(c, chain.a, "c shares memory with a");
	npu_tensor_destroy(other);
	chain_destroy(&chain);
}

static void overlap_is_found_inside_a_buffer(void **state)
{
	struct npu_matmul_desc desc;
	struct npu_tensor *a, *c;
	struct npu_matmul *matmul;
	struct npu_buffer *buf;
	struct chain chain;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	expect_ok(npu_buffer_create(dev, 4096, &buf, &err));
	expect_ok(npu_tensor_create_in(buf, 64, NPU_TYPE_INT8, 4, 4, &a, &err));
	expect_ok(npu_tensor_create_in(buf, 64, NPU_TYPE_INT8, 4, 4, &c, &err));
	desc = chain_desc(&chain, 0);
	desc.a = a;
	desc.c = c;
	expect_error(npu_matmul_create(dev, &desc, &matmul, &err), -EINVAL, "shares memory");
	npu_tensor_destroy(c);
	expect_ok(npu_tensor_create_in(buf, 128, NPU_TYPE_INT8, 4, 4, &c, &err));
	desc.c = c;
	expect_ok(npu_matmul_create(dev, &desc, &matmul, &err));
	npu_matmul_destroy(matmul);
	npu_tensor_destroy(a);
	npu_tensor_destroy(c);
	npu_buffer_destroy(buf);
	chain_destroy(&chain);
}

static void devices_are_not_mixed(void **state)
{
	struct npu_matmul *none, *list[2];
	struct npu_matmul_desc desc;
	struct npu_device *second;
	struct chain one, two;

	(void)state;
	expect_ok(npu_device_open("cpu", &second, &err));
	chain_create(&one, dev, 4, 0);
	chain_create(&two, second, 4, 0);
	desc = chain_desc(&one, 0);
	desc.weights = two.w;
	expect_error(npu_matmul_create(dev, &desc, &none, &err), -EINVAL,
		     "weights belongs to another device");
	list[0] = one.matmul[0];
	list[1] = two.matmul[0];
	expect_error(npu_queue_run(one.queue, list, 2, &err), -EINVAL,
		     "matmul 1 belongs to another device");
	list[1] = NULL;
	expect_error(npu_queue_run(one.queue, list, 2, &err), -EINVAL, "matmul 1 is NULL");
	expect_error(npu_queue_run(one.queue, list, 0, &err), -EINVAL, "no matmul");
	chain_destroy(&one);
	chain_destroy(&two);
	npu_device_close(second);
}

static void plan_tells_the_shape(void **state)
{
	struct npu_plan plan = { .size = sizeof(plan) };
	struct chain chain;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	expect_ok(npu_matmul_get_plan(chain.matmul[0], &plan, &err));
	assert_true(plan.m == 4 && plan.k == 4 && plan.n == 4);
	assert_int_equal(plan.macs, 64);
	assert_int_equal(plan.bytes, 48);
	assert_true(!plan.jobs && !plan.cycles && !plan.limit_cycles && !plan.host_steps);
	plan.size = 1;
	expect_error(npu_matmul_get_plan(chain.matmul[0], &plan, &err), -EINVAL, "npu_plan.size");
	chain_destroy(&chain);
}

static void tickets_are_remembered_and_forgotten(void **state)
{
	uint64_t first, ticket;
	struct chain chain;

	(void)state;
	chain_create(&chain, dev, 4, 0);
	expect_error(npu_queue_wait(chain.queue, 1, 0, &err), -EINVAL, "no ticket 1");
	expect_ok(submit_list(chain.queue, chain.matmul, 1, &first, &err));
	expect_ok(npu_queue_wait(chain.queue, first, -1, &err));
	expect_ok(npu_queue_wait(chain.queue, first, 0, &err));
	expect_error(npu_queue_wait(chain.queue, 0, 0, &err), -EINVAL, "no ticket 0");
	for (int i = 0; i < 63; i++)
		expect_ok(submit_list(chain.queue, chain.matmul, 2, &ticket, &err));
	assert_int_equal(ticket, first + 63);
	expect_ok(npu_queue_wait(chain.queue, first, 0, &err));
	/* One more, and it is only known that nothing has failed since. */
	expect_ok(submit_list(chain.queue, chain.matmul, 1, NULL, &err));
	expect_ok(npu_queue_wait(chain.queue, first, 0, &err));
	chain_destroy(&chain);
}

static void submitting_allocates_nothing(void **state)
{
	struct chain chain;
	unsigned int before = allocations();

	(void)state;
	chain_create(&chain, dev, 4, 0);
	assert_true(allocations() > before);
	/* The first one warms the queue up. */
	expect_ok(npu_queue_run(chain.queue, chain.matmul, 2, &err));
	before = allocations();
	for (int i = 0; i < 100; i++)
		expect_ok(npu_queue_run(chain.queue, chain.matmul, 2, &err));
	assert_int_equal(allocations(), before);
	chain_destroy(&chain);
}

/* ---- Lifetimes and threads ------------------------------------------------------------- */

static void work_goes_on_without_the_handles(void **state)
{
	struct npu_device *own;
	struct chain chain;
	int8_t back[16];

	(void)state;
	expect_ok(npu_device_open("cpu", &own, &err));
	chain_create(&chain, own, 4, 0);
	npu_device_close(own);
	npu_tensor_destroy(chain.a);
	npu_tensor_destroy(chain.b);
	npu_weights_destroy(chain.w);
	npu_epilogue_destroy(chain.e);
	expect_ok(npu_queue_run(chain.queue, chain.matmul, 2, &err));
	npu_matmul_destroy(chain.matmul[0]);
	npu_matmul_destroy(chain.matmul[1]);
	npu_queue_destroy(chain.queue);
	expect_ok(npu_tensor_read(chain.c, 0, 4, back, 0, &err));
	assert_int_equal(back[15], 16);
	npu_tensor_destroy(chain.c);
}

static void destroy_one(struct chain *chain, struct npu_device *own, int which)
{
	switch (which) {
	case 0:
		return npu_tensor_destroy(chain->a);
	case 1:
		return npu_tensor_destroy(chain->b);
	case 2:
		return npu_tensor_destroy(chain->c);
	case 3:
		return npu_weights_destroy(chain->w);
	case 4:
		return npu_epilogue_destroy(chain->e);
	case 5:
		return npu_matmul_destroy(chain->matmul[0]);
	case 6:
		return npu_matmul_destroy(chain->matmul[1]);
	case 7:
		return npu_queue_destroy(chain->queue);
	default:
		return npu_device_close(own);
	}
}

/* The sanitizers watch for use after free and for leaks. */
static void any_order_of_destruction_is_right(void **state)
{
	struct rng rng = { 30 };

	(void)state;
	for (int round = 0; round < 200; round++) {
		int order[9] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
		struct npu_device *own;
		struct chain chain;

		expect_ok(npu_device_open("cpu", &own, &err));
		chain_create(&chain, own, 4, 0);
		for (int i = 8; i > 0; i--) {
			int j = rng_range(&rng, 0, i), swap = order[i];

			order[i] = order[j];
			order[j] = swap;
		}
		for (int i = 0; i < 9; i++)
			destroy_one(&chain, own, order[i]);
	}
}

static void null_may_be_destroyed(void **state)
{
	(void)state;
	npu_device_close(NULL);
	npu_buffer_destroy(NULL);
	npu_tensor_destroy(NULL);
	npu_weights_destroy(NULL);
	npu_epilogue_destroy(NULL);
	npu_matmul_destroy(NULL);
	npu_queue_destroy(NULL);
}

/* Weights and epilogue are shared, everything else is the thread's own. */
static void *use_shared(void *arg)
{
	const struct chain *shared = arg;
	struct npu_matmul_desc desc = chain_desc(shared, 0);
	intptr_t failures = 0;

	for (int i = 0; i < 100; i++) {
		struct npu_queue *queue = NULL;
		struct npu_matmul *matmul = NULL;
		int8_t back[16] = { 0 };

		desc.a = desc.c = NULL;
		failures += npu_queue_create(dev, NULL, &queue, NULL) ||
			    npu_tensor_create(dev, NPU_TYPE_INT8, 4, 4, &desc.a, NULL) ||
			    npu_tensor_create(dev, NPU_TYPE_INT8, 4, 4, &desc.c, NULL) ||
			    npu_tensor_write(desc.a, 0, 4, chain_ones, 0, NULL) ||
			    npu_matmul_create(dev, &desc, &matmul, NULL) ||
			    npu_queue_run(queue, &matmul, 1, NULL) ||
			    npu_tensor_read(desc.c, 0, 4, back, 0, NULL) || back[15] != 4;
		npu_tensor_destroy(desc.a);
		npu_tensor_destroy(desc.c);
		npu_matmul_destroy(matmul);
		npu_queue_destroy(queue);
	}
	return (void *)failures;
}

static void threads_share_a_device(void **state)
{
	struct chain shared;
	pthread_t thread[4];

	(void)state;
	chain_create(&shared, dev, 4, 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, use_shared, &shared), 0);
	for (int i = 0; i < 4; i++) {
		void *failures;

		assert_int_equal(pthread_join(thread[i], &failures), 0);
		assert_null(failures);
	}
	chain_destroy(&shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_matmul_reads_what_another_wrote),
		cmocka_unit_test(wrong_matmuls_are_refused),
		cmocka_unit_test(overlap_is_found_inside_a_buffer),
		cmocka_unit_test(devices_are_not_mixed),
		cmocka_unit_test(plan_tells_the_shape),
		cmocka_unit_test(tickets_are_remembered_and_forgotten),
		cmocka_unit_test(submitting_allocates_nothing),
		cmocka_unit_test(work_goes_on_without_the_handles),
		cmocka_unit_test(any_order_of_destruction_is_right),
		cmocka_unit_test(null_may_be_destroyed),
		cmocka_unit_test(threads_share_a_device),
	};

	return cmocka_run_group_tests_name("libnpu's queues", tests, open_cpu, close_cpu);
}
