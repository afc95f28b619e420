// SPDX-License-Identifier: MIT
/* Runs a float network on the processor. */
#include <errno.h>
#include <stdlib.h>

#include "../error.h"
#include "dense.h"
#include "float_runner.h"
#include "matrix.h"

struct float_runner {
	uint32_t count;
	struct dense *layer[NETWORK_MAX_LAYERS];
	float *result[NETWORK_MAX_LAYERS];
};

int float_runner_create(const struct float_network *network, uint32_t batch,
			struct float_runner **runner, struct npu_error *err)
{
	struct float_runner *r = calloc(1, sizeof(*r));
	int ret = 0;

	if (!r)
		return error_set(err, -ENOMEM, "out of memory");
	r->count = network->count;
	for (uint32_t i = 0; i < network->count && !ret; i++) {
		const struct float_layer *layer = &network->layer[i];

		ret = dense_create(layer->weight, layer->bias, layer->n, layer->k, &r->layer[i],
				   err);
		r->result[i] = matrix_alloc(batch, layer->n, sizeof(float));
		if (!ret && !r->result[i])
			ret = error_set(err, -ENOMEM, "out of memory for a batch of %u samples",
					batch);
	}
	if (ret) {
		float_runner_destroy(r);
		return ret;
	}
	*runner = r;
	return 0;
}

void float_runner_destroy(struct float_runner *runner)
{
	if (!runner)
		return;
	for (uint32_t i = 0; i < runner->count; i++) {
		dense_destroy(runner->layer[i]);
		free(runner->result[i]);
	}
	free(runner);
}

void float_runner_run(struct float_runner *runner, const float *x, uint32_t rows)
{
	for (uint32_t i = 0; i < runner->count; i++)
		dense_run(runner->layer[i], i ? runner->result[i - 1] : x, rows,
			  i + 1 < runner->count, runner->result[i]);
}

const float *float_runner_result(const struct float_runner *runner, uint32_t i)
{
	return runner->result[i];
}
