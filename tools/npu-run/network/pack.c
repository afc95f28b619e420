// SPDX-License-Identifier: MIT
/* Weights of a quantized network as a device has them packed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "device_layer.h"
#include "pack.h"

char *pack_path(const char *prefix, const char *layer)
{
	char *path;
	int length = asprintf(&path, "%s.%s.npuw", prefix, layer);

	if (length < 0)
		return NULL;
	for (char *c = path + strlen(prefix); *c; c++)
		if (*c == '/')
			*c = '_';
	return path;
}

int pack_write(struct npu_device *dev, const struct quant_network *network, const char *prefix,
	       struct npu_error *err)
{
	int ret = 0;

	for (uint32_t i = 0; i < network->count && !ret; i++) {
		char *path = pack_path(prefix, network->layer[i].name);
		struct npu_weights *weights = NULL;

		ret = path ? device_layer_pack(dev, &network->layer[i], &weights, err)
			   : error_set(err, -ENOMEM, "out of memory");
		if (!ret)
			ret = npu_weights_save(weights, path, err);
		npu_weights_destroy(weights);
		free(path);
	}
	return ret;
}
