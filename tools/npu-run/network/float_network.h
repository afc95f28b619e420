/* SPDX-License-Identifier: MIT */
/*
 * A network as it was trained: layers of float weights with ReLU between them and nothing after the
 * last.
 *
 * In a safetensors or GGUF file a layer is "NAME.weight" (N x K) with "NAME.bias" (N) or none,
 * which is how PyTorch names those of nn.Sequential. Layers are in the order of the whole numbers
 * in their names, or of the file where there are none. A file with one matrix of any name is a
 * network of one layer, and so is an .npy file, and any one matrix that is asked for. What
 * "npu-run quantize" has made is refused: its integers are no floats without the rest of the file.
 * Errors begin with the path.
 */
#ifndef NPU_RUN_FLOAT_NETWORK_H
#define NPU_RUN_FLOAT_NETWORK_H

#include <stdint.h>

#include "npu.h"

/* Most layers of a network. */
#define NETWORK_MAX_LAYERS 64

/* @bias may be NULL. */
struct float_layer {
	char *name;
	uint32_t n, k;
	float *weight;
	float *bias;
};

struct float_network {
	uint32_t count;
	struct float_layer layer[NETWORK_MAX_LAYERS];
};

/* @tensor: The only one to take, or NULL. */
int float_network_load(const char *path, const char *tensor, struct float_network *network,
		       struct npu_error *err);

void float_network_free(struct float_network *network);

/* Bytes of weights and biases. */
uint64_t float_network_bytes(const struct float_network *network);

#endif
