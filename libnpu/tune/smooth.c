// SPDX-License-Identifier: MIT
/*
 * Migration of outliers from activations to weights.
 */
#include <errno.h>

#include "../error.h"
#include "tune.h"

int npu_column_max(const float *x, uint32_t rows, uint32_t cols, float *max, struct npu_error *err)
{
	int ret;

	if (!max)
		return npu_fail(err, -EINVAL, "npu_column_max: no place for the maxima given");
	ret = npu_check_matrix("npu_column_max", x, rows, cols, err);
	if (ret)
		return ret;
	for (uint32_t row = 0; row < rows; row++)
		for (uint32_t col = 0; col < cols; col++)
			max[col] = fmaxf(max[col], fabsf(x[(size_t)row * cols + col]));
	return 0;
}

static int check_maxima(const char *name, const float *max, uint32_t k, struct npu_error *err)
{
	for (uint32_t i = 0; i < k; i++)
		if (!isfinite(max[i]) || max[i] < 0)
			return npu_fail(err, -EINVAL,
					"npu_smooth_factors: %s[%u] is %g, a maximum is 0 or more",
					name, i, (double)max[i]);
	return 0;
}

int npu_smooth_factors(const float *x_max, const float *w_max, uint32_t k, float alpha, float *s,
		       struct npu_error *err)
{
	int ret;

	if (!x_max || !w_max || !k || !s)
		return npu_fail(err, -EINVAL,
				"npu_smooth_factors: %u channels, or no maxima, or no place for "
				"the factors given",
				k);
	if (!(alpha >= 0 && alpha <= 1))
		return npu_fail(err, -EINVAL, "npu_smooth_factors: alpha is %g, it must be 0 to 1",
				(double)alpha);
	ret = check_maxima("x_max", x_max, k, err);
	if (!ret)
		ret = check_maxima("w_max", w_max, k, err);
	if (ret)
		return ret;

	for (uint32_t i = 0; i < k; i++) {
		float factor = powf(x_max[i], alpha) / powf(w_max[i], 1 - alpha);

		factor = fminf(fmaxf(factor, 1 / NPU_SMOOTH_MAX), NPU_SMOOTH_MAX);
		s[i] = x_max[i] > 0 && w_max[i] > 0 ? factor : 1;
	}
	return 0;
}

static int check_scaling(const char *call, const float *x, uint32_t rows, uint32_t cols,
			 const float *factor, uint32_t factors, struct npu_error *err)
{
	int ret = npu_check_matrix(call, x, rows, cols, err);

	return ret ? ret : npu_check_scales(call, factor, factors, err);
}

int npu_scale_columns(float *x, uint32_t rows, uint32_t cols, const float *factor, bool divide,
		      struct npu_error *err)
{
	int ret = check_scaling("npu_scale_columns", x, rows, cols, factor, cols, err);

	for (size_t i = 0; !ret && i < (size_t)rows * cols; i += cols)
		for (uint32_t col = 0; col < cols; col++)
			x[i + col] = divide ? x[i + col] / factor[col] : x[i + col] * factor[col];
	return ret;
}

int npu_scale_rows(float *x, uint32_t rows, uint32_t cols, const float *factor, bool divide,
		   struct npu_error *err)
{
	int ret = check_scaling("npu_scale_rows", x, rows, cols, factor, rows, err);

	for (uint32_t row = 0; !ret && row < rows; row++)
		for (size_t i = (size_t)row * cols; i < (size_t)(row + 1) * cols; i++)
			x[i] = divide ? x[i] / factor[row] : x[i] * factor[row];
	return ret;
}
