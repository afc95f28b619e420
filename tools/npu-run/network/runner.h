/* SPDX-License-Identifier: MIT */
/*
 * Runs a quantized network on a device, and keeps what every layer gives.
 *
 * Layers whose inputs are the integers of the layer before go to the device together, and nothing
 * is touched between them. Where inputs are real numbers (the samples; dynamic, adaptive, rotated
 * or migrated inputs) the processor makes integers of them, and that is counted.
 */
#ifndef NPU_RUN_RUNNER_H
#define NPU_RUN_RUNNER_H

#include "quant_network.h"

struct runner;

/*
 * struct runner_work - what it took
 * @jobs, @engine_ns, @library_steps: See struct npu_queue_stats; the latter are its host_steps.
 * @edge_steps: Batches that were made integers for a layer, or finished, by this program.
 */
struct runner_work {
	uint64_t jobs;
	uint64_t engine_ns;
	uint64_t library_steps;
	uint64_t edge_steps;
};

/*
 * @network: Has to stay as long as the runner.
 * @batch: Samples of a submission.
 * @packed: Prefix of files of packed weights, or NULL; see pack.h.
 */
int runner_create(struct npu_device *dev, const struct quant_network *network, uint32_t batch,
		  const char *packed, struct runner **runner, struct npu_error *err);

void runner_destroy(struct runner *runner);

/* Runs at most a batch: @rows x inputs real numbers. */
int runner_run(struct runner *runner, const float *x, uint32_t rows, struct npu_error *err);

/* What layer @i gave for the last batch as real numbers, after ReLU: rows x n. */
const float *runner_result(const struct runner *runner, uint32_t i);

/* All batches together. */
int runner_get_work(const struct runner *runner, struct runner_work *work, struct npu_error *err);

/* NPU_STAGE_* bits of what is done on the processor for layer @i, by the library. */
int runner_host_stages(const struct runner *runner, uint32_t i, uint32_t *stages,
		       struct npu_error *err);

#endif
