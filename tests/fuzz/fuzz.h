/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share: libFuzzer on one side, jobs on the other.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdint.h>

#include <drm/npu_accel.h>

/* Provided by a target: the largest job it wants. */
extern const uint64_t fuzz_max_macs;

/* Provided by a target: before everything, for each job of an input in turn, after the last. */
void fuzz_init(void);
void fuzz_job(const struct drm_npu_job_matmul *job);
void fuzz_end(void);

/* Prints what is wrong and the job that showed it, and ends in libFuzzer's way. */
_Noreturn void fuzz_fail(const struct drm_npu_job_matmul *job, const char *why);

#endif /* TESTS_FUZZ_FUZZ_H */
