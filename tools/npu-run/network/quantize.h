/* SPDX-License-Identifier: MIT */
/* From a float network to a quantized one. */
#ifndef NPU_RUN_QUANTIZE_H
#define NPU_RUN_QUANTIZE_H

#include <npu_eval.h>

#include "float_network.h"
#include "learnt.h"
#include "precision.h"
#include "quant_network.h"
#include "samples.h"

/*
 * struct findings - what was learnt on the way
 * @weights: How far quantized weights are from float ones, after migration and rotation.
 * @precision: If the technique has a budget.
 */
struct findings {
	struct npu_deviation weights[NETWORK_MAX_LAYERS];
	struct precision precision;
};

/*
 * Quantizes layer by layer; each is fitted to what the quantized layers before it make of the
 * samples.
 * @network: Changed where outliers are migrated: a factor of one layer's inputs goes into the layer
 *	before. It computes the same as before.
 * @samples, @learnt: Either may be NULL, if the technique does not need it.
 *
 * Errors: -EDOM if an option is at fault; everything else is about a file.
 */
int network_quantize(const struct technique *technique, struct float_network *network,
		     const struct samples *samples, const struct learnt *learnt,
		     struct quant_network *quant, struct findings *findings, struct npu_error *err);

#endif
