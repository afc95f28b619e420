/* SPDX-License-Identifier: MIT */
/*
 * Jobs out of nothing: plausible ones, broken ones, and small changes that lead from one to the
 * next. All from a seed, so that a failure comes back.
 */
#ifndef TESTS_FUZZ_JOBS_H
#define TESTS_FUZZ_JOBS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <drm/npu_accel.h>

struct dice {
	uint64_t state;
};

/* A number below @sides, which is not 0. */
uint32_t dice_roll(struct dice *d, uint32_t sides);

/* Where every search starts: one job for each corner that somebody thought of, or fell into. */
extern const struct drm_npu_job_matmul job_seeds[];
extern const size_t job_seed_count;

/* M x N x K with packed tensors, no epilogue and banks by choice of the kernel. */
struct drm_npu_job_matmul job_plain(const struct drm_npu_matmul_limits *lim, uint32_t m, uint32_t n,
				    uint32_t k, uint32_t height);

/* Packed strides for the shape that the job has now, by which element sizes it has now. */
void job_pack(const struct drm_npu_matmul_limits *lim, struct drm_npu_job_matmul *job);

/* A job that the validator should like, with sizes up to @max_macs. */
void job_random(struct dice *d, const struct drm_npu_matmul_limits *lim, uint64_t max_macs,
		struct drm_npu_job_matmul *job);

/*
 * One change: a field at one of its edges, other banks, another epilogue, a flipped bit; or another
 * job altogether, as job_random() makes them.
 */
void job_mutate(struct dice *d, const struct drm_npu_matmul_limits *lim, uint64_t max_macs,
		struct drm_npu_job_matmul *job);

/* As an initialiser of C, ready to become a seed. */
void job_print(FILE *out, const struct drm_npu_job_matmul *job);

#endif /* TESTS_FUZZ_JOBS_H */
