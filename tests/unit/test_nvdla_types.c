// SPDX-License-Identifier: MIT
/*
 * The NVDLA backend above a fake kernel, with every type and output stage there is: fused or not,
 * the bits are those of the definition, and the driver's validator accepts each job.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../kmod/nvdla/nvdla_limits.h"
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

/* A third of them: on the virtual board all take as long as these do here. */
static void many_forms_on_the_small_engine(void **state)
{
	(void)state;
	fake_reset();
	check_trials(1000, TRIAL_FORMS / 3);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_forms_on_the_small_engine),
		cmocka_unit_test(many_forms_on_the_large_engine),
		cmocka_unit_test(many_forms_on_a_narrow_engine),
		cmocka_unit_test(windows_are_operands),
	};

	return cmocka_run_group_tests_name("types on NVDLA", tests, NULL, NULL);
}
