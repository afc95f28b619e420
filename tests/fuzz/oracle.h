/* SPDX-License-Identifier: MIT */
/*
 * The validator's word against the engine: a job that it accepts is run on the device model by the
 * driver's own register programming, and the bus watches every byte.
 *
 * Two jobs are in flight as in the driver, each with memory of its own. A job keeps its word when
 * it reads and writes nothing outside the extents of its plan, writes nothing but whole atoms of C,
 * ends with an interrupt within its time, and, if it is small enough to be worked out, leaves what
 * drm/npu_accel.h says in C.
 */
#ifndef TESTS_FUZZ_ORACLE_H
#define TESTS_FUZZ_ORACLE_H

#include <stdint.h>

#include "../../kmod/npu_validate.h"

struct oracle;

/* What it has seen so far */
struct oracle_count {
	uint64_t refused; /* by the validator */
	uint64_t too_big; /* accepted, but larger than memory or than max_macs */
	uint64_t ran;
	uint64_t compared; /* of these, whose C was worked out */
	uint64_t bytes;	   /* read and written, all inside */
	double slowest;	   /* cycles of a job over those of its MACs or bytes alone */
};

/*
 * @config is the model's name of the configuration that has these limits. Jobs with more than
 * @max_macs are not run. Returns NULL when memory is out.
 */
struct oracle *oracle_new(const char *config, const struct drm_npu_matmul_limits *lim,
			  uint64_t max_macs);
void oracle_free(struct oracle *o);
const struct oracle_count *oracle_count(const struct oracle *o);

/* Forgets everything but the counts. Needed after a complaint: the engine may be stuck. */
void oracle_reset(struct oracle *o);

/*
 * Puts a job to the test; it may still be in flight on return. Returns NULL, or what went wrong
 * with this job or one before it.
 */
const char *oracle_submit(struct oracle *o, const struct drm_npu_job_matmul *job);

/* The same with the validator overruled: this plan is run, right or wrong. */
const char *oracle_submit_plan(struct oracle *o, const struct drm_npu_job_matmul *job,
			       const struct npu_matmul_plan *plan);

/* The job of the last complaint. */
const struct drm_npu_job_matmul *oracle_guilty(const struct oracle *o);

/* Waits for the jobs in flight. */
const char *oracle_drain(struct oracle *o);

/* oracle_submit() and oracle_drain(). */
const char *oracle_run(struct oracle *o, const struct drm_npu_job_matmul *job);

#endif /* TESTS_FUZZ_ORACLE_H */
