// SPDX-License-Identifier: MIT
/* The files and numbers that "npu-run matmul" is given, checked and brought into one problem. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "operands.h"

static int load_matrix(const char *path, struct npy *npy, struct npu_error *err)
{
	int ret;

	ret = npy_read(path, npy, err);
	if (ret)
		return ret;
	if (npy->type != NPY_INT8)
		return error_set(err, -EINVAL, "holds %s where int8 is needed",
				 npy_type_name(npy->type));
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
out:
	npy_free(&npy);
	return ret;
}

/* Largest magnitude an accumulator plus bias can have: that of A's largest element everywhere. */
static int64_t largest_accumulator(const struct problem *p)
{
	const int8_t *a = p->a, *w = p->weights.data;
	int64_t largest_a = 0;
	int64_t largest = 0;

	for (size_t i = 0; i < (size_t)p->m * p->k; i++)
		largest_a = abs(a[i]) > largest_a ? abs(a[i]) : largest_a;
	for (uint32_t n = 0; n < p->n; n++) {
		const int8_t *row = w + (size_t)n * p->k;
		int64_t sum = 0;

		for (uint32_t k = 0; k < p->k; k++)
			sum += abs(row[k]);
		sum *= largest_a;
		if (p->epilogue.bias)
			sum += llabs(p->epilogue.bias[n]);
		largest = sum > largest ? sum : largest;
	}
	return largest;
}

/* The largest scale with which no result of any A as large as this one can saturate. */
static int choose_scale(const struct problem *p, float *scale, struct npu_error *err)
{
	const int32_t zero_point = p->epilogue.zero_point;
	int64_t largest = largest_accumulator(p);
	int32_t room = 127 - zero_point;

	if (p->epilogue.activation != NPU_ACTIVATION_RELU && 128 + zero_point < room)
		room = 128 + zero_point;
	if (room < 1)
		return error_set(err, -EDOM,
				 "leaves results no room at zero point %d, so no scale can be "
				 "chosen: give one",
				 zero_point);
	*scale = largest ? (float)room / (float)largest : 1.0f;
	return 0;
}

/* From whichever form the factors were given in to multipliers and a shift. */
static int make_multiplier(const struct operand_options *options, struct operands *operands,
			   const char **what, struct npu_error *err)
{
	struct npu_epilogue_desc *epilogue = &operands->problem.epilogue;
	uint32_t n = operands->problem.n;
	float *scale = NULL;
	int ret = 0;

	*what = "--scale";
	epilogue->scale_count = options->scales ? n : 1;
	operands->multiplier = malloc(epilogue->scale_count * sizeof(int16_t));
	scale = malloc(epilogue->scale_count * sizeof(float));
	if (!operands->multiplier || !scale) {
		ret = error_set(err, -ENOMEM, "out of memory");
		goto out;
	}
	epilogue->multiplier = operands->multiplier;
	if (options->has_multiplier) {
		operands->multiplier[0] = options->multiplier;
		epilogue->shift = options->shift;
		goto out;
	}

	if (options->has_scale) {
		scale[0] = options->scale;
	} else if (options->scales) {
		*what = options->scales;
		ret = load_scales(options->scales, n, scale, err);
	} else {
		*what = "--zero-point";
		ret = choose_scale(&operands->problem, scale, err);
		operands->auto_scale = scale[0];
	}
	if (!ret)
		ret = npu_quant_requantize(scale, epilogue->scale_count, operands->multiplier,
					   &epilogue->shift, err);
out:
	free(scale);
	return ret;
}

static int load(const struct operand_options *options, struct operands *operands, const char **what,
		struct npu_error *err)
{
	struct problem *p = &operands->problem;
	int ret;

	*what = options->a;
	ret = load_matrix(options->a, &operands->a, err);
	if (ret)
		return ret;
	*what = options->w;
	ret = load_matrix(options->w, &operands->w, err);
	if (ret)
		return ret;
	p->m = (uint32_t)operands->a.dim[0];
	p->k = (uint32_t)operands->a.dim[1];
	p->n = (uint32_t)operands->w.dim[0];
	p->batch = 1;
	p->a_type = NPU_TYPE_INT8;
	p->a = operands->a.data;
	p->c_type = NPU_TYPE_INT8;
	p->weights.size = sizeof(p->weights);
	p->weights.n = p->n;
	p->weights.k = p->k;
	p->weights.data = operands->w.data;
	if (operands->w.dim[1] != p->k)
		return error_set(err, -EINVAL,
				 "is %u x %zu, but %s is %u x %u: W needs as many columns as A",
				 p->n, operands->w.dim[1], options->a, p->m, p->k);

	p->epilogue.size = sizeof(p->epilogue);
	p->epilogue.n = p->n;
	p->epilogue.zero_point = options->zero_point;
	p->epilogue.activation = options->activation;
	if (options->bias) {
		*what = options->bias;
		ret = load_bias(options->bias, operands, err);
		if (ret)
			return ret;
	}
	return make_multiplier(options, operands, what, err);
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
	free(operands->multiplier);
	memset(operands, 0, sizeof(*operands));
}
