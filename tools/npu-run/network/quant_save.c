// SPDX-License-Identifier: MIT
/* Writes a quantized network; quant_file.h has the format. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <npu_file.h>

#include "../error.h"
#include "../save.h"
#include "quant_file.h"

/* Tensors and notes of a layer, at most; those of the network are fewer. */
#define LAYER_TENSORS 10
#define LAYER_NOTES 8

/*
 * struct sheet - what is going to be in the file
 * @text: All that was allocated.
 * @failed: Whether memory has run out.
 */
struct sheet {
	struct npu_safetensors_entry tensor[(NETWORK_MAX_LAYERS + 1) * LAYER_TENSORS];
	struct npu_safetensors_note note[(NETWORK_MAX_LAYERS + 1) * LAYER_NOTES];
	char *text[(NETWORK_MAX_LAYERS + 1) * (LAYER_TENSORS + 2 * LAYER_NOTES)];
	uint8_t *packed[NETWORK_MAX_LAYERS];
	size_t tensors, notes, texts;
	bool failed;
};

static const char *print(struct sheet *sheet, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Text that lives as long as the sheet. */
static const char *print(struct sheet *sheet, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0) {
		text = NULL;
		sheet->failed = true;
	}
	va_end(args);
	sheet->text[sheet->texts++] = text;
	return text;
}

static void add_note(struct sheet *sheet, const char *key, const char *value)
{
	sheet->note[sheet->notes++] = (struct npu_safetensors_note){ key, value };
}

/* A matrix, or a vector if @rows is 0. */
static void add_tensor(struct sheet *sheet, const struct quant_layer *layer, const char *what,
		       const char *type, uint64_t rows, uint64_t cols, const void *data)
{
	struct npu_safetensors_entry *entry = &sheet->tensor[sheet->tensors++];

	*entry = (struct npu_safetensors_entry){
		.name = print(sheet, "%s.%s", layer->name, what),
		.type = type,
		.rank = rows ? 2 : 1,
		.shape = { rows ? rows : cols, cols },
		.data = data,
	};
}

/* Weights as few bytes; the caller's to free. NULL where they are bytes already. */
static int pack(const struct quant_layer *layer, uint8_t **packed, struct npu_error *err)
{
	const uint32_t bits = layer->type.bits;

	*packed = NULL;
	if (layer->type.form != FORM_UNIFORM || bits == 8)
		return 0;
	*packed = malloc(npu_quant_packed_bytes(layer->n, layer->k, bits));
	if (!*packed)
		return error_set(err, -ENOMEM, "out of memory for the weights of layer %.64s",
				 layer->name);
	return npu_quant_pack(layer->weight, layer->n, layer->k, bits, *packed, err);
}

static void add_weights(struct sheet *sheet, const struct quant_layer *layer, const uint8_t *packed)
{
	const bool grouped = layer->granularity == NPU_QUANT_PER_GROUP;
	const uint64_t rows = grouped ? layer->n : 0;
	const uint64_t cols = grouped ? quant_groups(layer) : layer->scale_count;

	if (layer->type.form == FORM_UNIFORM && layer->type.bits == 8)
		add_tensor(sheet, layer, "weight", "I8", layer->n, layer->k, layer->weight);
	else
		add_tensor(sheet, layer, "weight", "U8", layer->n,
			   npu_quant_packed_bytes(1, layer->k, layer->type.bits),
			   packed ? packed : layer->index);
	add_tensor(sheet, layer, "weight_scale", "F32", rows, cols, layer->weight_scale);
	if (layer->weight_zero)
		add_tensor(sheet, layer, "weight_zero_point", "I32", rows, cols,
			   layer->weight_zero);
	if (layer->codebook)
		add_tensor(sheet, layer, "codebook", "I8", layer->scale_count,
			   quant_codebook_entries(layer), layer->codebook);
	if (layer->bias)
		add_tensor(sheet, layer, "bias", "F32", 0, layer->n, layer->bias);
}

static void add_inputs(struct sheet *sheet, const struct quant_layer *layer)
{
	if (layer->mode == INPUT_STATIC) {
		add_tensor(sheet, layer, "input_scale", "F32", 0, 1, &layer->input_scale);
		add_tensor(sheet, layer, "input_zero_point", "I32", 0, 1, &layer->input_zero);
	}
	if (layer->mode == INPUT_ADAPTIVE)
		add_note(sheet, print(sheet, "%s.input_range", layer->name),
			 print(sheet, "%.9g %.9g", (double)layer->input_low,
			       (double)layer->input_high));
	if (layer->input_factor)
		add_tensor(sheet, layer, "input_factor", "F32", 0, layer->k, layer->input_factor);
	if (layer->output_factor)
		add_tensor(sheet, layer, "output_factor", "F32", 0, layer->n, layer->output_factor);
}

static void add_notes(struct sheet *sheet, const struct quant_layer *layer)
{
	const char *name = layer->name;
	char type[TECHNIQUE_TEXT];

	weight_type_print(&layer->type, type);
	add_note(sheet, print(sheet, "%s.weights", name), print(sheet, "%s", type));
	add_note(sheet, print(sheet, "%s.columns", name), print(sheet, "%u", layer->k));
	add_note(sheet, print(sheet, "%s.granularity", name),
		 layer->granularity == NPU_QUANT_PER_GROUP ? print(sheet, "%u", layer->group_size)
							   : granularity_names[layer->granularity]);
	add_note(sheet, print(sheet, "%s.inputs", name),
		 print(sheet, "%s int%u %s", input_mode_names[layer->mode], layer->input_bits,
		       layer->asymmetric_input ? "asymmetric" : "symmetric"));
	if (layer->mode == INPUT_STATIC)
		add_note(sheet, print(sheet, "%s.scaling", name), scaling_names[layer->scaling]);
	if (layer->mode == INPUT_ADAPTIVE)
		add_note(sheet, print(sheet, "%s.momentum", name),
			 print(sheet, "%.9g", (double)layer->momentum));
	if (layer->rotated)
		add_note(sheet, print(sheet, "%s.rotation", name),
			 print(sheet, "%llu", (unsigned long long)layer->seed));
}

static void add_network(struct sheet *sheet, const struct quant_network *network)
{
	const struct quant_layer *last = &network->layer[network->count - 1];
	const char *names = "";

	for (uint32_t i = 0; i < network->count && names; i++)
		names = print(sheet, "%s%s%s", names, i ? "\n" : "", network->layer[i].name);
	add_note(sheet, "npu_quantized", QUANT_FILE_VERSION);
	add_note(sheet, "layers", names);
	add_note(sheet, "technique", network->technique);
	if (!network->quantized_output)
		return;
	add_tensor(sheet, last, "output_scale", "F32", 0, 1, &network->output_scale);
	add_tensor(sheet, last, "output_zero_point", "I32", 0, 1, &network->output_zero);
}

static int fill(struct sheet *sheet, const struct quant_network *network, struct npu_error *err)
{
	int ret = 0;

	for (uint32_t i = 0; i < network->count && !ret; i++) {
		const struct quant_layer *layer = &network->layer[i];

		ret = pack(layer, &sheet->packed[i], err);
		if (ret)
			break;
		add_weights(sheet, layer, sheet->packed[i]);
		add_inputs(sheet, layer);
		add_notes(sheet, layer);
	}
	if (ret)
		return ret;
	add_network(sheet, network);
	return sheet->failed ? error_set(err, -ENOMEM, "out of memory") : 0;
}

int quant_file_save(const char *path, const struct quant_network *network, struct npu_error *err)
{
	struct sheet *sheet = calloc(1, sizeof(*sheet));
	sigset_t before;
	int ret;

	if (!sheet)
		return error_set(err, -ENOMEM, "out of memory");
	ret = fill(sheet, network, err);
	if (!ret) {
		save_guard(&before);
		ret = npu_safetensors_write(path, sheet->tensor, sheet->tensors, sheet->note,
					    sheet->notes, err);
		save_unguard(&before);
	}
	for (uint32_t i = 0; i < network->count; i++)
		free(sheet->packed[i]);
	for (size_t i = 0; i < sheet->texts; i++)
		free(sheet->text[i]);
	free(sheet);
	return ret;
}
