// SPDX-License-Identifier: MIT
/* From a float network to a quantized one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "migrate.h"
#include "quantize.h"
#include "stream.h"
#include "weights.h"

/*
 * struct pass - what all layers have in common
 * @stream: What the layers so far have made of the samples; without data where there are none.
 */
struct pass {
	const struct technique *technique;
	const struct learnt *learnt;
	bool has_samples;
	struct stream stream;
	struct findings *findings;
};

/* Integers between layers have the bits of the inputs; those of 16 bits have no zero point. */
static int check_zero(const struct quant_layer *layer, const char *what, int32_t zero,
		      struct npu_error *err)
{
	const int32_t levels = layer->input_bits > 8 ? 1 : 1 << layer->input_bits;

	if (zero >= -levels / 2 && zero <= (levels - 1) / 2)
		return 0;
	return error_set(err, -EINVAL,
			 "layer %.64s: the %s that was learnt is %d, which does not go with inputs "
			 "of %u bits",
			 layer->name, what, zero, layer->input_bits);
}

static int learnt_input(const struct pass *pass, struct quant_layer *layer, struct npu_error *err)
{
	int ret = learnt_scales(pass->learnt, layer->name, "input_scale", 1, &layer->input_scale,
				err);

	if (ret)
		return ret;
	layer->asymmetric_input |=
		layer->input_bits <= 8 && learnt_has(pass->learnt, layer->name, "input_zero_point");
	ret = learnt_zero_points(pass->learnt, layer->name, "input_zero_point", 1,
				 &layer->input_zero, err);
	return ret ? ret : check_zero(layer, "input_zero_point", layer->input_zero, err);
}

/* Scale of inputs that do not bring their own. */
static int find_input(const struct pass *pass, struct quant_layer *layer, struct npu_error *err)
{
	const struct npu_quant_scheme scheme = quant_input_scheme(layer);
	float low, high;
	int ret;

	if (layer->mode == INPUT_STATIC && learnt_has(pass->learnt, layer->name, "input_scale"))
		return learnt_input(pass, layer, err);
	if (layer->mode != INPUT_STATIC && layer->mode != INPUT_ADAPTIVE)
		return 0;
	if (!pass->has_samples) {
		if (layer->mode == INPUT_ADAPTIVE)
			return 0;
		return error_set(err, -EDOM,
				 "static inputs of layer %.64s need --samples, or a scale of "
				 "--scales",
				 layer->name);
	}
	ret = stream_range(&pass->stream, pass->technique, &scheme, &low, &high, err);
	if (!ret)
		ret = npu_quant_params(&scheme, low, high, &layer->input_scale, &layer->input_zero,
				       err);
	if (layer->mode == INPUT_ADAPTIVE) {
		layer->input_low = low < 0 ? low : 0;
		layer->input_high = high > 0 ? high : 0;
	}
	return ret;
}

static int copy_bias(const struct float_layer *from, struct quant_layer *layer,
		     struct npu_error *err)
{
	if (!from->bias)
		return 0;
	layer->bias = malloc(from->n * sizeof(*layer->bias));
	if (!layer->bias)
		return error_set(err, -ENOMEM, "out of memory");
	memcpy(layer->bias, from->bias, from->n * sizeof(*layer->bias));
	return 0;
}

static int begin_layer(const struct technique *technique, const struct float_layer *from,
		       struct quant_layer *layer, struct npu_error *err)
{
	layer->name = strdup(from->name);
	layer->n = from->n;
	layer->k = from->k;
	layer->mode = technique->mode;
	layer->input_bits = technique->input_bits;
	layer->asymmetric_input = !technique->symmetric_inputs;
	layer->momentum = technique->momentum;
	layer->rotated = technique->rotate;
	layer->seed = technique->seed;
	layer->scaling = technique->scaling;
	if (!layer->name)
		return error_set(err, -ENOMEM, "out of memory");
	return copy_bias(from, layer, err);
}

/* Rotates inputs and weights alike. */
static int rotate(struct pass *pass, const struct quant_layer *layer, float *w,
		  struct npu_error *err)
{
	struct stream *stream = &pass->stream;
	int ret = npu_rotate(w, layer->n, layer->k, layer->seed, err);

	if (!ret && pass->has_samples)
		ret = npu_rotate(stream->x, stream->rows, stream->cols, layer->seed, err);
	return ret;
}

static int quantize_weights(const struct pass *pass, const struct weight_type *type, const float *w,
			    struct quant_layer *layer, struct npu_error *err)
{
	struct npu_hessian *hessian = NULL;
	int ret = 0;

	if (pass->technique->compensate)
		ret = stream_hessian(&pass->stream, &hessian, err);
	if (!ret)
		ret = weights_quantize(pass->technique, type, w, hessian, pass->learnt, layer, err);
	npu_hessian_destroy(hessian);
	return ret;
}

/* A device would refuse a bias out of all proportion; so it is said now. */
static int check_bias(const struct technique *technique, const struct quant_layer *layer, bool last,
		      struct npu_error *err)
{
	int32_t *bias;
	int ret;

	if (!layer->bias || layer->mode != INPUT_STATIC || layer->scaling == NPU_SCALING_FLOAT ||
	    technique->rotate || (last && technique->float_output))
		return 0;
	bias = malloc(layer->n * sizeof(*bias));
	if (!bias)
		return error_set(err, -ENOMEM, "out of memory");
	ret = npu_quant_bias(layer->bias, layer->n, layer->input_scale, layer->weight_scale,
			     layer->scale_count, bias, err);
	free(bias);
	return ret;
}

/* @w: The layer's weights, to work on. @back: Room for as many: what has become of them. */
static int quantize_layer(struct pass *pass, uint32_t index, float *w, float *back, bool last,
			  struct quant_layer *layer, struct npu_error *err)
{
	const struct technique *t = pass->technique;
	struct npu_deviation *deviation = &pass->findings->weights[index];
	int ret = 0;

	if (layer->input_factor && pass->has_samples)
		ret = npu_scale_columns(pass->stream.x, pass->stream.rows, layer->k,
					layer->input_factor, true, err);
	if (!ret && layer->rotated)
		ret = rotate(pass, layer, w, err);
	if (!ret)
		ret = find_input(pass, layer, err);
	if (!ret && pass->has_samples)
		ret = stream_quantize(&pass->stream, layer, err);
	if (!ret)
		ret = quantize_weights(pass, t->has_layer[index] ? &t->layer[index] : &t->weights,
				       w, layer, err);
	if (!ret)
		ret = check_bias(t, layer, last, err);
	if (!ret)
		ret = quant_dequantize(layer, back, err);
	if (!ret)
		ret = npu_deviation_add(deviation, w, back, (size_t)layer->n * layer->k, err);
	if (ret || !pass->has_samples)
		return ret;
	return stream_advance(&pass->stream, back, layer->bias, layer->n, !last, err);
}

/* The last layer's results, which are in the stream by now, have the type of its inputs. */
static int find_output(const struct pass *pass, struct quant_network *quant, struct npu_error *err)
{
	const struct quant_layer *last = &quant->layer[quant->count - 1];
	struct npu_quant_scheme scheme = quant_input_scheme(last);
	float low, high;
	int ret;

	if (pass->technique->float_output || last->mode != INPUT_STATIC)
		return 0;
	quant->quantized_output = true;
	if (learnt_has(pass->learnt, last->name, "output_scale")) {
		ret = learnt_scales(pass->learnt, last->name, "output_scale", 1,
				    &quant->output_scale, err);
		if (!ret)
			ret = learnt_zero_points(pass->learnt, last->name, "output_zero_point", 1,
						 &quant->output_zero, err);
		return ret ? ret : check_zero(last, "output_zero_point", quant->output_zero, err);
	}
	quant->quantized_output = pass->has_samples;
	if (!pass->has_samples)
		return 0;
	ret = stream_range(&pass->stream, pass->technique, &scheme, &low, &high, err);
	return ret ? ret
		   : npu_quant_params(&scheme, low, high, &quant->output_scale, &quant->output_zero,
				      err);
}

/* What the library says begins with the name of a function; a layer is more to the point. */
static int name_layer(const char *name, int code, struct npu_error *err)
{
	const struct npu_error why = *err;

	if (strncmp(why.text, "npu_", 4))
		return code;
	return error_set(err, code, "layer %.64s: %s", name, why.text);
}

static int quantize_layers(struct pass *pass, const struct float_network *network,
			   struct quant_network *quant, struct npu_error *err)
{
	int ret;

	quant->count = network->count;
	for (uint32_t i = 0; i < network->count; i++) {
		const struct float_layer *from = &network->layer[i];
		const size_t count = (size_t)from->n * from->k;
		float *w = malloc(2 * count * sizeof(*w));

		if (!w)
			return error_set(err, -ENOMEM, "out of memory for layer %.64s", from->name);
		memcpy(w, from->weight, count * sizeof(*w));
		ret = begin_layer(pass->technique, from, &quant->layer[i], err);
		if (!ret)
			ret = quantize_layer(pass, i, w, w + count, i + 1 == network->count,
					     &quant->layer[i], err);
		free(w);
		if (ret)
			return name_layer(from->name, ret, err);
	}
	return find_output(pass, quant, err);
}

/* What is done with the float network, each with a stream of its own. */
static int prepare(struct technique *technique, struct float_network *network,
		   const struct samples *samples, struct precision *precision,
		   float *factor[NETWORK_MAX_LAYERS], struct npu_error *err)
{
	const uint32_t inputs = network->layer[0].k;
	struct stream stream;
	int ret = 0;

	if (technique->smooth) {
		ret = stream_open(samples, inputs, &stream, err);
		if (ret)
			return ret;
		ret = migrate_outliers(network, &stream, technique->alpha, factor, err);
		stream_close(&stream);
	}
	if (technique->has_budget && !ret) {
		ret = stream_open(samples, inputs, &stream, err);
		if (ret)
			return ret;
		if (factor[0])
			ret = npu_scale_columns(stream.x, stream.rows, stream.cols, factor[0], true,
						err);
		if (!ret)
			ret = precision_choose(technique, network, &stream, precision, err);
		stream_close(&stream);
	}
	return ret;
}

/* Which parts of a technique need to see data. */
static const char *needs_samples(const struct technique *technique)
{
	return technique->compensate   ? "--round compensate"
	       : technique->smooth     ? "--smooth"
	       : technique->has_budget ? "a budget"
				       : NULL;
}

int network_quantize(const struct technique *technique, struct float_network *network,
		     const struct samples *samples, const struct learnt *learnt,
		     struct quant_network *quant, struct findings *findings, struct npu_error *err)
{
	struct technique chosen = *technique;
	struct pass pass = { &chosen, learnt, samples != NULL, { 0 }, findings };
	float *factor[NETWORK_MAX_LAYERS] = { 0 };
	int ret = 0;

	memset(quant, 0, sizeof(*quant));
	for (uint32_t i = 0; i < NETWORK_MAX_LAYERS; i++)
		findings->weights[i] = (struct npu_deviation){ .size = sizeof(*findings->weights) };
	if (!samples && needs_samples(technique))
		return error_set(err, -EDOM, "%s needs --samples", needs_samples(technique));
	ret = prepare(&chosen, network, samples, &findings->precision, factor, err);
	quant->layer[0].input_factor = factor[0];
	for (uint32_t i = 1; i < network->count; i++)
		quant->layer[i - 1].output_factor = factor[i];
	if (!ret && samples)
		ret = stream_open(samples, network->layer[0].k, &pass.stream, err);
	if (!ret)
		ret = quantize_layers(&pass, network, quant, err);
	stream_close(&pass.stream);
	technique_print(technique, quant->technique);
	if (ret)
		quant_network_free(quant);
	return ret;
}
