// SPDX-License-Identifier: MIT
/* A quantized network: its shape, its sizes and its values. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "quant_network.h"

static void free_layer(struct quant_layer *layer)
{
	free(layer->name);
	free(layer->weight);
	free(layer->weight_scale);
	free(layer->weight_zero);
	free(layer->index);
	free(layer->codebook);
	free(layer->bias);
	free(layer->input_factor);
	free(layer->output_factor);
}

void quant_network_free(struct quant_network *network)
{
	for (uint32_t i = 0; i < NETWORK_MAX_LAYERS; i++)
		free_layer(&network->layer[i]);
	memset(network, 0, sizeof(*network));
}

struct npu_quant_scheme quant_weight_scheme(const struct quant_layer *layer)
{
	return (struct npu_quant_scheme){
		.size = sizeof(struct npu_quant_scheme),
		.bits = layer->type.bits,
		.asymmetric = layer->asymmetric,
		.granularity = layer->granularity,
		.group_size = layer->group_size,
	};
}

struct npu_quant_scheme quant_input_scheme(const struct quant_layer *layer)
{
	return (struct npu_quant_scheme){
		.size = sizeof(struct npu_quant_scheme),
		.bits = layer->input_bits,
		.asymmetric = layer->asymmetric_input,
		.granularity =
			layer->mode == INPUT_DYNAMIC_ROW ? NPU_QUANT_PER_ROW : NPU_QUANT_PER_TENSOR,
	};
}

struct npu_codebook_desc quant_codebook_desc(const struct quant_layer *layer)
{
	return (struct npu_codebook_desc){
		.size = sizeof(struct npu_codebook_desc),
		.method = layer->type.form == FORM_LOG ? NPU_CODEBOOK_POWER_OF_TWO
						       : NPU_CODEBOOK_KMEANS,
		.n = layer->n,
		.k = layer->k,
		.index_bits = layer->type.bits,
		.per_channel = layer->granularity == NPU_QUANT_PER_ROW,
	};
}

uint32_t quant_groups(const struct quant_layer *layer)
{
	if (layer->granularity != NPU_QUANT_PER_GROUP)
		return 1;
	return (layer->k + layer->group_size - 1) / layer->group_size;
}

uint32_t quant_scale_count(const struct quant_layer *layer)
{
	return layer->granularity == NPU_QUANT_PER_TENSOR ? 1 : layer->n * quant_groups(layer);
}

uint32_t quant_codebook_entries(const struct quant_layer *layer)
{
	return (1u << layer->type.bits) - (layer->type.form == FORM_LOG);
}

bool quant_is_direct(const struct quant_network *network, uint32_t i)
{
	const struct quant_layer *layer = &network->layer[i];

	return i && layer->mode == INPUT_STATIC && layer[-1].mode == INPUT_STATIC &&
	       !layer->input_factor && !layer->rotated;
}

int quant_dequantize(const struct quant_layer *layer, float *w, struct npu_error *err)
{
	const struct npu_quant_scheme scheme = quant_weight_scheme(layer);

	if (layer->type.form == FORM_UNIFORM)
		return npu_quant_dequantize_matrix(&scheme, layer->weight, layer->n, layer->k,
						   layer->weight_scale, layer->weight_zero, w, err);
	for (uint32_t i = 0; i < layer->n; i++) {
		float scale = layer->weight_scale[layer->scale_count == 1 ? 0 : i];

		for (size_t j = (size_t)i * layer->k; j < (size_t)(i + 1) * layer->k; j++)
			w[j] = scale * (float)layer->weight[j];
	}
	return 0;
}

/* Value @i of a row of packed ones. */
static uint32_t packed_value(const uint8_t *row, uint32_t i, uint32_t bits)
{
	size_t at = (size_t)i * bits;
	uint32_t value = row[at / 8] >> at % 8;

	if (at % 8 + bits > 8)
		value |= (uint32_t)row[at / 8 + 1] << (8 - at % 8);
	return value & ((1u << bits) - 1);
}

/* The value an index stands for; false if it is beyond the table. */
static bool look_up(const struct quant_layer *layer, uint32_t row, uint32_t index, int8_t *value)
{
	const uint32_t entries = quant_codebook_entries(layer);
	const uint32_t table = layer->granularity == NPU_QUANT_PER_ROW ? row : 0;

	if (index >= entries)
		return false;
	*value = layer->codebook[(size_t)table * entries + index];
	return true;
}

int quant_unpack(struct quant_layer *layer, const uint8_t *packed, struct npu_error *err)
{
	const uint32_t bits = layer->type.bits;
	const size_t row_bytes = npu_quant_packed_bytes(1, layer->k, bits);

	for (uint32_t i = 0; i < layer->n; i++) {
		int8_t *out = layer->weight + (size_t)i * layer->k;

		for (uint32_t j = 0; j < layer->k; j++) {
			uint32_t value = packed_value(packed + i * row_bytes, j, bits);
			/* The top bit is the sign. */
			uint32_t sign = 1u << (bits - 1);

			if (layer->type.form == FORM_UNIFORM)
				out[j] = (int8_t)((int32_t)(value ^ sign) - (int32_t)sign);
			else if (!look_up(layer, i, value, &out[j]))
				return error_set(err, -EBADMSG,
						 "index %u of row %u, column %u is beyond the "
						 "codebook",
						 value, i, j);
		}
	}
	return 0;
}

uint64_t quant_layer_bytes(const struct quant_layer *layer)
{
	const uint64_t scales = layer->scale_count;
	uint64_t bytes = npu_quant_packed_bytes(layer->n, layer->k, layer->type.bits);

	bytes += scales * sizeof(float);
	if (layer->weight_zero)
		bytes += scales * sizeof(int32_t);
	if (layer->type.form != FORM_UNIFORM)
		bytes += scales * quant_codebook_entries(layer);
	return bytes + (layer->bias ? layer->n * sizeof(float) : 0);
}

uint64_t quant_network_bytes(const struct quant_network *network)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < network->count; i++)
		bytes += quant_layer_bytes(&network->layer[i]);
	return bytes;
}
