// SPDX-License-Identifier: MIT
/*
 * Runs a model in float32 on the CPU.
 *
 * The weights are packed in panels of 16 outputs, [panel][k][16], so that the inner loop is a fixed
 * number of multiply-adds on consecutive floats, which a compiler turns into vector code without
 * being asked. A panel serves a block of images while it is in the cache. Inputs that are 0, half
 * of all pixels and most hidden values, are skipped.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "forward.h"

#define PANEL 16
#define BLOCK 32

struct dense {
	uint32_t n;
	uint32_t k;
	uint32_t panels;
	bool relu;
	float *bias;
	float *weight;
};

struct forward {
	float input_max;
	uint32_t layer_count;
	struct dense layer[MODEL_MAX_LAYERS];
	float *block[2];
};

static int dense_create(struct dense *dense, const struct layer *layer, bool relu,
			struct npu_error *err)
{
	dense->n = layer->n;
	dense->k = layer->k;
	dense->panels = (layer->n + PANEL - 1) / PANEL;
	dense->relu = relu;
	dense->bias = calloc((size_t)dense->panels * PANEL, sizeof(float));
	dense->weight = calloc((size_t)dense->panels * PANEL * dense->k, sizeof(float));
	if (!dense->bias || !dense->weight)
		return error_set(err, -ENOMEM, "out of memory for the float weights");

	for (uint32_t n = 0; n < layer->n; n++) {
		float *panel = dense->weight + (size_t)(n / PANEL) * PANEL * dense->k;

		dense->bias[n] = layer->bias[n];
		for (uint32_t k = 0; k < layer->k; k++)
			panel[k * PANEL + n % PANEL] = layer->weight[(size_t)n * layer->k + k];
	}
	return 0;
}

/* One image through one panel. */
static void panel_run(const float *weight, const float *bias, uint32_t k_count, const float *x,
		      float *y)
{
	memcpy(y, bias, PANEL * sizeof(float));
	for (uint32_t k = 0; k < k_count; k++) {
		float value = x[k];

		if (value == 0.0f)
			continue;
		for (int i = 0; i < PANEL; i++)
			y[i] += value * weight[k * PANEL + i];
	}
}

static void dense_run(const struct dense *dense, const float *x, size_t count, float *y)
{
	float out[PANEL];

	for (uint32_t p = 0; p < dense->panels; p++) {
		const float *weight = dense->weight + (size_t)p * PANEL * dense->k;
		uint32_t first = p * PANEL;
		uint32_t width = dense->n - first < PANEL ? dense->n - first : PANEL;

		for (size_t i = 0; i < count; i++) {
			panel_run(weight, dense->bias + first, dense->k, x + i * dense->k, out);
			for (uint32_t n = 0; n < width; n++)
				y[i * dense->n + first + n] =
					dense->relu && out[n] < 0.0f ? 0.0f : out[n];
		}
	}
}

int forward_create(const struct model *model, struct forward **forward, struct npu_error *err)
{
	struct forward *f;
	int ret = 0;

	f = calloc(1, sizeof(*f));
	if (!f)
		return error_set(err, -ENOMEM, "out of memory");
	f->input_max = model->input_max;
	f->layer_count = model->layer_count;
	for (int i = 0; i < 2; i++) {
		f->block[i] = malloc(BLOCK * MODEL_MAX_WIDTH * sizeof(float));
		if (!f->block[i])
			ret = error_set(err, -ENOMEM, "out of memory for the float activations");
	}
	for (uint32_t i = 0; i < model->layer_count && !ret; i++)
		ret = dense_create(&f->layer[i], &model->layer[i], i + 1 < model->layer_count, err);
	if (ret) {
		forward_destroy(f);
		return ret;
	}
	*forward = f;
	return 0;
}

void forward_destroy(struct forward *forward)
{
	if (!forward)
		return;
	for (uint32_t i = 0; i < forward->layer_count; i++) {
		free(forward->layer[i].bias);
		free(forward->layer[i].weight);
	}
	free(forward->block[0]);
	free(forward->block[1]);
	free(forward);
}

void forward_run(struct forward *forward, const uint8_t *pixels, size_t count, float *logits)
{
	const uint32_t inputs = forward->layer[0].k;
	const uint32_t outputs = forward->layer[forward->layer_count - 1].n;

	for (size_t first = 0; first < count; first += BLOCK) {
		size_t rows = count - first < BLOCK ? count - first : BLOCK;
		const uint8_t *image = pixels + first * inputs;
		float *in = forward->block[0];
		float *out = forward->block[1];

		for (size_t i = 0; i < rows * inputs; i++)
			in[i] = (float)image[i] / forward->input_max;
		for (uint32_t i = 0; i < forward->layer_count; i++) {
			float *done = in;

			dense_run(&forward->layer[i], in, rows, out);
			in = out;
			out = done;
		}
		memcpy(logits + first * outputs, in, rows * outputs * sizeof(float));
	}
}
