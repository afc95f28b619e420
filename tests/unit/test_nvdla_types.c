// SPDX-License-Identifier: MIT
/*
 * The NVDLA backend above a fake kernel, with every type and output stage there is: fused or not,
 * the bits are those of the definition, the driver's validator accepts each job, and whatever call
 * fails, nothing is leaked.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../kmod/nvdla/nvdla_limits.h"
#include "../../tools/npu-run/reference.h"
#include "../expect.h"
#include "../matmul_case.h"
#include "../matmul_trial.h"
#include "fake_npu.h"

static struct npu_device *dev;

static void check_trials(uint64_t first, uint64_t count)
{
	expect_ok(npu_device_open("fake", &dev, &err));
	for (uint64_t seed = first; seed < first + count; seed++)
		trial_check(dev, seed);
	npu_device_close(dev);
	assert_int_equal(fake.objects, 0);
}

/* A sixth of them: on the virtual board all take as long as these do here. */
static void many_forms_on_the_small_engine(void **state)
{
	(void)state;
	fake_reset();
	check_trials(1000, TRIAL_FORMS / 6);
}

static void many_forms_on_the_large_engine(void **state)
{
	(void)state;
	fake_reset();
	fake.limits = nvdla_large_limits;
	check_trials(5000, 150);
}

/* Everything in tiles, and K split wherever that can be. */
static void many_forms_on_a_narrow_engine(void **state)
{
	(void)state;
	fake_reset();
	fake.limits.max_k = 16;
	fake.limits.max_width = 5;
	fake.limits.max_n = 16;
	check_trials(9000, 150);
}

static void windows_are_operands(void **state)
{
	(void)state;
	fake_reset();
	expect_ok(npu_device_open("fake", &dev, &err));
	for (uint64_t seed = 0; seed < 200; seed++)
		windows_check(dev, seed);
	npu_device_close(dev);
}

static void submitting_allocates_nothing(void **state)
{
	(void)state;
	fake_reset();
	expect_ok(npu_device_open("fake", &dev, &err));
	trials_submit_check(dev, 12000, 300, true);
	npu_device_close(dev);
	assert_int_equal(fake.objects, 0);
}

/* ---- Failures -------------------------------------------------------------------------- */

#define ROWS 2
#define LONG 1100
#define COLS 3

/* A product that takes chunks of its own, both digits of A, and a residual. */
static void make_problem(struct problem *p)
{
	static int16_t a[ROWS * LONG];
	static int8_t w[COLS * LONG];
	static const int8_t residual[ROWS * COLS] = { 1, -2, 3, -4, 5, -6 };

	for (int i = 0; i < COLS * LONG; i++)
		w[i] = i % 2 ? 127 : -128;
	for (int i = 0; i < ROWS * LONG; i++)
		a[i] = i * 71;
	*p = (struct problem){
		.m = ROWS,
		.k = LONG,
		.n = COLS,
		.batch = 1,
		.a_type = NPU_TYPE_INT16,
		.a = a,
		.a_zero_point = 7,
		.weights = { .size = sizeof(p->weights), .n = COLS, .k = LONG, .data = w },
		.epilogue = {
			.size = sizeof(p->epilogue),
			.n = COLS,
			.scaling = NPU_SCALING_NONE,
		},
		.residual_type = NPU_TYPE_INT8,
		.residual = residual,
		.c_type = NPU_TYPE_INT32,
	};
}

/* Opens, multiplies, closes; the first error ends it. */
static int live(const struct problem *p, int32_t *c, struct npu_error *why)
{
	struct npu_device *own;
	struct work work;
	int ret = npu_device_open("fake", &own, why);

	if (ret)
		return ret;
	ret = multiply(own, p, c, &work, why);
	if (!ret)
		assert_true(work.plan.host_steps && work.plan.jobs > 12);
	npu_device_close(own);
	return ret;
}

/* Each call fails once; the sanitizers look for what was forgotten. */
static void any_call_may_fail(void **state)
{
	int32_t got[ROWS * COLS], expected[ROWS * COLS];
	struct problem p;
	int i;

	(void)state;
	make_problem(&p);
	reference_results(&p, expected);
	for (i = 0;; i++) {
		struct npu_error why = { 0 };
		int ret;

		fake_reset();
		fake.fail_after = i;
		fake.fail_errno = ENOMEM;
		ret = live(&p, got, &why);
		assert_int_equal(fake.objects, 0);
		if (ret)
			assert_true(why.code == ret && why.text[0]);
		else
			assert_memory_equal(got, expected, sizeof(got));
		if (fake.fail_after >= 0)
			break;
	}
	assert_true(i > 90);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_forms_on_the_small_engine),
		cmocka_unit_test(many_forms_on_the_large_engine),
		cmocka_unit_test(many_forms_on_a_narrow_engine),
		cmocka_unit_test(windows_are_operands),
		cmocka_unit_test(submitting_allocates_nothing),
		cmocka_unit_test(any_call_may_fail),
	};

	return cmocka_run_group_tests_name("types on NVDLA", tests, NULL, NULL);
}
