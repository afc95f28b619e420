// SPDX-License-Identifier: MIT
/* From the float weights of a layer to those of a quantized one. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "weights.h"

/* Rounding with compensation: what is added to the diagonal, and passes over the result. */
#define DAMPING 0.01
#define SWEEPS 5

/* Steps of a bias where there are no weights to say how fine they should be. */
#define BIAS_STEPS (1 << 20)

static int out_of_memory(const struct quant_layer *layer, struct npu_error *err)
{
	return error_set(err, -ENOMEM, "out of memory for the weights of layer %.64s", layer->name);
}

static int allocate(struct quant_layer *layer, struct npu_error *err)
{
	const struct npu_codebook_desc book = quant_codebook_desc(layer);
	const size_t count = layer->scale_count = quant_scale_count(layer);

	layer->weight = malloc((size_t)layer->n * layer->k);
	layer->weight_scale = malloc(count * sizeof(*layer->weight_scale));
	if (layer->asymmetric)
		layer->weight_zero = malloc(count * sizeof(*layer->weight_zero));
	if (layer->type.form != FORM_UNIFORM) {
		layer->index = malloc(npu_quant_packed_bytes(book.n, book.k, book.index_bits));
		layer->codebook = malloc(count * quant_codebook_entries(layer));
	}
	if (!layer->weight || !layer->weight_scale || (layer->asymmetric && !layer->weight_zero) ||
	    (layer->type.form != FORM_UNIFORM && (!layer->index || !layer->codebook)))
		return out_of_memory(layer, err);
	return 0;
}

void weights_discard(struct quant_layer *layer)
{
	free(layer->weight);
	free(layer->weight_scale);
	free(layer->weight_zero);
	free(layer->index);
	free(layer->codebook);
	layer->weight = NULL;
	layer->weight_scale = NULL;
	layer->weight_zero = NULL;
	layer->index = NULL;
	layer->codebook = NULL;
}

/* ---- One scale for each row ------------------------------------------------------------- */

static bool is_zero(const float *w, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (w[i] != 0)
			return false;
	return true;
}

/* Largest scale of a row that has weights, 0 if none has. */
static float largest_scale(const struct quant_layer *layer, const float *w)
{
	float largest = 0;

	for (uint32_t i = 0; i < layer->n; i++)
		if (!is_zero(w + (size_t)i * layer->k, layer->k))
			largest = fmaxf(largest, layer->weight_scale[i]);
	return largest;
}

/* Quantizes a row again with a scale @ratio times as large. */
static int widen_row(struct quant_layer *layer, const float *w, uint32_t row, double ratio,
		     struct npu_error *err)
{
	const struct npu_quant_scheme scheme = quant_weight_scheme(layer);
	int32_t *zero = layer->weight_zero ? &layer->weight_zero[row] : NULL;
	float *scale = &layer->weight_scale[row];
	const size_t first = (size_t)row * layer->k;
	int32_t none = 0;
	float low, high;
	int ret;

	ret = npu_quant_range(w + first, layer->k, &low, &high, err);
	if (!ret)
		ret = npu_quant_params(&scheme, (float)(low * ratio), (float)(high * ratio), scale,
				       zero ? zero : &none, err);
	if (!ret)
		ret = npu_quant_quantize(&scheme, w + first, layer->k, *scale, zero ? *zero : none,
					 layer->weight + first, err);
	return ret;
}

/* The same for a row with a codebook, whose values shrink. */
static void widen_codebook(struct quant_layer *layer, uint32_t row, double ratio)
{
	const uint32_t entries = quant_codebook_entries(layer);

	layer->weight_scale[row] = (float)(layer->weight_scale[row] * ratio);
	for (size_t i = (size_t)row * entries; i < (size_t)(row + 1) * entries; i++)
		layer->codebook[i] = (int8_t)rint(layer->codebook[i] / ratio);
}

/* Of a layer without weights all that counts is its bias. */
static float bias_unit(const struct quant_layer *layer)
{
	float largest = 0;

	for (uint32_t i = 0; layer->bias && i < layer->n; i++)
		largest = fmaxf(largest, fabsf(layer->bias[i]));
	return largest > 0 ? fmaxf(largest / BIAS_STEPS, 1e-30f) : 1;
}

/* See weights_quantize(). */
static int level_rows(struct quant_layer *layer, const float *w, struct npu_error *err)
{
	const float largest = largest_scale(layer, w);
	int ret = 0;

	for (uint32_t i = 0; i < layer->n && !ret; i++) {
		float *scale = &layer->weight_scale[i];
		/* Of a row of denormals more than a float holds. */
		const double ratio = (double)largest / WEIGHTS_SPREAD / (double)*scale;

		if (is_zero(w + (size_t)i * layer->k, layer->k))
			*scale = largest > 0 ? largest : bias_unit(layer);
		else if (ratio <= 1)
			continue;
		else if (layer->type.form == FORM_UNIFORM)
			ret = widen_row(layer, w, i, ratio, err);
		else
			widen_codebook(layer, i, ratio);
	}
	if (!ret && layer->type.form != FORM_UNIFORM)
		ret = quant_unpack(layer, layer->index, err);
	return ret;
}

/* ---- To nearest, and with codebooks ----------------------------------------------------- */

static int quantize_codebook(struct quant_layer *layer, const float *w, struct npu_error *err)
{
	const struct npu_codebook_desc desc = quant_codebook_desc(layer);
	int ret;

	ret = npu_codebook_quantize(&desc, w, layer->index, layer->codebook, layer->weight_scale,
				    err);
	return ret ? ret : quant_unpack(layer, layer->index, err);
}

static int read_scales(const struct learnt *learnt, struct quant_layer *layer,
		       struct npu_error *err)
{
	int ret;

	ret = learnt_scales(learnt, layer->name, "weight_scale", layer->scale_count,
			    layer->weight_scale, err);
	if (!ret && layer->weight_zero)
		ret = learnt_zero_points(learnt, layer->name, "weight_zero_point",
					 layer->scale_count, layer->weight_zero, err);
	return ret;
}

static int round_to_nearest(struct quant_layer *layer, const float *w, bool has_scales,
			    struct npu_error *err)
{
	const struct npu_quant_scheme scheme = quant_weight_scheme(layer);

	if (has_scales)
		return npu_quant_matrix_with(&scheme, w, layer->n, layer->k, layer->weight_scale,
					     layer->weight_zero, layer->weight, err);
	return npu_quant_matrix(&scheme, w, layer->n, layer->k, layer->weight, layer->weight_scale,
				layer->weight_zero, err);
}

/* ---- With compensation ------------------------------------------------------------------ */

/* A scale for each row and group, which is how npu_tune.h wants and gives them. */
struct grid {
	float *scale;
	int32_t *zero;
};

static int grid_create(const struct quant_layer *layer, struct grid *grid, struct npu_error *err)
{
	const size_t count = (size_t)layer->n * quant_groups(layer);

	grid->scale = malloc(count * sizeof(*grid->scale));
	grid->zero = calloc(count, sizeof(*grid->zero));
	return grid->scale && grid->zero ? 0 : out_of_memory(layer, err);
}

static void grid_free(struct grid *grid)
{
	free(grid->scale);
	free(grid->zero);
}

/* Copies the layer's scales. */
static void grid_fill(const struct quant_layer *layer, struct grid *grid)
{
	const size_t count = (size_t)layer->n * quant_groups(layer);

	for (size_t i = 0; i < count; i++) {
		size_t from = layer->scale_count == 1 ? 0 : i;

		grid->scale[i] = layer->weight_scale[from];
		if (layer->weight_zero)
			grid->zero[i] = layer->weight_zero[from];
	}
}

static int tensor_scale(struct quant_layer *layer, const float *w, struct npu_error *err)
{
	const struct npu_quant_scheme scheme = quant_weight_scheme(layer);
	int32_t none;
	float low, high;
	int ret;

	ret = npu_quant_range(w, (size_t)layer->n * layer->k, &low, &high, err);
	if (ret)
		return ret;
	return npu_quant_params(&scheme, low, high, layer->weight_scale,
				layer->weight_zero ? layer->weight_zero : &none, err);
}

static int round_compensated(struct quant_layer *layer, const float *w,
			     const struct npu_hessian *hessian, bool has_scales,
			     struct npu_error *err)
{
	struct npu_round_desc desc = {
		.size = sizeof(desc),
		.n = layer->n,
		.k = layer->k,
		.w = w,
		.bits = layer->type.bits,
		.symmetric = !layer->asymmetric,
		.group_size = layer->granularity == NPU_QUANT_PER_GROUP ? layer->group_size : 0,
		.range = NPU_ROUND_RANGE_SEARCH,
		.order = NPU_ROUND_BY_ACTIVATION,
		.damping = DAMPING,
		.sweeps = SWEEPS,
	};
	struct grid grid = { 0 }, given = { 0 };
	int ret = grid_create(layer, &grid, err);

	/* One scale for all is more than rows could agree on by themselves. */
	if (!ret && !has_scales && layer->granularity == NPU_QUANT_PER_TENSOR) {
		ret = tensor_scale(layer, w, err);
		has_scales = true;
	}
	if (!ret && has_scales) {
		ret = grid_create(layer, &given, err);
		if (!ret)
			grid_fill(layer, &given);
		desc.scale = given.scale;
		desc.zero_point = layer->asymmetric ? given.zero : NULL;
	}
	if (!ret)
		ret = npu_round_weights(hessian, &desc, layer->weight, grid.scale, grid.zero, err);
	if (!ret && !has_scales) {
		memcpy(layer->weight_scale, grid.scale, layer->scale_count * sizeof(*grid.scale));
		if (layer->weight_zero)
			memcpy(layer->weight_zero, grid.zero,
			       layer->scale_count * sizeof(*grid.zero));
	}
	grid_free(&grid);
	grid_free(&given);
	return ret;
}

/* ---- All of it -------------------------------------------------------------------------- */

static int quantize(const struct technique *technique, const float *w,
		    const struct npu_hessian *hessian, const struct learnt *learnt,
		    struct quant_layer *layer, struct npu_error *err)
{
	const bool has_scales = learnt_has(learnt, layer->name, "weight_scale");
	int ret;

	if (layer->type.form != FORM_UNIFORM) {
		if (has_scales)
			return error_set(err, -EINVAL,
					 "layer %.64s: learnt scales of weights go with int2 to "
					 "int8, not with a codebook",
					 layer->name);
		ret = quantize_codebook(layer, w, err);
	} else {
		ret = has_scales ? read_scales(learnt, layer, err) : 0;
		if (!ret && technique->compensate)
			ret = round_compensated(layer, w, hessian, has_scales, err);
		else if (!ret)
			ret = round_to_nearest(layer, w, has_scales, err);
	}
	if (ret || has_scales || layer->mode != INPUT_STATIC || layer->scaling == NPU_SCALING_FLOAT)
		return ret;
	if (layer->granularity == NPU_QUANT_PER_ROW)
		return level_rows(layer, w, err);
	if (is_zero(w, (size_t)layer->n * layer->k))
		layer->weight_scale[0] = bias_unit(layer);
	return 0;
}

int weights_quantize(const struct technique *technique, const struct weight_type *type,
		     const float *w, const struct npu_hessian *hessian, const struct learnt *learnt,
		     struct quant_layer *layer, struct npu_error *err)
{
	int ret;

	layer->type = *type;
	layer->granularity = technique->granularity;
	layer->group_size = technique->group_size;
	layer->asymmetric =
		technique->asymmetric || (type->form == FORM_UNIFORM &&
					  learnt_has(learnt, layer->name, "weight_zero_point"));
	ret = allocate(layer, err);
	if (!ret)
		ret = quantize(technique, w, hessian, learnt, layer, err);
	if (ret)
		weights_discard(layer);
	return ret;
}

int weights_error(const struct quant_layer *layer, const float *w,
		  const struct npu_hessian *hessian, double *error, struct npu_error *err)
{
	const uint32_t group = layer->granularity == NPU_QUANT_PER_GROUP ? layer->group_size : 0;
	struct grid grid = { 0 };
	double noise, energy;
	int ret;

	ret = grid_create(layer, &grid, err);
	if (!ret)
		grid_fill(layer, &grid);
	if (!ret)
		ret = npu_hessian_error(hessian, layer->n, w, layer->weight, grid.scale, grid.zero,
					group, &noise, err);
	if (!ret)
		ret = npu_hessian_error(hessian, layer->n, w, NULL, NULL, NULL, 0, &energy, err);
	grid_free(&grid);
	if (!ret)
		*error = energy > 0 ? noise / energy : 0;
	return ret;
}
