// SPDX-License-Identifier: MIT
/*
 * The right result of a multiplication. Integers are 128 bits wide, so that nothing has to be
 * argued about; the names of TensorFlow Lite and gemmlowp stand for what they do there.
 */
#include <math.h>
#include <string.h>

#include "reference.h"

#if defined(__SIZEOF_INT128__)
typedef __int128 wide;
#else
/* With 32-bit processors it is argued: the widest products are of 48 bits by 15 and 32 by 31. */
typedef int64_t wide;
#endif

static wide between(wide x, wide low, wide high)
{
	if (x > high)
		x = high;
	if (x < low)
		x = low;
	return x;
}

static wide saturate(wide x, int bits)
{
	const wide end = (wide)1 << (bits - 1);

	return between(x, -end, end - 1);
}

/* ---- Operands -------------------------------------------------------------------------- */

static int64_t element(enum npu_type type, const void *data, size_t i)
{
	switch (type) {
	case NPU_TYPE_INT8:
		return ((const int8_t *)data)[i];
	case NPU_TYPE_UINT8:
		return ((const uint8_t *)data)[i];
	case NPU_TYPE_INT16:
		return ((const int16_t *)data)[i];
	default:
		return ((const int32_t *)data)[i];
	}
}

/* @bits bits of @row from bit @at on. */
static unsigned int take_bits(const uint8_t *row, size_t at, unsigned int bits)
{
	unsigned int value = 0;

	for (unsigned int b = 0; b < bits; b++)
		value += (row[(at + b) / 8] >> (at + b) % 8 & 1u) << b;
	return value;
}

static unsigned int weight_bits(const struct npu_weights_desc *w)
{
	return w->type == NPU_WEIGHTS_INT8 ? 8 : w->type == NPU_WEIGHTS_INT4 ? 4 : w->index_bits;
}

static uint32_t group_count(const struct problem *p)
{
	return p->weights.group_size ? (p->k + p->weights.group_size - 1) / p->weights.group_size
				     : 1;
}

static uint32_t group_of(const struct problem *p, uint32_t k)
{
	return p->weights.group_size ? k / p->weights.group_size : 0;
}

static int64_t weight_zero_point(const struct problem *p, uint32_t n, uint32_t group)
{
	const struct npu_weights_desc *w = &p->weights;

	if (!w->zero_point_count)
		return 0;
	if (w->zero_point_count == 1)
		return w->zero_point[0];
	if (w->zero_point_count == p->n)
		return w->zero_point[n];
	return w->zero_point[n * group_count(p) + group];
}

static int64_t weight(const struct problem *p, uint32_t matrix, uint32_t n, uint32_t k)
{
	const struct npu_weights_desc *w = &p->weights;
	const unsigned int bits = weight_bits(w);
	const size_t stride = w->row_stride ? w->row_stride : ((size_t)p->k * bits + 7) / 8;
	const size_t next = w->matrix_stride ? w->matrix_stride : p->n * stride;
	const uint8_t *row = (const uint8_t *)w->data + matrix * next + n * stride;
	int value = (int)take_bits(row, (size_t)k * bits, bits);

	if (w->type == NPU_WEIGHTS_CODEBOOK)
		value = w->codebook[(w->codebook_per_channel ? n * w->codebook_entries : 0) +
				    (unsigned int)value];
	else if (value >= 1 << (bits - 1))
		value -= 1 << bits;
	return value - weight_zero_point(p, n, group_of(p, k));
}

/* s of a group of K. */
static int64_t accumulator(const struct problem *p, uint32_t row, uint32_t n, uint32_t group)
{
	wide s = p->epilogue.bias ? p->epilogue.bias[n] : 0;

	for (uint32_t k = group * p->weights.group_size; k < p->k; k++) {
		int64_t a;

		if (group_of(p, k) != group)
			break;
		a = element(p->a_type, p->a, (size_t)row * p->k + k) - p->a_zero_point;
		s += a * weight(p, row / p->m, n, k);
	}
	return (int64_t)saturate(s, p->a_type == NPU_TYPE_INT16 ? 48 : 32);
}

/* ---- Integer scaling ------------------------------------------------------------------- */

static wide power(unsigned int exponent)
{
	return (wide)1 << exponent;
}

static wide divide_away(wide x, unsigned int shift)
{
	wide quotient = x / power(shift);
	wide rest = x % power(shift);

	if (2 * (rest < 0 ? -rest : rest) >= power(shift))
		quotient += x < 0 ? -1 : 1;
	return quotient;
}

static wide divide_down(wide x, wide divisor)
{
	return x / divisor - (x % divisor < 0);
}

static wide divide_up(wide x, unsigned int shift)
{
	return shift ? divide_down(x + power(shift - 1), power(shift)) : x;
}

/* gemmlowp */
static int32_t SaturatingRoundingDoublingHighMul(int32_t a, int32_t b)
{
	int64_t ab = (int64_t)a * b;
	int32_t nudge = ab >= 0 ? 1 << 30 : 1 - (1 << 30);

	if (a == b && a == INT32_MIN)
		return INT32_MAX;
	return (int32_t)((ab + nudge) / ((int64_t)1 << 31));
}

static int32_t RoundingDivideByPOT(int32_t x, int exponent)
{
	int32_t mask = (int32_t)(((int64_t)1 << exponent) - 1);
	int32_t remainder = x & mask;
	int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);

	return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/* TensorFlow Lite, double rounding; a left shift that overflows saturates. */
static int64_t MultiplyByQuantizedMultiplier(int64_t x, int32_t multiplier, int shift)
{
	int left = shift > 0 ? shift : 0;
	int right = shift > 0 ? 0 : -shift;
	int32_t shifted = (int32_t)saturate(x * power((unsigned int)left), 32);

	return RoundingDivideByPOT(SaturatingRoundingDoublingHighMul(shifted, multiplier), right);
}

static int64_t tflite(const struct problem *p, bool is_wide, int64_t x, int32_t m, int32_t exponent)
{
	int32_t reduced;

	if (is_wide) {
		reduced = m >= 0x7fff0000 ? 0x7fff : (int32_t)divide_down(m + power(15), power(16));
		return (int64_t)divide_up((wide)x * reduced, (unsigned int)(15 - exponent));
	}
	if (p->epilogue.scaling == NPU_SCALING_TFLITE)
		return (int64_t)divide_up((wide)x * m, (unsigned int)(31 - exponent));
	return MultiplyByQuantizedMultiplier(x, m, exponent);
}

static int64_t scaled(const struct problem *p, int64_t s, uint32_t n)
{
	const struct npu_epilogue_desc *e = &p->epilogue;
	uint32_t i = e->scale_count == 1 ? 0 : n;

	switch (e->scaling) {
	case NPU_SCALING_FIXED16:
		return (int64_t)divide_away((wide)s * e->multiplier[i], e->shift);
	case NPU_SCALING_TFLITE:
	case NPU_SCALING_TFLITE_DOUBLE:
		return tflite(p, p->a_type == NPU_TYPE_INT16, s, e->multiplier_q31[i],
			      e->exponent[i]);
	default:
		return s;
	}
}

static int64_t scaled_residual(const struct problem *p, int64_t r)
{
	const struct npu_epilogue_desc *e = &p->epilogue;

	switch (e->scaling) {
	case NPU_SCALING_FIXED16:
		return (int64_t)divide_away((wide)r * e->residual_multiplier, e->residual_shift);
	case NPU_SCALING_TFLITE:
	case NPU_SCALING_TFLITE_DOUBLE:
		return tflite(p, false, r, e->residual_multiplier_q31, e->residual_exponent);
	default:
		return r;
	}
}

/* ---- Floats ---------------------------------------------------------------------------- */

/* Halves to even, by what lies above the whole number below. */
static double round_even(double x)
{
	double below = floor(x), rest = x - below;

	if (rest > 0.5 || (rest == 0.5 && fmod(below, 2) != 0))
		return below + 1;
	return below;
}

/* A half has 11 bits, and none below 2^-24. */
static uint16_t to_half(float x)
{
	uint16_t sign = signbit(x) ? 0x8000 : 0;
	double magnitude = fabs((double)x), steps;
	int exponent;

	if (isnan(x))
		return sign | 0x7e00;
	frexp(magnitude, &exponent);
	if (exponent < -13)
		exponent = -13;
	steps = isinf(x) ? 4096 : round_even(ldexp(magnitude, 11 - exponent));
	if (steps == 2048) {
		steps = 1024;
		exponent++;
	}
	if (exponent > 16 || steps > 2048)
		return sign | 0x7c00;
	if (steps < 1024)
		return sign | (uint16_t)steps;
	return sign | (uint16_t)((exponent + 14) << 10 | ((int)steps - 1024));
}

static float from_half(uint16_t x)
{
	int exponent = x >> 10 & 31, fraction = x & 1023;
	double value;

	if (exponent == 31)
		value = fraction ? (double)NAN : (double)INFINITY;
	else
		value = ldexp(exponent ? 1024 + fraction : fraction,
			      (exponent ? exponent : 1) - 25);
	return (float)(x & 0x8000 ? -value : value);
}

/* Each operation by itself: what is volatile is rounded to binary32. */
static float multiply_floats(float a, float b)
{
	volatile float product = a * b;

	return product;
}

static float add_floats(float a, float b)
{
	volatile float sum = a + b;

	return sum;
}

static float float_residual(const struct problem *p, size_t i)
{
	if (p->residual_type == NPU_TYPE_FLOAT16)
		return from_half(((const uint16_t *)p->residual)[i]);
	if (p->residual_type == NPU_TYPE_FLOAT32)
		return ((const float *)p->residual)[i];
	return (float)(element(p->residual_type, p->residual, i) - p->epilogue.residual_zero_point);
}

static float float_result(const struct problem *p, uint32_t row, uint32_t n)
{
	const struct npu_epilogue_desc *e = &p->epilogue;
	const uint32_t groups = group_count(p);
	float f = 0;

	for (uint32_t g = 0; g < groups; g++) {
		float scale = e->scale[e->scale_count == 1 ? 0 : n * groups + g];
		float product = multiply_floats((float)accumulator(p, row, n, g), scale);

		f = g ? add_floats(f, product) : product;
	}
	if (e->float_bias)
		f = add_floats(f, e->float_bias[n]);
	if (p->residual)
		f = add_floats(f, multiply_floats(float_residual(p, (size_t)row * p->n + n),
						  e->residual_scale));
	return f;
}

static float bounded(const struct npu_epilogue_desc *e, float f)
{
	if (e->activation != NPU_ACTIVATION_NONE && f < 0)
		f = 0;
	if (e->activation == NPU_ACTIVATION_RELU6 && f > 6)
		f = 6;
	if (e->clamp && f < (float)e->clamp_min)
		f = (float)e->clamp_min;
	if (e->clamp && f > (float)e->clamp_max)
		f = (float)e->clamp_max;
	return f;
}

/* ---- Results --------------------------------------------------------------------------- */

static int64_t integer_result(const struct problem *p, uint32_t row, uint32_t n)
{
	const struct npu_epilogue_desc *e = &p->epilogue;
	int64_t t;

	if (e->scaling == NPU_SCALING_FLOAT) {
		float f = float_result(p, row, n);

		if (isnan(f))
			return 0;
		if (fabsf(f) >= 0x1p40f)
			return f < 0 ? INT32_MIN : INT32_MAX;
		return (int64_t)saturate((wide)round_even((double)f), 32);
	}
	t = (int64_t)saturate(scaled(p, accumulator(p, row, n, 0), n), 32);
	if (p->residual) {
		int64_t r = element(p->residual_type, p->residual, (size_t)row * p->n + n) -
			    e->residual_zero_point;

		t = (int64_t)saturate(t + saturate(scaled_residual(p, r), 32), 32);
	}
	return t;
}

/* Activation, zero point, type, clamp. */
static wide stored(const struct problem *p, wide t)
{
	const struct npu_epilogue_desc *e = &p->epilogue;
	wide c;

	if (e->activation != NPU_ACTIVATION_NONE && t < 0)
		t = 0;
	if (e->activation == NPU_ACTIVATION_RELU6 &&
	    (double)t > (double)roundf(6.0f / e->output_scale))
		t = (wide)roundf(6.0f / e->output_scale);
	c = t + e->zero_point;
	c = p->c_type == NPU_TYPE_UINT8 ? between(c, 0, 255)
					: saturate(c, 8 * (int)npu_type_size(p->c_type));
	if (e->clamp)
		c = between(c, (wide)e->clamp_min, (wide)e->clamp_max);
	return c;
}

void reference_result(const struct problem *p, uint32_t row, uint32_t channel, void *dst)
{
	float f;
	int32_t c;
	uint16_t half;

	if (p->c_type == NPU_TYPE_FLOAT32 || p->c_type == NPU_TYPE_FLOAT16) {
		f = bounded(&p->epilogue, float_result(p, row, channel));
		half = to_half(f);
		memcpy(dst, p->c_type == NPU_TYPE_FLOAT32 ? (void *)&f : (void *)&half,
		       npu_type_size(p->c_type));
		return;
	}
	c = (int32_t)stored(p, integer_result(p, row, channel));
	switch (p->c_type) {
	case NPU_TYPE_INT8:
	case NPU_TYPE_UINT8:
		*(uint8_t *)dst = (uint8_t)c;
		break;
	case NPU_TYPE_INT16:
		*(int16_t *)dst = (int16_t)c;
		break;
	default:
		*(int32_t *)dst = c;
	}
}

void reference_results(const struct problem *p, void *c)
{
	const size_t size = npu_type_size(p->c_type);
	char *dst = c;

	for (uint32_t row = 0; row < p->batch * p->m; row++)
		for (uint32_t n = 0; n < p->n; n++, dst += size)
			reference_result(p, row, n, dst);
}

double reference_value(enum npu_type type, const void *data)
{
	uint16_t half;
	float f;

	switch (type) {
	case NPU_TYPE_FLOAT16:
		memcpy(&half, data, sizeof(half));
		return from_half(half);
	case NPU_TYPE_FLOAT32:
		memcpy(&f, data, sizeof(f));
		return f;
	default:
		return (double)element(type, data, 0);
	}
}
