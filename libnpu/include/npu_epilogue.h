/* SPDX-License-Identifier: MIT */
/*
 * Epilogues: output stages, from the sums of products to results. All arithmetic is defined here.
 */
#ifndef NPU_EPILOGUE_H
#define NPU_EPILOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "npu_error.h"

#if defined(__cplusplus)
extern "C" {
#endif

struct npu_device;
struct npu_epilogue;

/** enum npu_scaling - from accumulators to results; defined at struct npu_epilogue_desc */
enum npu_scaling {
	/** @NPU_SCALING_FIXED16: 16-bit multiplier and a shift, what NVDLA's output stage does. */
	NPU_SCALING_FIXED16 = 0,
	/** @NPU_SCALING_TFLITE: TensorFlow Lite's quantized multiplier, rounded once. */
	NPU_SCALING_TFLITE = 1,
	/** @NPU_SCALING_TFLITE_DOUBLE: The same, rounded twice, as gemmlowp does. */
	NPU_SCALING_TFLITE_DOUBLE = 2,
	/** @NPU_SCALING_FLOAT: binary32 scale, halves to even: ONNX, XNNPACK; and float results. */
	NPU_SCALING_FLOAT = 3,
	/** @NPU_SCALING_NONE: the accumulator itself: exact int32. */
	NPU_SCALING_NONE = 4,
};

/** enum npu_activation - what follows the scaling */
enum npu_activation {
	NPU_ACTIVATION_NONE = 0,
	NPU_ACTIVATION_RELU = 1,  /* negative results become 0, before the zero point is added */
	NPU_ACTIVATION_RELU6 = 2, /* and those above 6.0 become 6.0 */
};

/** Largest magnitude of a bias. */
#define NPU_BIAS_MAX (1 << 30)

/** Largest right shift of FIXED16. */
#define NPU_SHIFT_MAX 62

/** Range of a TFLITE exponent. */
#define NPU_EXPONENT_MIN (-31)
#define NPU_EXPONENT_MAX 30

/**
 * struct npu_epilogue_desc - from accumulators to results
 * @size: sizeof(struct npu_epilogue_desc), set by the caller.
 * @n: Output channels.
 * @groups: Groups of K that have scales of their own, as the weights have them; 0 means 1. More
 *	than 1 goes with FLOAT only.
 * @bias: @n values of magnitude at most NPU_BIAS_MAX, in units of the accumulator, or NULL for
 *	none; not with more than one group.
 * @float_bias: FLOAT: @n finite values in units of the scaled result, or NULL for none.
 * @scaling: One of enum npu_scaling.
 * @scale_count: Values in the arrays of the scaling: 1 (per tensor) or @n * @groups (per channel,
 *	or [n][groups]); not used with NONE.
 * @multiplier: FIXED16: any int16.
 * @shift: FIXED16: right shift of the product, 0 to NPU_SHIFT_MAX.
 * @multiplier_q31: TFLITE: 0 to 2^31 - 1; the factor is multiplier_q31 * 2^(exponent - 31).
 * @exponent: TFLITE: NPU_EXPONENT_MIN to NPU_EXPONENT_MAX; TensorFlow's "shift", left if positive.
 * @scale: FLOAT: finite values.
 * @zero_point: Zero point of the result: a value of its type; 0 for int32 and float.
 * @activation: One of enum npu_activation.
 * @output_scale: RELU6 on integer results: what one step of the result means, above 0.
 * @clamp: If true, results are clamped to @clamp_min..@clamp_max in the end.
 * @clamp_min, @clamp_max: In units of the stored result, so that the zero point is included; whole
 *	numbers of its type where that is an integer. @clamp_min is at most @clamp_max.
 * @residual_zero_point: Zero point zr of the residual; a value of its type, 0 for float.
 * @residual_multiplier, @residual_shift: FIXED16: the residual's factor. With 1 and 0 it has the
 *	same scale as the result, which NVDLA can add as it goes along.
 * @residual_multiplier_q31, @residual_exponent: TFLITE: the residual's factor.
 * @residual_scale: FLOAT: the residual's factor.
 *
 * All arrays are copied. The accumulator of row m and channel n is the exact sum over K (or over a
 * group of K), with zero points za of A and zw of W,
 *
 *	acc = sum over k of (a[m][k] - za) * (w[n][k] - zw[n][group of k])
 *	s = acc + bias[n], clamped to int32; with an int16 A to 48 bits
 *
 * and the scaling makes of it, each time clamped to int32,
 *
 *	FIXED16		t = round_away(s * multiplier / 2^shift)
 *	TFLITE		t = round_up(s * multiplier_q31 / 2^(31 - exponent))
 *	TFLITE_DOUBLE	t = round_away(round_up(clamp32(s * 2^max(exponent, 0)) *
 *			multiplier_q31 / 2^31) / 2^max(-exponent, 0))
 *	NONE		t = s
 *	FLOAT		f = sum over groups of float(s) * scale, then + float_bias[n]
 *
 * round_away rounds to nearest, halves away from zero; round_up to nearest, halves towards
 * +infinity. With an int16 A, TFLITE and TFLITE_DOUBLE are both what TensorFlow Lite does with
 * 64-bit accumulators: the multiplier is reduced to 16 bits, r = min((multiplier_q31 + 2^15) / 2^16
 * rounded down, 2^15 - 1), and t = round_up(s * r / 2^(15 - exponent)); the exponent is then at
 * most 14.
 * FLOAT is binary32 arithmetic: float() and each product and sum are rounded to nearest, halves to
 * even, groups are added in the order of K, and there is no contraction. Then, with r the residual
 * and its own factor,
 *
 *	FIXED16		t = clamp32(t + clamp32(round_away((r - zr) * multiplier / 2^shift)))
 *	TFLITE		t = clamp32(t + what the scaling makes of r - zr, for an 8-bit A)
 *	NONE		t = clamp32(t + r - zr)
 *	FLOAT		f = f + float(r - zr) * residual_scale
 *
 * An integer residual goes with any scaling, a float one with FLOAT, where float() of it is the
 * value itself. Integer results of FLOAT: t = clamp32(f rounded, halves to even), 0 for NaN. Then
 *
 *	t = max(t, 0)					with RELU and RELU6
 *	t = min(t, round_away(6 / output_scale))	with RELU6; a binary32 quotient
 *	c = t + zero_point, clamped to the type, then to clamp_min..clamp_max
 *
 * Float results go with FLOAT: f = max(f, 0), f = min(f, 6), clamped, and rounded to binary16 where
 * that is the type, halves to even, too large ones to infinity. What is no number, such as infinity
 * less infinity or the sum with a residual that is none, stays so, and is stored as the same NaN on
 * every device: 0x7fc00000, in binary16 0x7e00.
 *
 * The CPU, as a device or for an NPU, computes in the calling thread or in a thread of the queue or
 * the device, and counts on floating point as programs begin with it: rounded to nearest, and with
 * subnormal numbers. Where a program changes that (fesetround(), or FTZ and DAZ, which -ffast-math
 * sets), calls of that thread, and threads started from it, may give other bits.
 *
 * Sources: FIXED16 is NVDLA's output stage (SDP). TFLITE and TFLITE_DOUBLE are TensorFlow Lite's
 * MultiplyByQuantizedMultiplier with and without TFLITE_SINGLE_ROUNDING; the latter is gemmlowp's
 * SaturatingRoundingDoublingHighMul and RoundingDivideByPOT, and its left shift saturates here
 * where it would overflow there. FLOAT is QLinearMatMul of ONNX as ONNX Runtime computes it.
 */
struct npu_epilogue_desc {
	size_t size;
	uint32_t n;
	uint32_t groups;
	const int32_t *bias;
	const float *float_bias;
	enum npu_scaling scaling;
	uint32_t scale_count;
	const int16_t *multiplier;
	uint32_t shift;
	const int32_t *multiplier_q31;
	const int32_t *exponent;
	const float *scale;
	int32_t zero_point;
	enum npu_activation activation;
	float output_scale;
	bool clamp;
	double clamp_min;
	double clamp_max;
	int32_t residual_zero_point;
	int16_t residual_multiplier;
	uint32_t residual_shift;
	int32_t residual_multiplier_q31;
	int32_t residual_exponent;
	float residual_scale;
};

/**
 * Makes an epilogue.
 *
 * Errors: -EINVAL (the text names the field and the channel), -ENOMEM.
 */
int npu_epilogue_create(struct npu_device *dev, const struct npu_epilogue_desc *desc,
			struct npu_epilogue **epilogue, struct npu_error *err);

/** Gives up the caller's hold on an epilogue. */
void npu_epilogue_destroy(struct npu_epilogue *epilogue);

#if defined(__cplusplus)
}
#endif

#endif /* NPU_EPILOGUE_H */
