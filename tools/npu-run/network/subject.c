// SPDX-License-Identifier: MIT
/* A quantized network that is held against a float one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <npu_tune.h>

#include "../error.h"
#include "matrix.h"
#include "quant_file.h"
#include "subject.h"

#define FNV_BASIS 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

/* Classes that "top k" has room for. */
#define TOP_K 5

static int check_shape(const struct subject *subject, const char *model_path,
		       const struct float_network *model, struct npu_error *err)
{
	const struct quant_network *network = &subject->network;

	if (network->count != model->count)
		return error_set(err, -EINVAL, "%s: has %u layers, but %s has %u", subject->path,
				 network->count, model_path, model->count);
	for (uint32_t i = 0; i < network->count; i++) {
		const struct quant_layer *layer = &network->layer[i];
		const struct float_layer *like = &model->layer[i];

		if (layer->n != like->n || layer->k != like->k)
			return error_set(err, -EINVAL,
					 "%s: layer %.64s is %u x %u, but in %s it is %u x %u",
					 subject->path, layer->name, layer->n, layer->k, model_path,
					 like->n, like->k);
	}
	return 0;
}

int subject_load(const char *path, const char *model_path, const struct float_network *model,
		 struct subject *subject, struct npu_error *err)
{
	const uint32_t classes = model->layer[model->count - 1].n;
	int ret;

	memset(subject, 0, sizeof(*subject));
	subject->path = path;
	ret = quant_file_load(path, &subject->network, err);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < NETWORK_MAX_LAYERS; i++) {
		struct subject_layer *layer = &subject->layer[i];

		layer->deviation.size = sizeof(layer->deviation);
		layer->clipping.size = sizeof(layer->clipping);
		layer->clips = i < model->count && subject->network.layer[i].mode == INPUT_STATIC;
	}
	subject->output.size = sizeof(subject->output);
	subject->scores = (struct npu_scores){
		.size = sizeof(subject->scores),
		.classes = classes,
		.k = classes < TOP_K ? classes : TOP_K,
	};
	subject->hash = FNV_BASIS;
	return check_shape(subject, model_path, model, err);
}

int subject_start(struct subject *subject, struct npu_device *dev, uint32_t batch,
		  const char *packed, struct npu_error *err)
{
	uint32_t width = subject->network.layer[0].k;
	int ret;

	for (uint32_t i = 0; i < subject->network.count; i++)
		if (subject->network.layer[i].n > width)
			width = subject->network.layer[i].n;
	subject->scratch = matrix_alloc(batch, width, sizeof(*subject->scratch));
	if (!subject->scratch)
		return error_set(err, -ENOMEM, "out of memory for a batch of %u samples", batch);
	ret = runner_create(dev, &subject->network, batch, packed, &subject->runner, err);
	for (uint32_t i = 0; i < subject->network.count && !ret; i++)
		ret = runner_host_stages(subject->runner, i, &subject->layer[i].stages, err);
	return ret;
}

/* Where the float network's inputs of layer @i lie in its range, after factors and rotation. */
static int add_clipping(struct subject *subject, uint32_t i, const float *x, uint32_t rows,
			struct npu_error *err)
{
	const struct quant_layer *layer = &subject->network.layer[i];
	const struct npu_quant_scheme scheme = quant_input_scheme(layer);
	const float *factor = i ? layer[-1].output_factor : layer->input_factor;
	float *copy = subject->scratch;
	int ret = 0;

	memcpy(copy, x, (size_t)rows * layer->k * sizeof(*copy));
	if (factor)
		ret = npu_scale_columns(copy, rows, layer->k, factor, true, err);
	if (!ret && layer->rotated)
		ret = npu_rotate(copy, rows, layer->k, layer->seed, err);
	if (ret)
		return ret;
	return npu_clipping_add(&subject->layer[i].clipping, &scheme, layer->input_scale,
				layer->input_zero, copy, (size_t)rows * layer->k, err);
}

static int add_deviation(struct subject *subject, uint32_t i, const float *reference, uint32_t rows,
			 struct npu_error *err)
{
	const struct quant_layer *layer = &subject->network.layer[i];
	const size_t count = (size_t)rows * layer->n;
	const float *result = runner_result(subject->runner, i);
	int ret;

	if (layer->output_factor) {
		memcpy(subject->scratch, result, count * sizeof(float));
		ret = npu_scale_columns(subject->scratch, rows, layer->n, layer->output_factor,
					false, err);
		if (ret)
			return ret;
		result = subject->scratch;
	}
	return npu_deviation_add(&subject->layer[i].deviation, reference, result, count, err);
}

static int add_output(struct subject *subject, const float *reference, uint32_t rows,
		      const int32_t *labels, struct npu_error *err)
{
	const struct quant_network *network = &subject->network;
	const struct quant_layer *last = &network->layer[network->count - 1];
	const struct npu_quant_scheme scheme = quant_input_scheme(last);
	const float *result = runner_result(subject->runner, network->count - 1);
	const size_t count = (size_t)rows * last->n;
	int ret;

	for (size_t i = 0; i < count; i++) {
		uint32_t bits;

		memcpy(&bits, &result[i], sizeof(bits));
		for (int byte = 0; byte < 4; byte++)
			subject->hash = (subject->hash ^ (bits >> 8 * byte & 0xff)) * FNV_PRIME;
	}
	ret = npu_scores_add(&subject->scores, result, reference, labels, rows, err);
	if (!ret && network->quantized_output)
		ret = npu_clipping_add(&subject->output, &scheme, network->output_scale,
				       network->output_zero, reference, count, err);
	return ret;
}

int subject_run(struct subject *subject, const float *x, uint32_t rows,
		const struct float_runner *reference, const int32_t *labels, struct npu_error *err)
{
	const uint32_t count = subject->network.count;
	int ret = runner_run(subject->runner, x, rows, err);

	for (uint32_t i = 0; i < count && !ret; i++) {
		if (subject->layer[i].clips)
			ret = add_clipping(subject, i,
					   i ? float_runner_result(reference, i - 1) : x, rows,
					   err);
		if (!ret)
			ret = add_deviation(subject, i, float_runner_result(reference, i), rows,
					    err);
	}
	if (!ret)
		ret = add_output(subject, float_runner_result(reference, count - 1), rows, labels,
				 err);
	return ret;
}

int subject_finish(struct subject *subject, struct npu_error *err)
{
	return runner_get_work(subject->runner, &subject->work, err);
}

void subject_free(struct subject *subject)
{
	runner_destroy(subject->runner);
	quant_network_free(&subject->network);
	free(subject->scratch);
	memset(subject, 0, sizeof(*subject));
}

double subject_bits(const struct subject *subject)
{
	double bits = 0, weights = 0;

	for (uint32_t i = 0; i < subject->network.count; i++) {
		const struct quant_layer *layer = &subject->network.layer[i];
		const double count = (double)layer->n * layer->k;

		bits += count * layer->type.bits;
		weights += count;
	}
	return bits / weights;
}
