/* SPDX-License-Identifier: MIT */
/*
 * What the validator promises about any bytes that claim to be a job, worked out a second time:
 * from the words of drm/npu_accel.h, in arithmetic that cannot overflow.
 */
#ifndef TESTS_FUZZ_PROMISE_H
#define TESTS_FUZZ_PROMISE_H

#include <stdbool.h>

#include "../../kmod/npu_validate.h"

/*
 * Validates the job. Returns NULL, or the promise that is broken. Being too strict is not seen
 * here: see the oracle for that.
 */
const char *promise_check(const struct drm_npu_matmul_limits *lim,
			  const struct drm_npu_job_matmul *job, bool *accepted);

#endif /* TESTS_FUZZ_PROMISE_H */
