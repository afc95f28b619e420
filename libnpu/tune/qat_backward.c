// SPDX-License-Identifier: MIT
/*
 * Gradients through a layer that runs as a device does.
 */
#include <errno.h>
#include <string.h>

#include "../error.h"
#include "qat.h"

/* Largest integer of an int8 grid, which the gradient of its scale is normalised with. */
#define LARGEST 127

/* Sets qat->g: what passes the clamp of the results. Returns the gradient of their scale. */
static float through_results(struct npu_qat *qat, const struct npu_qat_params *params,
			     const float *dy)
{
	const bool is_float = qat->desc.c_type == NPU_TYPE_FLOAT32;
	const double low = is_float ? (double)qat->requant.float_low : qat->requant.low;
	const double high = is_float ? (double)qat->requant.float_high : qat->requant.high;
	const size_t count = (size_t)qat->rows * qat->desc.n;
	double slope = 0;

	for (size_t i = 0; i < count; i++) {
		const double c = npu_qat_stored(qat, i);
		const bool inside = c > low && c < high;

		qat->g[i] = inside ? dy[i] : 0;
		if (!is_float)
			slope += (double)dy[i] *
				 (c - qat->desc.c_zero_point -
				  (inside ? (double)(qat->real[i] / params->c_scale) : 0));
	}
	return (float)(slope / sqrt((double)count * LARGEST));
}

/* y += a * x */
static void add_row(float *restrict y, float a, const float *restrict x, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		y[i] += a * x[i];
}

/* Gradients of what the integers of inputs and weights stand for. */
static void through_products(struct npu_qat *qat)
{
	const size_t k = qat->desc.k, n = qat->desc.n;

	memset(qat->dv, 0, n * k * sizeof(*qat->dv));
	memset(qat->dx, 0, qat->rows * k * sizeof(*qat->dx));
	for (uint32_t row = 0; row < qat->rows; row++)
		for (uint32_t i = 0; i < n; i++) {
			const float g = qat->g[row * n + i];

			if (g == 0)
				continue;
			add_row(qat->dv + i * k, g, qat->x + row * k, qat->desc.k);
			add_row(qat->dx + row * k, g, qat->v + i * k, qat->desc.k);
		}
}

static void sum_bias(const struct npu_qat *qat, float *bias)
{
	for (uint32_t i = 0; i < qat->desc.n; i++) {
		double sum = 0;

		for (uint32_t row = 0; row < qat->rows; row++)
			sum += (double)qat->g[(size_t)row * qat->desc.n + i];
		bias[i] = (float)sum;
	}
}

int npu_qat_backward(struct npu_qat *qat, const struct npu_qat_params *params, const float *x,
		     uint32_t rows, const float *dy, const struct npu_qat_gradients *gradients,
		     struct npu_error *err)
{
	struct npu_fake_quant a, w;
	float slope;
	int ret;

	if (!qat || !params || !gradients || gradients->size != sizeof(*gradients))
		return npu_fail(err, -EINVAL,
				"npu_qat_backward: no layer, no params, or gradients without "
				"their size given");
	if (!rows || rows != qat->rows)
		return npu_fail(err, -EINVAL,
				"npu_qat_backward: %u samples, but %u went forward last", rows,
				qat->rows);
	ret = npu_check_matrix("npu_qat_backward: dy", dy, rows, qat->desc.n, err);
	if (ret)
		return ret;

	slope = through_results(qat, params, dy);
	through_products(qat);
	a = npu_qat_a_grid(qat, params, rows);
	w = npu_qat_w_grid(qat, params);
	ret = npu_fake_quant_backward(&a, x, qat->dx, gradients->x, gradients->a_scale, err);
	if (!ret)
		ret = npu_fake_quant_backward(&w, params->w, qat->dv, gradients->w,
					      gradients->w_scale, err);
	if (ret)
		return ret;
	if (gradients->bias)
		sum_bias(qat, gradients->bias);
	if (gradients->c_scale)
		*gradients->c_scale = slope;
	return 0;
}
