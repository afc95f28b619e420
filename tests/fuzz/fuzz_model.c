// SPDX-License-Identifier: MIT
/* libFuzzer: files of a network that somebody sends to the example, of 4 inputs and 3 outputs. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "../../examples/perceptron/model.h"
#include "image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct model *model)
{
	uint32_t width = 4;

	must(model->layer_count >= 1 && model->layer_count <= MODEL_MAX_LAYERS);
	for (uint32_t i = 0; i < model->layer_count; i++) {
		const struct layer *layer = &model->layer[i];

		must(layer->k == width && layer->range > 0);
		must(isfinite(layer->bias[layer->n - 1]));
		must(isfinite(layer->weight[(size_t)layer->n * layer->k - 1]));
		width = layer->n;
	}
	must(width == 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct npu_error err = { 0 };
	struct model model;
	char path[IMAGE_PATH];
	int fd = image_file(data, size, false, path);

	if (!model_load(path, 4, 255, 3, &model, &err)) {
		check(&model);
		model_free(&model);
	} else {
		must(err.code && err.text[0]);
	}
	close(fd);
	return 0;
}
