// SPDX-License-Identifier: MIT
/* One layer of a quantized network on a device. */
#include <errno.h>
#include <stdlib.h>

#include "../error.h"
#include "device_layer.h"
#include "pack.h"

/* A range of adaptive inputs is at least this wide. */
#define MIN_WIDTH 1e-6f

static struct result_form integer_form(const struct quant_layer *like, float scale, int32_t zero)
{
	return (struct result_form){
		.type = like->input_bits > 8 ? NPU_TYPE_INT16 : NPU_TYPE_INT8,
		.bits = like->input_bits,
		.symmetric = !like->asymmetric_input,
		.scale = scale,
		.zero = zero,
		.finished = true,
	};
}

struct result_form result_form(const struct quant_network *network, uint32_t i)
{
	const struct quant_layer *layer = &network->layer[i];
	struct result_form form = { .type = NPU_TYPE_FLOAT32, .scale = 1, .finished = true };

	if (layer->mode != INPUT_STATIC) {
		/* Groups are added up in float; so are the 48 bits of an int16 input's sums. */
		if (quant_groups(layer) == 1 && layer->input_bits <= 8)
			form.type = NPU_TYPE_INT32;
		form.finished = false;
		return form;
	}
	if (i + 1 == network->count)
		return network->quantized_output
			       ? integer_form(layer, network->output_scale, network->output_zero)
			       : form;
	if (quant_is_direct(network, i + 1))
		return integer_form(layer + 1, layer[1].input_scale, layer[1].input_zero);
	return form;
}

int device_layer_pack(struct npu_device *dev, const struct quant_layer *layer,
		      struct npu_weights **weights, struct npu_error *err)
{
	const struct npu_codebook_desc book = quant_codebook_desc(layer);
	struct npu_weights_desc desc = {
		.size = sizeof(desc),
		.n = layer->n,
		.k = layer->k,
		.data = layer->weight,
		.zero_point = layer->weight_zero,
		.zero_point_count = layer->weight_zero ? layer->scale_count : 0,
	};
	int ret = 0;

	if (layer->granularity == NPU_QUANT_PER_GROUP)
		desc.group_size = layer->group_size;
	if (layer->type.form != FORM_UNIFORM)
		ret = npu_codebook_weights(&book, layer->index, layer->codebook, &desc, err);
	return ret ? ret : npu_weights_create(dev, &desc, weights, err);
}

/* Few bits in a larger type end where the type does not. */
static void limit(const struct result_form *form, struct npu_epilogue_desc *desc)
{
	int32_t top;

	if (form->type != NPU_TYPE_INT8 || form->bits == 8)
		return;
	top = 1 << (form->bits - 1);
	desc->clamp = true;
	desc->clamp_min = form->symmetric ? 1 - top : -top;
	desc->clamp_max = top - 1;
}

static int static_epilogue(struct npu_device *dev, const struct device_layer *d,
			   struct npu_epilogue **epilogue, struct npu_error *err)
{
	const struct quant_layer *layer = d->layer;
	const struct npu_quant_layer scales = {
		.size = sizeof(scales),
		.n = layer->n,
		.groups = quant_groups(layer),
		.scale_a = layer->input_scale,
		.scale_w = layer->weight_scale,
		.scale_count = layer->scale_count,
		.scale_c = d->form.scale,
		.zero_c = d->form.zero,
		.bias = layer->bias,
		.scaling = d->form.type == NPU_TYPE_FLOAT32 ? NPU_SCALING_FLOAT : layer->scaling,
	};
	struct npu_epilogue_desc desc;
	void *room = malloc(npu_quant_epilogue_bytes(&scales));
	int ret;

	if (!room)
		return error_set(err, -ENOMEM, "out of memory for layer %.64s", layer->name);
	ret = npu_quant_epilogue(&scales, room, &desc, err);
	if (!ret) {
		desc.activation = d->relu ? NPU_ACTIVATION_RELU : NPU_ACTIVATION_NONE;
		limit(&d->form, &desc);
		ret = npu_epilogue_create(dev, &desc, epilogue, err);
	}
	free(room);
	return ret;
}

/* Sums: exact, or in units of the weights' scales where groups have one each. */
static int sum_epilogue(struct npu_device *dev, const struct device_layer *d,
			struct npu_epilogue **epilogue, struct npu_error *err)
{
	struct npu_epilogue_desc desc = {
		.size = sizeof(desc),
		.n = d->layer->n,
		.scaling = NPU_SCALING_NONE,
	};

	if (d->form.type == NPU_TYPE_FLOAT32) {
		desc.scaling = NPU_SCALING_FLOAT;
		desc.groups = quant_groups(d->layer);
		desc.scale = d->layer->weight_scale;
		desc.scale_count = d->layer->scale_count;
	}
	return npu_epilogue_create(dev, &desc, epilogue, err);
}

static int create_row_sum(struct device_layer *d, struct npu_error *err)
{
	const struct quant_layer *layer = d->layer;

	d->row_sum = malloc(layer->n * sizeof(*d->row_sum));
	if (!d->row_sum)
		return error_set(err, -ENOMEM, "out of memory for layer %.64s", layer->name);
	return npu_quant_row_sums(layer->weight, layer->n, layer->k, layer->weight_zero,
				  layer->weight_zero ? layer->scale_count : 0, d->row_sum, err);
}

static int create_follower(struct device_layer *d, struct npu_error *err)
{
	const struct npu_follower_desc desc = {
		.size = sizeof(desc),
		.momentum = d->layer->momentum,
		.min_width = MIN_WIDTH,
	};
	const float range[] = { d->layer->input_low, d->layer->input_high };
	int ret = npu_follower_create(&desc, &d->follower, err);

	if (ret || range[0] == range[1])
		return ret;
	return npu_follower_update(d->follower, range, 2, err);
}

static int create_matmul(struct npu_device *dev, uint32_t rows, const struct device_layer *before,
			 struct device_layer *d, struct npu_error *err)
{
	const struct quant_layer *layer = d->layer;
	const enum npu_type type = layer->input_bits > 8 ? NPU_TYPE_INT16 : NPU_TYPE_INT8;
	struct npu_matmul_desc desc = { .size = sizeof(desc) };
	int ret = 0;

	if (!before)
		ret = npu_tensor_create(dev, type, rows, layer->k, &d->a, err);
	if (!ret)
		ret = npu_tensor_create(dev, d->form.type, rows, layer->n, &d->c, err);
	if (ret)
		return ret;
	desc.a = before ? before->c : d->a;
	desc.weights = d->weights;
	desc.epilogue = d->epilogue;
	desc.c = d->c;
	if (layer->mode == INPUT_STATIC)
		desc.a_zero_point = layer->input_zero;
	return npu_matmul_create(dev, &desc, &d->matmul, err);
}

int device_layer_create(struct npu_device *dev, const struct quant_network *network, uint32_t i,
			uint32_t rows, const char *packed, const struct device_layer *before,
			struct device_layer *result, struct npu_error *err)
{
	const struct quant_layer *layer = &network->layer[i];
	int ret;

	result->layer = layer;
	result->form = result_form(network, i);
	result->direct = before != NULL;
	result->relu = i + 1 < network->count;
	ret = packed ? pack_open(dev, packed, layer, &result->weights, err)
		     : device_layer_pack(dev, layer, &result->weights, err);
	if (!ret)
		ret = layer->mode == INPUT_STATIC
			      ? static_epilogue(dev, result, &result->epilogue, err)
			      : sum_epilogue(dev, result, &result->epilogue, err);
	if (!ret && result->form.type == NPU_TYPE_INT32)
		ret = create_row_sum(result, err);
	if (!ret && layer->mode == INPUT_ADAPTIVE)
		ret = create_follower(result, err);
	return ret ? ret : create_matmul(dev, rows, before, result, err);
}

void device_layer_destroy(struct device_layer *layer)
{
	npu_matmul_destroy(layer->matmul);
	npu_epilogue_destroy(layer->epilogue);
	npu_weights_destroy(layer->weights);
	npu_tensor_destroy(layer->c);
	npu_tensor_destroy(layer->a);
	npu_follower_destroy(layer->follower);
	free(layer->row_sum);
	*layer = (struct device_layer){ 0 };
}
