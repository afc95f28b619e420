// SPDX-License-Identifier: MIT
/*
 * libFuzzer: quantized networks that somebody sends, as sheet.h writes them. What is taken for one
 * fits together, and runs on the CPU or is refused with a sentence.
 */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../tools/npu-run/network/quant_file.h"
#include "../../tools/npu-run/network/runner.h"
#include "image.h"
#include "sheet.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS 2

static struct npu_device *dev;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	must(!npu_device_open("cpu", &dev, NULL));
	return 0;
}

static void check_layer(const struct quant_layer *layer)
{
	const size_t weights = (size_t)layer->n * layer->k;
	float *w = malloc(weights * sizeof(*w));
	struct npu_error err = { 0 };

	must(w && layer->n && layer->k);
	must(layer->scale_count == quant_scale_count(layer));
	must(!layer->asymmetric == !layer->weight_zero);
	for (uint32_t i = 0; i < layer->scale_count; i++)
		must(isfinite(layer->weight_scale[i]) && layer->weight_scale[i] > 0);
	for (uint32_t i = 0; layer->bias && i < layer->n; i++)
		must(isfinite(layer->bias[i]));
	/* All of the weights are there: reading them is the test. */
	must(!quant_dequantize(layer, w, &err) || err.text[0]);
	free(w);
}

static void check(const struct quant_network *network)
{
	must(network->count >= 1 && network->count <= NETWORK_MAX_LAYERS);
	for (uint32_t i = 0; i < network->count; i++) {
		check_layer(&network->layer[i]);
		must(!i || network->layer[i].k == network->layer[i - 1].n);
	}
}

static void run(const struct quant_network *network)
{
	const size_t count = (size_t)ROWS * network->layer[0].k;
	float *x = malloc(count * sizeof(*x));
	struct npu_error err = { 0 };
	struct runner *runner;

	must(x);
	for (size_t i = 0; i < count; i++)
		x[i] = (float)(i * 37 % 101) / 50 - 1;
	if (!runner_create(dev, network, ROWS, NULL, &runner, &err)) {
		must(!runner_run(runner, x, ROWS, &err) || err.text[0]);
		runner_destroy(runner);
	} else {
		must(err.code && err.text[0]);
	}
	free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quant_network network;
	struct npu_error err = { 0 };
	char path[IMAGE_PATH];
	int fd = sheet_image(data, size, path);

	if (!quant_file_load(path, &network, &err)) {
		check(&network);
		run(&network);
		quant_network_free(&network);
	} else {
		must_say(&err, path);
	}
	close(fd);
	return 0;
}
