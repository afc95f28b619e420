/* SPDX-License-Identifier: MIT */
/*
 * Random matrices, and plain arithmetic on them, for tests of tuning.
 */
#ifndef TESTS_TUNE_RIG_H
#define TESTS_TUNE_RIG_H

#include "../matmul_case.h"

/* Normally distributed, mean 0 and variance 1. */
double rng_normal(struct rng *rng);

/* @rows x @cols of normal floats; to be freed. */
float *rng_matrix(struct rng *rng, uint32_t rows, uint32_t cols);

/* @rows samples of @cols channels, which depend on @factors hidden ones and a little noise. */
float *rng_correlated(struct rng *rng, uint32_t rows, uint32_t cols, uint32_t factors);

/* x [m][k] times w [n][k] transposed, in double; to be freed. */
double *product(const float *x, const float *w, uint32_t m, uint32_t k, uint32_t n);

/* Sum of squared differences; @b may be NULL for zeros. */
double squared_distance(const double *a, const double *b, size_t count);

/* [n][k] floats that q, scales and zero points (or NULL) of groups stand for; to be freed. */
float *dequantized(const int8_t *q, const float *scale, const int32_t *zero_point, uint32_t n,
		   uint32_t k, uint32_t group_size);

#endif /* TESTS_TUNE_RIG_H */
