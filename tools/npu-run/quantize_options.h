/* SPDX-License-Identifier: MIT */
/* The command line of "npu-run quantize". */
#ifndef NPU_RUN_QUANTIZE_OPTIONS_H
#define NPU_RUN_QUANTIZE_OPTIONS_H

#include "model_options.h"
#include "network/technique.h"

/*
 * struct quantize_options - what it says
 * @output, @scales, @pack: Paths; the last two may be NULL.
 * @layers, @layer_count: Values of --layer, which need the network to be understood.
 * @has_momentum: Whether the momentum is the command line's.
 * @technique: All else.
 */
struct quantize_options {
	struct common_options common;
	struct model_options model;
	const char *output;
	const char *scales;
	const char *pack;
	const char *layers[NETWORK_MAX_LAYERS];
	uint32_t layer_count;
	bool has_momentum;
	struct technique technique;
};

/* Returns false when the command is to end with *@status. */
bool quantize_parse(int argc, char **argv, struct quantize_options *options, enum status *status);

/* Fills in the layers that --layer names. Complains and returns false if there is none of a name.
 */
bool quantize_take_layers(const char *who, struct quantize_options *options,
			  const struct float_network *network);

#endif
