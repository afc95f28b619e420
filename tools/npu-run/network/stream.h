/* SPDX-License-Identifier: MIT */
/*
 * All samples on their way through a network: a matrix that begins as the inputs of the first layer
 * and is made the inputs of the next one, layer by layer.
 */
#ifndef NPU_RUN_STREAM_H
#define NPU_RUN_STREAM_H

#include "quant_network.h"
#include "samples.h"

/* Rows that an observer or a dynamic range sees at a time. */
#define STREAM_BATCH 256

/* @x: @rows x @cols. */
struct stream {
	float *x;
	uint32_t rows, cols;
};

/* Reads all of @samples. */
int stream_open(const struct samples *samples, uint32_t inputs, struct stream *stream,
		struct npu_error *err);

void stream_close(struct stream *stream);

/* Takes the stream through a layer of float weights, @stream->cols being its K. */
int stream_advance(struct stream *stream, const float *weight, const float *bias, uint32_t n,
		   bool relu, struct npu_error *err);

/* Range of the stream as @technique wants it, in steps for @scheme. */
int stream_range(const struct stream *stream, const struct technique *technique,
		 const struct npu_quant_scheme *scheme, float *low, float *high,
		 struct npu_error *err);

/* Makes of every value what @layer will see of it: quantized, and back. */
int stream_quantize(struct stream *stream, const struct quant_layer *layer, struct npu_error *err);

/* Second-order statistics of the stream, the caller's to destroy. */
int stream_hessian(const struct stream *stream, struct npu_hessian **hessian,
		   struct npu_error *err);

#endif
