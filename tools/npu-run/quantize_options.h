/* SPDX-License-Identifier: MIT */
/* The command line of "npu-run quantize". */
#ifndef NPU_RUN_QUANTIZE_OPTIONS_H
#define NPU_RUN_QUANTIZE_OPTIONS_H

#include "network/technique.h"
#include "options.h"

/*
 * struct quantize_options - what it says
 * @model, @output, @samples, @scales, @pack: Paths; the last three may be NULL.
 * @tensor: The only one of the model to take, or NULL.
 * @input_scale: What samples are multiplied with.
 * @layers, @layer_count: Values of --layer, which need the network to be understood.
 * @technique: All else.
 */
struct quantize_options {
	struct common_options common;
	const char *model;
	const char *tensor;
	const char *output;
	const char *samples;
	const char *scales;
	const char *pack;
	double input_scale;
	const char *layers[NETWORK_MAX_LAYERS];
	uint32_t layer_count;
	struct technique technique;
};

/* Returns false when the command is to end with *@status. */
bool quantize_parse(int argc, char **argv, struct quantize_options *options, enum status *status);

/* Fills in the layers that --layer names. Complains and returns false if there is none of a name.
 */
bool quantize_take_layers(const char *who, struct quantize_options *options,
			  const struct float_network *network);

/* Reads a factor, "0.5" or "1/255"; complains and returns false if it is none. */
bool option_factor(const char *who, const char *option, const char *text, double *factor);

#endif
