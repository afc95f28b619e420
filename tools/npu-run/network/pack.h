/* SPDX-License-Identifier: MIT */
/* Weights of a quantized network as a device has them packed: a file for each layer. */
#ifndef NPU_RUN_PACK_H
#define NPU_RUN_PACK_H

#include "quant_network.h"

/* PREFIX.LAYER.npuw, with _ for a slash in the name of the layer. The caller's to free, or NULL. */
char *pack_path(const char *prefix, const char *layer);

/* Writes all files. Those of before a failure stay. */
int pack_write(struct npu_device *dev, const struct quant_network *network, const char *prefix,
	       struct npu_error *err);

#endif
