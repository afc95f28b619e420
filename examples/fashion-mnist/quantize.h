/* SPDX-License-Identifier: MIT */
/*
 * Turns a float model into int8 layers.
 *
 * Everything that is never negative (pixels and hidden activations) is an 8-bit value 0..255 stored
 * as int8 with zero point -128, so all 256 steps are used and a pixel is exact. Logits are
 * symmetric. Weights have a scale for each output channel.
 *
 *	real input		x = s_x * (q_x - z_x)
 *	real weight		w = s_w[n] * q_w
 *	real output		y = s_y * (q_y - z_y)
 *
 *	q_y = z_y + s_x * s_w[n] / s_y * (sum over k of q_w * q_x + bias_q[n])
 *	bias_q[n] = bias[n] / (s_x * s_w[n]) - z_x * sum over k of q_w
 */
#ifndef FASHION_MNIST_QUANTIZE_H
#define FASHION_MNIST_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>

#include "../perceptron/model.h"
#include "npu.h"

struct quant_layer {
	uint32_t n;
	uint32_t k;
	int8_t *weight;	     /* [n][k] */
	int32_t *bias;	     /* [n], the input's zero point included */
	int16_t *multiplier; /* [n] */
	uint32_t shift;
	int32_t zero_point; /* of the output */
	enum npu_activation activation;
};

struct quant_model {
	uint32_t layer_count;
	struct quant_layer layer[MODEL_MAX_LAYERS];
};

int quantize_model(const struct model *model, struct quant_model *quant, struct npu_error *err);

void quant_model_free(struct quant_model *quant);

/* Pixels 0..255 as int8 with zero point -128. */
void quantize_pixels(const uint8_t *pixels, size_t count, int8_t *q);

#endif
