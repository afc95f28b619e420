// SPDX-License-Identifier: MIT
/* Runs a quantized network on a device. */
#include <errno.h>
#include <stdlib.h>

#include "../error.h"
#include "edge.h"
#include "matrix.h"
#include "pack.h"
#include "runner.h"

struct runner {
	uint32_t count;
	struct device_layer layer[NETWORK_MAX_LAYERS];
	float *result[NETWORK_MAX_LAYERS];
	struct npu_queue *queue;
	struct edge *edge;
	uint64_t edge_steps;
};

static int create_layer(struct npu_device *dev, const struct quant_network *network, uint32_t i,
			uint32_t batch, const char *packed, struct runner *r, struct npu_error *err)
{
	const struct quant_layer *layer = &network->layer[i];
	char *path = NULL;
	int ret;

	r->result[i] = matrix_alloc(batch, layer->n, sizeof(float));
	if (!r->result[i])
		return error_set(err, -ENOMEM, "out of memory for a batch of %u samples", batch);
	if (packed) {
		path = pack_path(packed, layer->name);
		if (!path)
			return error_set(err, -ENOMEM, "out of memory");
	}
	r->count = i + 1;
	ret = device_layer_create(dev, network, i, batch, path,
				  quant_is_direct(network, i) ? &r->layer[i - 1] : NULL,
				  &r->layer[i], err);
	free(path);
	return ret;
}

int runner_create(struct npu_device *dev, const struct quant_network *network, uint32_t batch,
		  const char *packed, struct runner **runner, struct npu_error *err)
{
	struct runner *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return error_set(err, -ENOMEM, "out of memory");
	ret = npu_queue_create(dev, NULL, &r->queue, err);
	if (!ret)
		ret = edge_create(network, batch, &r->edge, err);
	for (uint32_t i = 0; i < network->count && !ret; i++)
		ret = create_layer(dev, network, i, batch, packed, r, err);
	if (ret) {
		runner_destroy(r);
		return ret;
	}
	*runner = r;
	return 0;
}

void runner_destroy(struct runner *runner)
{
	if (!runner)
		return;
	npu_queue_destroy(runner->queue);
	for (uint32_t i = 0; i < NETWORK_MAX_LAYERS; i++) {
		device_layer_destroy(&runner->layer[i]);
		free(runner->result[i]);
	}
	edge_destroy(runner->edge);
	free(runner);
}

/* Runs layers @first to below @end, of which only the first one takes real numbers. */
static int run_chain(struct runner *r, uint32_t first, uint32_t end, const float *x, uint32_t rows,
		     struct npu_error *err)
{
	struct npu_matmul *matmuls[NETWORK_MAX_LAYERS];
	int ret = edge_send(r->edge, &r->layer[first], x, rows, err);

	r->edge_steps++;
	for (uint32_t i = first; i < end; i++)
		matmuls[i - first] = r->layer[i].matmul;
	if (!ret)
		ret = npu_queue_run(r->queue, matmuls, end - first, err);
	for (uint32_t i = first; i < end && !ret; i++) {
		ret = edge_receive(r->edge, &r->layer[i], rows, r->result[i], err);
		r->edge_steps += !r->layer[i].form.finished;
	}
	return ret;
}

int runner_run(struct runner *runner, const float *x, uint32_t rows, struct npu_error *err)
{
	uint32_t first = 0;

	while (first < runner->count) {
		uint32_t end = first + 1;
		int ret;

		while (end < runner->count && runner->layer[end].direct)
			end++;
		ret = run_chain(runner, first, end, first ? runner->result[first - 1] : x, rows,
				err);
		if (ret)
			return ret;
		first = end;
	}
	return 0;
}

const float *runner_result(const struct runner *runner, uint32_t i)
{
	return runner->result[i];
}

int runner_get_work(const struct runner *runner, struct runner_work *work, struct npu_error *err)
{
	struct npu_queue_stats stats = { .size = sizeof(stats) };
	int ret = npu_queue_get_stats(runner->queue, &stats, err);

	if (ret)
		return ret;
	*work = (struct runner_work){
		.jobs = stats.jobs,
		.engine_ns = stats.engine_ns,
		.library_steps = stats.host_steps,
		.edge_steps = runner->edge_steps,
	};
	return 0;
}

int runner_host_stages(const struct runner *runner, uint32_t i, uint32_t *stages,
		       struct npu_error *err)
{
	struct npu_plan plan = { .size = sizeof(plan) };
	int ret = npu_matmul_get_plan(runner->layer[i].matmul, &plan, err);

	if (!ret)
		*stages = plan.host_stages;
	return ret;
}
