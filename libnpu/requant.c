// SPDX-License-Identifier: MIT
/*
 * Requantization. This file is the definition in npu.h put into C; the CPU backend and the host
 * steps of the NPU backends both end here, so that there is one place that decides about bits.
 *
 * A strip goes through it stage by stage, each a plain loop over channels that a compiler can
 * vectorise: without branches, and with what belongs to a channel side by side. Float arithmetic
 * relies on binary32 operations that round one by one: the file is compiled without contraction.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "requant.h"
#include "vectors.h"

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
	const int64_t sign = x >> 63, half = (INT64_C(1) << shift) >> 1;

	return ((((x ^ sign) - sign + half) >> shift) ^ sign) - sign;
}

/* x / 2^shift to nearest, halves up; @shift is at least 1. */
static int64_t round_up(int64_t x, uint32_t shift)
{
	return (x + (INT64_C(1) << (shift - 1))) >> shift;
}

static int32_t scale_tflite(int32_t x, int32_t m, int32_t exponent)
{
	return clamp32(round_up((int64_t)x * m, 31 - exponent));
}

/* m is not negative, so the upper half of twice the product always fits. */
static int32_t scale_tflite_double(int32_t x, int32_t m, int32_t exponent)
{
	const uint32_t left = exponent > 0 ? exponent : 0;
	const uint32_t right = exponent < 0 ? -exponent : 0;
	const int64_t shifted = clamp32((int64_t)x * (INT64_C(1) << left));

	return round_away(round_up(shifted * m, 31), right);
}

/* For 48-bit accumulators: the multiplier is reduced to 16 bits. */
static int32_t scale_tflite_wide(int64_t x, int32_t m, int32_t exponent)
{
	const int64_t reduced = m < 0x7fff0000 ? (m + (1 << 15)) >> 16 : 0x7fff;

	return clamp32(round_up(x * reduced, 15 - exponent));
}

/* ---- Channels -------------------------------------------------------------------------- */

/**
 * struct channels - what belongs to the channels of a strip in one group, side by side
 * @count: Channels.
 * @offset: What is added to each sum, if @has_offset: bias, and -za * (sum of w).
 * @w_zero_point: If w has any.
 * @multiplier, @exponent: TFLITE's.
 * @scale: FLOAT's.
 */
struct channels {
	uint32_t count;
	bool has_offset;
	int64_t offset[NPU_STRIP];
	int32_t w_zero_point[NPU_STRIP];
	int32_t multiplier[NPU_STRIP];
	int32_t exponent[NPU_STRIP];
	float scale[NPU_STRIP];
};

static void gather_offsets(const struct npu_requant *rq, const struct npu_strip *strip, uint32_t g,
			   struct channels *c)
{
	const size_t first = (size_t)strip->first * rq->groups + g;
	const int32_t *bias = rq->epilogue.bias;

	c->has_offset = bias || rq->a_zero_point;
	for (uint32_t i = 0; c->has_offset && i < c->count; i++)
		c->offset[i] = bias ? bias[strip->first + i] : 0;
	for (uint32_t i = 0; rq->a_zero_point && i < c->count; i++)
		c->offset[i] -= rq->a_zero_point * strip->w_sum[first + (size_t)i * rq->groups];
}

static void gather_tflite(const struct npu_epilogue_desc *e, const struct npu_strip *strip,
			  struct channels *c)
{
	const bool own = e->scale_count > 1;

	for (uint32_t i = 0; i < c->count; i++) {
		c->multiplier[i] = e->multiplier_q31[own ? strip->first + i : 0];
		c->exponent[i] = e->exponent[own ? strip->first + i : 0];
	}
}

/* Arrays of channels and groups are [n][groups]. */
static void gather(const struct npu_requant *rq, const struct npu_strip *strip, uint32_t g,
		   struct channels *c)
{
	const struct npu_epilogue_desc *e = &rq->epilogue;
	const size_t first = (size_t)strip->first * rq->groups + g, step = rq->groups;

	c->count = strip->count;
	gather_offsets(rq, strip, g, c);
	for (uint32_t i = 0; rq->w_zero_point && i < c->count; i++)
		c->w_zero_point[i] = rq->w_zero_point[first + i * step];
	if (e->scaling == NPU_SCALING_TFLITE || e->scaling == NPU_SCALING_TFLITE_DOUBLE)
		gather_tflite(e, strip, c);
	for (uint32_t i = 0; e->scaling == NPU_SCALING_FLOAT && i < c->count; i++)
		c->scale[i] = e->scale[e->scale_count > 1 ? first + i * step : 0];
}

/* ---- Accumulators ---------------------------------------------------------------------- */

static uint32_t group_length(const struct npu_requant *rq, uint32_t group)
{
	uint32_t first = group * rq->group_size;

	return rq->k - first < rq->group_size ? rq->k - first : rq->group_size;
}

static void load_sums(const struct npu_strip *strip, uint32_t row, int64_t *s)
{
	const size_t at = row * strip->stride;

	if (strip->sum32)
		for (uint32_t i = 0; i < strip->count; i++)
			s[i] = strip->sum32[at + i];
	else
		memcpy(s, strip->sum + at, strip->count * sizeof(*s));
}

/*
 * Accumulators of a row: sums over (a - za) * (w - zw) by way of
 *	sum of a * w - za * (sum of w) - zw * (sum of a - length * za)
 * and bias.
 */
static void accumulate(const struct npu_requant *rq, const struct npu_strip *strip, uint32_t g,
		       const struct channels *c, uint32_t row, int64_t *s)
{
	const int64_t limit = INT64_C(1) << (rq->wide ? 47 : 31);

	load_sums(strip, row, s);
	if (c->has_offset)
		for (uint32_t i = 0; i < c->count; i++)
			s[i] += c->offset[i];
	if (rq->w_zero_point) {
		int64_t a_sum = strip->a_sum[row] - (int64_t)group_length(rq, g) * rq->a_zero_point;

		for (uint32_t i = 0; i < c->count; i++)
			s[i] -= c->w_zero_point[i] * a_sum;
	}
	if (strip->sum32 && !c->has_offset && !rq->w_zero_point)
		return;
	for (uint32_t i = 0; i < c->count; i++)
		s[i] = clamp(s[i], -limit, limit - 1);
}

/* ---- Integer results ------------------------------------------------------------------- */

static void scale_fixed16(const struct npu_epilogue_desc *e, const struct npu_strip *strip,
			  const int64_t *s, int32_t *t)
{
	const int16_t *m = e->multiplier, one = *m;

	if (e->scale_count > 1)
		for (uint32_t i = 0; i < strip->count; i++)
			t[i] = clamp32(round_away(s[i] * m[strip->first + i], e->shift));
	else
		for (uint32_t i = 0; i < strip->count; i++)
			t[i] = clamp32(round_away(s[i] * one, e->shift));
}

static void scale_by_tflite(const struct npu_requant *rq, const struct channels *c,
			    const int64_t *s, int32_t *t)
{
	if (rq->wide)
		for (uint32_t i = 0; i < c->count; i++)
			t[i] = scale_tflite_wide(s[i], c->multiplier[i], c->exponent[i]);
	else if (rq->epilogue.scaling == NPU_SCALING_TFLITE)
		for (uint32_t i = 0; i < c->count; i++)
			t[i] = scale_tflite(s[i], c->multiplier[i], c->exponent[i]);
	else
		for (uint32_t i = 0; i < c->count; i++)
			t[i] = scale_tflite_double(s[i], c->multiplier[i], c->exponent[i]);
}

static void scale_integers(const struct npu_requant *rq, const struct npu_strip *strip,
			   const struct channels *c, const int64_t *s, int32_t *t)
{
	switch (rq->epilogue.scaling) {
	case NPU_SCALING_FIXED16:
		scale_fixed16(&rq->epilogue, strip, s, t);
		break;
	case NPU_SCALING_TFLITE:
	case NPU_SCALING_TFLITE_DOUBLE:
		scale_by_tflite(rq, c, s, t);
		break;
	default:
		for (uint32_t i = 0; i < c->count; i++)
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

static void add_residuals(const struct npu_requant *rq, const void *residual, uint32_t count,
			  int32_t *t)
{
	const struct npu_epilogue_desc *e = &rq->epilogue;

	for (uint32_t i = 0; i < count; i++) {
		int32_t r = integer_residual(rq->residual, residual, i) - e->residual_zero_point;

		t[i] = clamp32((int64_t)t[i] + scale_residual(e, r));
	}
}

static int32_t clamp_to(int32_t x, int32_t low, int32_t high)
{
	return x < low ? low : x > high ? high : x;
}

/* A zero point is in the range of its type, and an int32 has none, so no limit overflows. */
static void store_integers(const struct npu_requant *rq, const int32_t *t, uint32_t count,
			   void *dst)
{
	const int32_t zero_point = rq->output == NPU_TYPE_INT32 ? 0 : rq->epilogue.zero_point;
	const int32_t low = rq->low - zero_point, high = rq->high - zero_point;

	switch (rq->output) {
	case NPU_TYPE_INT8:
	case NPU_TYPE_UINT8:
		for (uint32_t i = 0; i < count; i++)
			((uint8_t *)dst)[i] = clamp_to(t[i], low, high) + zero_point;
		break;
	case NPU_TYPE_INT16:
		for (uint32_t i = 0; i < count; i++)
			((int16_t *)dst)[i] = clamp_to(t[i], low, high) + zero_point;
		break;
	default:
		for (uint32_t i = 0; i < count; i++)
			((int32_t *)dst)[i] = clamp_to(t[i], low, high);
	}
}

/* ---- Float results --------------------------------------------------------------------- */

/* Of one group, after those before it. */
static void add_scaled(const struct channels *c, bool is_first, const int64_t *s, float *f)
{
	if (is_first)
		for (uint32_t i = 0; i < c->count; i++)
			f[i] = (float)s[i] * c->scale[i];
	else
		for (uint32_t i = 0; i < c->count; i++)
			f[i] += (float)s[i] * c->scale[i];
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

static void add_floats(const struct npu_requant *rq, const struct npu_strip *strip,
		       const void *residual, float *f)
{
	const struct npu_epilogue_desc *e = &rq->epilogue;

	if (e->float_bias)
		for (uint32_t i = 0; i < strip->count; i++)
			f[i] += e->float_bias[strip->first + i];
	for (uint32_t i = 0; rq->residual && i < strip->count; i++) {
		float product = float_residual(rq, residual, i) * e->residual_scale;

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

static uint32_t bits_of(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

/* The nearest binary16, halves to even, by whichever of the ways is right for its magnitude. */
static uint16_t to_half(float x)
{
	const uint32_t magnitude = bits_of(x) & 0x7fffffff, sign = bits_of(x) >> 16 & 0x8000;
	/* Below the normal halves these are whole steps of 2^-24, as the numbers above 1/2 have. */
	const uint32_t small = bits_of(fabsf(x) + 0.5f) - 0x3f000000;
	uint32_t half = (magnitude + 0xfff + (magnitude >> 13 & 1) - 0x38000000) >> 13;

	half = magnitude < 0x38800000 ? small : half;
	/* Halfway between the largest half and the next one there would be. */
	half = magnitude >= 0x477ff000 ? 0x7c00 : half;
	half = magnitude > 0x7f800000 ? 0x7e00 : half;
	return sign | half;
}

static float clamp_float(const struct npu_requant *rq, float x)
{
	x = x < rq->float_low ? rq->float_low : x;
	return x > rq->float_high ? rq->float_high : x;
}

static void store_floats(const struct npu_requant *rq, const float *f, uint32_t count, void *dst)
{
	if (rq->output == NPU_TYPE_FLOAT16)
		for (uint32_t i = 0; i < count; i++)
			((uint16_t *)dst)[i] = to_half(clamp_float(rq, f[i]));
	else
		for (uint32_t i = 0; i < count; i++)
			((float *)dst)[i] = clamp_float(rq, f[i]);
}

/* ---- Strips ---------------------------------------------------------------------------- */

static void end_floats(const struct npu_requant *rq, const struct npu_strip *strip,
		       const void *residual, float *f, void *dst)
{
	int32_t t[NPU_STRIP];

	add_floats(rq, strip, residual, f);
	if (npu_type_is_float(rq->output)) {
		store_floats(rq, f, strip->count, dst);
		return;
	}
	for (uint32_t i = 0; i < strip->count; i++)
		t[i] = round_even(f[i]);
	store_integers(rq, t, strip->count, dst);
}

static void end_integers(const struct npu_requant *rq, const struct npu_strip *strip,
			 const struct channels *c, const void *residual, const int64_t *s,
			 void *dst)
{
	int32_t t[NPU_STRIP];

	scale_integers(rq, strip, c, s, t);
	if (rq->residual)
		add_residuals(rq, residual, strip->count, t);
	store_integers(rq, t, strip->count, dst);
}

NPU_VECTORS __attribute__((flatten)) void npu_requant_group(const struct npu_requant *rq,
							    const struct npu_strip *strip,
							    uint32_t group, float *partial,
							    void *dst, size_t dst_stride)
{
	const uint8_t *residual = strip->residual;
	uint8_t *to = dst;
	struct channels c;
	int64_t s[NPU_STRIP];

	gather(rq, strip, group, &c);
	for (uint32_t row = 0; row < strip->rows; row++) {
		accumulate(rq, strip, group, &c, row, s);
		if (rq->epilogue.scaling != NPU_SCALING_FLOAT) {
			end_integers(rq, strip, &c, residual, s, to);
		} else {
			add_scaled(&c, !group, s, partial);
			if (group + 1 == rq->groups)
				end_floats(rq, strip, residual, partial, to);
			partial += strip->stride;
		}
		residual = residual ? residual + strip->residual_stride : NULL;
		to += dst_stride;
	}
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
	return to_half(x);
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
