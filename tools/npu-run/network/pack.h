/* SPDX-License-Identifier: MIT */
/* Weights of a quantized network as a device has them packed: a file for each layer. */
#ifndef NPU_RUN_PACK_H
#define NPU_RUN_PACK_H

#include "float_network.h"
#include "quant_network.h"

/* PREFIX.LAYER.npuw, with _ for a slash in the name of the layer. The caller's to free, or NULL. */
char *pack_path(const char *prefix, const char *layer);

/* Fails early if pack_write() could not work, or if two layers would have the same file. */
int pack_check(const struct float_network *network, const char *prefix, struct npu_error *err);

/* Writes all files, or none. */
int pack_write(struct npu_device *dev, const struct quant_network *network, const char *prefix,
	       struct npu_error *err);

/* Removes what pack_write() has written. */
void pack_remove(const struct quant_network *network, const char *prefix);

/* Opens a file, which has to hold the weights of @layer: packing these again gives the same. */
int pack_open(struct npu_device *dev, const char *path, const struct quant_layer *layer,
	      struct npu_weights **weights, struct npu_error *err);

#endif
