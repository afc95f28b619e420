// SPDX-License-Identifier: MIT
/*
 * The CPU backend against the plain reference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../matmul_case.h"
#include "../matmul_trial.h"

static struct npu_device *dev;
static struct npu_queue *queue;

static int open_cpu(void **state)
{
	(void)state;
	return npu_device_open("cpu", &dev, NULL) || npu_queue_create(dev, NULL, &queue, NULL);
}

static int close_cpu(void **state)
{
	(void)state;
	npu_queue_destroy(queue);
	npu_device_close(dev);
	return 0;
}

static void check(struct rng *rng, uint32_t m, uint32_t k, uint32_t n, unsigned int form)
{
	struct matmul_case c;

	case_init(&c, rng, m, k, n, form);
	case_check(dev, queue, &c);
	case_free(&c);
}

static void small_shapes_and_all_epilogues(void **state)
{
	struct rng rng = { 10 };

	(void)state;
	for (unsigned int i = 0; i < 10 * CASE_FORMS; i++)
		check(&rng, rng_range(&rng, 1, 70), rng_range(&rng, 1, 70), rng_range(&rng, 1, 70),
		      i % CASE_FORMS);
}

static void long_and_wide_shapes(void **state)
{
	struct rng rng = { 11 };

	(void)state;
	check(&rng, 1, 8192, 70, CASE_BIAS | CASE_PER_CHANNEL);
	check(&rng, 8192, 9, 3, CASE_RELU);
	check(&rng, 2, 17, 8192, CASE_BIAS | CASE_PER_CHANNEL);
	check(&rng, 33, 20000, 5, CASE_ZERO_POINT);
}

/* 131072 products of -128 and -128 are 2^31: one more than an int32 holds. */
static void sums_beyond_int32_are_exact(void **state)
{
	const uint32_t lengths[] = { 131071, 131072, 200000, 262143 };
	struct rng rng = { 12 };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct matmul_case c;

		case_init(&c, &rng, 2, lengths[i], 5, CASE_BIAS);
		memset(c.a, -128, 2 * lengths[i]);
		memset(c.w, -128, 5 * lengths[i]);
		/* The largest sum, multiplied by 1 and shifted, ends within int8. */
		c.multiplier[0] = 1;
		c.epilogue.shift = 25;
		case_check(dev, queue, &c);
		memset(c.w, 127, 5 * lengths[i]);
		case_check(dev, queue, &c);
		case_free(&c);
	}
}

/* Every combination of types, scalings, activations and residuals. */
static void all_forms(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < TRIAL_FORMS; seed++)
		trial_check(dev, seed);
}

static void windows_are_operands(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++)
		windows_check(dev, seed);
}

static void threads_give_the_same_bits(void **state)
{
	struct npu_device *own;
	struct npu_queue *own_queue;
	struct rng rng = { 13 };

	(void)state;
	assert_int_equal(npu_device_open("cpu:3", &own, NULL), 0);
	assert_int_equal(npu_queue_create(own, NULL, &own_queue, NULL), 0);
	for (unsigned int form = 0; form < CASE_FORMS; form++) {
		struct matmul_case c;

		case_init(&c, &rng, rng_range(&rng, 1, 200), rng_range(&rng, 1, 70),
			  rng_range(&rng, 1, 500), form);
		case_check(own, own_queue, &c);
		case_free(&c);
	}
	npu_queue_destroy(own_queue);
	npu_device_close(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_shapes_and_all_epilogues),
		cmocka_unit_test(long_and_wide_shapes),
		cmocka_unit_test(sums_beyond_int32_are_exact),
		cmocka_unit_test(all_forms),
		cmocka_unit_test(windows_are_operands),
		cmocka_unit_test(threads_give_the_same_bits),
	};

	return cmocka_run_group_tests_name("matmul on the CPU", tests, open_cpu, close_cpu);
}
