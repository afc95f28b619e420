/* SPDX-License-Identifier: MIT */
/* Bits for each layer, under a budget for all. */
#ifndef NPU_RUN_PRECISION_H
#define NPU_RUN_PRECISION_H

#include "float_network.h"
#include "stream.h"

/* Bits that are tried: 2 to 8, of which logarithms have 2 to 4. */
#define PRECISION_MIN_BITS 2
#define PRECISION_CHOICES 7

/*
 * struct precision - what was tried, and what was chosen
 * @choices: How many bits were tried.
 * @candidate: [layer][bits - PRECISION_MIN_BITS].
 * @total: Of what was chosen.
 */
struct precision {
	uint32_t choices;
	struct npu_candidate candidate[NETWORK_MAX_LAYERS][PRECISION_CHOICES];
	struct npu_candidate total;
};

/*
 * Measures how much each layer suffers from few bits and sets those of @technique->layer.
 * @stream: The inputs of the network; used up.
 *
 * The error of a layer is the energy of its output's error relative to that of its output, with
 * inputs that are not quantized.
 */
int precision_choose(struct technique *technique, const struct float_network *network,
		     struct stream *stream, struct precision *precision, struct npu_error *err);

#endif
