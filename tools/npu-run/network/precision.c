// SPDX-License-Identifier: MIT
/* Bits for each layer, under a budget for all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "precision.h"
#include "weights.h"

/* What the bits of one layer cost. */
static int measure(const struct technique *technique, const struct float_layer *layer,
		   const struct npu_hessian *hessian, uint32_t bits, struct npu_candidate *result,
		   struct npu_error *err)
{
	const struct weight_type type = { technique->weights.form, bits };
	struct quant_layer quant = {
		.name = layer->name,
		.n = layer->n,
		.k = layer->k,
		.bias = layer->bias,
		.mode = technique->mode,
		.scaling = technique->scaling,
	};
	int ret;

	ret = weights_quantize(technique, &type, layer->weight, hessian, NULL, &quant, err);
	if (ret)
		return ret;
	ret = weights_error(&quant, layer->weight, hessian, &result->error, err);
	result->bytes = quant_layer_bytes(&quant);
	weights_discard(&quant);
	return ret;
}

static int measure_layer(const struct technique *technique, const struct float_layer *layer,
			 const struct stream *stream, uint32_t choices,
			 struct npu_candidate *candidate, struct npu_error *err)
{
	struct npu_hessian *hessian;
	int ret = stream_hessian(stream, &hessian, err);

	if (ret)
		return ret;
	for (uint32_t i = 0; i < choices && !ret; i++)
		ret = measure(technique, layer, hessian, PRECISION_MIN_BITS + i, &candidate[i],
			      err);
	npu_hessian_destroy(hessian);
	return ret;
}

static int choose(struct technique *technique, uint32_t layers, struct precision *precision,
		  struct npu_error *err)
{
	const uint32_t choices = precision->choices;
	uint32_t chosen[NETWORK_MAX_LAYERS];
	struct npu_error why;
	struct npu_candidate *table = malloc(layers * choices * sizeof(*table));
	int ret;

	if (!table)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < layers; i++)
		memcpy(table + (size_t)i * choices, precision->candidate[i],
		       choices * sizeof(*table));
	ret = npu_choose_precision(table, layers, choices, technique->budget, technique->limit,
				   chosen, &precision->total, &why);
	free(table);
	if (ret == -ERANGE)
		ret = error_set(err, -EDOM, "the budget cannot be kept: %.200s", why.text);
	else if (ret)
		*err = why;
	for (uint32_t i = 0; i < layers && !ret; i++) {
		technique->has_layer[i] = true;
		technique->layer[i] = (struct weight_type){ technique->weights.form,
							    PRECISION_MIN_BITS + chosen[i] };
	}
	return ret;
}

int precision_choose(struct technique *technique, const struct float_network *network,
		     struct stream *stream, struct precision *precision, struct npu_error *err)
{
	int ret = 0;

	precision->choices = technique->weights.form == FORM_LOG ? 3 : PRECISION_CHOICES;
	for (uint32_t i = 0; i < network->count && !ret; i++) {
		const struct float_layer *layer = &network->layer[i];

		ret = measure_layer(technique, layer, stream, precision->choices,
				    precision->candidate[i], err);
		if (!ret && i + 1 < network->count)
			ret = stream_advance(stream, layer->weight, layer->bias, layer->n, true,
					     err);
	}
	return ret ? ret : choose(technique, network->count, precision, err);
}
