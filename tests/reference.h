/* SPDX-License-Identifier: MIT */
/*
 * The arithmetic of a job as drm/npu_accel.h words it: slow, obvious, and written without a look at
 * driver, library or device model.
 */
#ifndef TESTS_REFERENCE_H
#define TESTS_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include <drm/npu_accel.h>

/**
 * struct reference_memory - the first byte of each tensor of a job
 * @a: Activations.
 * @w: Weights.
 * @x1: Operands of the first stage, NULL without.
 * @x2: Operands of the second stage, NULL without.
 */
struct reference_memory {
	const uint8_t *a;
	const uint8_t *w;
	const uint8_t *x1;
	const uint8_t *x2;
};

/** Element (@row, @n) of the result of @job. */
int8_t reference_element(const struct drm_npu_matmul_limits *lim,
			 const struct drm_npu_job_matmul *job, const struct reference_memory *mem,
			 uint32_t row, uint32_t n);

/** Does the converter clip that element to 17 bits, as the engine counts it? */
bool reference_clips(const struct drm_npu_matmul_limits *lim, const struct drm_npu_job_matmul *job,
		     const struct reference_memory *mem, uint32_t row, uint32_t n);

/** Offset of channel @channel of row @row in a tensor whose elements have @size bytes. */
uint64_t reference_offset(const struct drm_npu_matmul_limits *lim,
			  const struct drm_npu_job_matmul *job, const struct drm_npu_tensor *t,
			  uint32_t row, uint32_t channel, uint32_t size);

#endif /* TESTS_REFERENCE_H */
