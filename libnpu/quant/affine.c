// SPDX-License-Identifier: MIT
/*
 * Affine quantization: from floats to int8 and from real factors to multiplier and shift.
 */
#include <errno.h>
#include <float.h>
#include <math.h>

#include "../error.h"
#include "../object.h"

/* Index of the first element that is not finite, @count if all are. */
static size_t find_not_finite(const float *x, size_t count)
{
	size_t i = 0;

	while (i < count && isfinite(x[i]))
		i++;
	return i;
}

static float max_magnitude(const float *x, size_t count)
{
	float max = 0;

	for (size_t i = 0; i < count; i++)
		max = fmaxf(max, fabsf(x[i]));
	return max;
}

static float symmetric_scale(const float *x, size_t count)
{
	float max = max_magnitude(x, count);
	float scale = max / 127;

	if (max == 0)
		return 1;
	/* Among the denormals a quotient can lose so much that max would not fit into 127 steps. */
	if (scale < FLT_MIN && (double)scale * 127.5 < max)
		scale = nextafterf(scale, 1);
	return scale;
}

int npu_quant_scale(const float *x, size_t count, float *scale, struct npu_error *err)
{
	size_t bad;

	if (!x || !count || !scale)
		return npu_fail(err, -EINVAL,
				"npu_quant_scale: no elements, or no place for the "
				"scale given");
	bad = find_not_finite(x, count);
	if (bad < count)
		return npu_fail(err, -EINVAL, "npu_quant_scale: element %zu is %f", bad,
				(double)x[bad]);
	*scale = symmetric_scale(x, count);
	return 0;
}

/* @x is not NaN; infinities end up at the limits. */
static int8_t quantize(float x, float scale, int32_t zero_point)
{
	double q = rint((double)(x / scale)) + zero_point;

	return q < INT8_MIN ? INT8_MIN : q > INT8_MAX ? INT8_MAX : (int8_t)q;
}

int npu_quant_int8(const float *x, size_t count, float scale, int32_t zero_point, int8_t *q,
		   struct npu_error *err)
{
	if ((!x || !q) && count)
		return npu_fail(err, -EINVAL,
				"npu_quant_int8: no elements, or no place for the "
				"results given");
	if (!isfinite(scale) || scale <= 0)
		return npu_fail(err, -EINVAL,
				"npu_quant_int8: scale is %g, it must be positive and finite",
				(double)scale);
	for (size_t i = 0; i < count; i++)
		if (isnan(x[i]))
			return npu_fail(err, -EINVAL, "npu_quant_int8: element %zu is NaN", i);
	for (size_t i = 0; i < count; i++)
		q[i] = quantize(x[i], scale, zero_point);
	return 0;
}

int npu_quant_weights(const float *w, uint32_t n, uint32_t k, int8_t *q, float *scale,
		      struct npu_error *err)
{
	size_t bad;

	if (!w || !q || !scale || !n || !k)
		return npu_fail(err, -EINVAL,
				"npu_quant_weights: %u x %u weights, or no place for "
				"them or their scales given",
				n, k);
	bad = find_not_finite(w, (size_t)n * k);
	if (bad < (size_t)n * k)
		return npu_fail(err, -EINVAL, "npu_quant_weights: row %zu, column %zu is %f",
				bad / k, bad % k, (double)w[bad]);

	for (uint32_t row = 0; row < n; row++) {
		const float *x = w + (size_t)row * k;

		scale[row] = symmetric_scale(x, k);
		for (uint32_t col = 0; col < k; col++)
			q[(size_t)row * k + col] = quantize(x[col], scale[row], 0);
	}
	return 0;
}

/* Largest shift that leaves @max in 15 bits, @max being in (0, 32767.5). */
static uint32_t choose_shift(double max)
{
	int exponent;

	frexp(max, &exponent);
	if (exponent < 15 - NPU_SHIFT_MAX)
		return NPU_SHIFT_MAX;
	/* Rounding may carry into the 16th bit. */
	if (exponent < 15 && rint(ldexp(max, 15 - exponent)) > INT16_MAX)
		exponent++;
	return 15 - exponent;
}

int npu_quant_requantize(const float *factor, size_t count, int16_t *multiplier, uint32_t *shift,
			 struct npu_error *err)
{
	double max = 0;

	if (!factor || !count || !multiplier || !shift)
		return npu_fail(err, -EINVAL,
				"npu_quant_requantize: no factors, or no place for "
				"the results given");
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(factor[i]) || factor[i] < 0)
			return npu_fail(err, -EINVAL,
					"npu_quant_requantize: factor %zu is %g, it must be "
					"finite and not negative",
					i, (double)factor[i]);
		max = fmax(max, factor[i]);
	}
	if (max == 0 || max >= INT16_MAX + 0.5)
		return npu_fail(err, -EINVAL,
				"npu_quant_requantize: the largest factor is %g, it must be above "
				"0 and below 32767.5",
				max);

	*shift = choose_shift(max);
	for (size_t i = 0; i < count; i++)
		multiplier[i] = (int16_t)rint(ldexp((double)factor[i], *shift));
	return 0;
}

static void to_q31(double factor, int32_t *multiplier, int32_t *exponent)
{
	int64_t q31 = llround(ldexp(frexp(factor, exponent), 31));

	if (q31 == INT64_C(1) << 31) {
		q31 /= 2;
		++*exponent;
	}
	if (*exponent < NPU_EXPONENT_MIN) {
		q31 = 0;
		*exponent = 0;
	}
	*multiplier = q31;
}

int npu_quant_requantize_q31(const double *factor, size_t count, int32_t *multiplier,
			     int32_t *exponent, struct npu_error *err)
{
	/* What would round to 2^30 has an exponent of 31. */
	const double limit = ldexp(1, 30) - ldexp(1, -2);

	if (!factor || !count || !multiplier || !exponent)
		return npu_fail(err, -EINVAL,
				"npu_quant_requantize_q31: no factors, or no place for the results "
				"given");
	for (size_t i = 0; i < count; i++)
		if (!(factor[i] >= 0 && factor[i] < limit))
			return npu_fail(
				err, -EINVAL,
				"npu_quant_requantize_q31: factor %zu is %g, it must not be "
				"negative and below 2^30",
				i, factor[i]);
	for (size_t i = 0; i < count; i++)
		to_q31(factor[i], &multiplier[i], &exponent[i]);
	return 0;
}
