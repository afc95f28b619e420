/* SPDX-License-Identifier: MIT */
/* A quantized network that is held against a float one: "npu-run eval" has several. */
#ifndef NPU_RUN_SUBJECT_H
#define NPU_RUN_SUBJECT_H

#include <npu_eval.h>

#include "float_runner.h"
#include "quant_network.h"
#include "runner.h"

/*
 * struct subject_layer - how one layer fares
 * @deviation: Its results from those of the float layer, with all that the layers before lost.
 * @clips: Whether its inputs have a range that is known ahead, and
 * @clipping: where the float network's inputs lie in it.
 * @stages: NPU_STAGE_* bits of what the library does on the processor.
 */
struct subject_layer {
	struct npu_deviation deviation;
	bool clips;
	struct npu_clipping clipping;
	uint32_t stages;
};

/*
 * struct subject - a network, and what was found out about it
 * @path: Of its file; the caller's.
 * @output: Where the float network's results lie in the range of quantized ones, if
 *	@network.quantized_output.
 * @hash: FNV-1a, 64 bits, of all results as little-endian float32.
 */
struct subject {
	const char *path;
	struct quant_network network;
	struct runner *runner;
	struct subject_layer layer[NETWORK_MAX_LAYERS];
	struct npu_clipping output;
	struct npu_scores scores;
	struct runner_work work;
	uint64_t hash;
	float *scratch;
};

/*
 * Reads a network, which has to have the shape of @model, the float one in @model_path.
 * Errors begin with the path.
 */
int subject_load(const char *path, const char *model_path, const struct float_network *model,
		 struct subject *subject, struct npu_error *err);

/* Puts it on a device. @packed: See runner_create(). */
int subject_start(struct subject *subject, struct npu_device *dev, uint32_t batch,
		  const char *packed, struct npu_error *err);

/*
 * Runs a batch and adds what comes of it. Errors are those of the device, and -EINVAL.
 * @x: @rows samples, which @reference has run.
 * @labels: Their classes, or NULL.
 */
int subject_run(struct subject *subject, const float *x, uint32_t rows,
		const struct float_runner *reference, const int32_t *labels, struct npu_error *err);

/* Completes the results. */
int subject_finish(struct subject *subject, struct npu_error *err);

void subject_free(struct subject *subject);

/* Mean bits of a weight. */
double subject_bits(const struct subject *subject);

#endif
