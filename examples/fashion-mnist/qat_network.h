/* SPDX-License-Identifier: MIT */
/*
 * A model of few-bit weights that runs, and learns, as the device computes: layers of npu_qat with
 * the parameters that they train. Activations have 8 bits, in the forms of quantize.h.
 */
#ifndef FASHION_MNIST_QAT_NETWORK_H
#define FASHION_MNIST_QAT_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "../perceptron/model.h"
#include "quantize.h"

/* Most images of a call. */
#define QAT_BATCH 128

struct qat_network;

/* Copies the parameters of @model; weights have the scales that round them to nearest best. */
int qat_network_create(const struct model *model, uint32_t bits, struct qat_network **network,
		       struct npu_error *err);

void qat_network_destroy(struct qat_network *network);

/* Rounds the weights of all layers, one after the other, for the inputs they see of @pixels. */
int qat_network_compensate(struct qat_network *network, const uint8_t *pixels, size_t count,
			   struct npu_error *err);

/* Runs images of pixels 0..255. The logits, [count][outputs], stay the network's. */
int qat_network_forward(struct qat_network *network, const uint8_t *pixels, uint32_t count,
			const float **logits, struct npu_error *err);

/* Learns from the last forward run, whose loss has @gradient by its logits: a step of Adam. */
int qat_network_learn(struct qat_network *network, const float *gradient, float rate,
		      struct npu_error *err);

/* The layers of the last forward run, for a device. */
int qat_network_export(const struct qat_network *network, struct quant_model *quant,
		       struct npu_error *err);

#endif
