// SPDX-License-Identifier: MIT
/* The file of a multilayer perceptron. model.h has its tensors. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <npu_file.h>

#include "error.h"
#include "model.h"

#define NAME_ROOM 32
#define TENSORS_OF_LAYER 3

/* What is being read, for errors. */
struct reader {
	const char *path;
	struct npu_file *file;
	struct npu_error *err;
};

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

/* ---- Loading ----------------------------------------------------------------------------- */

/* Every second module of nn.Sequential is a layer, the others are ReLU. */
static void tensor_name(char name[NAME_ROOM], uint32_t layer, const char *what)
{
	snprintf(name, NAME_ROOM, "%u.%s", 2 * layer, what);
}

static int find(const struct reader *reader, const char *name, uint32_t rank, size_t *index)
{
	const struct npu_file_tensor *tensor;

	*index = npu_file_find(reader->file, name);
	if (*index == NPU_FILE_NONE)
		return error_set(reader->err, -EINVAL, "%s: has no tensor '%s'", reader->path,
				 name);
	tensor = npu_file_tensor(reader->file, *index);
	if (tensor->rank != rank)
		return error_set(reader->err, -EINVAL, "%s: '%s' has %u dimensions, not %u",
				 reader->path, name, tensor->rank, rank);
	return 0;
}

/* Reads @count finite values, all that a tensor has. */
static int read_values(const struct reader *reader, const char *name, uint32_t rank, size_t count,
		       float *values)
{
	size_t index;
	int ret = find(reader, name, rank, &index);

	if (ret)
		return ret;
	if (npu_file_tensor(reader->file, index)->elements != count)
		return error_set(reader->err, -EINVAL, "%s: '%s' has %llu values, not %zu",
				 reader->path, name,
				 (unsigned long long)npu_file_tensor(reader->file, index)->elements,
				 count);
	ret = npu_file_read(reader->file, index, 0, count, values, reader->err);
	for (size_t i = 0; i < count && !ret; i++)
		if (!isfinite(values[i]))
			ret = error_set(reader->err, -EINVAL, "%s: value %zu of '%s' is %f",
					reader->path, i, name, (double)values[i]);
	return ret;
}

static int read_positive(const struct reader *reader, const char *name, float *value)
{
	int ret = read_values(reader, name, 0, 1, value);

	if (!ret && !(*value > 0))
		ret = error_set(reader->err, -EINVAL, "%s: '%s' is %g, which is not above 0",
				reader->path, name, (double)*value);
	return ret;
}

/* @inputs is what the layer before gives. */
static int load_layer(const struct reader *reader, uint32_t inputs, struct model *model)
{
	uint32_t number = model->layer_count;
	struct layer *layer = &model->layer[number];
	const struct npu_file_tensor *tensor;
	char name[NAME_ROOM];
	size_t index;
	int ret;

	tensor_name(name, number, "weight");
	ret = find(reader, name, 2, &index);
	if (ret)
		return ret;
	tensor = npu_file_tensor(reader->file, index);
	if (tensor->shape[0] < 1 || tensor->shape[0] > MODEL_MAX_WIDTH)
		return error_set(reader->err, -EINVAL, "%s: '%s' has %llu outputs, not 1 to %d",
				 reader->path, name, (unsigned long long)tensor->shape[0],
				 MODEL_MAX_WIDTH);
	if (tensor->shape[1] != inputs)
		return error_set(reader->err, -EINVAL, "%s: '%s' takes %llu inputs but is given %u",
				 reader->path, name, (unsigned long long)tensor->shape[1], inputs);

	/* Counted before the allocation, so that model_free() sees a half-made layer too. */
	model->layer_count++;
	ret = layer_create(layer, (uint32_t)tensor->shape[0], inputs, reader->err);
	if (!ret)
		ret = read_values(reader, name, 2, (size_t)layer->n * layer->k, layer->weight);
	if (ret)
		return ret;
	tensor_name(name, number, "bias");
	ret = read_values(reader, name, 1, layer->n, layer->bias);
	if (ret)
		return ret;
	tensor_name(name, number, "output_range");
	return read_positive(reader, name, &layer->range);
}

static int load(const struct reader *reader, uint32_t inputs, float input_max, uint32_t outputs,
		struct model *model)
{
	char name[NAME_ROOM];
	uint32_t width = inputs;
	int ret = read_positive(reader, "input_max", &model->input_max);

	if (ret)
		return ret;
	if (model->input_max != input_max)
		return error_set(reader->err, -EINVAL, "%s: takes pixels of 0 to %g, not %g",
				 reader->path, (double)model->input_max, (double)input_max);
	do {
		if (model->layer_count == MODEL_MAX_LAYERS)
			return error_set(reader->err, -EINVAL, "%s: has more than %d layers",
					 reader->path, MODEL_MAX_LAYERS);
		ret = load_layer(reader, width, model);
		if (ret)
			return ret;
		width = model->layer[model->layer_count - 1].n;
		tensor_name(name, model->layer_count, "weight");
	} while (npu_file_find(reader->file, name) != NPU_FILE_NONE);
	if (width != outputs)
		return error_set(reader->err, -EINVAL, "%s: gives %u outputs where %u are needed",
				 reader->path, width, outputs);
	return 0;
}

int model_load(const char *path, uint32_t inputs, float input_max, uint32_t outputs,
	       struct model *model, struct npu_error *err)
{
	struct reader reader = { .path = path, .err = err };
	int ret;

	memset(model, 0, sizeof(*model));
	ret = npu_file_open(path, &reader.file, err);
	if (ret)
		return ret;
	ret = load(&reader, inputs, input_max, outputs, model);
	if (ret)
		model_free(model);
	npu_file_close(reader.file);
	return ret;
}

/* ---- Saving ------------------------------------------------------------------------------ */

int model_save(const char *path, const struct model *model, struct npu_error *err)
{
	struct npu_safetensors_entry tensors[MODEL_MAX_LAYERS * TENSORS_OF_LAYER + 1];
	char names[MODEL_MAX_LAYERS * TENSORS_OF_LAYER][NAME_ROOM];
	size_t count = 0;

	for (uint32_t i = 0; i < model->layer_count; i++) {
		const struct layer *layer = &model->layer[i];

		tensor_name(names[count], i, "weight");
		tensors[count++] = (struct npu_safetensors_entry){
			.type = "F32",
			.rank = 2,
			.shape = { layer->n, layer->k },
			.data = layer->weight,
		};
		tensor_name(names[count], i, "bias");
		tensors[count++] = (struct npu_safetensors_entry){
			.type = "F32",
			.rank = 1,
			.shape = { layer->n },
			.data = layer->bias,
		};
		tensor_name(names[count], i, "output_range");
		tensors[count++] = (struct npu_safetensors_entry){
			.type = "F32",
			.data = &layer->range,
		};
	}
	for (size_t i = 0; i < count; i++)
		tensors[i].name = names[i];
	tensors[count++] = (struct npu_safetensors_entry){
		.name = "input_max",
		.type = "F32",
		.data = &model->input_max,
	};
	return npu_safetensors_write(path, tensors, count, NULL, 0, err);
}
