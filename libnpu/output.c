// SPDX-License-Identifier: MIT
/*
 * Outputs. Activation, type and clamp of an integer result are bounds of what is stored, and make
 * one pair of bounds together; so do those of a float.
 */
#include <errno.h>
#include <float.h>
#include <math.h>

#include "error.h"
#include "output.h"

static const char *type_name(enum npu_type type)
{
	static const char *const names[] = {
		[NPU_TYPE_INT8] = "int8",	[NPU_TYPE_UINT8] = "uint8",
		[NPU_TYPE_INT16] = "int16",	[NPU_TYPE_INT32] = "int32",
		[NPU_TYPE_FLOAT16] = "float16", [NPU_TYPE_FLOAT32] = "float32",
	};

	return names[type];
}

/* ---- Checks ---------------------------------------------------------------------------- */

static int check_zero_point(const char *name, int32_t zero_point, enum npu_type type,
			    struct npu_error *err)
{
	bool has_one = !npu_type_is_float(type) && type != NPU_TYPE_INT32;
	int32_t min = has_one ? npu_type_min(type) : 0, max = has_one ? npu_type_max(type) : 0;

	if (zero_point >= min && zero_point <= max)
		return 0;
	return npu_fail(err, -EINVAL, "matmul: %s is %d, not in %d to %d as %s has it", name,
			zero_point, min, max, type_name(type));
}

static int check_types(const struct npu_matmul_desc *desc, struct npu_error *err)
{
	const struct npu_epilogue_desc *e = &desc->epilogue->desc;
	const enum npu_type a = desc->a->type, c = desc->c->type;

	if (a != NPU_TYPE_INT8 && a != NPU_TYPE_UINT8 && a != NPU_TYPE_INT16)
		return npu_fail(err, -EINVAL, "matmul: a is %s, it must be int8, uint8 or int16",
				type_name(a));
	if (npu_type_is_float(c) && e->scaling != NPU_SCALING_FLOAT)
		return npu_fail(err, -EINVAL, "matmul: c is %s, which needs NPU_SCALING_FLOAT",
				type_name(c));
	if (desc->residual && npu_type_is_float(desc->residual->type) &&
	    e->scaling != NPU_SCALING_FLOAT)
		return npu_fail(err, -EINVAL,
				"matmul: residual is %s, which needs "
				"NPU_SCALING_FLOAT",
				type_name(desc->residual->type));
	return 0;
}

static int check_zero_points(const struct npu_matmul_desc *desc, struct npu_error *err)
{
	const struct npu_epilogue_desc *e = &desc->epilogue->desc;
	int ret;

	ret = check_zero_point("a_zero_point", desc->a_zero_point, desc->a->type, err);
	if (!ret)
		ret = check_zero_point("zero_point", e->zero_point, desc->c->type, err);
	if (!ret && desc->residual)
		ret = check_zero_point("residual_zero_point", e->residual_zero_point,
				       desc->residual->type, err);
	return ret;
}

/* What is wider than 8 bits is scaled with fewer of the multiplier's bits. */
static int check_exponents(const struct npu_matmul_desc *desc, struct npu_error *err)
{
	const struct npu_epilogue_desc *e = &desc->epilogue->desc;

	if (desc->a->type != NPU_TYPE_INT16 || !e->exponent)
		return 0;
	for (uint32_t i = 0; i < e->scale_count; i++)
		if (e->exponent[i] > 14)
			return npu_fail(
				err, -EINVAL,
				"matmul: exponent[%u] is %d, with an int16 a 14 is the most", i,
				e->exponent[i]);
	return 0;
}

/* ---- Bounds ---------------------------------------------------------------------------- */

static double clamp(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

/* Clamping to the bounds so far and then to these: still one pair of bounds. */
static void then_clamp(double *low, double *high, double min, double max)
{
	*low = clamp(*low, min, max);
	*high = clamp(*high, min, max);
}

static int set_integer_bounds(struct npu_requant *rq, struct npu_error *err)
{
	const struct npu_epilogue_desc *e = &rq->epilogue;
	double low = -INFINITY, high = INFINITY;
	double min = npu_type_min(rq->output), max = npu_type_max(rq->output);

	if (e->activation != NPU_ACTIVATION_NONE)
		low = e->zero_point;
	if (e->activation == NPU_ACTIVATION_RELU6) {
		if (!(e->output_scale > 0 && isfinite(e->output_scale)))
			return npu_fail(err, -EINVAL,
					"matmul: output_scale is %g, with NPU_ACTIVATION_RELU6 it "
					"must be above 0",
					(double)e->output_scale);
		high = (double)e->zero_point + (double)roundf(6.0f / e->output_scale);
	}
	then_clamp(&low, &high, min, max);
	if (e->clamp) {
		if (e->clamp_min < min || e->clamp_max > max ||
		    e->clamp_min != rint(e->clamp_min) || e->clamp_max != rint(e->clamp_max))
			return npu_fail(err, -EINVAL,
					"matmul: clamp_min is %g and clamp_max %g: both must be "
					"values of %s",
					e->clamp_min, e->clamp_max, type_name(rq->output));
		then_clamp(&low, &high, e->clamp_min, e->clamp_max);
	}
	rq->low = (int32_t)low;
	rq->high = (int32_t)high;
	return 0;
}

static void set_float_bounds(struct npu_requant *rq)
{
	const struct npu_epilogue_desc *e = &rq->epilogue;
	double low = -INFINITY, high = INFINITY;

	if (e->activation != NPU_ACTIVATION_NONE)
		low = 0;
	if (e->activation == NPU_ACTIVATION_RELU6)
		high = 6;
	/* In binary32, as the values that are compared with them. */
	if (e->clamp)
		then_clamp(&low, &high, (float)e->clamp_min, (float)e->clamp_max);
	rq->float_low = low;
	rq->float_high = high;
}

int npu_output_resolve(const struct npu_matmul_desc *desc, struct npu_requant *rq,
		       struct npu_error *err)
{
	const struct npu_weights *w = desc->weights;
	int ret;

	ret = check_types(desc, err);
	if (!ret)
		ret = check_zero_points(desc, err);
	if (!ret)
		ret = check_exponents(desc, err);
	if (ret)
		return ret;

	*rq = (struct npu_requant){
		.epilogue = desc->epilogue->desc,
		.output = desc->c->type,
		.residual = desc->residual ? desc->residual->type : 0,
		.wide = desc->a->type == NPU_TYPE_INT16,
		.k = w->k,
		.group_size = w->group_size,
		.groups = w->groups,
		.a_zero_point = desc->a_zero_point,
		.w_zero_point = w->zero_point,
	};
	if (!npu_type_is_float(rq->output))
		return set_integer_bounds(rq, err);
	set_float_bounds(rq);
	return 0;
}

uint32_t npu_output_stages(const struct npu_requant *rq)
{
	const struct npu_epilogue_desc *e = &rq->epilogue;

	return NPU_STAGE_OUTPUT |
	       (rq->a_zero_point || rq->w_zero_point ? NPU_STAGE_ZERO_POINTS : 0) |
	       (e->bias || e->float_bias ? NPU_STAGE_BIAS : 0) |
	       (e->scaling != NPU_SCALING_NONE ? NPU_STAGE_SCALING : 0) |
	       (rq->residual ? NPU_STAGE_RESIDUAL : 0) |
	       (e->activation != NPU_ACTIVATION_NONE ? NPU_STAGE_ACTIVATION : 0) |
	       (e->clamp ? NPU_STAGE_CLAMP : 0);
}
