/* SPDX-License-Identifier: MIT */
/*
 * What the files of quantization have in common.
 */
#ifndef LIBNPU_QUANT_QUANT_H
#define LIBNPU_QUANT_QUANT_H

#pragma GCC visibility push(default)
#include <npu_quant.h>
#pragma GCC visibility pop

#include <math.h>

#include "../error.h"

/**
 * struct npu_quant_limits - the integers of a scheme
 * @low, @high: The lowest and the highest.
 * @zero: Zero point of a symmetric scheme.
 * @steps: From the zero point to the end if symmetric, from end to end otherwise.
 */
struct npu_quant_limits {
	int32_t low, high;
	int32_t zero;
	int32_t steps;
};

/* Checks a scheme, in the name of @caller, and tells its integers. */
int npu_quant_check(const struct npu_quant_scheme *scheme, const char *caller,
		    struct npu_quant_limits *limits, struct npu_error *err);

/* npu_quant_params() of a range that is known to be one. */
void npu_quant_choose(const struct npu_quant_limits *limits, bool asymmetric, float low, float high,
		      float *scale, int32_t *zero_point);

/* @x is not NaN; infinities end up at the limits. */
static inline int32_t npu_quant_value(const struct npu_quant_limits *limits, float x, float scale,
				      int32_t zero_point)
{
	double q = rint((double)(x / scale)) + zero_point;

	return q < limits->low ? limits->low : q > limits->high ? limits->high : (int32_t)q;
}

static inline bool npu_quant_is_scale(float scale)
{
	return isfinite(scale) && scale > 0;
}

/* Index of the first element that is not finite, @count if all are. */
static inline size_t npu_quant_find_not_finite(const float *x, size_t count)
{
	size_t i = 0;

	while (i < count && isfinite(x[i]))
		i++;
	return i;
}

/* Smallest and largest of at least one finite element. */
void npu_quant_find_range(const float *x, size_t count, float *low, float *high);

/* Elements from one to the other of the types that hold integers. */
void npu_quant_run(const struct npu_quant_scheme *scheme, const struct npu_quant_limits *limits,
		   const float *x, size_t count, float scale, int32_t zero_point, void *q,
		   size_t first);
void npu_dequant_run(const struct npu_quant_scheme *scheme, const void *q, size_t first,
		     size_t count, float scale, int32_t zero_point, float *x);

#endif /* LIBNPU_QUANT_QUANT_H */
