// SPDX-License-Identifier: MIT
/* From real numbers to integers of a device and back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "edge.h"
#include "matrix.h"

/*
 * struct edge - room for a batch
 * @real: Inputs while they are prepared.
 * @number: Inputs or results as a tensor has them, of any type.
 * @scale, @zero, @count: Of the inputs that were sent last; 1 or one for each row.
 */
struct edge {
	float *real;
	void *number;
	float *scale;
	int32_t *zero;
	uint32_t count;
};

int edge_create(const struct quant_network *network, uint32_t rows, struct edge **edge,
		struct npu_error *err)
{
	struct edge *e = calloc(1, sizeof(*e));
	uint32_t width = 0;

	if (!e)
		return error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < network->count; i++) {
		const struct quant_layer *layer = &network->layer[i];

		width = layer->k > width ? layer->k : width;
		width = layer->n > width ? layer->n : width;
	}
	e->real = matrix_alloc(rows, width, sizeof(*e->real));
	e->number = matrix_alloc(rows, width, sizeof(float));
	e->scale = reallocarray(NULL, rows, sizeof(*e->scale));
	e->zero = reallocarray(NULL, rows, sizeof(*e->zero));
	if (!e->real || !e->number || !e->scale || !e->zero) {
		edge_destroy(e);
		return error_set(err, -ENOMEM, "out of memory for a batch of %u samples", rows);
	}
	*edge = e;
	return 0;
}

void edge_destroy(struct edge *edge)
{
	if (!edge)
		return;
	free(edge->real);
	free(edge->number);
	free(edge->scale);
	free(edge->zero);
	free(edge);
}

/* ---- Inputs ----------------------------------------------------------------------------- */

/* Factors and rotation, in a copy. */
static int transform(struct edge *edge, const struct quant_layer *layer, const float *x,
		     uint32_t rows, struct npu_error *err)
{
	int ret = 0;

	memcpy(edge->real, x, (size_t)rows * layer->k * sizeof(*x));
	if (layer->input_factor)
		ret = npu_scale_columns(edge->real, rows, layer->k, layer->input_factor, true, err);
	if (!ret && layer->rotated)
		ret = npu_rotate(edge->real, rows, layer->k, layer->seed, err);
	return ret;
}

/* Scales that are known before the batch is quantized. */
static int find_scale(struct edge *edge, struct device_layer *d, uint32_t rows,
		      struct npu_error *err)
{
	const struct quant_layer *layer = d->layer;
	int ret;

	if (layer->mode == INPUT_STATIC) {
		edge->scale[0] = layer->input_scale;
		edge->zero[0] = layer->input_zero;
		return 0;
	}
	ret = npu_follower_update(d->follower, edge->real, (size_t)rows * layer->k, err);
	if (ret)
		return ret;
	return npu_follower_get(d->follower, layer->input_bits, !layer->asymmetric_input, NULL,
				NULL, &edge->scale[0], &edge->zero[0], err);
}

static int quantize(struct edge *edge, struct device_layer *d, uint32_t rows, struct npu_error *err)
{
	const struct npu_quant_scheme scheme = quant_input_scheme(d->layer);
	const uint32_t cols = d->layer->k;
	int ret;

	edge->count = npu_quant_scale_count(&scheme, rows, cols) == 1 ? 1 : rows;
	if (d->layer->mode == INPUT_DYNAMIC || d->layer->mode == INPUT_DYNAMIC_ROW)
		return npu_quant_matrix(&scheme, edge->real, rows, cols, edge->number, edge->scale,
					edge->zero, err);
	ret = find_scale(edge, d, rows, err);
	if (ret)
		return ret;
	return npu_quant_matrix_with(&scheme, edge->real, rows, cols, edge->scale, edge->zero,
				     edge->number, err);
}

int edge_send(struct edge *edge, struct device_layer *layer, const float *x, uint32_t rows,
	      struct npu_error *err)
{
	int ret = transform(edge, layer->layer, x, rows, err);

	if (!ret)
		ret = quantize(edge, layer, rows, err);
	return ret ? ret : npu_tensor_write(layer->a, 0, rows, edge->number, 0, err);
}

/* ---- Results ---------------------------------------------------------------------------- */

static int finish_exact(const struct edge *edge, const struct device_layer *d, uint32_t rows,
			float *y, struct npu_error *err)
{
	const struct quant_layer *layer = d->layer;
	const struct npu_quant_finish_desc desc = {
		.size = sizeof(desc),
		.m = rows,
		.n = layer->n,
		.scale_a = edge->scale,
		.zero_a = edge->zero,
		.scale_a_count = edge->count,
		.scale_w = layer->weight_scale,
		.scale_w_count = layer->scale_count,
		.row_sum = d->row_sum,
		.bias = layer->bias,
	};

	return npu_quant_finish(&desc, edge->number, y, err);
}

/* Sums that have the weights' scales in them already. */
static void finish_scaled(const struct edge *edge, const struct quant_layer *layer, uint32_t rows,
			  float *y)
{
	const float *sum = edge->number;

	for (uint32_t row = 0; row < rows; row++) {
		const double scale = (double)edge->scale[edge->count == 1 ? 0 : row];

		for (uint32_t n = 0; n < layer->n; n++, sum++, y++)
			*y = (float)((double)*sum * scale +
				     (layer->bias ? (double)layer->bias[n] : 0));
	}
}

static int finish(const struct edge *edge, const struct device_layer *d, uint32_t rows, float *y,
		  struct npu_error *err)
{
	const size_t count = (size_t)rows * d->layer->n;
	int ret = 0;

	if (d->form.type == NPU_TYPE_INT32)
		ret = finish_exact(edge, d, rows, y, err);
	else
		finish_scaled(edge, d->layer, rows, y);
	for (size_t i = 0; d->relu && i < count && !ret; i++)
		y[i] = y[i] < 0 ? 0 : y[i];
	return ret;
}

static int dequantize(const struct edge *edge, const struct device_layer *d, uint32_t rows,
		      float *y, struct npu_error *err)
{
	const struct npu_quant_scheme scheme = {
		.size = sizeof(scheme),
		.bits = d->form.type == NPU_TYPE_INT8 ? 8 : 16,
		.asymmetric = true,
	};

	return npu_quant_dequantize(&scheme, edge->number, (size_t)rows * d->layer->n,
				    d->form.scale, d->form.zero, y, err);
}

int edge_receive(struct edge *edge, struct device_layer *layer, uint32_t rows, float *y,
		 struct npu_error *err)
{
	int ret = npu_tensor_read(layer->c, 0, rows, edge->number, 0, err);

	if (ret)
		return ret;
	if (!layer->form.finished)
		return finish(edge, layer, rows, y, err);
	if (layer->form.type != NPU_TYPE_FLOAT32)
		return dequantize(edge, layer, rows, y, err);
	memcpy(y, edge->number, (size_t)rows * layer->layer->n * sizeof(*y));
	return 0;
}
