// SPDX-License-Identifier: MIT
/*
 * Checks of what callers give, and the grids that ranges make.
 */
#include <errno.h>
#include <float.h>

#include "../error.h"
#include "tune.h"

int npu_check_matrix(const char *call, const float *x, uint64_t rows, uint64_t cols,
		     struct npu_error *err)
{
	if (!x || !rows || !cols)
		return npu_fail(err, -EINVAL, "%s: a matrix of %llu x %llu, or none, was given",
				call, (unsigned long long)rows, (unsigned long long)cols);
	for (uint64_t i = 0; i < rows * cols; i++)
		if (!isfinite(x[i]))
			return npu_fail(err, -EINVAL, "%s: row %llu, column %llu is %f", call,
					(unsigned long long)(i / cols),
					(unsigned long long)(i % cols), (double)x[i]);
	return 0;
}

int npu_check_scales(const char *call, const float *scale, uint64_t count, struct npu_error *err)
{
	if (!scale || !count)
		return npu_fail(err, -EINVAL, "%s: no scales given", call);
	for (uint64_t i = 0; i < count; i++)
		if (!isfinite(scale[i]) || scale[i] <= 0)
			return npu_fail(err, -EINVAL,
					"%s: scale %llu is %g, it must be above 0 and finite", call,
					(unsigned long long)i, (double)scale[i]);
	return 0;
}

float npu_grid_scale(uint32_t bits, bool symmetric, double low, double high, int32_t *zero_point)
{
	const struct npu_grid grid = npu_grid(bits, symmetric);
	double width = symmetric ? fmax(-low, high) : high - low;
	float scale = (float)(width / (symmetric ? grid.max : grid.max - grid.min));

	*zero_point = 0;
	if (width == 0)
		return 1;
	/* Denormal scales have too few bits to be divided by; what they stand for is 0. */
	scale = fmaxf(scale, FLT_MIN);
	if (!symmetric)
		*zero_point = npu_grid_round(grid, grid.min - low / (double)scale, 0);
	return scale;
}
