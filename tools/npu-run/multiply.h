/* SPDX-License-Identifier: MIT */
/* One multiplication on a device, from matrices in memory to a matrix in memory. */
#ifndef NPU_RUN_MULTIPLY_H
#define NPU_RUN_MULTIPLY_H

#include <stdint.h>

#include "npu.h"

/* C[m,n] = epilogue(A[m,k] x W[n,k]^T), all row-major. */
struct problem {
	uint32_t m, k, n;
	const int8_t *a;
	const int8_t *w;
	struct npu_epilogue_desc epilogue;
};

/*
 * struct work - what it took
 * @plan: How the library did it.
 * @stats: What the device did for it.
 * @seconds: From submission to completion, without packing.
 */
struct work {
	struct npu_plan plan;
	struct npu_queue_stats stats;
	double seconds;
};

int multiply(struct npu_device *dev, const struct problem *problem, int8_t *c, struct work *work,
	     struct npu_error *err);

#endif
