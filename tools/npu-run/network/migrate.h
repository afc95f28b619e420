/* SPDX-License-Identifier: MIT */
/* Moves outliers of activations to where they do no harm, without changing what is computed. */
#ifndef NPU_RUN_MIGRATE_H
#define NPU_RUN_MIGRATE_H

#include "float_network.h"
#include "stream.h"

/*
 * Divides the inputs of every layer by factors of npu_smooth_factors(), whose inverse goes into its
 * weights. Outputs of a layer take the factors of the next one, which passes ReLU because they are
 * positive; those of the first layer are left over.
 * @stream: The inputs of the network; used up.
 * @factor: What the inputs of each layer are divided by; the caller's to free, whatever the result.
 */
int migrate_outliers(struct float_network *network, struct stream *stream, float alpha,
		     float *factor[NETWORK_MAX_LAYERS], struct npu_error *err);

#endif
