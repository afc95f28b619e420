// SPDX-License-Identifier: MIT
/*
 * Fixed point: real factors as multipliers and shifts, and epilogues made of them.
 */
#include <errno.h>

#include "quant.h"

static int check_factors(const char *caller, const double *factor, size_t count, bool places,
			 struct npu_error *err)
{
	if (!factor || !count || !places)
		return npu_fail(err, -EINVAL, "%s: no factors, or no place for the results given",
				caller);
	for (size_t i = 0; i < count; i++)
		if (!isfinite(factor[i]) || factor[i] < 0)
			return npu_fail(err, -EINVAL,
					"%s: factor %zu is %g, it must be finite and not negative",
					caller, i, factor[i]);
	return 0;
}

/* ---- 16 bits and a shift for all ------------------------------------------------------- */

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

int npu_quant_fixed16(const double *factor, size_t count, int16_t *multiplier, uint32_t *shift,
		      struct npu_error *err)
{
	int ret = check_factors("npu_quant_fixed16", factor, count, multiplier && shift, err);
	double max = 0;

	if (ret)
		return ret;
	for (size_t i = 0; i < count; i++)
		max = fmax(max, factor[i]);
	if (max == 0 || max >= INT16_MAX + 0.5)
		return npu_fail(err, -EINVAL,
				"npu_quant_fixed16: the largest factor is %g, it must be above 0 "
				"and below 32767.5",
				max);

	*shift = choose_shift(max);
	for (size_t i = 0; i < count; i++)
		multiplier[i] = (int16_t)rint(ldexp(factor[i], *shift));
	return 0;
}

/* ---- 31 bits and an exponent for each -------------------------------------------------- */

static void make_q31(double factor, int32_t *multiplier, int32_t *exponent)
{
	double q31 = round(ldexp(frexp(factor, exponent), 31));

	if (q31 == 0x1p31) {
		q31 = 0x1p30;
		++*exponent;
	}
	*multiplier = (int32_t)q31;
	if (*exponent < NPU_EXPONENT_MIN || !*multiplier) {
		*multiplier = 0;
		*exponent = 0;
	}
}

int npu_quant_tflite(const double *factor, size_t count, int32_t *multiplier, int32_t *exponent,
		     struct npu_error *err)
{
	int ret = check_factors("npu_quant_tflite", factor, count, multiplier && exponent, err);

	if (ret)
		return ret;
	for (size_t i = 0; i < count; i++) {
		int32_t m, e;

		make_q31(factor[i], &m, &e);
		if (e > NPU_EXPONENT_MAX)
			return npu_fail(err, -EINVAL,
					"npu_quant_tflite: factor %zu is %g, it must be below 2^%d",
					i, factor[i], NPU_EXPONENT_MAX);
	}
	for (size_t i = 0; i < count; i++)
		make_q31(factor[i], &multiplier[i], &exponent[i]);
	return 0;
}

/* ---- Biases ---------------------------------------------------------------------------- */

static int check_scale_w(const char *caller, const float *scale, size_t count,
			 struct npu_error *err)
{
	for (size_t i = 0; i < count; i++)
		if (!npu_quant_is_scale(scale[i]))
			return npu_fail(err, -EINVAL,
					"%s: scale_w[%zu] is %g, it must be positive and finite",
					caller, i, (double)scale[i]);
	return 0;
}

/* The bias of a channel in units of the accumulator. */
static double bias_value(const float *bias, uint32_t n, float scale_a, const float *scale_w,
			 uint32_t scale_count)
{
	double unit = (double)scale_a * (double)scale_w[scale_count == 1 ? 0 : n];

	return rint((double)bias[n] / unit);
}

int npu_quant_bias(const float *bias, uint32_t n, float scale_a, const float *scale_w,
		   uint32_t scale_count, int32_t *q, struct npu_error *err)
{
	const char *me = "npu_quant_bias";
	int ret;

	if (!bias || !n || !scale_w || !q || (scale_count != 1 && scale_count != n))
		return npu_fail(err, -EINVAL,
				"%s: %u biases and %u scales, or no place for the results given",
				me, n, scale_count);
	if (!npu_quant_is_scale(scale_a))
		return npu_fail(err, -EINVAL, "%s: scale_a is %g, it must be positive and finite",
				me, (double)scale_a);
	ret = check_scale_w(me, scale_w, scale_count, err);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < n; i++) {
		double value = bias_value(bias, i, scale_a, scale_w, scale_count);

		if (!isfinite(bias[i]))
			return npu_fail(err, -EINVAL, "%s: bias %u is %f", me, i, (double)bias[i]);
		if (!(fabs(value) <= NPU_BIAS_MAX))
			return npu_fail(
				err, -ERANGE,
				"%s: the bias of channel %u is %g units of its accumulator, "
				"at most 2^30 fit: take a larger scale for its weights, or "
				"NPU_SCALING_FLOAT",
				me, i, value);
	}
	for (uint32_t i = 0; i < n; i++)
		q[i] = (int32_t)bias_value(bias, i, scale_a, scale_w, scale_count);
	return 0;
}

/* ---- Epilogues ------------------------------------------------------------------------- */

static const char *layer_fault(const struct npu_quant_layer *layer)
{
	uint64_t all;

	if (!layer || layer->size != sizeof(*layer))
		return "no layer given, or its size is not sizeof(struct npu_quant_layer)";
	all = (uint64_t)layer->n * (layer->groups ? layer->groups : 1);
	if (!layer->n || !layer->scale_w)
		return "n is 0, or scale_w is NULL";
	if (layer->scale_count != 1 && layer->scale_count != all)
		return "scale_count must be 1 or n * groups";
	if ((unsigned int)layer->scaling >= NPU_SCALING_NONE)
		return "scaling has no scales, or is not one of enum npu_scaling";
	if (layer->groups > 1 && layer->scaling != NPU_SCALING_FLOAT)
		return "more than one group goes with NPU_SCALING_FLOAT only";
	if (!npu_quant_is_scale(layer->scale_a) || !npu_quant_is_scale(layer->scale_c))
		return "scale_a and scale_c must be positive and finite";
	return NULL;
}

size_t npu_quant_epilogue_bytes(const struct npu_quant_layer *layer)
{
	if (layer_fault(layer))
		return 0;
	/* Factors while they are made, whatever becomes of them, and a bias. */
	return layer->scale_count * (sizeof(double) + 2 * sizeof(int32_t)) +
	       layer->n * sizeof(int32_t);
}

static int fill_bias(const struct npu_quant_layer *layer, void *room,
		     struct npu_epilogue_desc *desc, struct npu_error *err)
{
	float *real = room;

	if (!layer->bias)
		return 0;
	if (layer->scaling != NPU_SCALING_FLOAT) {
		desc->bias = room;
		return npu_quant_bias(layer->bias, layer->n, layer->scale_a, layer->scale_w,
				      layer->scale_count, room, err);
	}
	desc->float_bias = real;
	for (uint32_t i = 0; i < layer->n; i++) {
		real[i] = (float)((double)layer->bias[i] / (double)layer->scale_c);
		if (!isfinite(real[i]))
			return npu_fail(err, -EINVAL,
					"npu_quant_epilogue: bias %u is %g, which is no float in "
					"units of scale_c",
					i, (double)layer->bias[i]);
	}
	return 0;
}

static int fill_float(const double *factor, size_t count, float *scale, struct npu_error *err)
{
	for (size_t i = 0; i < count; i++) {
		scale[i] = (float)factor[i];
		if (!isfinite(scale[i]))
			return npu_fail(err, -EINVAL,
					"npu_quant_epilogue: factor %zu is %g, which is no float",
					i, factor[i]);
	}
	return 0;
}

/* @room is for two int32 a factor. */
static int fill_scaling(const struct npu_quant_layer *layer, const double *factor, void *room,
			struct npu_epilogue_desc *desc, struct npu_error *err)
{
	uint32_t count = layer->scale_count;
	int32_t *exponent = (int32_t *)room + count;

	switch (layer->scaling) {
	case NPU_SCALING_FIXED16:
		desc->multiplier = room;
		return npu_quant_fixed16(factor, count, room, &desc->shift, err);
	case NPU_SCALING_FLOAT:
		desc->scale = room;
		return fill_float(factor, count, room, err);
	default:
		desc->multiplier_q31 = room;
		desc->exponent = exponent;
		return npu_quant_tflite(factor, count, room, exponent, err);
	}
}

int npu_quant_epilogue(const struct npu_quant_layer *layer, void *room,
		       struct npu_epilogue_desc *desc, struct npu_error *err)
{
	const char *me = "npu_quant_epilogue", *fault = layer_fault(layer);
	struct npu_epilogue_desc filled;
	double *factor = room;
	int ret;

	if (fault || !room || !desc)
		return npu_fail(err, -EINVAL, "%s: %s", me,
				fault ? fault : "no room, or no place for the epilogue given");
	ret = check_scale_w(me, layer->scale_w, layer->scale_count, err);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < layer->scale_count; i++)
		factor[i] =
			(double)layer->scale_a * (double)layer->scale_w[i] / (double)layer->scale_c;

	filled = (struct npu_epilogue_desc){
		.size = sizeof(filled),
		.n = layer->n,
		.groups = layer->groups,
		.scaling = layer->scaling,
		.scale_count = layer->scale_count,
		.zero_point = layer->zero_c,
	};
	ret = fill_scaling(layer, factor, factor + layer->scale_count, &filled, err);
	if (!ret)
		ret = fill_bias(layer, factor + 2 * (size_t)layer->scale_count, &filled, err);
	if (!ret)
		*desc = filled;
	return ret;
}
