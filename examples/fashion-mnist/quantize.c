// SPDX-License-Identifier: MIT
/* Turns a float model into int8 layers. quantize.h has the arithmetic. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <npu_quant.h>

#include "../perceptron/error.h"
#include "quantize.h"

/* Zero point and number of steps of values that are never negative. */
#define POSITIVE_ZERO (-128)
#define POSITIVE_STEPS 255.0
/* Of values of either sign. */
#define SYMMETRIC_ZERO 0
#define SYMMETRIC_STEPS 127.0

static int quantize_bias(const struct layer *layer, double scale_x, const float *scale_w,
			 struct quant_layer *q, struct npu_error *err)
{
	for (uint32_t n = 0; n < layer->n; n++) {
		double bias = nearbyint((double)layer->bias[n] / (scale_x * (double)scale_w[n]));
		int64_t sum = 0;

		for (uint32_t k = 0; k < layer->k; k++)
			sum += q->weight[(size_t)n * layer->k + k];
		bias -= (double)(POSITIVE_ZERO * sum);
		if (!(fabs(bias) <= NPU_BIAS_MAX))
			return error_set(err, -ERANGE,
					 "the bias of channel %u is out of proportion to its "
					 "weights",
					 n);
		q->bias[n] = (int32_t)bias;
	}
	return 0;
}

static int quantize_layer(const struct layer *layer, double scale_x, double scale_y,
			  struct quant_layer *q, struct npu_error *err)
{
	const struct npu_quant_scheme weights = {
		.size = sizeof(weights),
		.bits = 8,
		.granularity = NPU_QUANT_PER_ROW,
	};
	float *scale_w;
	double *factor;
	int ret;

	q->n = layer->n;
	q->k = layer->k;
	q->weight = malloc((size_t)layer->n * layer->k);
	q->bias = malloc(layer->n * sizeof(*q->bias));
	q->multiplier = malloc(layer->n * sizeof(*q->multiplier));
	scale_w = malloc(layer->n * sizeof(*scale_w));
	factor = malloc(layer->n * sizeof(*factor));
	if (!q->weight || !q->bias || !q->multiplier || !scale_w || !factor) {
		ret = error_set(err, -ENOMEM, "out of memory for the int8 weights");
		goto out;
	}

	ret = npu_quant_matrix(&weights, layer->weight, layer->n, layer->k, q->weight, scale_w,
			       NULL, err);
	if (!ret)
		ret = quantize_bias(layer, scale_x, scale_w, q, err);
	if (ret)
		goto out;
	for (uint32_t n = 0; n < layer->n; n++)
		factor[n] = scale_x * (double)scale_w[n] / scale_y;
	ret = npu_quant_fixed16(factor, layer->n, q->multiplier, &q->shift, err);
out:
	free(factor);
	free(scale_w);
	return ret;
}

int quantize_model(const struct model *model, struct quant_model *quant, struct npu_error *err)
{
	double scale_x = 1.0 / POSITIVE_STEPS;
	double scale_y;
	int ret;

	memset(quant, 0, sizeof(*quant));
	quant->layer_count = model->layer_count;
	for (uint32_t i = 0; i < model->layer_count; i++) {
		const struct layer *layer = &model->layer[i];
		struct quant_layer *q = &quant->layer[i];

		if (i + 1 < model->layer_count) {
			q->zero_point = POSITIVE_ZERO;
			q->activation = NPU_ACTIVATION_RELU;
			scale_y = (double)layer->range / POSITIVE_STEPS;
		} else {
			q->zero_point = SYMMETRIC_ZERO;
			q->activation = NPU_ACTIVATION_NONE;
			scale_y = (double)layer->range / SYMMETRIC_STEPS;
		}
		ret = quantize_layer(layer, scale_x, scale_y, q, err);
		if (ret) {
			quant_model_free(quant);
			return ret;
		}
		scale_x = scale_y;
	}
	return 0;
}

void quant_model_free(struct quant_model *quant)
{
	for (uint32_t i = 0; i < quant->layer_count; i++) {
		free(quant->layer[i].weight);
		free(quant->layer[i].bias);
		free(quant->layer[i].multiplier);
	}
	memset(quant, 0, sizeof(*quant));
}

void quantize_pixels(const uint8_t *pixels, size_t count, int8_t *q)
{
	for (size_t i = 0; i < count; i++)
		q[i] = (int8_t)(pixels[i] + POSITIVE_ZERO);
}
