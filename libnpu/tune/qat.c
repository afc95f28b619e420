// SPDX-License-Identifier: MIT
/*
 * Layers in training: making them, and running them forward as a device does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "../object.h"
#include "../output.h"
#include "qat.h"

/* ---- Making ---------------------------------------------------------------------------- */

static int check_desc(const struct npu_qat_desc *desc, struct npu_error *err)
{
	const bool is_float = desc->c_type == NPU_TYPE_FLOAT32;

	if (desc->size != sizeof(*desc))
		return npu_fail(err, -EINVAL,
				"npu_qat_desc.size is %zu, set it to sizeof(struct npu_qat_desc), "
				"which is %zu",
				desc->size, sizeof(*desc));
	if (!desc->m || !desc->k || !desc->n)
		return npu_fail(err, -EINVAL, "npu_qat_create: m, k and n are %u, %u and %u",
				desc->m, desc->k, desc->n);
	if (desc->w_bits < 2 || desc->w_bits > 8)
		return npu_fail(err, -EINVAL, "npu_qat_create: w_bits is %u, it must be 2 to 8",
				desc->w_bits);
	if (desc->scaling != NPU_SCALING_FIXED16 && desc->scaling != NPU_SCALING_FLOAT)
		return npu_fail(err, -EINVAL,
				"npu_qat_create: scaling must be NPU_SCALING_FIXED16 or "
				"NPU_SCALING_FLOAT");
	if (desc->c_type != NPU_TYPE_INT8 && !(is_float && desc->scaling == NPU_SCALING_FLOAT))
		return npu_fail(err, -EINVAL,
				"npu_qat_create: c_type must be NPU_TYPE_INT8, or NPU_TYPE_FLOAT32 "
				"with NPU_SCALING_FLOAT");
	if (desc->group_size % NPU_GROUP_UNIT ||
	    (npu_group_count(desc->k, desc->group_size) > 1 && desc->scaling != NPU_SCALING_FLOAT))
		return npu_fail(
			err, -EINVAL,
			"npu_qat_create: group_size is %u, it must be a multiple of %d, and "
			"go with NPU_SCALING_FLOAT",
			desc->group_size, NPU_GROUP_UNIT);
	if (desc->a_zero_point < INT8_MIN || desc->a_zero_point > INT8_MAX ||
	    desc->c_zero_point < (is_float ? 0 : INT8_MIN) ||
	    desc->c_zero_point > (is_float ? 0 : INT8_MAX))
		return npu_fail(err, -EINVAL,
				"npu_qat_create: a_zero_point is %d and c_zero_point %d, both must "
				"be int8, or 0 for float outputs",
				desc->a_zero_point, desc->c_zero_point);
	if (desc->activation != NPU_ACTIVATION_NONE && desc->activation != NPU_ACTIVATION_RELU)
		return npu_fail(err, -EINVAL,
				"npu_qat_create: activation must be NPU_ACTIVATION_NONE or _RELU");
	return 0;
}

static bool allocate(struct npu_qat *qat)
{
	const size_t m = qat->desc.m, k = qat->desc.k, n = qat->desc.n, groups = qat->groups;

	qat->a = calloc(m * k, sizeof(*qat->a));
	qat->x = calloc(m * k, sizeof(*qat->x));
	qat->w = calloc(n * k, sizeof(*qat->w));
	qat->v = calloc(n * k, sizeof(*qat->v));
	qat->c = calloc(m * n, sizeof(float));
	qat->real = calloc(m * n, sizeof(*qat->real));
	qat->w_sum = calloc(n * groups, sizeof(*qat->w_sum));
	qat->sum = calloc(groups * NPU_STRIP, sizeof(*qat->sum));
	qat->bias = calloc(n, sizeof(*qat->bias));
	qat->float_bias = calloc(n, sizeof(*qat->float_bias));
	qat->factor = calloc(n, sizeof(*qat->factor));
	qat->multiplier = calloc(n, sizeof(*qat->multiplier));
	qat->scale = calloc(n * groups, sizeof(*qat->scale));
	qat->g = calloc(m * n, sizeof(*qat->g));
	qat->dv = calloc(n * k, sizeof(*qat->dv));
	qat->dx = calloc(m * k, sizeof(*qat->dx));
	return qat->a && qat->x && qat->w && qat->v && qat->c && qat->real && qat->w_sum &&
	       qat->sum && qat->bias && qat->float_bias && qat->factor && qat->multiplier &&
	       qat->scale && qat->g && qat->dv && qat->dx;
}

int npu_qat_create(const struct npu_qat_desc *desc, struct npu_qat **out, struct npu_error *err)
{
	struct npu_qat *qat;
	int ret;

	if (!desc || !out)
		return npu_fail(err, -EINVAL,
				"npu_qat_create: no desc or no place for the layer given");
	ret = check_desc(desc, err);
	if (ret)
		return ret;
	qat = calloc(1, sizeof(*qat));
	if (!qat)
		return npu_fail(err, -ENOMEM, "no memory for a layer");
	qat->desc = *desc;
	qat->groups = npu_group_count(desc->k, desc->group_size);
	if (!allocate(qat)) {
		npu_qat_destroy(qat);
		return npu_fail(err, -ENOMEM, "no memory for a layer of %u x %u", desc->n, desc->k);
	}
	*out = qat;
	return 0;
}

void npu_qat_destroy(struct npu_qat *qat)
{
	if (!qat)
		return;
	free(qat->a);
	free(qat->x);
	free(qat->w);
	free(qat->v);
	free(qat->c);
	free(qat->real);
	free(qat->w_sum);
	free(qat->sum);
	free(qat->bias);
	free(qat->float_bias);
	free(qat->factor);
	free(qat->multiplier);
	free(qat->scale);
	free(qat->g);
	free(qat->dv);
	free(qat->dx);
	free(qat);
}

const int8_t *npu_qat_weights(const struct npu_qat *qat)
{
	return qat->w;
}

const struct npu_epilogue_desc *npu_qat_epilogue(const struct npu_qat *qat)
{
	return &qat->epilogue;
}

/* ---- Parameters ------------------------------------------------------------------------ */

struct npu_fake_quant npu_qat_a_grid(const struct npu_qat *qat, const struct npu_qat_params *params,
				     uint32_t rows)
{
	return (struct npu_fake_quant){
		.size = sizeof(struct npu_fake_quant),
		.rows = rows,
		.cols = qat->desc.k,
		.bits = 8,
		.scale = &params->a_scale,
		.scale_count = 1,
		.zero_point = qat->desc.a_zero_point,
	};
}

struct npu_fake_quant npu_qat_w_grid(const struct npu_qat *qat, const struct npu_qat_params *params)
{
	return (struct npu_fake_quant){
		.size = sizeof(struct npu_fake_quant),
		.rows = qat->desc.n,
		.cols = qat->desc.k,
		.bits = qat->desc.w_bits,
		.symmetric = true,
		.group_size = qat->desc.group_size,
		.scale = params->w_scale,
		.scale_count = params->w_scale_count,
	};
}

/* Of one step of the results; float ones are steps of 1. */
static double c_scale(const struct npu_qat *qat, const struct npu_qat_params *params)
{
	return qat->desc.c_type == NPU_TYPE_FLOAT32 ? 1 : (double)params->c_scale;
}

static int quantize_bias(struct npu_qat *qat, const struct npu_qat_params *params,
			 struct npu_error *err)
{
	for (uint32_t i = 0; i < qat->desc.n; i++) {
		const double step = (double)params->a_scale * (double)params->w_scale[i];
		const double bias = rint((double)params->bias[i] / step);

		if (!(fabs(bias) <= NPU_BIAS_MAX))
			return npu_fail(err, -ERANGE,
					"npu_qat_forward: the bias of channel %u is %g steps, more "
					"than %d; its weights' scale is too small",
					i, bias, NPU_BIAS_MAX);
		qat->bias[i] = (int32_t)bias;
	}
	return 0;
}

static int make_epilogue(struct npu_qat *qat, const struct npu_qat_params *params,
			 struct npu_error *err)
{
	const uint32_t n = qat->desc.n, scales = n * qat->groups;
	const bool fixed = qat->desc.scaling == NPU_SCALING_FIXED16;
	struct npu_epilogue_desc *e = &qat->epilogue;
	int ret = 0;

	*e = (struct npu_epilogue_desc){
		.size = sizeof(*e),
		.n = n,
		.groups = qat->groups,
		.bias = fixed && params->bias ? qat->bias : NULL,
		.float_bias = !fixed && params->bias ? qat->float_bias : NULL,
		.scaling = qat->desc.scaling,
		.scale_count = scales,
		.multiplier = fixed ? qat->multiplier : NULL,
		.scale = fixed ? NULL : qat->scale,
		.zero_point = qat->desc.c_zero_point,
		.activation = qat->desc.activation,
	};
	for (uint32_t i = 0; i < scales; i++)
		qat->scale[i] = (float)((double)params->a_scale * (double)params->w_scale[i] /
					c_scale(qat, params));
	for (uint32_t i = 0; e->float_bias && i < n; i++)
		qat->float_bias[i] = (float)((double)params->bias[i] / c_scale(qat, params));
	if (e->bias)
		ret = quantize_bias(qat, params, err);
	for (uint32_t i = 0; fixed && i < n; i++)
		qat->factor[i] = (double)qat->scale[i];
	if (!ret && fixed)
		ret = npu_quant_fixed16(qat->factor, n, qat->multiplier, &e->shift, err);
	return ret;
}

/* The output stage that a matmul of these types would have. */
static int resolve(struct npu_qat *qat, struct npu_error *err)
{
	struct npu_tensor a = { .type = NPU_TYPE_INT8 }, c = { .type = qat->desc.c_type };
	struct npu_epilogue epilogue = { .desc = qat->epilogue };
	struct npu_weights weights = {
		.n = qat->desc.n,
		.k = qat->desc.k,
		.group_size = qat->desc.group_size ? qat->desc.group_size : qat->desc.k,
		.groups = qat->groups,
	};
	const struct npu_matmul_desc desc = {
		.size = sizeof(desc),
		.a = &a,
		.weights = &weights,
		.epilogue = &epilogue,
		.c = &c,
		.a_zero_point = qat->desc.a_zero_point,
	};

	return npu_output_resolve(&desc, &qat->requant, err);
}

static int check_params(const struct npu_qat *qat, const struct npu_qat_params *params,
			uint32_t rows, struct npu_error *err)
{
	const uint32_t scales = qat->desc.n * qat->groups;
	int ret;

	if (params->size != sizeof(*params))
		return npu_fail(err, -EINVAL,
				"npu_qat_params.size is %zu, set it to sizeof(struct "
				"npu_qat_params), which is %zu",
				params->size, sizeof(*params));
	if (!rows || rows > qat->desc.m)
		return npu_fail(err, -EINVAL, "npu_qat_forward: %u samples, it must be 1 to %u",
				rows, qat->desc.m);
	if (params->w_scale_count != scales)
		return npu_fail(
			err, -EINVAL,
			"npu_qat_forward: w_scale_count is %u, it must be n * groups, which "
			"is %u",
			params->w_scale_count, scales);
	ret = npu_check_scales("npu_qat_forward: w_scale", params->w_scale, scales, err);
	if (!ret)
		ret = npu_check_scales("npu_qat_forward: a_scale", &params->a_scale, 1, err);
	if (!ret && qat->desc.c_type == NPU_TYPE_INT8)
		ret = npu_check_scales("npu_qat_forward: c_scale", &params->c_scale, 1, err);
	if (!ret && params->bias)
		ret = npu_check_matrix("npu_qat_forward: bias", params->bias, 1, qat->desc.n, err);
	return ret;
}

/* ---- Forward --------------------------------------------------------------------------- */

/* Products of int8 fit; so do 2^16 of them. */
static int64_t dot(const int8_t *a, const int8_t *w, uint32_t count)
{
	int64_t total = 0;

	for (uint32_t first = 0; first < count; first += 1 << 16) {
		const uint32_t end = count - first < 1 << 16 ? count : first + (1 << 16);
		int32_t sum = 0;

		for (uint32_t i = first; i < end; i++)
			sum += a[i] * w[i];
		total += sum;
	}
	return total;
}

static void sum_weights(struct npu_qat *qat)
{
	const uint32_t k = qat->desc.k, length = qat->requant.group_size;

	memset(qat->w_sum, 0, (size_t)qat->desc.n * qat->groups * sizeof(*qat->w_sum));
	for (uint32_t row = 0; row < qat->desc.n; row++)
		for (uint32_t col = 0; col < k; col++)
			qat->w_sum[(size_t)row * qat->groups + col / length] +=
				qat->w[(size_t)row * k + col];
}

static void run_strip(struct npu_qat *qat, const struct npu_qat_params *params, uint32_t row,
		      uint32_t first, uint32_t count)
{
	const uint32_t k = qat->desc.k, length = qat->requant.group_size;
	const size_t at = (size_t)row * qat->desc.n + first;
	struct npu_strip strip = { .first = first, .count = count, .rows = 1, .w_sum = qat->w_sum };
	float partial[NPU_STRIP];

	for (uint32_t i = 0; i < count; i++) {
		const int8_t *a = qat->a + (size_t)row * k;
		const int8_t *w = qat->w + (size_t)(first + i) * k;
		const size_t scale = (size_t)(first + i) * qat->groups;
		double real = params->bias ? (double)params->bias[first + i] : 0;

		for (uint32_t g = 0; g < qat->groups; g++) {
			const uint32_t col = g * length;
			int64_t sum = dot(a + col, w + col, k - col < length ? k - col : length);

			qat->sum[(size_t)g * NPU_STRIP + i] = sum;
			sum -= qat->desc.a_zero_point * qat->w_sum[scale + g];
			real += (double)params->a_scale * (double)params->w_scale[scale + g] *
				(double)sum;
		}
		qat->real[at + i] = (float)real;
	}
	for (uint32_t g = 0; g < qat->groups; g++) {
		strip.sum = qat->sum + (size_t)g * NPU_STRIP;
		npu_requant_group(&qat->requant, &strip, g, partial,
				  (uint8_t *)qat->c + at * npu_type_size(qat->desc.c_type), 0);
	}
}

int npu_qat_forward(struct npu_qat *qat, const struct npu_qat_params *params, const float *x,
		    uint32_t rows, float *y, struct npu_error *err)
{
	struct npu_fake_quant a, w;
	int ret;

	if (!qat || !params || !y)
		return npu_fail(err, -EINVAL,
				"npu_qat_forward: no layer, no params or no place for the results "
				"given");
	qat->rows = 0;
	ret = check_params(qat, params, rows, err);
	if (ret)
		return ret;
	a = npu_qat_a_grid(qat, params, rows);
	w = npu_qat_w_grid(qat, params);
	ret = npu_fake_quant_forward(&a, x, qat->a, qat->x, err);
	if (!ret)
		ret = npu_fake_quant_forward(&w, params->w, qat->w, qat->v, err);
	if (!ret)
		ret = make_epilogue(qat, params, err);
	if (!ret)
		ret = resolve(qat, err);
	if (ret)
		return ret;

	sum_weights(qat);
	for (uint32_t row = 0; row < rows; row++)
		for (uint32_t first = 0; first < qat->desc.n; first += NPU_STRIP) {
			const uint32_t rest = qat->desc.n - first;

			run_strip(qat, params, row, first, rest < NPU_STRIP ? rest : NPU_STRIP);
		}
	for (size_t i = 0; i < (size_t)rows * qat->desc.n; i++)
		y[i] = (float)c_scale(qat, params) *
		       (float)(npu_qat_stored(qat, i) - qat->desc.c_zero_point);
	qat->rows = rows;
	return 0;
}
