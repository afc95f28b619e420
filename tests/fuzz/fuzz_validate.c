// SPDX-License-Identifier: MIT
/*
 * libFuzzer: the promises of the validator, for both sets of limits. An input is any number of raw
 * struct drm_npu_job_matmul.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../kmod/nvdla/nvdla_limits.h"
#include "fuzz.h"
#include "promise.h"

const uint64_t fuzz_max_macs = UINT64_MAX;

static unsigned long long jobs, accepted[2];

static void report(void)
{
	fprintf(stderr,
		"fuzz_validate: %llu jobs, accepted with limits of nv_small %llu (%.0f %%), "
		"nv_large %llu (%.0f %%)\n",
		jobs, accepted[0], 100. * accepted[0] / (jobs + !jobs), accepted[1],
		100. * accepted[1] / (jobs + !jobs));
}

void fuzz_init(void)
{
	atexit(report);
}

void fuzz_job(const struct drm_npu_job_matmul *job)
{
	const struct drm_npu_matmul_limits *lim[] = { &nvdla_small_limits, &nvdla_large_limits };

	jobs++;
	for (int i = 0; i < 2; i++) {
		bool yes;
		const char *why = promise_check(lim[i], job, &yes);

		if (why)
			fuzz_fail(job, why);
		accepted[i] += yes;
	}
}

void fuzz_end(void)
{
}
