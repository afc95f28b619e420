/* SPDX-License-Identifier: MIT */
/* One layer of a quantized network on a device. */
#ifndef NPU_RUN_DEVICE_LAYER_H
#define NPU_RUN_DEVICE_LAYER_H

#include <npu_tune.h>

#include "quant_network.h"

/*
 * struct result_form - what a layer's matmul gives
 * @type: INT8 or INT16: integers like the inputs of the next layer; INT32: exact sums; FLOAT32:
 *real results of static inputs, or sums in units of the inputs' scale.
 * @bits, @symmetric: Of INT8 and INT16.
 * @scale, @zero: Of INT8 and INT16; 1 and 0 otherwise.
 * @finished: False for sums, which are still to be multiplied with the scale of the inputs.
 */
struct result_form {
	enum npu_type type;
	uint32_t bits;
	bool symmetric;
	float scale;
	int32_t zero;
	bool finished;
};

/*
 * struct device_layer - objects, and what the processor adds to them
 * @direct: The input is the result tensor of the layer before.
 * @relu: Whether it ends in ReLU.
 * @follower: Range of adaptive inputs.
 * @row_sum: Sums of the weights, where inputs have zero points that come at run time.
 */
struct device_layer {
	const struct quant_layer *layer;
	struct result_form form;
	bool direct;
	bool relu;
	struct npu_tensor *a;
	struct npu_tensor *c;
	struct npu_weights *weights;
	struct npu_epilogue *epilogue;
	struct npu_matmul *matmul;
	struct npu_follower *follower;
	int64_t *row_sum;
};

/* The form of the results of layer @i. */
struct result_form result_form(const struct quant_network *network, uint32_t i);

/* Packs the weights of a layer. */
int device_layer_pack(struct npu_device *dev, const struct quant_layer *layer,
		      struct npu_weights **weights, struct npu_error *err);

/*
 * @before: The layer whose results this one takes as they are, or NULL.
 * @packed: A file of packed weights, or NULL to pack those of the network.
 * After a failure, as after everything else, device_layer_destroy().
 */
int device_layer_create(struct npu_device *dev, const struct quant_network *network, uint32_t i,
			uint32_t rows, const char *packed, const struct device_layer *before,
			struct device_layer *result, struct npu_error *err);

void device_layer_destroy(struct device_layer *layer);

#endif
