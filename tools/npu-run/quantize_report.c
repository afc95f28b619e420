// SPDX-License-Identifier: MIT
/* What "npu-run quantize" prints. */
#include <inttypes.h>
#include <stdio.h>

#include "json.h"
#include "quantize_report.h"

/* "group 64" */
static void print_granularity(const struct quant_layer *layer, char *text)
{
	if (layer->granularity == NPU_QUANT_PER_GROUP)
		snprintf(text, TECHNIQUE_TEXT, "group %u", layer->group_size);
	else
		snprintf(text, TECHNIQUE_TEXT, "%s", granularity_names[layer->granularity]);
}

static void print_layer(const struct quant_layer *layer, const struct npu_deviation *weights)
{
	char type[TECHNIQUE_TEXT], what[TECHNIQUE_TEXT], shape[32], inputs[32];

	weight_type_print(&layer->type, type);
	print_granularity(layer, what);
	snprintf(shape, sizeof(shape), "%u x %u", layer->n, layer->k);
	snprintf(inputs, sizeof(inputs), "%s int%u", input_mode_names[layer->mode],
		 layer->input_bits);
	printf("%-13s  %-8s  %-10s  %-17s  %10" PRIu64 "  %7.2f  %s\n", shape, type, what, inputs,
	       quant_layer_bytes(layer), npu_deviation_sqnr(weights), layer->name);
}

/* How much each layer suffers from how many bits. */
static void print_precision(const struct float_network *network, const struct precision *precision)
{
	printf("\nrelative error of outputs with weights of so many bits\n");
	for (uint32_t bits = 0; bits < precision->choices; bits++)
		printf("%-10u  ", PRECISION_MIN_BITS + bits);
	printf("name\n");
	for (uint32_t i = 0; i < network->count; i++) {
		for (uint32_t bits = 0; bits < precision->choices; bits++)
			printf("%-10.2e  ", precision->candidate[i][bits].error);
		printf("%s\n", network->layer[i].name);
	}
	printf("chosen: %.2e in %" PRIu64 " bytes\n", precision->total.error,
	       precision->total.bytes);
}

static void print_text(const struct quantize_options *options, const struct float_network *network,
		       const struct quant_network *quant, const struct findings *findings)
{
	const uint64_t bytes = quant_network_bytes(quant), before = float_network_bytes(network);

	printf("%s, %u layer%s: %s\n", options->model.path, quant->count,
	       quant->count == 1 ? "" : "s", quant->technique);
	printf("%-13s  %-8s  %-10s  %-17s  %10s  %7s  %s\n", "shape", "weights", "scales", "inputs",
	       "bytes", "SQNR dB", "name");
	for (uint32_t i = 0; i < quant->count; i++)
		print_layer(&quant->layer[i], &findings->weights[i]);
	if (options->technique.has_budget)
		print_precision(network, &findings->precision);
	printf("\nfloat   %" PRIu64 " bytes\n", before);
	printf("now     %" PRIu64 " bytes, %.1f times less\n", bytes,
	       (double)before / (double)bytes);
	printf("result  %s\n", options->output);
	if (options->pack)
		printf("packed  %s.NAME.npuw\n", options->pack);
}

static void json_precision(struct json *json, const struct precision *precision, uint32_t layer)
{
	json_open(json, "candidates", '[');
	for (uint32_t bits = 0; bits < precision->choices; bits++) {
		json_open(json, NULL, '{');
		json_uint(json, "bits", PRECISION_MIN_BITS + bits);
		json_float(json, "error", precision->candidate[layer][bits].error);
		json_uint(json, "bytes", precision->candidate[layer][bits].bytes);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void json_layer(struct json *json, const struct quant_layer *layer)
{
	char text[TECHNIQUE_TEXT];

	json_string(json, "name", layer->name);
	json_uint(json, "n", layer->n);
	json_uint(json, "k", layer->k);
	weight_type_print(&layer->type, text);
	json_string(json, "weights", text);
	json_uint(json, "bits", layer->type.bits);
	print_granularity(layer, text);
	json_string(json, "scales", text);
	json_string(json, "inputs", input_mode_names[layer->mode]);
	json_uint(json, "input_bits", layer->input_bits);
	json_uint(json, "bytes", quant_layer_bytes(layer));
}

static void print_json(const struct quantize_options *options, const struct float_network *network,
		       const struct quant_network *quant, const struct findings *findings)
{
	struct json json = { 0 };

	json_open(&json, NULL, '{');
	json_string(&json, "model", options->model.path);
	json_string(&json, "technique", quant->technique);
	json_open(&json, "layers", '[');
	for (uint32_t i = 0; i < quant->count; i++) {
		json_open(&json, NULL, '{');
		json_layer(&json, &quant->layer[i]);
		json_float(&json, "weight_sqnr_db", npu_deviation_sqnr(&findings->weights[i]));
		if (options->technique.has_budget)
			json_precision(&json, &findings->precision, i);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_uint(&json, "float_bytes", float_network_bytes(network));
	json_uint(&json, "bytes", quant_network_bytes(quant));
	json_string(&json, "result", options->output);
	json_end(&json, '}');
}

void quantize_report(const struct quantize_options *options, const struct float_network *network,
		     const struct quant_network *quant, const struct findings *findings)
{
	if (options->common.json)
		print_json(options, network, quant, findings);
	else
		print_text(options, network, quant, findings);
}
