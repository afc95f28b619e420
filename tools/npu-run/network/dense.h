/* SPDX-License-Identifier: MIT */
/*
 * A layer in float32, the reference that quantized ones are held against:
 * y[n] = bias[n] + sum over k of w[n][k] * x[k], added in the order of k, with no contraction, so
 * that every machine gives the same bits.
 */
#ifndef NPU_RUN_DENSE_H
#define NPU_RUN_DENSE_H

#include <stdbool.h>
#include <stdint.h>

#include "npu.h"

struct dense;

/* Copies n x k weights, and n biases or NULL. */
int dense_create(const float *weight, const float *bias, uint32_t n, uint32_t k,
		 struct dense **dense, struct npu_error *err);

void dense_destroy(struct dense *dense);

/* From rows x k to rows x n. @relu: negative results become 0. */
void dense_run(const struct dense *dense, const float *x, uint32_t rows, bool relu, float *y);

#endif
