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

#include "../expect.h"
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

/* 32767 * 127 * 2000, which has 33 bits, divided by 2^20. */
static void wide_accumulators_are_wide(void **state)
{
	static int16_t a[2000];
	static int8_t w[2000];
	const int16_t multiplier = 1;
	const int32_t multiplier_q31 = 1 << 30, exponent = -19;
	const float scale = 0x1p-20f;
	int16_t c;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		a[i] = 32767;
		w[i] = 127;
	}
	for (enum npu_scaling scaling = 0; scaling < NPU_SCALING_NONE; scaling++) {
		const struct problem p = {
			.m = 1,
			.k = 2000,
			.n = 1,
			.batch = 1,
			.a_type = NPU_TYPE_INT16,
			.a = a,
			.weights = { .size = sizeof(p.weights), .n = 1, .k = 2000, .data = w },
			.epilogue = {
				.size = sizeof(p.epilogue),
				.n = 1,
				.scaling = scaling,
				.scale_count = 1,
				.multiplier = &multiplier,
				.shift = 20,
				.multiplier_q31 = &multiplier_q31,
				.exponent = &exponent,
				.scale = &scale,
			},
			.c_type = NPU_TYPE_INT16,
		};
		struct work work;

		expect_ok(multiply(dev, &p, &c, &work, &err));
		assert_int_equal(c, 7937);
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

static void submitting_allocates_nothing(void **state)
{
	struct npu_device *own;

	(void)state;
	trials_submit_check(dev, 20000, 300, false);
	assert_int_equal(npu_device_open("cpu:2", &own, NULL), 0);
	trials_submit_check(own, 20300, 100, false);
	npu_device_close(own);
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
		cmocka_unit_test(wide_accumulators_are_wide),
		cmocka_unit_test(all_forms),
		cmocka_unit_test(windows_are_operands),
		cmocka_unit_test(submitting_allocates_nothing),
		cmocka_unit_test(threads_give_the_same_bits),
	};

	return cmocka_run_group_tests_name("matmul on the CPU", tests, open_cpu, close_cpu);
}
