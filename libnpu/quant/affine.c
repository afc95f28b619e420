// SPDX-License-Identifier: MIT
/*
 * Affine quantization: ranges, scales and zero points, and elements one by one.
 */
#include <errno.h>
#include <float.h>

#include "quant.h"

/* ---- Schemes --------------------------------------------------------------------------- */

int npu_quant_check(const struct npu_quant_scheme *scheme, const char *caller,
		    struct npu_quant_limits *limits, struct npu_error *err)
{
	int32_t half;

	if (!scheme || scheme->size != sizeof(*scheme))
		return npu_fail(err, -EINVAL,
				"%s: no scheme given, or its size is not sizeof(struct "
				"npu_quant_scheme)",
				caller);
	if (scheme->bits < 2 || scheme->bits > 16)
		return npu_fail(err, -EINVAL, "%s: the scheme has %u bits, it may have 2 to 16",
				caller, scheme->bits);
	if ((unsigned int)scheme->granularity > NPU_QUANT_PER_GROUP)
		return npu_fail(err, -EINVAL,
				"%s: granularity is %d, not one of enum npu_quant_granularity",
				caller, (int)scheme->granularity);
	if (scheme->granularity == NPU_QUANT_PER_GROUP &&
	    (!scheme->group_size || scheme->group_size % NPU_GROUP_UNIT))
		return npu_fail(err, -EINVAL, "%s: group_size is %u, it must be a multiple of %d",
				caller, scheme->group_size, NPU_GROUP_UNIT);

	half = 1 << (scheme->bits - 1);
	limits->zero = scheme->is_unsigned ? half : 0;
	limits->low = limits->zero - half + !scheme->asymmetric;
	limits->high = limits->zero + half - 1;
	limits->steps = scheme->asymmetric ? limits->high - limits->low : half - 1;
	return 0;
}

size_t npu_quant_scale_count(const struct npu_quant_scheme *scheme, uint32_t rows, uint32_t cols)
{
	struct npu_quant_limits limits;

	if (npu_quant_check(scheme, "", &limits, NULL) || !rows || !cols)
		return 0;
	if (scheme->granularity == NPU_QUANT_PER_TENSOR)
		return 1;
	if (scheme->granularity == NPU_QUANT_PER_ROW)
		return rows;
	return (size_t)rows * ((cols - 1) / scheme->group_size + 1);
}

/* ---- Ranges ---------------------------------------------------------------------------- */

void npu_quant_find_range(const float *x, size_t count, float *low, float *high)
{
	float min = x[0], max = x[0];

	for (size_t i = 1; i < count; i++) {
		min = x[i] < min ? x[i] : min;
		max = x[i] > max ? x[i] : max;
	}
	*low = min;
	*high = max;
}

int npu_quant_range(const float *x, size_t count, float *low, float *high, struct npu_error *err)
{
	size_t bad;

	if (!x || !count || !low || !high)
		return npu_fail(err, -EINVAL,
				"npu_quant_range: no elements, or no place for the range given");
	bad = npu_quant_find_not_finite(x, count);
	if (bad < count)
		return npu_fail(err, -EINVAL, "npu_quant_range: element %zu is %f", bad,
				(double)x[bad]);
	npu_quant_find_range(x, count, low, high);
	return 0;
}

/* Smallest scale that has room for @range in @steps. */
static float scale_of(double range, int32_t steps)
{
	float scale = (float)(range / steps);

	if (range == 0)
		return 1;
	/* Among the denormals a quotient can lose so much that the range would not fit any more. */
	if ((double)scale * (steps + 0.5) < range)
		scale = nextafterf(scale, INFINITY);
	/* And at the far end it may be rounded up so that the last step is no float. */
	if (!isfinite(scale * (float)steps) && range <= (double)FLT_MAX)
		scale = nextafterf(scale, 0);
	return scale;
}

void npu_quant_choose(const struct npu_quant_limits *limits, bool asymmetric, float low, float high,
		      float *scale, int32_t *zero_point)
{
	double zero;

	if (!asymmetric) {
		*scale = scale_of(fmax(fabs((double)low), fabs((double)high)), limits->steps);
		*zero_point = limits->zero;
		return;
	}
	low = low < 0 ? low : 0;
	high = high > 0 ? high : 0;
	*scale = scale_of((double)high - (double)low, limits->steps);
	zero = rint(limits->low - (double)low / (double)*scale);
	zero = zero > limits->high ? limits->high : zero;
	*zero_point = low < high ? (int32_t)zero : limits->zero;
}

int npu_quant_params(const struct npu_quant_scheme *scheme, float low, float high, float *scale,
		     int32_t *zero_point, struct npu_error *err)
{
	struct npu_quant_limits limits;
	int ret = npu_quant_check(scheme, "npu_quant_params", &limits, err);

	if (ret)
		return ret;
	if (!scale || !zero_point)
		return npu_fail(err, -EINVAL,
				"npu_quant_params: no place for scale and zero point given");
	if (!isfinite(low) || !isfinite(high) || low > high)
		return npu_fail(
			err, -EINVAL,
			"npu_quant_params: the range is %g to %g, the first must be at most "
			"the second and both finite",
			(double)low, (double)high);
	npu_quant_choose(&limits, scheme->asymmetric, low, high, scale, zero_point);
	return 0;
}

/* ---- Elements -------------------------------------------------------------------------- */

void npu_quant_run(const struct npu_quant_scheme *scheme, const struct npu_quant_limits *limits,
		   const float *x, size_t count, float scale, int32_t zero_point, void *q,
		   size_t first)
{
	/* Unsigned integers differ in meaning only: the bits of an element are the same. */
	if (scheme->bits <= 8) {
		uint8_t *dst = (uint8_t *)q + first;

		for (size_t i = 0; i < count; i++)
			dst[i] = (uint8_t)npu_quant_value(limits, x[i], scale, zero_point);
	} else {
		uint16_t *dst = (uint16_t *)q + first;

		for (size_t i = 0; i < count; i++)
			dst[i] = (uint16_t)npu_quant_value(limits, x[i], scale, zero_point);
	}
}

static int32_t element(const struct npu_quant_scheme *scheme, const void *q, size_t i)
{
	if (scheme->bits <= 8)
		return scheme->is_unsigned ? ((const uint8_t *)q)[i] : ((const int8_t *)q)[i];
	return scheme->is_unsigned ? ((const uint16_t *)q)[i] : ((const int16_t *)q)[i];
}

void npu_dequant_run(const struct npu_quant_scheme *scheme, const void *q, size_t first,
		     size_t count, float scale, int32_t zero_point, float *x)
{
	for (size_t i = 0; i < count; i++)
		x[i] = scale * (float)(element(scheme, q, first + i) - zero_point);
}

/* What quantizing and its way back ask of their arguments. */
static int check_run(const struct npu_quant_scheme *scheme, const char *caller, bool places,
		     float scale, int32_t zero_point, struct npu_quant_limits *limits,
		     struct npu_error *err)
{
	int ret = npu_quant_check(scheme, caller, limits, err);

	if (ret)
		return ret;
	if (!places)
		return npu_fail(err, -EINVAL, "%s: no elements, or no place for the results given",
				caller);
	if (!npu_quant_is_scale(scale))
		return npu_fail(err, -EINVAL, "%s: scale is %g, it must be positive and finite",
				caller, (double)scale);
	if (zero_point < limits->low || zero_point > limits->high)
		return npu_fail(err, -EINVAL, "%s: zero_point is %d, not in %d to %d", caller,
				zero_point, limits->low, limits->high);
	return 0;
}

int npu_quant_quantize(const struct npu_quant_scheme *scheme, const float *x, size_t count,
		       float scale, int32_t zero_point, void *q, struct npu_error *err)
{
	struct npu_quant_limits limits;
	int ret = check_run(scheme, "npu_quant_quantize", !count || (x && q), scale, zero_point,
			    &limits, err);

	if (ret)
		return ret;
	for (size_t i = 0; i < count; i++)
		if (isnan(x[i]))
			return npu_fail(err, -EINVAL, "npu_quant_quantize: element %zu is NaN", i);
	npu_quant_run(scheme, &limits, x, count, scale, zero_point, q, 0);
	return 0;
}

int npu_quant_dequantize(const struct npu_quant_scheme *scheme, const void *q, size_t count,
			 float scale, int32_t zero_point, float *x, struct npu_error *err)
{
	struct npu_quant_limits limits;
	int ret = check_run(scheme, "npu_quant_dequantize", !count || (x && q), scale, zero_point,
			    &limits, err);

	if (ret)
		return ret;
	npu_dequant_run(scheme, q, 0, count, scale, zero_point, x);
	return 0;
}
