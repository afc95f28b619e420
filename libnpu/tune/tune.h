/* SPDX-License-Identifier: MIT */
/*
 * What the parts of tuning share: checks of float matrices, integer grids, statistics of inputs.
 */
#ifndef LIBNPU_TUNE_H
#define LIBNPU_TUNE_H

/* Everything is hidden from applications except what the public header declares. */
#pragma GCC visibility push(default)
#include <npu_quant.h>
#include <npu_tune.h>
#pragma GCC visibility pop

#include <math.h>

/*
 * Sums of inputs' products. Only the upper triangle of @h, [k][k], is kept: the matrix is
 * symmetric.
 */
struct npu_hessian {
	uint32_t k;
	uint64_t samples;
	double *h;
};

/* Checks that a matrix is there and finite; @call is the function that was called. */
int npu_check_matrix(const char *call, const float *x, uint64_t rows, uint64_t cols,
		     struct npu_error *err);

/* Checks @count scales: each above 0 and finite. */
int npu_check_scales(const char *call, const float *scale, uint64_t count, struct npu_error *err);

/* The integers that values are rounded to. */
struct npu_grid {
	int32_t min, max;
};

static inline struct npu_grid npu_grid(uint32_t bits, bool symmetric)
{
	const int32_t half = 1 << (bits - 1);

	return (struct npu_grid){ symmetric ? 1 - half : -half, half - 1 };
}

/* The integer for @quotient, a value divided by the scale. */
static inline int32_t npu_grid_round(struct npu_grid grid, double quotient, int32_t zero_point)
{
	const double q = rint(quotient) + zero_point;

	return q < grid.min ? grid.min : q > grid.max ? grid.max : (int32_t)q;
}

/*
 * The scale and zero point of values from @low to @high, finite and with 0 inside. A symmetric grid
 * covers the larger of the two; without extent the scale is 1.
 */
float npu_grid_scale(uint32_t bits, bool symmetric, double low, double high, int32_t *zero_point);

static inline uint32_t npu_group_count(uint32_t cols, uint32_t group_size)
{
	return group_size ? (cols - 1) / group_size + 1 : 1;
}

#endif /* LIBNPU_TUNE_H */
