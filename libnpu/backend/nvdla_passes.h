/* SPDX-License-Identifier: MIT */
/*
 * Exact sums out of an engine that stores 8 bits of each.
 */
#ifndef LIBNPU_NVDLA_PASSES_H
#define LIBNPU_NVDLA_PASSES_H

#include "nvdla_job.h"

/* Jobs for each tile, each of which stores other bits of the sums, in this order. */
enum nvdla_pass {
	NVDLA_PASS_HIGH,
	NVDLA_PASS_MIDDLE,
	NVDLA_PASS_LOW,
	NVDLA_EXACT_PASSES
};

/*
 * Sums that the passes can reconstruct have a magnitude of at most 127 * 2^16; an activation has
 * one of at most 128.
 */
#define NVDLA_EXACT_WEIGHT_SUM (127 * 65536 / 128)

/* Sets the output unit of one pass. @result: where each pass stores its part. */
void nvdla_pass_set(struct nvdla_op *op, const struct drm_npu_matmul_limits *limits,
		    enum nvdla_pass pass, const struct nvdla_matrix *result);

/* Adds @scale times the sums of @count neighbours to @sum. @part: what each pass stored. */
void nvdla_pass_add(const struct drm_npu_matmul_limits *limits, const uint8_t *const *part,
		    uint32_t count, int64_t scale, int64_t *sum);

#endif /* LIBNPU_NVDLA_PASSES_H */
