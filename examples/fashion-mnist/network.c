// SPDX-License-Identifier: MIT
/* An int8 model on a device. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../perceptron/error.h"
#include "network.h"

/* One batch computes, one waits in the queue, the CPU is busy with the others. */
#define SLOTS 4

/* A batch on its way. tensor[0] is the input of the first layer, tensor[i + 1] the output of i. */
struct slot {
	struct npu_tensor *tensor[MODEL_MAX_LAYERS + 1];
	struct npu_matmul *matmul[MODEL_MAX_LAYERS];
	uint64_t ticket;
	size_t first;
	uint32_t rows; /* 0: nothing is on its way */
};

struct network {
	uint32_t layer_count;
	uint32_t inputs;
	uint32_t outputs;
	uint32_t batch;
	struct npu_queue *queue;
	struct npu_weights *weights[MODEL_MAX_LAYERS];
	struct npu_epilogue *epilogue[MODEL_MAX_LAYERS];
	struct slot slot[SLOTS];
	int8_t *staging; /* one batch of quantized pixels */
	uint64_t macs_per_batch;
	uint64_t limit_per_batch;
};

static int layer_create(struct npu_device *dev, const struct quant_layer *layer,
			struct npu_weights **weights, struct npu_epilogue **epilogue,
			struct npu_error *err)
{
	const struct npu_weights_desc packed = {
		.size = sizeof(packed),
		.n = layer->n,
		.k = layer->k,
		.data = layer->weight,
	};
	const struct npu_epilogue_desc desc = {
		.size = sizeof(desc),
		.n = layer->n,
		.bias = layer->bias,
		.multiplier = layer->multiplier,
		.scale_count = layer->n,
		.shift = layer->shift,
		.zero_point = layer->zero_point,
		.activation = layer->activation,
	};
	int ret;

	ret = npu_weights_create(dev, &packed, weights, err);
	if (ret)
		return ret;
	return npu_epilogue_create(dev, &desc, epilogue, err);
}

static int slot_create(struct npu_device *dev, const struct network *net,
		       const struct quant_model *model, struct slot *slot, struct npu_error *err)
{
	int ret;

	ret = npu_tensor_create(dev, NPU_TYPE_INT8, net->batch, net->inputs, &slot->tensor[0], err);
	for (uint32_t i = 0; i < net->layer_count && !ret; i++) {
		struct npu_matmul_desc desc = { .size = sizeof(desc) };

		ret = npu_tensor_create(dev, NPU_TYPE_INT8, net->batch, model->layer[i].n,
					&slot->tensor[i + 1], err);
		if (ret)
			return ret;
		desc.a = slot->tensor[i];
		desc.weights = net->weights[i];
		desc.epilogue = net->epilogue[i];
		desc.c = slot->tensor[i + 1];
		ret = npu_matmul_create(dev, &desc, &slot->matmul[i], err);
	}
	return ret;
}

/* What a batch costs at best, as the library plans it. */
static int add_plans(struct network *net, struct npu_error *err)
{
	for (uint32_t i = 0; i < net->layer_count; i++) {
		struct npu_plan plan = { .size = sizeof(plan) };
		int ret;

		ret = npu_matmul_get_plan(net->slot[0].matmul[i], &plan, err);
		if (ret)
			return ret;
		net->macs_per_batch += plan.macs;
		net->limit_per_batch += plan.limit_cycles;
	}
	return 0;
}

static int network_init(struct network *net, struct npu_device *dev,
			const struct quant_model *model, struct npu_error *err)
{
	int ret;

	net->staging = malloc((size_t)net->batch * net->inputs);
	if (!net->staging)
		return error_set(err, -ENOMEM, "out of memory for a batch of %u images",
				 net->batch);
	ret = npu_queue_create(dev, NULL, &net->queue, err);
	for (uint32_t i = 0; i < net->layer_count && !ret; i++)
		ret = layer_create(dev, &model->layer[i], &net->weights[i], &net->epilogue[i], err);
	for (int i = 0; i < SLOTS && !ret; i++)
		ret = slot_create(dev, net, model, &net->slot[i], err);
	if (!ret)
		ret = add_plans(net, err);
	return ret;
}

int network_create(struct npu_device *dev, const struct quant_model *model, uint32_t batch,
		   struct network **network, struct npu_error *err)
{
	struct network *net;
	int ret;

	net = calloc(1, sizeof(*net));
	if (!net)
		return error_set(err, -ENOMEM, "out of memory");
	net->layer_count = model->layer_count;
	net->inputs = model->layer[0].k;
	net->outputs = model->layer[model->layer_count - 1].n;
	net->batch = batch;

	ret = network_init(net, dev, model, err);
	if (ret) {
		network_destroy(net);
		return ret;
	}
	*network = net;
	return 0;
}

void network_destroy(struct network *network)
{
	if (!network)
		return;
	npu_queue_destroy(network->queue);
	for (int i = 0; i < SLOTS; i++) {
		for (uint32_t j = 0; j < network->layer_count; j++)
			npu_matmul_destroy(network->slot[i].matmul[j]);
		for (uint32_t j = 0; j <= network->layer_count; j++)
			npu_tensor_destroy(network->slot[i].tensor[j]);
	}
	for (uint32_t i = 0; i < network->layer_count; i++) {
		npu_epilogue_destroy(network->epilogue[i]);
		npu_weights_destroy(network->weights[i]);
	}
	free(network->staging);
	free(network);
}

/* Sends a batch on its way through all layers in one submission. */
static int slot_send(struct network *net, struct slot *slot, const uint8_t *pixels, size_t first,
		     uint32_t rows, struct npu_error *err)
{
	const struct npu_submit_desc desc = {
		.size = sizeof(desc),
		.matmuls = slot->matmul,
		.count = net->layer_count,
	};
	int ret;

	quantize_pixels(pixels + first * net->inputs, (size_t)rows * net->inputs, net->staging);
	ret = npu_tensor_write(slot->tensor[0], 0, rows, net->staging, 0, err);
	if (ret)
		return ret;
	ret = npu_queue_submit(net->queue, &desc, &slot->ticket, err);
	if (ret)
		return ret;
	slot->first = first;
	slot->rows = rows;
	return 0;
}

/* Waits for the slot's batch, if one is on its way, and takes its logits. */
static int slot_receive(struct network *net, struct slot *slot, int8_t *logits,
			struct npu_error *err)
{
	int ret;

	if (!slot->rows)
		return 0;
	ret = npu_queue_wait(net->queue, slot->ticket, -1, err);
	if (ret)
		return ret;
	ret = npu_tensor_read(slot->tensor[net->layer_count], 0, slot->rows,
			      logits + slot->first * net->outputs, 0, err);
	slot->rows = 0;
	return ret;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static int run_batches(struct network *net, const uint8_t *pixels, size_t count, int8_t *logits,
		       struct npu_error *err)
{
	size_t batches = (count + net->batch - 1) / net->batch;
	int ret;

	/* The last SLOTS rounds send nothing: they collect what is still on its way. */
	for (size_t i = 0; i < batches + SLOTS; i++) {
		struct slot *slot = &net->slot[i % SLOTS];
		size_t first = i * net->batch;

		ret = slot_receive(net, slot, logits, err);
		if (ret)
			return ret;
		if (i >= batches)
			continue;
		ret = slot_send(net, slot, pixels, first,
				count - first < net->batch ? (uint32_t)(count - first) : net->batch,
				err);
		if (ret)
			return ret;
	}
	return 0;
}

int network_run(struct network *network, const uint8_t *pixels, size_t count, int8_t *logits,
		struct network_work *work, struct npu_error *err)
{
	struct npu_queue_stats before = { .size = sizeof(before) };
	struct npu_queue_stats after = { .size = sizeof(after) };
	size_t batches = (count + network->batch - 1) / network->batch;
	double start;
	int ret;

	ret = npu_queue_get_stats(network->queue, &before, err);
	if (ret)
		return ret;
	start = now();
	ret = run_batches(network, pixels, count, logits, err);
	if (ret)
		return ret;
	work->seconds = now() - start;
	ret = npu_queue_get_stats(network->queue, &after, err);
	if (ret)
		return ret;
	work->jobs = after.jobs - before.jobs;
	work->engine_ns = after.engine_ns - before.engine_ns;
	work->host_steps = after.host_steps - before.host_steps;
	work->macs = batches * network->macs_per_batch;
	work->limit_cycles = batches * network->limit_per_batch;
	return 0;
}
