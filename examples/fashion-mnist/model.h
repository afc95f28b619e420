/* SPDX-License-Identifier: MIT */
/*
 * A multilayer perceptron in float32 and the file it lives in. Each layer computes
 * y[n] = bias[n] + sum over k of weight[n][k] * x[k]; all but the last are followed by ReLU. The
 * input is a pixel divided by 255.
 *
 * The file, all little-endian:
 *
 *	8 bytes		"NPU-MLP1"
 *	u32		number of layers, 1 to MODEL_MAX_LAYERS
 *	then for each layer
 *	u32, u32	n, k: outputs and inputs
 *	f32		range: largest magnitude of an output (after ReLU) on training images
 *	f32[n]		bias
 *	f32[n][k]	weight
 *
 * The range comes from training images, so that quantization never sees the images it is judged
 * by.
 */
#ifndef FASHION_MNIST_MODEL_H
#define FASHION_MNIST_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "npu.h"

#define MODEL_MAX_LAYERS 8
#define MODEL_MAX_WIDTH 4096

struct layer {
	uint32_t n;
	uint32_t k;
	float range;
	float *bias;
	float *weight;
};

struct model {
	uint32_t layer_count;
	struct layer layer[MODEL_MAX_LAYERS];
};

/* Allocates the layers for @layer_count + 1 widths, all zero. */
int model_create(const uint32_t *width, uint32_t layer_count, struct model *model,
		 struct npu_error *err);

/* Reads a file and checks that it goes from @inputs to @outputs. */
int model_load(const char *path, uint32_t inputs, uint32_t outputs, struct model *model,
	       struct npu_error *err);

int model_save(const char *path, const struct model *model, struct npu_error *err);

void model_free(struct model *model);

#endif
