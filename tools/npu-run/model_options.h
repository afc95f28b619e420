/* SPDX-License-Identifier: MIT */
/* The float network that a command is about, and the samples it is tried on. */
#ifndef NPU_RUN_MODEL_OPTIONS_H
#define NPU_RUN_MODEL_OPTIONS_H

#include "network/float_network.h"
#include "network/samples.h"
#include "options.h"

/*
 * struct model_options - what the command line says of them
 * @path: The network, an argument of the command.
 * @tensor: The only one of it to take, or NULL.
 * @samples: Path, or NULL.
 * @input_scale: What samples are multiplied with; @has_input_scale if the command line says so.
 */
struct model_options {
	const char *path;
	const char *tensor;
	const char *samples;
	bool has_input_scale;
	double input_scale;
};

/* Those without a letter of their own; a command's begin at MODEL_OPTION_END. */
enum {
	MODEL_OPTION_TENSOR = 256,
	MODEL_OPTION_INPUT_SCALE,
	MODEL_OPTION_END,
};

#define MODEL_SHORT "s:"
/* Releases of clang-format differ on braces in a macro. */
/* clang-format off */
#define MODEL_LONG \
	{ "tensor", required_argument, NULL, MODEL_OPTION_TENSOR }, \
	{ "samples", required_argument, NULL, 's' }, \
	{ "input-scale", required_argument, NULL, MODEL_OPTION_INPUT_SCALE }
/* clang-format on */

/* Takes one of these; complains and returns false if its value is none. */
bool model_option(int c, const char *who, struct model_options *model);

/*
 * Loads the network and opens its samples. @samples stays as it is if there are none. What fails on
 * the way is the caller's to give back with the rest.
 */
int model_load(const struct model_options *model, struct float_network *network,
	       struct samples **samples, struct npu_error *err);

#endif
