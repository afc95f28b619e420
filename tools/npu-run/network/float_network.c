// SPDX-License-Identifier: MIT
/* A network as it was trained, from a file. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <npu_file.h>

#include "../error.h"
#include "float_network.h"
#include "matrix.h"

/* What error_set() shows of a name. */
#define SHOWN 64

/* A matrix of the file that is a layer's weights. */
struct found {
	size_t index;
	int length; /* of the layer's name */
	uint64_t order;
};

static int compare(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

/* The first whole number in a name, as nn.Sequential numbers its layers. */
static uint64_t number_of(const char *name, int length)
{
	int digits = (int)strcspn(name, "0123456789");

	return digits < length ? strtoull(name + digits, NULL, 10) : 0;
}

/* Length of NAME in NAME.weight, or 0. */
static int layer_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name && !strcmp(dot, ".weight") ? (int)(dot - name) : 0;
}

/* The array of an .npy file has no name. */
static const char *shown_name(const struct npu_file_tensor *tensor)
{
	return tensor->name[0] ? tensor->name : "the array";
}

static int find_layers(const char *path, const struct npu_file *file, struct found *found,
		       uint32_t *count, struct npu_error *err)
{
	*count = 0;
	for (size_t i = 0; i < npu_file_count(file); i++) {
		const char *name = npu_file_tensor(file, i)->name;
		int length = layer_name(name);

		if (!length)
			continue;
		if (*count == NETWORK_MAX_LAYERS)
			return error_set(err, -EINVAL, "%s: has more than %d layers", path,
					 NETWORK_MAX_LAYERS);
		found[(*count)++] = (struct found){ i, length, number_of(name, length) };
	}
	qsort(found, *count, sizeof(*found), compare);
	if (!*count && npu_file_count(file) == 1) {
		found[0] = (struct found){ 0, (int)strlen(npu_file_tensor(file, 0)->name), 0 };
		*count = 1;
	}
	if (!*count)
		return error_set(err, -EINVAL,
				 "%s: has no layers: weights are called NAME.weight, or are the "
				 "only tensor of a file",
				 path);
	return 0;
}

/* Reads a tensor of finite values. */
static int read_finite(const char *path, const struct npu_file *file, size_t index, float **values,
		       struct npu_error *err)
{
	const struct npu_file_tensor *tensor = npu_file_tensor(file, index);
	float *x;
	int ret;

	if (!tensor->readable)
		return error_set(err, -EINVAL, "%s: %.*s is %s, which is not read as float", path,
				 SHOWN, shown_name(tensor), tensor->type);
	x = matrix_alloc(tensor->elements, 1, sizeof(*x));
	if (!x)
		return error_set(err, -ENOMEM, "%s: %.*s: out of memory", path, SHOWN,
				 shown_name(tensor));
	ret = npu_file_read(file, index, 0, tensor->elements, x, err);
	for (uint64_t i = 0; i < tensor->elements && !ret; i++) {
		uint64_t cols = tensor->shape[tensor->rank - 1];

		if (!isfinite(x[i]))
			ret = error_set(err, -EINVAL,
					"%s: %.*s: row %" PRIu64 ", column %" PRIu64 " is %f", path,
					SHOWN, shown_name(tensor), tensor->rank > 1 ? i / cols : 0,
					i % cols, (double)x[i]);
	}
	if (ret) {
		free(x);
		return ret;
	}
	*values = x;
	return 0;
}

static int load_bias(const char *path, const struct npu_file *file, struct float_layer *layer,
		     struct npu_error *err)
{
	char name[NPU_FILE_MAX_NAME + 8];
	const struct npu_file_tensor *tensor;
	size_t index;

	snprintf(name, sizeof(name), "%s.bias", layer->name);
	index = npu_file_find(file, name);
	if (index == NPU_FILE_NONE)
		return 0;
	tensor = npu_file_tensor(file, index);
	if (tensor->rank != 1 || tensor->shape[0] != layer->n)
		return error_set(err, -EINVAL,
				 "%s: %.*s is no vector of %u values, one for each row of the "
				 "weights",
				 path, SHOWN, name, layer->n);
	return read_finite(path, file, index, &layer->bias, err);
}

static int load_layer(const char *path, const struct npu_file *file, const struct found *found,
		      struct float_layer *layer, struct npu_error *err)
{
	const struct npu_file_tensor *tensor = npu_file_tensor(file, found->index);
	int ret;

	if (tensor->rank != 2)
		return error_set(err, -EINVAL,
				 "%s: %.*s has %u dimensions where a matrix is needed", path, SHOWN,
				 shown_name(tensor), tensor->rank);
	if (!tensor->elements || tensor->shape[0] > INT32_MAX || tensor->shape[1] > INT32_MAX)
		return error_set(err, -EINVAL, "%s: %.*s is of %" PRIu64 " x %" PRIu64 " values",
				 path, SHOWN, shown_name(tensor), tensor->shape[0],
				 tensor->shape[1]);
	layer->n = (uint32_t)tensor->shape[0];
	layer->k = (uint32_t)tensor->shape[1];
	layer->name =
		found->length ? strndup(tensor->name, (size_t)found->length) : strdup("weights");
	if (!layer->name)
		return error_set(err, -ENOMEM, "%s: out of memory", path);
	ret = read_finite(path, file, found->index, &layer->weight, err);
	return ret ? ret : load_bias(path, file, layer, err);
}

/* The one layer that a tensor is, whatever its name. */
static int find_tensor(const char *path, const struct npu_file *file, const char *tensor,
		       struct found *found, uint32_t *count, struct npu_error *err)
{
	size_t index = npu_file_find(file, tensor);
	int length = layer_name(tensor);

	if (index == NPU_FILE_NONE)
		return error_set(err, -EINVAL, "%s: has no tensor '%.*s'", path, SHOWN, tensor);
	*found = (struct found){ index, length ? length : (int)strlen(tensor), 0 };
	*count = 1;
	return 0;
}

int float_network_load(const char *path, const char *tensor, struct float_network *network,
		       struct npu_error *err)
{
	struct found found[NETWORK_MAX_LAYERS];
	struct npu_file *file;
	int ret;

	memset(network, 0, sizeof(*network));
	ret = npu_file_open(path, &file, err);
	if (ret)
		return ret;
	if (npu_file_find_note(file, "npu_quantized"))
		ret = error_set(err, -EINVAL,
				"%s: is quantized already: the network of floats is needed that it "
				"was made of",
				path);
	else if (tensor)
		ret = find_tensor(path, file, tensor, found, &network->count, err);
	else
		ret = find_layers(path, file, found, &network->count, err);
	for (uint32_t i = 0; i < network->count && !ret; i++) {
		struct float_layer *layer = &network->layer[i];

		ret = load_layer(path, file, &found[i], layer, err);
		if (!ret && i && layer[-1].n != layer->k)
			ret = error_set(err, -EINVAL,
					"%s: layer %.*s has %u inputs, but the one before it %u "
					"outputs",
					path, SHOWN, layer->name, layer->k, layer[-1].n);
	}
	npu_file_close(file);
	if (ret)
		float_network_free(network);
	return ret;
}

void float_network_free(struct float_network *network)
{
	for (uint32_t i = 0; i < NETWORK_MAX_LAYERS; i++) {
		free(network->layer[i].name);
		free(network->layer[i].weight);
		free(network->layer[i].bias);
	}
	memset(network, 0, sizeof(*network));
}

uint64_t float_network_bytes(const struct float_network *network)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < network->count; i++) {
		const struct float_layer *layer = &network->layer[i];

		bytes += ((uint64_t)layer->n * layer->k + (layer->bias ? layer->n : 0)) *
			 sizeof(float);
	}
	return bytes;
}
