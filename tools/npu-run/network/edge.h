/* SPDX-License-Identifier: MIT */
/*
 * The edges of what a device computes: from real numbers to the integers of a layer's input, and
 * from its results to real numbers. This is the processor's part of a quantized network.
 */
#ifndef NPU_RUN_EDGE_H
#define NPU_RUN_EDGE_H

#include "device_layer.h"

struct edge;

/* Memory for batches of @rows of all layers of a network. */
int edge_create(const struct quant_network *network, uint32_t rows, struct edge **edge,
		struct npu_error *err);

void edge_destroy(struct edge *edge);

/*
 * Writes rows x k real inputs into the layer's tensor: divided by its factors, rotated, quantized.
 * Of inputs that are not static the scales are kept for edge_receive().
 */
int edge_send(struct edge *edge, struct device_layer *layer, const float *x, uint32_t rows,
	      struct npu_error *err);

/* Reads the layer's results as rows x n real numbers, after ReLU where it has one. */
int edge_receive(struct edge *edge, struct device_layer *layer, uint32_t rows, float *y,
		 struct npu_error *err);

#endif
