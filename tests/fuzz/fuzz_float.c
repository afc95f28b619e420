// SPDX-License-Identifier: MIT
/*
 * libFuzzer: float networks, and scales that were learnt for them, as sheet.h writes them: one file
 * for both. What is taken for a network fits together and is finite.
 */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../tools/npu-run/network/float_network.h"
#include "../../tools/npu-run/network/learnt.h"
#include "image.h"
#include "sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_layer(const struct float_layer *layer)
{
	must(layer->n && layer->k && layer->name);
	for (size_t i = 0; i < (size_t)layer->n * layer->k; i++)
		must(isfinite(layer->weight[i]));
	for (uint32_t i = 0; layer->bias && i < layer->n; i++)
		must(isfinite(layer->bias[i]));
}

static void read_learnt(const char *path, const struct learnt *learnt,
			const struct float_layer *layer)
{
	float *scale = malloc(layer->n * sizeof(*scale));
	int32_t *zero = malloc(layer->n * sizeof(*zero));
	struct npu_error err = { 0 };

	must(scale && zero);
	if (learnt_has(learnt, layer->name, "weight_scale")) {
		if (!learnt_scales(learnt, layer->name, "weight_scale", layer->n, scale, &err))
			for (uint32_t i = 0; i < layer->n; i++)
				must(scale[i] > 0 && isfinite(scale[i]));
		else
			must_say(&err, path);
	}
	if (learnt_zero_points(learnt, layer->name, "weight_zero_point", layer->n, zero, &err))
		must_say(&err, path);
	free(scale);
	free(zero);
}

static void check(const char *path, const struct float_network *network)
{
	struct npu_error err = { 0 };
	struct learnt *learnt;

	must(network->count >= 1 && network->count <= NETWORK_MAX_LAYERS);
	for (uint32_t i = 0; i < network->count; i++) {
		check_layer(&network->layer[i]);
		must(!i || network->layer[i].k == network->layer[i - 1].n);
	}
	must(!learnt_open(path, &learnt, &err));
	if (learnt_check(learnt, network, &err))
		must_say(&err, path);
	for (uint32_t i = 0; i < network->count; i++)
		read_learnt(path, learnt, &network->layer[i]);
	learnt_close(learnt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct float_network network;
	struct npu_error err = { 0 };
	char path[IMAGE_PATH];
	int fd = sheet_image(data, size, path);

	if (!float_network_load(path, NULL, &network, &err)) {
		check(path, &network);
		float_network_free(&network);
	} else {
		must_say(&err, path);
	}
	close(fd);
	return 0;
}
