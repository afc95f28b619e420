/* SPDX-License-Identifier: MIT */
/* A quantized network: what "npu-run quantize" makes, and what runs on a device. */
#ifndef NPU_RUN_QUANT_NETWORK_H
#define NPU_RUN_QUANT_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include <npu_quant.h>

#include "technique.h"

/*
 * struct quant_layer - y = W x + bias, in integers
 * @name, @n, @k: As the float layer has them.
 * @type: Of the weights.
 * @granularity, @group_size, @asymmetric: Of the weights.
 * @weight: n x k, what the device multiplies with, whatever the form.
 * @weight_scale, @weight_zero: @scale_count values; @weight_zero is NULL where all are 0.
 * @index, @codebook: Of other forms than FORM_UNIFORM, as npu_codebook_quantize() gives them.
 * @bias: n real values, or NULL.
 * @mode: Of the inputs, and with it:
 * @input_bits, @asymmetric_input: Their type.
 * @input_scale, @input_zero: Static ones.
 * @input_low, @input_high: Where adaptive ones begin, if they are not both 0; @momentum.
 * @input_factor: k values that inputs are divided by, or NULL.
 * @output_factor: n values that real results have to be multiplied with to be those of the float
 *	layer, because the next layer's inputs were divided by them ahead; or NULL.
 * @rotated, @seed: Whether npu_rotate() comes after that.
 * @scaling: Of a layer with static inputs.
 */
struct quant_layer {
	char *name;
	uint32_t n, k;
	struct weight_type type;
	enum npu_quant_granularity granularity;
	uint32_t group_size;
	bool asymmetric;
	int8_t *weight;
	float *weight_scale;
	int32_t *weight_zero;
	uint32_t scale_count;
	uint8_t *index;
	int8_t *codebook;
	float *bias;
	enum input_mode mode;
	uint32_t input_bits;
	bool asymmetric_input;
	float input_scale;
	int32_t input_zero;
	float input_low, input_high;
	float momentum;
	float *input_factor;
	float *output_factor;
	bool rotated;
	uint64_t seed;
	enum npu_scaling scaling;
};

/*
 * struct quant_network - layers with ReLU between them
 * @quantized_output: The last layer, a static one, gives integers like its inputs, with
 *	@output_scale and @output_zero.
 * @technique: In words.
 */
struct quant_network {
	uint32_t count;
	struct quant_layer layer[NETWORK_MAX_LAYERS];
	bool quantized_output;
	float output_scale;
	int32_t output_zero;
	char technique[TECHNIQUE_TEXT];
};

void quant_network_free(struct quant_network *network);

/* The schemes of weights and inputs. That of weights is for FORM_UNIFORM only. */
struct npu_quant_scheme quant_weight_scheme(const struct quant_layer *layer);
struct npu_quant_scheme quant_input_scheme(const struct quant_layer *layer);
struct npu_codebook_desc quant_codebook_desc(const struct quant_layer *layer);

/* Groups of K that have scales of their own, at least 1. */
uint32_t quant_groups(const struct quant_layer *layer);

/* Scales that go with the layer's shape and granularity. */
uint32_t quant_scale_count(const struct quant_layer *layer);

/* Values of a codebook, and how many codebooks. */
uint32_t quant_codebook_entries(const struct quant_layer *layer);

/*
 * Whether layer @i can take the integers of the one before as they are; otherwise its inputs are
 * made by the processor out of real numbers.
 */
bool quant_is_direct(const struct quant_network *network, uint32_t i);

/* The weights' real values, n x k. */
int quant_dequantize(const struct quant_layer *layer, float *w, struct npu_error *err);

/* Makes @weight of packed values: those of FORM_UNIFORM, or @index. */
int quant_unpack(struct quant_layer *layer, const uint8_t *packed, struct npu_error *err);

/* Bytes of weights with all that belongs to them, and of biases, as a file has them. */
uint64_t quant_layer_bytes(const struct quant_layer *layer);
uint64_t quant_network_bytes(const struct quant_network *network);

#endif
