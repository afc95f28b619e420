// SPDX-License-Identifier: MIT
/*
 * Requantization. This file is the definition in npu_epilogue.h put into C; the CPU backend and the
 * host steps of the NPU backends both end here, so that there is one place that decides about bits.
 *
 * A strip goes through it stage by stage, each a plain loop over channels. Float arithmetic relies
 * on binary32 operations that round one by one: the file is compiled without contraction.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "requant.h"

#if FLT_EVAL_METHOD != 0
#error "binary32 arithmetic is needed: on x86 compile with -msse2 -mfpmath=sse"
#endif

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
	return x < low ? low : x > high ? high : x;
}

static int32_t clamp32(int64_t x)
{
	return clamp(x, INT32_MIN, INT32_MAX);
}

/* ---- Integer scaling ------------------------------------------------------------------- */

/* x / 2^shift to nearest, halves away from zero. |x| is at most 2^62, so adding cannot overflow. */
static int64_t round_away(int64_t x, uint32_t shift)
{
	int64_t half = shift ? INT64_C(1) << (shift - 1) : 0;

	return x < 0 ? -((-x + half) >> shift) : (x + half) >> shift;
}

/* x / 2^shift to nearest, halves up; @shift is at least 1. */
static int64_t round_up(int64_t x, uint32_t shift)
{
	return (x + (INT64_C(1) << (shift - 1))) >> shift;
}

/* 2 * x * m / 2^32 to nearest, halves up; m is not negative, so it always fits. */
static int32_t doubling_high_mul(int32_t x, int32_t m)
{
	return round_up((int64_t)x * m, 31);
}

static int32_t scale_tflite(int32_t x, int32_t m, int32_t exponent)
{
	return clamp32(round_up((int64_t)x * m, 31 - exponent));
}

static int32_t scale_tflite_double(int32_t x, int32_t m, int32_t exponent)
{
	uint32_t left = exponent > 0 ? exponent : 0;
	uint32_t right = exponent < 0 ? -exponent : 0;

	x = clamp32((int64_t)x * (INT64_C(1) << left));
	return round_away(doubling_high_mul(x, m), right);
}

/* For 48-bit accumulators: the multiplier is reduced to 16 bits. */
static int32_t scale_tflite_wide(int64_t x, int32_t m, int32_t exponent)
{
	int64_t reduced = m < 0x7fff0000 ? (m + (1 << 15)) >> 16 : 0x7fff;

	return clamp32(round_up(x * reduced, 15 - exponent));
}

/* ---- Accumulators ---------------------------------------------------------------------- */

static uint32_t group_length(const struct npu_requant *rq, uint32_t group)
{
	uint32_t first = group * rq->group_size;

	return rq->k - first < rq->group_size ? rq->k - first : rq->group_size;
}

/*
 * Accumulators of group @g: sums over (a - za) * (w - zw) by way of
 *	sum of a * w - za * (sum of w) - zw * (sum of a - length * za)
 */
static void accumulate(const struct npu_requant *rq, const struct npu_strip *strip, uint32_t g,
		       int64_t *s)
{
	const int64_t za = rq->a_zero_point;
	const size_t first = (size_t)strip->first * rq->groups + g;

	memcpy(s, strip->sum, strip->count * sizeof(*s));
	if (za)
		for (uint32_t i = 0; i < strip->count; i++)
			s[i] -= za * strip->w_sum[first + (size_t)i * rq->groups];
	if (rq->w_zero_point) {
		int64_t a_sum = strip->a_sum - (int64_t)group_length(rq, g) * za;

		for (uint32_t i = 0; i < strip->count; i++)
			s[i] -= rq->w_zero_point[first + (size_t)i * rq->groups] * a_sum;
	}
}

static void add_bias(const struct npu_requant *rq, const struct npu_strip *strip, int64_t *s)
{
	const int64_t limit = INT64_C(1) << (rq->wide ? 47 : 31);

	if (rq->epilogue.bias)
		for (uint32_t i = 0; i < strip->count; i++)
			s[i] += rq->epilogue.bias[strip->first + i];
	for (uint32_t i = 0; i < strip->count; i++)
		s[i] = clamp(s[i], -limit, limit - 1);
}

/* ---- Integer results ------------------------------------------------------------------- */

static void scale_integers(const struct npu_requant *rq, const struct npu_strip *strip,
			   const int64_t *s, int32_t *t)
{
	const struct npu_epilogue_desc *e = &rq->epilogue;
	const uint32_t step = e->scale_count > 1, first = step * strip->first;

	switch (e->scaling) {
	case NPU_SCALING_FIXED16:
		for (uint32_t i = 0; i < strip->count; i++)
			t[i] = clamp32(
				round_away(s[i] * e->multiplier[first + i * step], e->shift));
		break;
	case NPU_SCALING_TFLITE:
	case NPU_SCALING_TFLITE_DOUBLE:
		for (uint32_t i = 0; i < strip->count; i++) {
			int32_t m = e->multiplier_q31[first + i * step];
			int32_t exponent = e->exponent[first + i * step];

			t[i] = rq->wide ? scale_tflite_wide(s[i], m, exponent)
			       : e->scaling == NPU_SCALING_TFLITE
				       ? scale_tflite(s[i], m, exponent)
				       : scale_tflite_double(s[i], m, exponent);
		}
		break;
	default:
		for (uint32_t i = 0; i < strip->count; i++)
			t[i] = clamp32(s[i]);
	}
}

static int32_t integer_residual(enum npu_type type, const void *residual, uint32_t i)
{
	switch (type) {
	case NPU_TYPE_INT8:
		return ((const int8_t *)residual)[i];
	case NPU_TYPE_UINT8:
		return ((const uint8_t *)residual)[i];
	case NPU_TYPE_INT16:
		return ((const int16_t *)residual)[i];
	default:
		return ((const int32_t *)residual)[i];
	}
}

static int32_t scale_residual(const struct npu_epilogue_desc *e, int32_t r)
{
	switch (e->scaling) {
	case NPU_SCALING_FIXED16:
		return clamp32(round_away((int64_t)r * e->residual_multiplier, e->residual_shift));
	case NPU_SCALING_TFLITE:
		return scale_tflite(r, e->residual_multiplier_q31, e->residual_exponent);
	case NPU_SCALING_TFLITE_DOUBLE:
		return scale_tflite_double(r, e->residual_multiplier_q31, e->residual_exponent);
	default:
		return r;
	}
}

static void add_residuals(const struct npu_requant *rq, const struct npu_strip *strip, int32_t *t)
{
	const struct npu_epilogue_desc *e = &rq->epilogue;

	for (uint32_t i = 0; i < strip->count; i++) {
		int32_t r =
			integer_residual(rq->residual, strip->residual, i) - e->residual_zero_point;

		t[i] = clamp32((int64_t)t[i] + scale_residual(e, r));
	}
}

static void store_integers(const struct npu_requant *rq, const int32_t *t, uint32_t count,
			   void *dst)
{
	const int64_t zero_point = rq->epilogue.zero_point;

	switch (rq->output) {
	case NPU_TYPE_INT8:
		for (uint32_t i = 0; i < count; i++)
			((int8_t *)dst)[i] = clamp(t[i] + zero_point, rq->low, rq->high);
		break;
	case NPU_TYPE_UINT8:
		for (uint32_t i = 0; i < count; i++)
			((uint8_t *)dst)[i] = clamp(t[i] + zero_point, rq->low, rq->high);
		break;
	case NPU_TYPE_INT16:
		for (uint32_t i = 0; i < count; i++)
			((int16_t *)dst)[i] = clamp(t[i] + zero_point, rq->low, rq->high);
		break;
	default:
		for (uint32_t i = 0; i < count; i++)
			((int32_t *)dst)[i] = clamp(t[i], rq->low, rq->high);
	}
}

/* ---- Float results --------------------------------------------------------------------- */

/* Of one group, after those before it. */
static void add_scaled(const struct npu_requant *rq, const struct npu_strip *strip, uint32_t g,
		       const int64_t *s, float *f)
{
	const struct npu_epilogue_desc *e = &rq->epilogue;
	const size_t step = e->scale_count > 1 ? rq->groups : 0;
	const float *scale = e->scale + strip->first * step + (step ? g : 0);

	for (uint32_t i = 0; i < strip->count; i++) {
		float product = (float)s[i] * scale[i * step];

		f[i] = g ? f[i] + product : product;
	}
}

static float float_residual(const struct npu_requant *rq, const void *residual, uint32_t i)
{
	switch (rq->residual) {
	case NPU_TYPE_FLOAT16:
		return npu_half_to_float(((const uint16_t *)residual)[i]);
	case NPU_TYPE_FLOAT32:
		return ((const float *)residual)[i];
	default:
		return (float)(integer_residual(rq->residual, residual, i) -
			       rq->epilogue.residual_zero_point);
	}
}

static void add_floats(const struct npu_requant *rq, const struct npu_strip *strip, float *f)
{
	const struct npu_epilogue_desc *e = &rq->epilogue;

	if (e->float_bias)
		for (uint32_t i = 0; i < strip->count; i++)
			f[i] += e->float_bias[strip->first + i];
	for (uint32_t i = 0; rq->residual && i < strip->count; i++) {
		float product = float_residual(rq, strip->residual, i) * e->residual_scale;

		f[i] += product;
	}
}

/* Halves to even, clamped to int32; what is no number becomes 0. */
static int32_t round_even(float x)
{
	if (x >= 0x1p31f)
		return INT32_MAX;
	if (x < -0x1p31f)
		return INT32_MIN;
	return x == x ? (int32_t)rintf(x) : 0;
}

static void store_floats(const struct npu_requant *rq, const float *f, uint32_t count, void *dst)
{
	for (uint32_t i = 0; i < count; i++) {
		float x = f[i];

		x = x < rq->float_low ? rq->float_low : x;
		x = x > rq->float_high ? rq->float_high : x;
		if (rq->output == NPU_TYPE_FLOAT16)
			((uint16_t *)dst)[i] = npu_float_to_half(x);
		else
			((float *)dst)[i] = x;
	}
}

/* ---- Strips ---------------------------------------------------------------------------- */

static void end_floats(const struct npu_requant *rq, const struct npu_strip *strip, float *f,
		       void *dst)
{
	int32_t t[NPU_STRIP];

	add_floats(rq, strip, f);
	if (npu_type_is_float(rq->output)) {
		store_floats(rq, f, strip->count, dst);
		return;
	}
	for (uint32_t i = 0; i < strip->count; i++)
		t[i] = round_even(f[i]);
	store_integers(rq, t, strip->count, dst);
}

static void end_integers(const struct npu_requant *rq, const struct npu_strip *strip,
			 const int64_t *s, void *dst)
{
	int32_t t[NPU_STRIP];

	scale_integers(rq, strip, s, t);
	if (rq->residual)
		add_residuals(rq, strip, t);
	store_integers(rq, t, strip->count, dst);
}

void npu_requant_group(const struct npu_requant *rq, const struct npu_strip *strip, uint32_t group,
		       float *partial, void *dst)
{
	int64_t s[NPU_STRIP];

	accumulate(rq, strip, group, s);
	add_bias(rq, strip, s);
	if (rq->epilogue.scaling != NPU_SCALING_FLOAT) {
		end_integers(rq, strip, s, dst);
		return;
	}
	add_scaled(rq, strip, group, s, partial);
	if (group + 1 == rq->groups)
		end_floats(rq, strip, partial, dst);
}

/* ---- Types ----------------------------------------------------------------------------- */

int32_t npu_type_min(enum npu_type type)
{
	return type == NPU_TYPE_INT8	? INT8_MIN
	       : type == NPU_TYPE_UINT8 ? 0
	       : type == NPU_TYPE_INT16 ? INT16_MIN
					: INT32_MIN;
}

int32_t npu_type_max(enum npu_type type)
{
	return type == NPU_TYPE_INT8	? INT8_MAX
	       : type == NPU_TYPE_UINT8 ? UINT8_MAX
	       : type == NPU_TYPE_INT16 ? INT16_MAX
					: INT32_MAX;
}

uint16_t npu_float_to_half(float x)
{
	uint32_t bits, magnitude, sign;

	memcpy(&bits, &x, sizeof(bits));
	magnitude = bits & 0x7fffffff;
	sign = bits >> 16 & 0x8000;
	if (magnitude > 0x7f800000)
		return sign | 0x7e00;
	/* Halfway between the largest half and the next one there would be. */
	if (magnitude >= 0x477ff000)
		return sign | 0x7c00;
	/* Below the normal halves these are whole steps of 2^-24. */
	if (magnitude < 0x38800000)
		return sign | (uint16_t)rintf(fabsf(x) * 0x1p24f);
	magnitude += 0xfff + (magnitude >> 13 & 1);
	return sign | ((magnitude - 0x38000000) >> 13);
}

float npu_half_to_float(uint16_t x)
{
	uint32_t magnitude = x & 0x7fff, bits;
	float result;

	if (magnitude < 0x400) {
		result = (float)magnitude * 0x1p-24f;
		return x & 0x8000 ? -result : result;
	}
	bits = magnitude < 0x7c00 ? (magnitude << 13) + 0x38000000 : magnitude << 13 | 0x7f800000;
	bits |= (uint32_t)(x & 0x8000) << 16;
	memcpy(&result, &bits, sizeof(result));
	return result;
}
