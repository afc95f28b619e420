// SPDX-License-Identifier: MIT
/*
 * Requantization. This file is the definition in npu_epilogue.h put into C; the CPU backend and the
 * host steps of the NPU backends both end here, so that there is one place that decides about bits.
 *
 * A strip goes through it stage by stage, each a plain loop over channels that a compiler can
 * vectorise: without branches, and with what belongs to a channel side by side. Float arithmetic
 * relies on binary32 operations that round one by one: the file is compiled without contraction.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "fixed.h"
#include "half.h"
#include "requant.h"
#include "vectors.h"

#if FLT_EVAL_METHOD != 0
#error "binary32 arithmetic is needed: on x86 compile with -msse2 -mfpmath=sse"
#endif

/* ---- Channels -------------------------------------------------------------------------- */

/**
 * struct channels - what belongs to the channels of a strip in one group, side by side
 * @count: Channels.
 * @offset: What is added to each sum, if @has_offset: bias, and -za * (sum of w).
 * @w_zero_point: If w has any.
 * @left, @multiplier, @shift, @half: TFLITE's, see struct tflite.
 * @scale: FLOAT.
 */
struct channels {
	uint32_t count;
	bool has_offset;
	int64_t offset[NPU_STRIP];
	int32_t w_zero_point[NPU_STRIP];
	int64_t left[NPU_STRIP];
	int64_t multiplier[NPU_STRIP];
	int64_t shift[NPU_STRIP];
	int64_t half[NPU_STRIP];
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

static void gather_tflite(const struct npu_requant *rq, const struct npu_strip *strip,
			  struct channels *c)
{
	const struct npu_epilogue_desc *e = &rq->epilogue;
	const bool own = e->scale_count > 1;

	for (uint32_t i = 0; i < c->count; i++) {
		const uint32_t at = own ? strip->first + i : 0;
		const int32_t m = e->multiplier_q31[at], exponent = e->exponent[at];
		const struct tflite f = rq->wide ? tflite_wide(m, exponent)
					: e->scaling == NPU_SCALING_TFLITE
						? tflite_once(m, exponent)
						: tflite_twice(m, exponent);

		c->left[i] = f.left;
		c->multiplier[i] = f.multiplier;
		c->shift[i] = f.shift;
		c->half[i] = f.half;
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
		gather_tflite(rq, strip, c);
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

/* Sums that are the accumulators themselves. */
static bool are_plain(const struct npu_requant *rq, const struct npu_strip *strip,
		      const struct channels *c)
{
	return strip->sum32 && !c->has_offset && !rq->w_zero_point;
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
	if (are_plain(rq, strip, c))
		return;
	for (uint32_t i = 0; i < c->count; i++)
		s[i] = clamp(s[i], -limit, limit - 1);
}

/* ---- Integer results ------------------------------------------------------------------- */

static void scale_fixed16(const struct npu_epilogue_desc *e, const struct npu_strip *strip,
			  const int64_t *s, int32_t *t)
{
	const uint32_t count = strip->count, shift = e->shift;
	const int64_t half = half_of(shift);
	const int16_t *m = e->multiplier, one = *m;

	if (e->scale_count > 1) {
		m += strip->first;
		for (uint32_t i = 0; i < count; i++)
			t[i] = clamp32(round_away(s[i] * m[i], half, shift));
	} else {
		for (uint32_t i = 0; i < count; i++)
			t[i] = clamp32(round_away(s[i] * one, half, shift));
	}
}

static struct tflite tflite_at(const struct channels *c, uint32_t i)
{
	return (struct tflite){ c->left[i], c->multiplier[i], c->shift[i], c->half[i] };
}

static void scale_tflite(const struct channels *c, bool twice, const int64_t *s, int32_t *t)
{
	const uint32_t count = c->count;

	if (twice)
		for (uint32_t i = 0; i < count; i++)
			t[i] = scale_twice(s[i], tflite_at(c, i));
	else
		for (uint32_t i = 0; i < count; i++)
			t[i] = scale_once(s[i], tflite_at(c, i));
}

static void scale_integers(const struct npu_requant *rq, const struct npu_strip *strip,
			   const struct channels *c, const int64_t *s, int32_t *t)
{
	switch (rq->epilogue.scaling) {
	case NPU_SCALING_FIXED16:
		scale_fixed16(&rq->epilogue, strip, s, t);
		break;
	case NPU_SCALING_TFLITE:
		scale_tflite(c, false, s, t);
		break;
	case NPU_SCALING_TFLITE_DOUBLE:
		scale_tflite(c, !rq->wide, s, t);
		break;
	default:
		for (uint32_t i = 0; i < c->count; i++)
			t[i] = clamp32(s[i]);
	}
}

static void load_residuals(const struct npu_requant *rq, const void *residual, uint32_t count,
			   int32_t *r)
{
	const int32_t zero_point = rq->epilogue.residual_zero_point;

	switch (rq->residual) {
	case NPU_TYPE_INT8:
		for (uint32_t i = 0; i < count; i++)
			r[i] = ((const int8_t *)residual)[i] - zero_point;
		break;
	case NPU_TYPE_UINT8:
		for (uint32_t i = 0; i < count; i++)
			r[i] = ((const uint8_t *)residual)[i] - zero_point;
		break;
	case NPU_TYPE_INT16:
		for (uint32_t i = 0; i < count; i++)
			r[i] = ((const int16_t *)residual)[i] - zero_point;
		break;
	default:
		for (uint32_t i = 0; i < count; i++)
			r[i] = ((const int32_t *)residual)[i] - zero_point;
	}
}

static void scale_residuals(const struct npu_epilogue_desc *e, uint32_t count, int32_t *r)
{
	const int32_t m = e->residual_multiplier_q31, exponent = e->residual_exponent;
	const int64_t factor = e->residual_multiplier, shift = e->residual_shift;
	int64_t half;
	struct tflite f;

	switch (e->scaling) {
	case NPU_SCALING_FIXED16:
		half = half_of(shift);
		for (uint32_t i = 0; i < count; i++)
			r[i] = clamp32(round_away(r[i] * factor, half, shift));
		break;
	case NPU_SCALING_TFLITE:
		f = tflite_once(m, exponent);
		for (uint32_t i = 0; i < count; i++)
			r[i] = scale_once(r[i], f);
		break;
	case NPU_SCALING_TFLITE_DOUBLE:
		f = tflite_twice(m, exponent);
		for (uint32_t i = 0; i < count; i++)
			r[i] = scale_twice(r[i], f);
		break;
	default:
		break;
	}
}

static void add_residuals(const struct npu_requant *rq, const void *residual, uint32_t count,
			  int32_t *t)
{
	int32_t r[NPU_STRIP];

	load_residuals(rq, residual, count, r);
	scale_residuals(&rq->epilogue, count, r);
	for (uint32_t i = 0; i < count; i++)
		t[i] = clamp32((int64_t)t[i] + r[i]);
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

/* Accumulators of one group, after those before it. */
static void add_scaled(const struct channels *c, bool is_first, const int64_t *s, float *f)
{
	const uint32_t count = c->count;

	if (is_first)
		for (uint32_t i = 0; i < count; i++)
			f[i] = (float)s[i] * c->scale[i];
	else
		for (uint32_t i = 0; i < count; i++)
			f[i] += (float)s[i] * c->scale[i];
}

/* The same with sums that are plain. */
static void add_scaled32(const struct channels *c, bool is_first, const int32_t *s, float *f)
{
	const uint32_t count = c->count;

	if (is_first)
		for (uint32_t i = 0; i < count; i++)
			f[i] = (float)s[i] * c->scale[i];
	else
		for (uint32_t i = 0; i < count; i++)
			f[i] += (float)s[i] * c->scale[i];
}

static void load_float_residuals(const struct npu_requant *rq, const void *residual, uint32_t count,
				 float *r)
{
	int32_t integer[NPU_STRIP];

	if (rq->residual == NPU_TYPE_FLOAT32) {
		memcpy(r, residual, count * sizeof(*r));
	} else if (rq->residual == NPU_TYPE_FLOAT16) {
		for (uint32_t i = 0; i < count; i++)
			r[i] = npu_half_to_float(((const uint16_t *)residual)[i]);
	} else {
		load_residuals(rq, residual, count, integer);
		for (uint32_t i = 0; i < count; i++)
			r[i] = (float)integer[i];
	}
}

static void add_floats(const struct npu_requant *rq, const struct npu_strip *strip,
		       const void *residual, float *f)
{
	const struct npu_epilogue_desc *e = &rq->epilogue;
	const float *bias = e->float_bias, scale = e->residual_scale;
	const uint32_t count = strip->count;
	float r[NPU_STRIP];

	if (bias)
		bias += strip->first;
	for (uint32_t i = 0; bias && i < count; i++)
		f[i] += bias[i];
	if (!rq->residual)
		return;
	load_float_residuals(rq, residual, count, r);
	for (uint32_t i = 0; i < count; i++)
		f[i] += r[i] * scale;
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

static float clamp_float(const struct npu_requant *rq, float x)
{
	x = x < rq->float_low ? rq->float_low : x;
	return x > rq->float_high ? rq->float_high : x;
}

/* Processors differ in the bits of what is no number: here they become the same. */
static float one_nan(float x)
{
	return x == x ? x : npu_float_of(0x7fc00000);
}

static void store_floats(const struct npu_requant *rq, const float *f, uint32_t count, void *dst)
{
	if (rq->output == NPU_TYPE_FLOAT16)
		for (uint32_t i = 0; i < count; i++)
			((uint16_t *)dst)[i] = npu_float_to_half(clamp_float(rq, f[i]));
	else
		for (uint32_t i = 0; i < count; i++)
			((float *)dst)[i] = one_nan(clamp_float(rq, f[i]));
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
	const bool is_float = rq->epilogue.scaling == NPU_SCALING_FLOAT;
	const uint8_t *residual = strip->residual;
	uint8_t *to = dst;
	struct channels c;
	int64_t s[NPU_STRIP];

	gather(rq, strip, group, &c);
	for (uint32_t row = 0; row < strip->rows; row++) {
		if (is_float && are_plain(rq, strip, &c)) {
			add_scaled32(&c, !group, strip->sum32 + row * strip->stride, partial);
		} else {
			accumulate(rq, strip, group, &c, row, s);
			if (is_float)
				add_scaled(&c, !group, s, partial);
			else
				end_integers(rq, strip, &c, residual, s, to);
		}
		if (is_float && group + 1 == rq->groups)
			end_floats(rq, strip, residual, partial, to);
		partial = is_float ? partial + strip->stride : NULL;
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
