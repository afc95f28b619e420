// SPDX-License-Identifier: MIT
/* The entry points of libFuzzer. Inputs start from the seeds, so that no corpus is needed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../kmod/nvdla/nvdla_limits.h"
#include "fuzz.h"
#include "jobs.h"

#define JOB_BYTES sizeof(struct drm_npu_job_matmul)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

_Noreturn void fuzz_fail(const struct drm_npu_job_matmul *job, const char *why)
{
	fprintf(stderr, "%s\n", why);
	job_print(stderr, job);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_init();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct drm_npu_job_matmul job;

	for (; size >= JOB_BYTES; data += JOB_BYTES, size -= JOB_BYTES) {
		memcpy(&job, data, JOB_BYTES);
		fuzz_job(&job);
	}
	fuzz_end();
	return 0;
}

/* One more job, and changes to one or two of those that are there. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	const struct drm_npu_matmul_limits *lim = &nvdla_small_limits;
	struct dice dice = { .state = seed };
	struct drm_npu_job_matmul job;
	size_t count = size / JOB_BYTES, at;

	if (max_size < JOB_BYTES)
		return 0;
	if (!count || (!dice_roll(&dice, 8) && count < max_size / JOB_BYTES)) {
		job = job_seeds[dice_roll(&dice, job_seed_count)];
		memcpy(data + count++ * JOB_BYTES, &job, JOB_BYTES);
	}
	if (dice_roll(&dice, 4) == 0)
		lim = &nvdla_large_limits;
	do {
		at = dice_roll(&dice, count) * JOB_BYTES;
		memcpy(&job, data + at, JOB_BYTES);
		job_mutate(&dice, lim, fuzz_max_macs, &job);
		memcpy(data + at, &job, JOB_BYTES);
	} while (dice_roll(&dice, 2));
	return count * JOB_BYTES;
}
