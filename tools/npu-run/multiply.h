/* SPDX-License-Identifier: MIT */
/* One multiplication on a device, from matrices in memory to a matrix in memory. */
#ifndef NPU_RUN_MULTIPLY_H
#define NPU_RUN_MULTIPLY_H

#include <stdint.h>

#include "npu.h"

/*
 * struct problem - C = epilogue(A x W^T), for each matrix of a batch
 * @m: Rows of A and C for each matrix; they follow each other.
 * @k, @n: As the weights have them.
 * @batch: Matrices, at least 1.
 * @a, @residual: Row-major and packed, as their types have it; @residual may be NULL.
 * @c_type: Of the result.
 */
struct problem {
	uint32_t m, k, n, batch;
	enum npu_type a_type;
	const void *a;
	int32_t a_zero_point;
	struct npu_weights_desc weights;
	struct npu_epilogue_desc epilogue;
	enum npu_type residual_type;
	const void *residual;
	enum npu_type c_type;
};

/* Elements of the result. */
static inline size_t problem_results(const struct problem *p)
{
	return (size_t)p->batch * p->m * p->n;
}

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

int multiply(struct npu_device *dev, const struct problem *problem, void *c, struct work *work,
	     struct npu_error *err);

#endif
