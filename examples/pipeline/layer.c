// SPDX-License-Identifier: MIT
/* The networks, of one layer each. Nobody trained them: their weights are averages. */
#include "camera.h"
#include "layer.h"

static int layer_create(struct layer *layer, struct npu_device *dev, uint32_t n, uint32_t k,
			const int8_t *weights, uint32_t shift, struct npu_error *err)
{
	const int16_t one = 1;
	const struct npu_epilogue_desc epilogue = {
		.size = sizeof(epilogue),
		.n = n,
		.multiplier = &one,
		.scale_count = 1,
		.shift = shift,
	};
	const struct npu_weights_desc packed = {
		.size = sizeof(packed),
		.n = n,
		.k = k,
		.data = weights,
	};
	int ret;

	layer->dev = dev;
	ret = npu_weights_create(dev, &packed, &layer->weights, err);
	return ret ? ret : npu_epilogue_create(dev, &epilogue, &layer->epilogue, err);
}

int layer_create_features(struct layer *layer, struct npu_device *dev, struct npu_error *err)
{
	int8_t weights[FEATURES][CAMERA_PATCH_PIXELS] = { 0 };

	/* A quarter of each of four pixels, in units of 1 / 2^8. */
	for (int i = 0; i < CAMERA_PATCH_PIXELS; i++)
		weights[i / 4][i] = 64;
	return layer_create(layer, dev, FEATURES, CAMERA_PATCH_PIXELS, weights[0], 8, err);
}

int layer_create_heads(struct layer *layer, struct npu_device *dev, struct npu_error *err)
{
	int8_t weights[SCORES][FEATURES];

	/* Feature i is the left half of line i / 2 if i is even, else the right half. */
	for (int i = 0; i < FEATURES; i++) {
		weights[0][i] = 8;
		weights[1][i] = i % 2 ? -8 : 8;
		weights[2][i] = i < FEATURES / 2 ? 8 : -8;
		weights[3][i] = i >= FEATURES / 4 && i < FEATURES * 3 / 4 ? 16 : 0;
	}
	return layer_create(layer, dev, SCORES, FEATURES, weights[0], 7, err);
}

void layer_destroy(struct layer *layer)
{
	npu_weights_destroy(layer->weights);
	npu_epilogue_destroy(layer->epilogue);
}

int layer_bind(const struct layer *layer, struct npu_tensor *in, struct npu_tensor *out,
	       struct npu_matmul **matmul, struct npu_error *err)
{
	const struct npu_matmul_desc desc = {
		.size = sizeof(desc),
		.a = in,
		.weights = layer->weights,
		.epilogue = layer->epilogue,
		.c = out,
	};

	return npu_matmul_create(layer->dev, &desc, matmul, err);
}
