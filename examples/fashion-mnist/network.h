/* SPDX-License-Identifier: MIT */
/*
 * An int8 model on a device. Weights are packed once. Batches go through several slots, each with
 * tensors and matmuls of its own, so that while the engine works on one batch the CPU fills the
 * next and reads an earlier one. Between layers the activations stay on the device.
 */
#ifndef FASHION_MNIST_NETWORK_H
#define FASHION_MNIST_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "npu.h"
#include "quantize.h"

struct network;

/*
 * struct network_work - what classifying took
 * @seconds: From the first pixel to the last logit.
 * @jobs, @engine_ns, @host_steps: Of the queue, see struct npu_queue_stats.
 * @macs: Multiply-accumulates of all matmuls.
 * @limit_cycles: The least cycles the engine can take for them, see struct npu_plan.
 */
struct network_work {
	double seconds;
	uint64_t jobs;
	uint64_t engine_ns;
	uint64_t host_steps;
	uint64_t macs;
	uint64_t limit_cycles;
};

/* @batch: Images a submission carries. */
int network_create(struct npu_device *dev, const struct quant_model *model, uint32_t batch,
		   struct network **network, struct npu_error *err);

void network_destroy(struct network *network);

/* Classifies images of pixels 0..255; the logits are [count][outputs of the last layer]. */
int network_run(struct network *network, const uint8_t *pixels, size_t count, int8_t *logits,
		struct network_work *work, struct npu_error *err);

#endif
