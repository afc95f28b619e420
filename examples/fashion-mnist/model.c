// SPDX-License-Identifier: MIT
/* The file of a multilayer perceptron. model.h has its format. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "model.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the file is read and written as it lies in memory: little-endian only"
#endif

static const char magic[8] = "NPU-MLP1";

static int layer_create(struct layer *layer, uint32_t n, uint32_t k, struct npu_error *err)
{
	layer->n = n;
	layer->k = k;
	layer->bias = calloc(n, sizeof(float));
	layer->weight = calloc((size_t)n * k, sizeof(float));
	if (!layer->bias || !layer->weight)
		return error_set(err, -ENOMEM, "out of memory for a layer of %u x %u", n, k);
	return 0;
}

int model_create(const uint32_t *width, uint32_t layer_count, struct model *model,
		 struct npu_error *err)
{
	int ret;

	memset(model, 0, sizeof(*model));
	model->layer_count = layer_count;
	for (uint32_t i = 0; i < layer_count; i++) {
		ret = layer_create(&model->layer[i], width[i + 1], width[i], err);
		if (ret) {
			model_free(model);
			return ret;
		}
	}
	return 0;
}

void model_free(struct model *model)
{
	for (uint32_t i = 0; i < model->layer_count; i++) {
		free(model->layer[i].bias);
		free(model->layer[i].weight);
	}
	memset(model, 0, sizeof(*model));
}

static int read_exactly(FILE *file, void *data, size_t bytes, struct npu_error *err)
{
	if (fread(data, 1, bytes, file) == bytes)
		return 0;
	if (ferror(file))
		return error_set(err, -EIO, "cannot be read: %s", strerror(errno));
	return error_set(err, -EINVAL, "ends too early");
}

static int check_finite(const float *x, size_t count, uint32_t index, struct npu_error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(x[i]))
			return error_set(err, -EINVAL, "layer %u holds a number that is not finite",
					 index);
	}
	return 0;
}

/* @inputs is what the layer before gives. */
static int load_layer(FILE *file, uint32_t index, uint32_t inputs, struct model *model,
		      struct npu_error *err)
{
	struct layer *layer = &model->layer[index];
	uint32_t shape[2];
	size_t weights;
	int ret;

	ret = read_exactly(file, shape, sizeof(shape), err);
	if (ret)
		return ret;
	if (shape[0] < 1 || shape[0] > MODEL_MAX_WIDTH)
		return error_set(err, -EINVAL, "layer %u has %u outputs, not 1 to %d", index,
				 shape[0], MODEL_MAX_WIDTH);
	if (shape[1] != inputs)
		return error_set(err, -EINVAL, "layer %u takes %u inputs but is given %u", index,
				 shape[1], inputs);

	/* Counted before the allocation, so that model_free() sees a half-made layer too. */
	model->layer_count = index + 1;
	ret = layer_create(layer, shape[0], shape[1], err);
	if (ret)
		return ret;
	weights = (size_t)layer->n * layer->k;
	ret = read_exactly(file, &layer->range, sizeof(float), err);
	if (!ret)
		ret = read_exactly(file, layer->bias, layer->n * sizeof(float), err);
	if (!ret)
		ret = read_exactly(file, layer->weight, weights * sizeof(float), err);
	if (!ret && !(isfinite(layer->range) && layer->range > 0))
		ret = error_set(err, -EINVAL, "layer %u has a range that is not above 0", index);
	if (!ret)
		ret = check_finite(layer->bias, layer->n, index, err);
	if (!ret)
		ret = check_finite(layer->weight, weights, index, err);
	return ret;
}

static int load(FILE *file, uint32_t inputs, uint32_t outputs, struct model *model,
		struct npu_error *err)
{
	char head[sizeof(magic)];
	uint32_t width = inputs;
	uint32_t layers;
	int ret;

	ret = read_exactly(file, head, sizeof(head), err);
	if (ret)
		return ret;
	if (memcmp(head, magic, sizeof(magic)))
		return error_set(err, -EINVAL, "is not a model file");
	ret = read_exactly(file, &layers, sizeof(layers), err);
	if (ret)
		return ret;
	if (layers < 1 || layers > MODEL_MAX_LAYERS)
		return error_set(err, -EINVAL, "has %u layers, not 1 to %d", layers,
				 MODEL_MAX_LAYERS);

	for (uint32_t i = 0; i < layers; i++) {
		ret = load_layer(file, i, width, model, err);
		if (ret)
			return ret;
		width = model->layer[i].n;
	}
	if (width != outputs)
		return error_set(err, -EINVAL, "gives %u outputs where %u are needed", width,
				 outputs);
	if (fgetc(file) != EOF)
		return error_set(err, -EINVAL, "goes on after its last layer");
	return 0;
}

int model_load(const char *path, uint32_t inputs, uint32_t outputs, struct model *model,
	       struct npu_error *err)
{
	FILE *file;
	int ret;

	memset(model, 0, sizeof(*model));
	file = fopen(path, "rb");
	if (!file)
		return error_set(err, -errno, "cannot be opened: %s", strerror(errno));
	ret = load(file, inputs, outputs, model, err);
	if (ret)
		model_free(model);
	fclose(file);
	return ret;
}

int model_save(const char *path, const struct model *model, struct npu_error *err)
{
	FILE *file;

	file = fopen(path, "wb");
	if (!file)
		return error_set(err, -errno, "cannot be created: %s", strerror(errno));

	/* stdio remembers a failed write, so one look at the end is enough. */
	fwrite(magic, sizeof(magic), 1, file);
	fwrite(&model->layer_count, sizeof(uint32_t), 1, file);
	for (uint32_t i = 0; i < model->layer_count; i++) {
		const struct layer *layer = &model->layer[i];

		fwrite(&layer->n, sizeof(uint32_t), 1, file);
		fwrite(&layer->k, sizeof(uint32_t), 1, file);
		fwrite(&layer->range, sizeof(float), 1, file);
		fwrite(layer->bias, sizeof(float), layer->n, file);
		fwrite(layer->weight, sizeof(float), (size_t)layer->n * layer->k, file);
	}
	if (ferror(file) | fclose(file))
		return error_set(err, -EIO, "cannot be written: %s", strerror(errno));
	return 0;
}
