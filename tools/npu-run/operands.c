// SPDX-License-Identifier: MIT
/* The files and numbers that "npu-run matmul" is given, checked and brought into one problem. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <npu_quant.h>

#include "auto_scale.h"
#include "error.h"
#include "operands.h"
#include "reference.h"

/* Types of both, in the order of enum npu_type. */
static const enum npy_type npy_types[] = { NPY_INT8,  NPY_UINT8,   NPY_INT16,
					   NPY_INT32, NPY_FLOAT16, NPY_FLOAT32 };

#define TYPE_COUNT (sizeof(npy_types) / sizeof(npy_types[0]))

enum npu_type operands_type(enum npy_type type)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (npy_types[i] == type)
			return (enum npu_type)(i + 1);
	return (enum npu_type)0;
}

enum npy_type operands_npy_type(enum npu_type type)
{
	return npy_types[type - 1];
}

double operands_element(const struct npy *npy, size_t i)
{
	const enum npu_type type = operands_type(npy->type);

	return reference_value(type, (const char *)npy->data + i * npu_type_size(type));
}

/* What W, A and residuals may hold: a type and those before it in enum npu_type. */
static const char *const type_lists[] = {
	[NPU_TYPE_INT8] = "int8",
	[NPU_TYPE_INT16] = "int8, uint8 or int16",
	[NPU_TYPE_FLOAT32] = "int8, uint8, int16, int32, float16 or float32",
};

static int load_matrix(const char *path, enum npu_type last, struct npy *npy, struct npu_error *err)
{
	int ret;

	ret = npy_read(path, npy, err);
	if (ret)
		return ret;
	if (!operands_type(npy->type) || operands_type(npy->type) > last)
		return error_set(err, -EINVAL, "holds %s where %s is needed",
				 npy_type_name(npy->type), type_lists[last]);
	if (npy->rank != 2)
		return error_set(err, -EINVAL, "has %u dimensions where a matrix is needed",
				 npy->rank);
	if (npy->count == 0 || npy->dim[0] > INT32_MAX || npy->dim[1] > INT32_MAX)
		return error_set(err, -EINVAL, "is a matrix of %zu x %zu", npy->dim[0],
				 npy->dim[1]);
	return 0;
}

/* Whether an array is a vector of @n, as bias and scales must be. */
static int check_vector(const struct npy *npy, uint32_t n, struct npu_error *err)
{
	if (npy->rank != 1)
		return error_set(err, -EINVAL, "has %u dimensions where a vector is needed",
				 npy->rank);
	if (npy->count != n)
		return error_set(err, -EINVAL,
				 "has %zu elements where %u are needed, one for each "
				 "row of W",
				 npy->count, n);
	return 0;
}

static int check_bias(const struct npy *npy, struct npu_error *err)
{
	const int32_t *bias = npy->data;

	for (size_t i = 0; i < npy->count; i++)
		if (bias[i] > NPU_BIAS_MAX || bias[i] < -NPU_BIAS_MAX)
			return error_set(err, -EINVAL,
					 "element %zu is %d, where a magnitude of at most %d is "
					 "needed",
					 i, bias[i], NPU_BIAS_MAX);
	return 0;
}

static int load_bias(const char *path, struct operands *operands, struct npu_error *err)
{
	struct npy *bias = &operands->bias;
	int ret;

	ret = npy_read(path, bias, err);
	if (ret)
		return ret;
	if (bias->type != NPY_INT32)
		return error_set(err, -EINVAL,
				 "holds %s where int32 is needed: a bias counts in units of the "
				 "accumulator",
				 npy_type_name(bias->type));
	ret = check_vector(bias, operands->problem.n, err);
	if (!ret)
		ret = check_bias(bias, err);
	if (ret)
		return ret;
	operands->problem.epilogue.bias = bias->data;
	return 0;
}

/* The scales of a file as float32. */
static int load_scales(const char *path, uint32_t n, float *scale, struct npu_error *err)
{
	struct npy npy;
	int ret;

	ret = npy_read(path, &npy, err);
	if (ret)
		return ret;
	ret = check_vector(&npy, n, err);
	if (ret)
		goto out;
	switch (npy.type) {
	case NPY_FLOAT32:
		memcpy(scale, npy.data, n * sizeof(float));
		break;
	case NPY_FLOAT64:
		for (uint32_t i = 0; i < n; i++)
			scale[i] = (float)((const double *)npy.data)[i];
		break;
	default:
		ret = error_set(err, -EINVAL, "holds %s where float32 or float64 is needed",
				npy_type_name(npy.type));
	}
	for (uint32_t i = 0; i < n && !ret; i++)
		if (!isfinite(scale[i]))
			ret = error_set(err, -EINVAL,
					"element %u is %g where a finite factor is needed", i,
					(double)scale[i]);
out:
	npy_free(&npy);
	return ret;
}

/* Factors in the form of the scaling. */
static int convert_scales(struct operands *operands, struct npu_error *err)
{
	struct npu_epilogue_desc *e = &operands->problem.epilogue;
	double *factor;
	int ret;

	if (e->scaling == NPU_SCALING_FLOAT || e->scaling == NPU_SCALING_NONE)
		return 0;
	factor = malloc(e->scale_count * sizeof(*factor));
	if (!factor)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < e->scale_count; i++)
		factor[i] = (double)operands->scale[i];
	if (e->scaling == NPU_SCALING_FIXED16)
		ret = npu_quant_fixed16(factor, e->scale_count, operands->multiplier, &e->shift,
					err);
	else
		ret = npu_quant_tflite(factor, e->scale_count, operands->multiplier_q31,
				       operands->exponent, err);
	free(factor);
	return ret;
}

static int allocate_scales(struct operands *operands, uint32_t count, struct npu_error *err)
{
	struct npu_epilogue_desc *e = &operands->problem.epilogue;

	operands->multiplier = calloc(count, sizeof(*operands->multiplier));
	operands->multiplier_q31 = calloc(count, sizeof(*operands->multiplier_q31));
	operands->exponent = calloc(count, sizeof(*operands->exponent));
	operands->scale = calloc(count, sizeof(*operands->scale));
	if (!operands->multiplier || !operands->multiplier_q31 || !operands->exponent ||
	    !operands->scale)
		return error_set(err, -ENOMEM, "out of memory");
	e->scale_count = count;
	e->multiplier = operands->multiplier;
	e->multiplier_q31 = operands->multiplier_q31;
	e->exponent = operands->exponent;
	e->scale = operands->scale;
	return 0;
}

/* Nobody has said a factor: a type that can saturate gets one that it cannot with, others 1. */
static int choose_scale(const struct operand_options *options, struct operands *operands,
			const char **what, struct npu_error *err)
{
	int ret = 0;

	if (options->result < NPU_TYPE_INT32)
		ret = auto_scale(options, operands, &operands->auto_scale, what, err);
	operands->scale[0] = operands->auto_scale > 0 ? operands->auto_scale : 1;
	return ret;
}

/* From whichever form the factors were given in to that of the scaling. */
static int make_scaling(const struct operand_options *options, struct operands *operands,
			const char **what, struct npu_error *err)
{
	uint32_t n = operands->problem.n;
	int ret;

	*what = "--scale";
	ret = allocate_scales(operands, options->scales ? n : 1, err);
	if (ret || operands->problem.epilogue.scaling == NPU_SCALING_NONE)
		return ret;
	if (options->has_multiplier) {
		operands->multiplier[0] = options->multiplier;
		operands->problem.epilogue.shift = options->shift;
		return 0;
	}
	if (options->has_scale) {
		operands->scale[0] = options->scale;
	} else if (options->scales) {
		*what = options->scales;
		ret = load_scales(options->scales, n, operands->scale, err);
	} else {
		ret = choose_scale(options, operands, what, err);
	}
	return ret ? ret : convert_scales(operands, err);
}

enum npu_scaling operands_scaling(const struct operand_options *options)
{
	if (options->has_scaling)
		return options->scaling;
	return options->result == NPU_TYPE_INT32  ? NPU_SCALING_NONE
	       : options->result > NPU_TYPE_INT32 ? NPU_SCALING_FLOAT
						  : NPU_SCALING_FIXED16;
}

/* A residual has the scale of the result. */
static void set_epilogue(const struct operand_options *options, struct problem *p)
{
	p->c_type = options->result;
	p->a_zero_point = options->a_zero_point;
	p->epilogue = (struct npu_epilogue_desc){
		.size = sizeof(p->epilogue),
		.n = p->n,
		.scaling = operands_scaling(options),
		.zero_point = options->zero_point,
		.activation = options->activation,
		.output_scale = options->output_scale,
		.clamp = options->clamp,
		.clamp_min = options->clamp_min,
		.clamp_max = options->clamp_max,
		.residual_multiplier = 1,
		.residual_multiplier_q31 = 1 << 30,
		.residual_exponent = 1,
		.residual_scale = 1,
	};
}

/* An integer result does not show what became of a value that is none. */
static int check_finite(const struct npy *npy, enum npu_type result, struct npu_error *err)
{
	if (npy->type < NPY_FLOAT16 || result > NPU_TYPE_INT32)
		return 0;
	for (size_t i = 0; i < npy->count; i++)
		if (!isfinite(operands_element(npy, i)))
			return error_set(
				err, -EINVAL,
				"element %zu is %g where integer results need a finite one", i,
				operands_element(npy, i));
	return 0;
}

static int load_residual(const struct operand_options *options, struct operands *operands,
			 const char **what, struct npu_error *err)
{
	struct problem *p = &operands->problem;
	struct npy *npy = &operands->residual;
	int ret;

	ret = load_matrix(options->residual, NPU_TYPE_FLOAT32, npy, err);
	if (ret)
		return ret;
	if (npy->dim[0] != p->m || npy->dim[1] != p->n)
		return error_set(err, -EINVAL, "is %zu x %zu, but C is %u x %u", npy->dim[0],
				 npy->dim[1], p->m, p->n);
	if (npy->type >= NPY_FLOAT16 && p->epilogue.scaling != NPU_SCALING_FLOAT) {
		*what = "--residual";
		return error_set(err, -EDOM, "%s holds %s, which goes with --scaling float",
				 options->residual, npy_type_name(npy->type));
	}
	p->residual_type = operands_type(npy->type);
	p->residual = npy->data;
	return check_finite(npy, p->c_type, err);
}

static int load(const struct operand_options *options, struct operands *operands, const char **what,
		struct npu_error *err)
{
	struct problem *p = &operands->problem;
	int ret;

	*what = options->a;
	ret = load_matrix(options->a, NPU_TYPE_INT16, &operands->a, err);
	if (ret)
		return ret;
	*what = options->w;
	ret = load_matrix(options->w, NPU_TYPE_INT8, &operands->w, err);
	if (ret)
		return ret;
	p->m = (uint32_t)operands->a.dim[0];
	p->k = (uint32_t)operands->a.dim[1];
	p->n = (uint32_t)operands->w.dim[0];
	p->batch = 1;
	p->a_type = operands_type(operands->a.type);
	p->a = operands->a.data;
	p->weights = (struct npu_weights_desc){
		.size = sizeof(p->weights),
		.n = p->n,
		.k = p->k,
		.data = operands->w.data,
		.zero_point = &options->w_zero_point,
		.zero_point_count = options->w_zero_point != 0,
	};
	if (operands->w.dim[1] != p->k)
		return error_set(err, -EINVAL,
				 "is %u x %zu, but %s is %u x %u: W needs as many columns as A",
				 p->n, operands->w.dim[1], options->a, p->m, p->k);

	set_epilogue(options, p);
	if (options->bias) {
		*what = options->bias;
		ret = load_bias(options->bias, operands, err);
		if (ret)
			return ret;
	}
	if (options->residual) {
		*what = options->residual;
		ret = load_residual(options, operands, what, err);
		if (ret)
			return ret;
	}
	return make_scaling(options, operands, what, err);
}

int operands_load(const struct operand_options *options, struct operands *operands,
		  const char **what, struct npu_error *err)
{
	int ret;

	memset(operands, 0, sizeof(*operands));
	ret = load(options, operands, what, err);
	if (ret)
		operands_free(operands);
	return ret;
}

void operands_free(struct operands *operands)
{
	npy_free(&operands->a);
	npy_free(&operands->w);
	npy_free(&operands->bias);
	npy_free(&operands->residual);
	free(operands->multiplier);
	free(operands->multiplier_q31);
	free(operands->exponent);
	free(operands->scale);
	memset(operands, 0, sizeof(*operands));
}
