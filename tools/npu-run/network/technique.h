/* SPDX-License-Identifier: MIT */
/* How a network is to be quantized: what the options of "npu-run quantize" say. */
#ifndef NPU_RUN_TECHNIQUE_H
#define NPU_RUN_TECHNIQUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <npu_quant.h>
#include <npu_tune.h>

#include "float_network.h"

/* What a weight's bits stand for. */
enum weight_form {
	FORM_UNIFORM = 0, /* a whole number of steps */
	FORM_KMEANS,	  /* an index into a table of means */
	FORM_LOG,	  /* an index into a table of powers of two */
};

/* struct weight_type - "int4", "kmeans3", "log4" */
struct weight_type {
	enum weight_form form;
	uint32_t bits;
};

/* Where the scale of a layer's inputs comes from. */
enum input_mode {
	INPUT_STATIC = 0,  /* from samples, ahead; integers all the way through the network */
	INPUT_DYNAMIC,	   /* from each batch as it comes */
	INPUT_DYNAMIC_ROW, /* from each sample as it comes */
	INPUT_ADAPTIVE,	   /* from the batches so far, with a memory */
};

/*
 * struct technique - all of it
 * @weights: For layers that @layer says nothing of.
 * @layer: Where @has_layer.
 * @granularity, @group_size, @asymmetric: Of the weights, as in struct npu_quant_scheme.
 * @mode, @input_bits, @symmetric_inputs: 2 to 8 bits, or 16.
 * @observer, @percentile: How samples become a range, for static inputs.
 * @momentum: Of adaptive inputs, as in struct npu_follower_desc.
 * @scaling: If @has_scaling; otherwise what goes with the rest.
 * @compensate: Weights are rounded by npu_round_weights(), not to nearest.
 * @smooth, @alpha: Outliers of inputs move to the weights.
 * @rotate, @seed: Inputs are rotated.
 * @float_output: The last layer's results are float even where inputs are static.
 * @has_budget, @budget, @limit: Bits are chosen for each layer.
 */
struct technique {
	struct weight_type weights;
	bool has_layer[NETWORK_MAX_LAYERS];
	struct weight_type layer[NETWORK_MAX_LAYERS];
	enum npu_quant_granularity granularity;
	uint32_t group_size;
	bool asymmetric;
	enum input_mode mode;
	uint32_t input_bits;
	bool symmetric_inputs;
	enum npu_observer_method observer;
	double percentile;
	float momentum;
	bool has_scaling;
	enum npu_scaling scaling;
	bool compensate;
	bool smooth;
	float alpha;
	bool rotate;
	uint64_t seed;
	bool float_output;
	bool has_budget;
	enum npu_budget budget;
	double limit;
};

/* Names of the members of an enum, in its order. */
extern const char *const weight_form_names[3];
extern const char *const granularity_names[3];
extern const char *const input_mode_names[4];
extern const char *const observer_names[5];
extern const char *const scaling_names[5];

/* Index of a text in a list of names, or -1. */
int name_index(const char *const *names, size_t count, const char *text);

/* Reads "int8". False if it is none, or has bits that the form does not have. */
bool weight_type_parse(const char *text, struct weight_type *type);

/* Room for what is written by the following, NUL included. */
#define TECHNIQUE_TEXT 160

void weight_type_print(const struct weight_type *type, char *text);

/* All but the bits of weights: "channel, compensated; static int8 min-max". */
void technique_print(const struct technique *technique, char *text);

/*
 * Fails if parts of a technique do not go together, and fills in the scaling.
 * Errors: -EINVAL, about options.
 */
int technique_check(struct technique *technique, struct npu_error *err);

#endif
