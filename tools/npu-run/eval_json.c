// SPDX-License-Identifier: MIT
/* What "npu-run eval --json" prints. */
#include <stdio.h>

#include "device.h"
#include "eval_json.h"
#include "json.h"
#include "stages.h"

/* A share of samples; null if there were none. */
static void json_share(struct json *json, const char *key, uint64_t part, uint64_t whole)
{
	json_float(json, key, (double)part / (double)whole);
}

static void json_clipping(struct json *json, const char *key, const struct npu_clipping *clipping)
{
	json_open(json, key, '{');
	json_uint(json, "values", clipping->count);
	json_uint(json, "below", clipping->below);
	json_uint(json, "above", clipping->above);
	json_open(json, "bins", '[');
	for (int i = 0; i < NPU_CLIPPING_BINS; i++)
		json_uint(json, NULL, clipping->bins[i]);
	json_close(json, ']');
	json_close(json, '}');
}

static void json_layer(struct json *json, const struct quant_layer *layer,
		       const struct subject_layer *found)
{
	const struct npu_deviation *deviation = &found->deviation;
	char type[TECHNIQUE_TEXT];

	weight_type_print(&layer->type, type);
	json_open(json, NULL, '{');
	json_string(json, "name", layer->name);
	json_uint(json, "n", layer->n);
	json_uint(json, "k", layer->k);
	json_string(json, "weights", type);
	json_uint(json, "bytes", quant_layer_bytes(layer));
	/* Infinity, of results that are the same, is null. */
	json_float(json, "sqnr_db", npu_deviation_sqnr(deviation));
	json_float(json, "cosine", npu_deviation_cosine(deviation));
	json_float(json, "max_error", deviation->max_error);
	json_uint(json, "max_error_sample", deviation->max_index / layer->n);
	json_uint(json, "max_error_channel", deviation->max_index % layer->n);
	json_float(json, "mean_error", npu_deviation_mean(deviation));
	json_float(json, "rms_error", npu_deviation_rms(deviation));
	if (found->clips)
		json_clipping(json, "input_range", &found->clipping);
	stages_json(json, "host_stages", found->stages);
	json_close(json, '}');
}

static void json_scores(struct json *json, const struct npu_scores *scores)
{
	json_share(json, "agreement", scores->agreed, scores->compared);
	if (!scores->labelled)
		return;
	json_share(json, "float_top1", scores->reference_top1, scores->reference_labelled);
	json_share(json, "top1", scores->top1, scores->labelled);
	json_uint(json, "k", scores->k);
	json_share(json, "float_topk", scores->reference_topk, scores->reference_labelled);
	json_share(json, "topk", scores->topk, scores->labelled);
}

static void json_subject(struct json *json, const struct subject *subject)
{
	char hash[20];

	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)subject->hash);
	json_open(json, NULL, '{');
	json_string(json, "file", subject->path);
	json_string(json, "technique", subject->network.technique);
	json_float(json, "bits", subject_bits(subject));
	json_uint(json, "bytes", quant_network_bytes(&subject->network));
	json_scores(json, &subject->scores);
	json_open(json, "layers", '[');
	for (uint32_t i = 0; i < subject->network.count; i++)
		json_layer(json, &subject->network.layer[i], &subject->layer[i]);
	json_close(json, ']');
	if (subject->network.quantized_output)
		json_clipping(json, "output_range", &subject->output);
	json_uint(json, "jobs", subject->work.jobs);
	json_uint(json, "host_steps", subject->work.library_steps);
	json_uint(json, "edge_steps", subject->work.edge_steps);
	json_uint(json, "engine_ns", subject->work.engine_ns);
	json_string(json, "fnv1a", hash);
	json_close(json, '}');
}

void eval_json(const struct eval_report *report, const struct npu_device_info *info,
	       const struct float_network *network)
{
	struct json json = { 0 };

	json_open(&json, NULL, '{');
	json_open(&json, "device", '{');
	device_json(&json, info);
	json_close(&json, '}');
	json_string(&json, "model", report->model);
	json_uint(&json, "samples", report->samples);
	json_uint(&json, "float_bytes", float_network_bytes(network));
	json_open(&json, "networks", '[');
	for (uint32_t i = 0; i < report->count; i++)
		json_subject(&json, &report->subjects[i]);
	json_close(&json, ']');
	json_end(&json, '}');
}
