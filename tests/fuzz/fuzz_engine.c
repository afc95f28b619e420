// SPDX-License-Identifier: MIT
/*
 * libFuzzer: accepted jobs on the device model, two in flight. An input is any number of raw
 * struct drm_npu_job_matmul, which run one after the other from reset on.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../kmod/nvdla/nvdla_limits.h"
#include "fuzz.h"
#include "oracle.h"

/* Larger jobs say nothing new about the engine and take long. */
const uint64_t fuzz_max_macs = 1 << 16;

static struct oracle *oracle;

static void report(void)
{
	const struct oracle_count *c = oracle_count(oracle);
	unsigned long long jobs = c->refused + c->too_big + c->ran;

	fprintf(stderr,
		"fuzz_engine: %llu jobs: %llu refused, %llu too big, %llu ran (%.0f %%), C of "
		"%llu compared, %llu bytes on the bus, slowest %.1f times ideal\n",
		jobs, (unsigned long long)c->refused, (unsigned long long)c->too_big,
		(unsigned long long)c->ran, 100. * c->ran / (jobs + !jobs),
		(unsigned long long)c->compared, (unsigned long long)c->bytes, c->slowest);
	oracle_free(oracle);
}

void fuzz_init(void)
{
	oracle = oracle_new("nv_small", &nvdla_small_limits, fuzz_max_macs);
	if (!oracle)
		abort();
	atexit(report);
}

void fuzz_job(const struct drm_npu_job_matmul *job)
{
	const char *why = oracle_submit(oracle, job);

	if (why)
		fuzz_fail(oracle_guilty(oracle), why);
}

void fuzz_end(void)
{
	const char *why = oracle_drain(oracle);

	if (why)
		fuzz_fail(oracle_guilty(oracle), why);
	oracle_reset(oracle);
}
