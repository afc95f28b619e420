// SPDX-License-Identifier: MIT
/*
 * What the fuzz targets do, without a fuzzer: every seed and a fixed number of descendants of each,
 * and as many jobs out of nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "../../kmod/nvdla/nvdla_limits.h"
#include "../fuzz/jobs.h"
#include "../fuzz/oracle.h"
#include "../fuzz/promise.h"

#define ALL_MACS UINT64_MAX
#define ENGINE_MACS (1u << 20)

static int setup(void **state)
{
	*state = oracle_new("nv_small", &nvdla_small_limits, UINT64_MAX);
	return *state ? 0 : -1;
}

static int setup_large(void **state)
{
	*state = oracle_new("nv_large", &nvdla_large_limits, UINT64_MAX);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	oracle_free(*state);
	return 0;
}

static void complain(const struct drm_npu_job_matmul *job, const char *why)
{
	job_print(stderr, job);
	fail_msg("%s", why);
}

static unsigned int keeps_promise(const struct drm_npu_matmul_limits *lim,
				  const struct drm_npu_job_matmul *job)
{
	bool accepted;
	const char *why = promise_check(lim, job, &accepted);

	if (why)
		complain(job, why);
	return accepted;
}

static void promises_of(const struct drm_npu_matmul_limits *lim)
{
	struct dice dice = { .state = 1 };
	struct drm_npu_job_matmul job;
	unsigned int accepted = 0, jobs = 0;

	for (size_t seed = 0; seed < job_seed_count; seed++) {
		for (int line = 0; line < 1000; line++) {
			job = job_seeds[seed];
			for (int age = 0; age < 10; age++, jobs++) {
				accepted += keeps_promise(lim, &job);
				job_mutate(&dice, lim, ALL_MACS, &job);
			}
		}
	}
	for (int i = 0; i < 200000; i++, jobs++) {
		job_random(&dice, lim, ALL_MACS, &job);
		accepted += keeps_promise(lim, &job);
	}
	print_message("%u jobs, %u accepted\n", jobs, accepted);
	/* Neither all nor nothing: both answers were put to the test. */
	assert_in_range(accepted, jobs / 4, jobs / 4 * 3);
}

static void promises_nv_small(void **state)
{
	(void)state;
	promises_of(&nvdla_small_limits);
}

static void promises_nv_large(void **state)
{
	(void)state;
	promises_of(&nvdla_large_limits);
}

static void seeds_on_the_engine(void **state)
{
	struct oracle *oracle = *state;

	for (size_t seed = 0; seed < job_seed_count; seed++) {
		const char *why = oracle_run(oracle, &job_seeds[seed]);

		if (why)
			complain(oracle_guilty(oracle), why);
	}
	/* All but those that no memory is large enough for. */
	assert_int_equal(oracle_count(oracle)->refused, 0);
	assert_int_equal(oracle_count(oracle)->too_big, 1);
}

static void random_jobs(struct oracle *oracle, const struct drm_npu_matmul_limits *lim)
{
	struct dice dice = { .state = 2 };
	struct drm_npu_job_matmul job;
	const struct oracle_count *count = oracle_count(oracle);

	while (count->ran < 2000) {
		const char *why;

		job_random(&dice, lim, ENGINE_MACS, &job);
		if (!dice_roll(&dice, 4))
			job_mutate(&dice, lim, ENGINE_MACS, &job);
		why = oracle_submit(oracle, &job);
		if (why)
			complain(oracle_guilty(oracle), why);
	}
	assert_null(oracle_drain(oracle));
	print_message("%u ran, %u compared, slowest %.1f times ideal\n", (unsigned int)count->ran,
		      (unsigned int)count->compared, count->slowest);
	assert_true(count->compared > 500);
}

static void random_jobs_nv_small(void **state)
{
	random_jobs(*state, &nvdla_small_limits);
}

static void random_jobs_nv_large(void **state)
{
	random_jobs(*state, &nvdla_large_limits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promises_nv_small),
		cmocka_unit_test(promises_nv_large),
		cmocka_unit_test_setup_teardown(seeds_on_the_engine, setup, teardown),
		cmocka_unit_test_setup_teardown(random_jobs_nv_small, setup, teardown),
		cmocka_unit_test_setup_teardown(random_jobs_nv_large, setup_large, teardown),
	};

	return cmocka_run_group_tests_name("fuzz", tests, NULL, NULL);
}
