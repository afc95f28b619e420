// SPDX-License-Identifier: MIT
/* Random networks with samples for them, quantized. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <npu_file.h>

#include "../tools/npu-run/network/runner.h"
#include "expect.h"
#include "network_rig.h"

struct bench *rig_open(uint64_t seed, const uint32_t *widths, uint32_t layers, uint32_t rows)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->rng.state = seed;
	rig_network(&b->rng, widths, layers, &b->network);
	b->x = rig_samples(&b->rng, rows, widths[0], &b->samples);
	expect_ok(npu_device_open("cpu", &b->cpu, &err));
	return b;
}

void rig_close(struct bench *b)
{
	quant_network_free(&b->quant);
	quant_network_free(&b->loaded);
	float_network_free(&b->network);
	samples_close(b->samples);
	npu_device_close(b->cpu);
	free(b->x);
	free(b);
}

struct technique rig_technique(void)
{
	return (struct technique){
		.weights = { FORM_UNIFORM, 8 },
		.granularity = NPU_QUANT_PER_ROW,
		.input_bits = 8,
		.momentum = 0.1f,
	};
}

static float uniform(struct rng *rng, float low, float high)
{
	return low + (high - low) * (float)(rng_next(rng) >> 8) * 0x1p-24f;
}

static float *random_floats(struct rng *rng, size_t count, float low, float high)
{
	float *x = malloc(count * sizeof(*x));

	assert_non_null(x);
	for (size_t i = 0; i < count; i++)
		x[i] = uniform(rng, low, high);
	return x;
}

void rig_network(struct rng *rng, const uint32_t *widths, uint32_t layers,
		 struct float_network *network)
{
	memset(network, 0, sizeof(*network));
	network->count = layers;
	for (uint32_t i = 0; i < layers; i++) {
		struct float_layer *layer = &network->layer[i];

		layer->k = widths[i];
		layer->n = widths[i + 1];
		assert_true(asprintf(&layer->name, "%u", 2 * i) > 0);
		layer->weight = random_floats(rng, (size_t)layer->n * layer->k, -0.5f, 0.5f);
		layer->bias = random_floats(rng, layer->n, -1, 1);
	}
}

void rig_copy(const struct float_network *from, struct float_network *network)
{
	memset(network, 0, sizeof(*network));
	network->count = from->count;
	for (uint32_t i = 0; i < from->count; i++) {
		const struct float_layer *a = &from->layer[i];
		struct float_layer *b = &network->layer[i];
		const size_t bytes = (size_t)a->n * a->k * sizeof(float);

		*b = *a;
		b->name = strdup(a->name);
		b->weight = memcpy(malloc(bytes), a->weight, bytes);
		if (a->bias)
			b->bias =
				memcpy(malloc(a->n * sizeof(float)), a->bias, a->n * sizeof(float));
	}
}

float *rig_samples(struct rng *rng, uint32_t rows, uint32_t cols, struct samples **samples)
{
	float *x = random_floats(rng, (size_t)rows * cols, -1, 3);
	const struct npu_safetensors_entry entry = {
		.name = "samples", .type = "F32", .rank = 2, .shape = { rows, cols }, .data = x
	};
	char path[] = "/tmp/network_rig.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	expect_ok(npu_safetensors_write(path, &entry, 1, NULL, 0, &err));
	expect_ok(samples_open(path, 1, samples, &err));
	unlink(path);
	return x;
}

void rig_quantize(struct technique technique, const struct float_network *network,
		  const struct samples *samples, struct quant_network *quant)
{
	struct findings *findings = calloc(1, sizeof(*findings));
	struct float_network *copy = malloc(sizeof(*copy));

	rig_copy(network, copy);
	expect_ok(technique_check(&technique, &err));
	expect_ok(network_quantize(&technique, copy, samples, NULL, quant, findings, &err));
	float_network_free(copy);
	free(copy);
	free(findings);
}

float *rig_run(struct npu_device *dev, const struct quant_network *network, const float *x,
	       uint32_t rows, size_t *count)
{
	struct runner *runner;
	float *all;
	size_t at = 0;

	*count = 0;
	for (uint32_t i = 0; i < network->count; i++)
		*count += (size_t)rows * network->layer[i].n;
	all = malloc(*count * sizeof(*all));
	expect_ok(runner_create(dev, network, rows, NULL, &runner, &err));
	expect_ok(runner_run(runner, x, rows, &err));
	for (uint32_t i = 0; i < network->count; i++) {
		const size_t part = (size_t)rows * network->layer[i].n;

		memcpy(all + at, runner_result(runner, i), part * sizeof(*all));
		at += part;
	}
	runner_destroy(runner);
	return all;
}
