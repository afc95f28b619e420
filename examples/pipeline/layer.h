/* SPDX-License-Identifier: MIT */
/* The networks, of one layer each. */
#ifndef LAYER_H
#define LAYER_H

#include <npu.h>

#define FEATURES 16
#define SCORES 4

struct layer {
	struct npu_device *dev; /* not held */
	struct npu_weights *weights;
	struct npu_epilogue *epilogue;
};

/* From a patch to its FEATURES: how bright each half of a line is. */
int layer_create_features(struct layer *layer, struct npu_device *dev, struct npu_error *err);

/* From features to SCORES: how bright it is altogether, on the left, at the top, in the middle. */
int layer_create_heads(struct layer *layer, struct npu_device *dev, struct npu_error *err);

void layer_destroy(struct layer *layer);

/* A multiplication by a layer. */
int layer_bind(const struct layer *layer, struct npu_tensor *in, struct npu_tensor *out,
	       struct npu_matmul **matmul, struct npu_error *err);

#endif /* LAYER_H */
