// SPDX-License-Identifier: MIT
/* All samples on their way through a network. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "dense.h"
#include "matrix.h"
#include "stream.h"

int stream_open(const struct samples *samples, uint32_t inputs, struct stream *stream,
		struct npu_error *err)
{
	int ret;

	*stream = (struct stream){ .rows = samples_rows(samples), .cols = inputs };
	stream->x = matrix_alloc(stream->rows, inputs, sizeof(*stream->x));
	if (!stream->x)
		return error_set(err, -ENOMEM, "out of memory for %u samples of %u values",
				 stream->rows, inputs);
	ret = samples_read(samples, 0, stream->rows, stream->x, err);
	if (ret)
		stream_close(stream);
	return ret;
}

void stream_close(struct stream *stream)
{
	free(stream->x);
	stream->x = NULL;
}

int stream_advance(struct stream *stream, const float *weight, const float *bias, uint32_t n,
		   bool relu, struct npu_error *err)
{
	struct dense *dense;
	float *y;
	int ret;

	y = matrix_alloc(stream->rows, n, sizeof(*y));
	if (!y)
		return error_set(err, -ENOMEM, "out of memory for %u samples of %u values",
				 stream->rows, n);
	ret = dense_create(weight, bias, n, stream->cols, &dense, err);
	if (ret) {
		free(y);
		return ret;
	}
	dense_run(dense, stream->x, stream->rows, relu, y);
	dense_destroy(dense);
	free(stream->x);
	stream->x = y;
	stream->cols = n;
	return 0;
}

/* Rows of the batch that begins at @first. */
static uint32_t batch_rows(const struct stream *stream, uint32_t first)
{
	return stream->rows - first < STREAM_BATCH ? stream->rows - first : STREAM_BATCH;
}

int stream_range(const struct stream *stream, const struct technique *technique,
		 const struct npu_quant_scheme *scheme, float *low, float *high,
		 struct npu_error *err)
{
	const struct npu_observer_desc desc = {
		.size = sizeof(desc),
		.method = technique->observer,
		.percentile = technique->percentile,
	};
	struct npu_observer *observer;
	int ret = npu_observer_create(&desc, &observer, err);

	if (ret)
		return ret;
	for (uint32_t row = 0; row < stream->rows && !ret; row += STREAM_BATCH)
		ret = npu_observer_add(observer, stream->x + (size_t)row * stream->cols,
				       batch_rows(stream, row), stream->cols, err);
	if (!ret)
		ret = npu_observer_range(observer, scheme, low, high, err);
	npu_observer_destroy(observer);
	return ret;
}

static int quantize_batch(const struct npu_quant_scheme *scheme, const struct quant_layer *layer,
			  uint32_t rows, float *x, int16_t *q, float *scale, int32_t *zero,
			  struct npu_error *err)
{
	const uint32_t cols = layer->k;
	int ret;

	if (layer->mode == INPUT_STATIC || layer->mode == INPUT_ADAPTIVE) {
		*scale = layer->input_scale;
		*zero = layer->input_zero;
		ret = npu_quant_matrix_with(scheme, x, rows, cols, scale, zero, q, err);
	} else {
		ret = npu_quant_matrix(scheme, x, rows, cols, q, scale, zero, err);
	}
	if (!ret)
		ret = npu_quant_dequantize_matrix(scheme, q, rows, cols, scale, zero, x, err);
	return ret;
}

int stream_quantize(struct stream *stream, const struct quant_layer *layer, struct npu_error *err)
{
	const struct npu_quant_scheme scheme = quant_input_scheme(layer);
	int16_t *q = matrix_alloc(STREAM_BATCH, stream->cols, sizeof(*q));
	float scale[STREAM_BATCH];
	int32_t zero[STREAM_BATCH];
	int ret = q ? 0 : error_set(err, -ENOMEM, "out of memory for a batch of samples");

	for (uint32_t row = 0; row < stream->rows && !ret; row += STREAM_BATCH)
		ret = quantize_batch(&scheme, layer, batch_rows(stream, row),
				     stream->x + (size_t)row * stream->cols, q, scale, zero, err);
	free(q);
	return ret;
}

int stream_hessian(const struct stream *stream, struct npu_hessian **hessian, struct npu_error *err)
{
	int ret = npu_hessian_create(stream->cols, hessian, err);

	if (ret)
		return ret;
	ret = npu_hessian_add(*hessian, stream->x, stream->rows, err);
	if (ret) {
		npu_hessian_destroy(*hessian);
		*hessian = NULL;
	}
	return ret;
}
