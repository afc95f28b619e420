// SPDX-License-Identifier: MIT
/*
 * Weights: matrices packed once into the form a device multiplies with.
 */
#include <errno.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "weights.h"

static struct npu_weights *new_weights(struct npu_device *dev, uint32_t n, uint32_t k,
				       struct npu_error *err)
{
	struct npu_weights *weights = calloc(1, dev->ops->weights_size);

	if (!weights) {
		npu_fail(err, -ENOMEM, "no memory for a weights object");
		return NULL;
	}
	weights->refs = 1;
	weights->dev = dev;
	weights->n = n;
	weights->k = k;
	npu_ref(&dev->refs);
	return weights;
}

struct npu_packed npu_weights_describe(const struct npu_weights *weights)
{
	struct npu_packed packed = {
		.n = weights->n,
		.k = weights->k,
		.numbers = weights->numbers,
		.count = weights->count,
		.offset = weights->offset,
		.bytes = weights->bytes,
	};

	weights->dev->ops->weights_form(weights->dev, packed.form);
	return packed;
}

/* Chooses how to pack, and gets memory for it. */
static int prepare(struct npu_weights *weights, const int8_t *data, size_t row_stride,
		   struct npu_error *err)
{
	const struct npu_backend *ops = weights->dev->ops;
	struct npu_packed packed;
	size_t size;
	int ret = 0;

	if (ops->weights_choose)
		ret = ops->weights_choose(weights, data, row_stride, err);
	if (!ret)
		ret = ops->weights_init(weights, err);
	if (ret)
		return ret;
	packed = npu_weights_describe(weights);
	size = npu_packed_layout(&packed);
	if (!size)
		return npu_fail(err, -ENOMEM, "no memory for weights of %u x %u", weights->n,
				weights->k);
	weights->offset = packed.offset;
	return npu_slice_alloc(weights->dev, size, &weights->memory, err);
}

static int fill(struct npu_weights *weights, const int8_t *data, size_t row_stride,
		struct npu_error *err)
{
	struct npu_packed packed = npu_weights_describe(weights);
	void *image;
	int ret = npu_slice_begin_fill(&weights->memory, &image, err);

	if (ret)
		return ret;
	npu_packed_begin(&packed, image);
	weights->dev->ops->weights_pack(weights, (int8_t *)image + weights->offset, data,
					row_stride);
	return npu_slice_end_fill(&weights->memory, err);
}

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

	weights = new_weights(dev, n, k, err);
	if (!weights)
		return -ENOMEM;
	ret = prepare(weights, data, row_stride, err);
	if (!ret)
		ret = fill(weights, data, row_stride, err);
	if (ret) {
		npu_weights_destroy(weights);
		return ret;
	}
	*out = weights;
	return 0;
}

int npu_weights_of_image(struct npu_device *dev, const struct npu_image *image,
			 struct npu_weights **out, struct npu_error *err)
{
	char form[NPU_PACKED_FORM] = "";
	struct npu_weights *weights;
	struct npu_packed packed;
	int ret;

	dev->ops->weights_form(dev, form);
	ret = npu_packed_read(image, form, &packed, err);
	if (ret)
		return ret;
	weights = new_weights(dev, packed.n, packed.k, err);
	if (!weights) {
		free(packed.numbers);
		return -ENOMEM;
	}
	weights->numbers = packed.numbers;
	weights->count = packed.count;
	weights->offset = packed.offset;
	ret = dev->ops->weights_init(weights, err);
	if (ret || weights->bytes != packed.bytes) {
		npu_weights_destroy(weights);
		if (ret == -ENOMEM)
			return ret;
		return npu_fail(err, -EBADMSG,
				"%s: damaged, a matrix of %u x %u cannot be packed in %zu bytes "
				"like that; pack the weights again",
				image->name, packed.n, packed.k, packed.bytes);
	}
	*out = weights;
	return 0;
}

uint32_t npu_weights_n(const struct npu_weights *weights)
{
	return weights ? weights->n : 0;
}

uint32_t npu_weights_k(const struct npu_weights *weights)
{
	return weights ? weights->k : 0;
}

void npu_weights_destroy(struct npu_weights *weights)
{
	struct npu_device *dev;

	if (!weights || !npu_unref(&weights->refs))
		return;
	dev = weights->dev;
	npu_slice_free(dev, &weights->memory);
	if (dev->ops->weights_fini)
		dev->ops->weights_fini(weights);
	free(weights->numbers);
	free(weights);
	npu_device_close(dev);
}
