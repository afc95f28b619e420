/* SPDX-License-Identifier: MIT */
/* Random networks with samples for them, quantized, for tests of what stands on libnpu. */
#ifndef TESTS_NETWORK_RIG_H
#define TESTS_NETWORK_RIG_H

#include "../tools/npu-run/network/quantize.h"
#include "matmul_case.h"

/**
 * struct bench - a network to play with
 * @rng: Where its numbers came from, and others may.
 * @network: The network.
 * @samples: Inputs for it.
 * @x: The same in memory.
 * @cpu: The CPU device.
 * @quant: What a test quantizes, all zero before.
 * @loaded: What it reads from a file, all zero before.
 * @findings: What was found out on the way.
 */
struct bench {
	struct rng rng;
	struct float_network network;
	struct samples *samples;
	float *x;
	struct npu_device *cpu;
	struct quant_network quant;
	struct quant_network loaded;
	struct findings findings;
};

/* Layers between @widths, @layers + 1 of them, and @rows samples. */
struct bench *rig_open(uint64_t seed, const uint32_t *widths, uint32_t layers, uint32_t rows);
void rig_close(struct bench *b);

/* What technique_check() makes of the defaults of "npu-run quantize". */
struct technique rig_technique(void);

/* Layers between @widths, @layers + 1 of them, with normal weights and biases. */
void rig_network(struct rng *rng, const uint32_t *widths, uint32_t layers,
		 struct float_network *network);

/* A copy, which network_quantize() may change. */
void rig_copy(const struct float_network *from, struct float_network *network);

/* @rows x @cols numbers between -1 and 3, in a file of their own; x is to be freed. */
float *rig_samples(struct rng *rng, uint32_t rows, uint32_t cols, struct samples **samples);

/* Checks the technique and quantizes. Fails the test where a call fails. */
void rig_quantize(struct technique technique, const struct float_network *network,
		  const struct samples *samples, struct quant_network *quant);

/* Results of all layers of a batch on a device, one after the other; to be freed. */
float *rig_run(struct npu_device *dev, const struct quant_network *network, const float *x,
	       uint32_t rows, size_t *count);

#endif /* TESTS_NETWORK_RIG_H */
