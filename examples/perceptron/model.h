/* SPDX-License-Identifier: MIT */
/*
 * A multilayer perceptron in float32 and the file it lives in. Each layer computes
 * y[n] = bias[n] + sum over k of weight[n][k] * x[k]; all but the last are followed by ReLU. The
 * input is a pixel divided by the largest one.
 *
 * The file is a safetensors file with the names that PyTorch gives to
 * nn.Sequential(Linear, ReLU, Linear, ...), and what quantization needs beside the weights:
 *
 *	0.weight	[n, k]	of the first layer; those of the next are 2, 4 ...
 *	0.bias		[n]
 *	0.output_range	[]	largest magnitude of an output (after ReLU) on training images
 *	input_max	[]	the largest pixel
 *
 * The range comes from training images, so that quantization never sees the images it is judged
 * by.
 */
#ifndef PERCEPTRON_MODEL_H
#define PERCEPTRON_MODEL_H

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
	float input_max;
	uint32_t layer_count;
	struct layer layer[MODEL_MAX_LAYERS];
};

/* Allocates the layers for @layer_count + 1 widths, all zero. */
int model_create(const uint32_t *width, uint32_t layer_count, struct model *model,
		 struct npu_error *err);

/*
 * Reads a file and checks that it goes from @inputs pixels of 0 to @input_max to @outputs. Errors
 * name the path, and those of model_save().
 */
int model_load(const char *path, uint32_t inputs, float input_max, uint32_t outputs,
	       struct model *model, struct npu_error *err);

/* The file is complete or not there. */
int model_save(const char *path, const struct model *model, struct npu_error *err);

void model_free(struct model *model);

#endif
