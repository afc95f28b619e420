// SPDX-License-Identifier: MIT
/*
 * Weights: matrices packed once into the form a device multiplies with.
 */
#include <errno.h>
#include <stdlib.h>

#include "backend/backend.h"

int npu_weights_create(struct npu_device *dev, uint32_t n, uint32_t k, const int8_t *data,
		       size_t row_stride, struct npu_weights **out, struct npu_error *err)
{
	struct npu_weights *weights;
	int ret;

	if (!dev || !data || !out)
		return npu_fail(err, -EINVAL,
				"npu_weights_create: no device, no data or no place "
				"for the weights given");
	if (!n || !k)
		return npu_fail(err, -EINVAL, "weights of %u x %u: both must be at least 1", n, k);
	if (!row_stride)
		row_stride = k;
	if (row_stride < k)
		return npu_fail(err, -EINVAL, "weights of %u x %u: row stride %zu is less than %u",
				n, k, row_stride, k);

	weights = calloc(1, dev->ops->weights_size);
	if (!weights)
		return npu_fail(err, -ENOMEM, "no memory for a weights object");

	weights->refs = 1;
	weights->dev = dev;
	weights->n = n;
	weights->k = k;
	ret = dev->ops->weights_init(weights, data, row_stride, err);
	if (ret) {
		free(weights);
		return ret;
	}
	npu_ref(&dev->refs);
	*out = weights;
	return 0;
}

void npu_weights_destroy(struct npu_weights *weights)
{
	struct npu_device *dev;

	if (!weights || !npu_unref(&weights->refs))
		return;
	dev = weights->dev;
	dev->ops->weights_fini(weights);
	free(weights);
	npu_device_close(dev);
}
