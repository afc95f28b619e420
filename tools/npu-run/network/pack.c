// SPDX-License-Identifier: MIT
/* Weights of a quantized network as a device has them packed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../error.h"
#include "../save.h"
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

/* Of the paths, the last one is new. */
static int check_path(char *const *path, uint32_t last, const struct float_network *network,
		      struct npu_error *err)
{
	struct npu_error why;

	if (save_check(path[last], &why))
		return error_set(err, why.code, "%s: %.128s", path[last], why.text);
	for (uint32_t i = 0; i < last; i++)
		if (!strcmp(path[last], path[i]))
			return error_set(err, -EINVAL, "%s: would hold layers %.64s and %.64s",
					 path[i], network->layer[i].name,
					 network->layer[last].name);
	return 0;
}

int pack_check(const struct float_network *network, const char *prefix, struct npu_error *err)
{
	char *path[NETWORK_MAX_LAYERS] = { NULL };
	int ret = 0;

	for (uint32_t i = 0; i < network->count && !ret; i++) {
		path[i] = pack_path(prefix, network->layer[i].name);
		if (!path[i]) {
			ret = error_set(err, -ENOMEM, "out of memory");
			break;
		}
		ret = check_path(path, i, network, err);
	}
	for (uint32_t i = 0; i < network->count; i++)
		free(path[i]);
	return ret;
}

static int write_layer(struct npu_device *dev, const struct quant_layer *layer, const char *path,
		       struct npu_error *err)
{
	struct npu_weights *weights;
	sigset_t before;
	int ret = device_layer_pack(dev, layer, &weights, err);

	if (ret)
		return ret;
	save_guard(&before);
	ret = npu_weights_save(weights, path, err);
	save_unguard(&before);
	npu_weights_destroy(weights);
	return ret;
}

/* Those of the first @count layers. */
static void remove_files(const struct quant_network *network, uint32_t count, const char *prefix)
{
	for (uint32_t i = 0; i < count; i++) {
		char *path = pack_path(prefix, network->layer[i].name);

		if (path)
			unlink(path);
		free(path);
	}
}

int pack_write(struct npu_device *dev, const struct quant_network *network, const char *prefix,
	       struct npu_error *err)
{
	int ret = 0;

	for (uint32_t i = 0; i < network->count && !ret; i++) {
		char *path = pack_path(prefix, network->layer[i].name);

		ret = path ? write_layer(dev, &network->layer[i], path, err)
			   : error_set(err, -ENOMEM, "out of memory");
		free(path);
		if (ret)
			remove_files(network, i, prefix);
	}
	return ret;
}

void pack_remove(const struct quant_network *network, const char *prefix)
{
	remove_files(network, network->count, prefix);
}

/* ---- Opening ---------------------------------------------------------------------------- */

/* As weights are packed they cannot be read, but the same ones are packed the same way. */
static int check_same(struct npu_device *dev, const char *path, const struct quant_layer *layer,
		      const struct npu_weights *weights, struct npu_error *err)
{
	struct npu_weights *packed;
	bool same = false;
	int ret = device_layer_pack(dev, layer, &packed, err);

	if (ret)
		return ret;
	ret = npu_weights_equal(weights, packed, &same, err);
	npu_weights_destroy(packed);
	if (!ret && !same)
		ret = error_set(err, -EINVAL, "%s: holds other weights than layer %.64s has", path,
				layer->name);
	return ret;
}

int pack_open(struct npu_device *dev, const char *path, const struct quant_layer *layer,
	      struct npu_weights **weights, struct npu_error *err)
{
	struct npu_weights *opened;
	int ret = npu_weights_open(dev, path, &opened, err);

	if (ret)
		return ret;
	if (npu_weights_n(opened) != layer->n || npu_weights_k(opened) != layer->k)
		ret = error_set(err, -EINVAL,
				"%s: holds weights of %u x %u, but layer %.64s is %u x %u", path,
				npu_weights_n(opened), npu_weights_k(opened), layer->name, layer->n,
				layer->k);
	else
		ret = check_same(dev, path, layer, opened, err);
	if (ret)
		npu_weights_destroy(opened);
	else
		*weights = opened;
	return ret;
}
