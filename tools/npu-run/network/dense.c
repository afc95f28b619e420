// SPDX-License-Identifier: MIT
/*
 * A layer in float32. Weights are kept as [panel][k][PANEL], so that the inner loop is a fixed
 * number of multiply-adds side by side, which a compiler makes vector code of without reordering a
 * sum. A panel serves a block of rows while it is in the cache. Inputs of 0, which ReLU makes many
 * of, add nothing and are left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "dense.h"

#define PANEL 16
#define BLOCK 64

struct dense {
	uint32_t n;
	uint32_t k;
	uint32_t panels;
	float *bias;
	float *weight;
};

int dense_create(const float *weight, const float *bias, uint32_t n, uint32_t k,
		 struct dense **dense, struct npu_error *err)
{
	const uint32_t panels = (n + PANEL - 1) / PANEL;
	struct dense *d = calloc(1, sizeof(*d));

	if (!d)
		return error_set(err, -ENOMEM, "out of memory for a layer");
	*d = (struct dense){ .n = n, .k = k, .panels = panels };
	/* As @weight lies in memory, a row of it can be counted; with padded rows it need not. */
	d->bias = calloc((size_t)panels * PANEL, sizeof(float));
	d->weight = calloc((size_t)panels * PANEL, k * sizeof(float));
	if (!d->bias || !d->weight) {
		dense_destroy(d);
		return error_set(err, -ENOMEM, "out of memory for float weights of %u x %u", n, k);
	}
	if (bias)
		memcpy(d->bias, bias, n * sizeof(float));
	for (uint32_t i = 0; i < n; i++) {
		float *panel = d->weight + (size_t)(i / PANEL) * PANEL * k;

		for (uint32_t j = 0; j < k; j++)
			panel[(size_t)j * PANEL + i % PANEL] = weight[(size_t)i * k + j];
	}
	*dense = d;
	return 0;
}

void dense_destroy(struct dense *dense)
{
	if (!dense)
		return;
	free(dense->bias);
	free(dense->weight);
	free(dense);
}

/* PANEL results of one row. */
static void run_panel(const float *weight, const float *bias, uint32_t k, const float *x, float *y)
{
	float sum[PANEL];

	memcpy(sum, bias, sizeof(sum));
	for (uint32_t j = 0; j < k; j++, weight += PANEL) {
		if (x[j] == 0)
			continue;
		for (int i = 0; i < PANEL; i++)
			sum[i] += weight[i] * x[j];
	}
	memcpy(y, sum, sizeof(sum));
}

static void run_block(const struct dense *d, const float *x, uint32_t rows, bool relu, float *y)
{
	for (uint32_t panel = 0; panel < d->panels; panel++) {
		const uint32_t first = panel * PANEL;
		const uint32_t count = d->n - first < PANEL ? d->n - first : PANEL;

		for (uint32_t row = 0; row < rows; row++) {
			float *out = y + (size_t)row * d->n + first;
			float sum[PANEL];

			run_panel(d->weight + (size_t)first * d->k, d->bias + first, d->k,
				  x + (size_t)row * d->k, sum);
			for (uint32_t i = 0; i < count; i++)
				out[i] = relu && sum[i] < 0 ? 0 : sum[i];
		}
	}
}

void dense_run(const struct dense *dense, const float *x, uint32_t rows, bool relu, float *y)
{
	for (uint32_t row = 0; row < rows; row += BLOCK)
		run_block(dense, x + (size_t)row * dense->k,
			  rows - row < BLOCK ? rows - row : BLOCK, relu,
			  y + (size_t)row * dense->n);
}
