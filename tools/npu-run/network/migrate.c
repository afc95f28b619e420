// SPDX-License-Identifier: MIT
/* Moves outliers of activations to where they do no harm. */
#include <errno.h>
#include <stdlib.h>

#include <npu_tune.h>

#include "../error.h"
#include "migrate.h"

static int find_factors(const struct float_layer *layer, const struct stream *stream, float alpha,
			float **factor, struct npu_error *err)
{
	float *x_max = calloc(layer->k, sizeof(*x_max));
	float *w_max = calloc(layer->k, sizeof(*w_max));
	float *s = malloc(layer->k * sizeof(*s));
	int ret;

	ret = x_max && w_max && s ? 0 : error_set(err, -ENOMEM, "out of memory");
	if (!ret)
		ret = npu_column_max(stream->x, stream->rows, stream->cols, x_max, err);
	if (!ret)
		ret = npu_column_max(layer->weight, layer->n, layer->k, w_max, err);
	if (!ret)
		ret = npu_smooth_factors(x_max, w_max, layer->k, alpha, s, err);
	free(x_max);
	free(w_max);
	if (ret) {
		free(s);
		return ret;
	}
	*factor = s;
	return 0;
}

/* Moves the factors of a layer's inputs into it and into the layer before. */
static int move(struct float_layer *layer, bool first, const float *factor, struct npu_error *err)
{
	int ret = npu_scale_columns(layer->weight, layer->n, layer->k, factor, false, err);

	if (ret || first)
		return ret;
	layer--;
	ret = npu_scale_rows(layer->weight, layer->n, layer->k, factor, true, err);
	if (!ret && layer->bias)
		ret = npu_scale_rows(layer->bias, layer->n, 1, factor, true, err);
	return ret;
}

/* Factors are found with the layer's weights as they were, before its rows take the next one's. */
int migrate_outliers(struct float_network *network, struct stream *stream, float alpha,
		     float *factor[NETWORK_MAX_LAYERS], struct npu_error *err)
{
	int ret = 0;

	for (uint32_t i = 0; i < network->count && !ret; i++) {
		struct float_layer *layer = &network->layer[i];

		ret = find_factors(layer, stream, alpha, &factor[i], err);
		/* The stream goes on with what the layer gave before the next one's factors. */
		if (!ret && i + 1 < network->count)
			ret = stream_advance(stream, layer->weight, layer->bias, layer->n, true,
					     err);
		if (!ret)
			ret = move(layer, !i, factor[i], err);
	}
	return ret;
}
