/* SPDX-License-Identifier: MIT */
/*
 * A kernel driver and an engine inside the test program, for what the virtual board cannot do
 * quickly or at will: other limits, failing calls, failing jobs. It judges jobs with the driver's
 * own validator and computes them with the reference, so a job it accepts is one the kernel
 * accepts.
 *
 * The linker sends the library's system calls here (see FAKE_NPU_WRAP in build.mk).
 */
#ifndef TESTS_FAKE_NPU_H
#define TESTS_FAKE_NPU_H

#include <stdint.h>

#include <drm/npu_accel.h>

/**
 * struct fake_npu - what the test wants, and what it may look at
 * @limits: Limits of the engine.
 * @max_jobs: Jobs a SUBMIT may have.
 * @max_pending: Jobs that may be outstanding.
 * @max_syncs: Syncs a SUBMIT may have.
 * @family: Family of the engine.
 * @caps: What else it can do.
 * @fail_after: Calls that succeed before the one that fails; negative: none fails.
 * @fail_errno: How it fails.
 * @outcome: Errno with which the next submissions end, oldest in bit 0: 1 means @outcome_errno.
 * @outcome_errno: See @outcome.
 * @calls: Calls so far.
 * @submits: Submissions so far.
 * @waits: Fences that submissions were told to wait for so far.
 * @refused: EBUSY so far.
 * @objects: Buffers, contexts and syncobjs that exist.
 * @buffers: Buffers that exist.
 * @preps: Brackets that waited for the engine so far.
 * @before_submit: Called before each SUBMIT, may be NULL.
 */
struct fake_npu {
	struct drm_npu_matmul_limits limits;
	uint32_t max_jobs;
	uint32_t max_pending;
	uint32_t max_syncs;
	uint32_t family;
	uint32_t caps;
	int fail_after;
	int fail_errno;
	uint64_t outcome;
	int outcome_errno;
	unsigned int calls;
	unsigned int submits;
	unsigned int waits;
	unsigned int refused;
	int objects;
	unsigned int buffers;
	unsigned int preps;
	void (*before_submit)(void);
};

extern struct fake_npu fake;

/* As nv_small, nothing fails. */
void fake_reset(void);

#endif /* TESTS_FAKE_NPU_H */
