// SPDX-License-Identifier: MIT
/*
 * Weights: matrices packed once into the form a device multiplies with.
 */
#include <errno.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "weight_source.h"

static uint32_t bits_of(const struct npu_weights_desc *desc)
{
	switch (desc->type) {
	case NPU_WEIGHTS_INT4:
		return 4;
	case NPU_WEIGHTS_CODEBOOK:
		return desc->index_bits;
	default:
		return 8;
	}
}

/* Puts the number meant in place of the zeros that mean a default. */
static void fill_defaults(struct npu_weights_desc *desc)
{
	if (!desc->batch)
		desc->batch = 1;
	if (!desc->group_size || desc->group_size > desc->k)
		desc->group_size = desc->k;
	if (!desc->row_stride)
		desc->row_stride = ((size_t)desc->k * bits_of(desc) + 7) / 8;
	if (!desc->matrix_stride)
		desc->matrix_stride = desc->n * desc->row_stride;
}

static int check_shape(const struct npu_weights_desc *desc, struct npu_error *err)
{
	size_t row = ((size_t)desc->k * bits_of(desc) + 7) / 8, all;

	if (!desc->n || !desc->k)
		return npu_fail(err, -EINVAL, "weights of %u x %u: both must be at least 1",
				desc->n, desc->k);
	if (desc->group_size % NPU_GROUP_UNIT)
		return npu_fail(err, -EINVAL, "weights: group_size is %u, not a multiple of %d",
				desc->group_size, NPU_GROUP_UNIT);
	if (desc->row_stride && desc->row_stride < row)
		return npu_fail(err, -EINVAL,
				"weights of %u x %u: row_stride is %zu, a row has %zu bytes",
				desc->n, desc->k, desc->row_stride, row);
	if (desc->row_stride)
		row = desc->row_stride;
	if (desc->matrix_stride && desc->matrix_stride / row < desc->n)
		return npu_fail(err, -EINVAL,
				"weights of %u x %u: matrix_stride is %zu, less than their rows",
				desc->n, desc->k, desc->matrix_stride);
	/* Every size that follows from the shape is at most 8 bytes for each weight. */
	if (__builtin_mul_overflow((size_t)desc->n * 16, desc->k, &all) ||
	    __builtin_mul_overflow(all, desc->batch ? desc->batch : 1, &all))
		return npu_fail(err, -ENOMEM, "no memory for %u matrices of weights of %u x %u",
				desc->batch ? desc->batch : 1, desc->n, desc->k);
	return 0;
}

static int check_codebook(const struct npu_weights_desc *desc, struct npu_error *err)
{
	if (desc->type != NPU_WEIGHTS_CODEBOOK)
		return 0;
	if (desc->index_bits < 1 || desc->index_bits > 8)
		return npu_fail(err, -EINVAL, "weights: index_bits is %u, it must be 1 to 8",
				desc->index_bits);
	if (!desc->codebook)
		return npu_fail(err, -EINVAL, "weights: codebook is NULL");
	if (!desc->codebook_entries || desc->codebook_entries > 1u << desc->index_bits)
		return npu_fail(err, -EINVAL,
				"weights: codebook_entries is %u, it must be 1 to %u with indices "
				"of %u bits",
				desc->codebook_entries, 1u << desc->index_bits, desc->index_bits);
	return 0;
}

static int check_zero_points(const struct npu_weights_desc *desc, struct npu_error *err)
{
	uint64_t groups = desc->group_size ? ((uint64_t)desc->k - 1) / desc->group_size + 1 : 1;

	if (!desc->zero_point_count)
		return 0;
	if (!desc->zero_point)
		return npu_fail(err, -EINVAL, "weights: zero_point is NULL");
	if (desc->zero_point_count != 1 && desc->zero_point_count != desc->n &&
	    desc->zero_point_count != desc->n * groups)
		return npu_fail(err, -EINVAL,
				"weights: zero_point_count is %u, it must be 0, 1, n, which is %u, "
				"or n times the number of groups",
				desc->zero_point_count, desc->n);
	for (uint32_t i = 0; i < desc->zero_point_count; i++)
		if (desc->zero_point[i] < INT8_MIN || desc->zero_point[i] > INT8_MAX)
			return npu_fail(err, -EINVAL,
					"weights: zero_point[%u] is %d, not in -128 to 127", i,
					desc->zero_point[i]);
	return 0;
}

static int check_desc(const struct npu_weights_desc *desc, struct npu_error *err)
{
	int ret;

	if (desc->size != sizeof(*desc))
		return npu_fail(err, -EINVAL,
				"npu_weights_desc.size is %zu, set it to sizeof(struct "
				"npu_weights_desc), which is %zu",
				desc->size, sizeof(*desc));
	if ((unsigned int)desc->type > NPU_WEIGHTS_CODEBOOK)
		return npu_fail(err, -EINVAL,
				"weights: type is %d, not one of enum npu_weight_type",
				(int)desc->type);
	if (!desc->data)
		return npu_fail(err, -EINVAL, "weights: data is NULL");
	ret = check_codebook(desc, err);
	if (!ret)
		ret = check_shape(desc, err);
	if (!ret)
		ret = check_zero_points(desc, err);
	return ret;
}

static void free_weights(struct npu_weights *weights)
{
	free(weights->sum);
	free(weights->zero_point);
	free(weights);
}

static int pack(struct npu_weights *weights, const struct npu_weights_desc *desc,
		struct npu_error *err)
{
	struct npu_weight_source source;
	int ret = npu_weight_source_init(&source, desc, weights, err);

	if (ret)
		return ret;
	ret = weights->dev->ops->weights_init(weights, &source, err);
	npu_weight_source_fini(&source);
	return ret;
}

int npu_weights_create(struct npu_device *dev, const struct npu_weights_desc *desc,
		       struct npu_weights **out, struct npu_error *err)
{
	struct npu_weights_desc full;
	struct npu_weights *weights;
	int ret;

	if (!dev || !desc || !out)
		return npu_fail(
			err, -EINVAL,
			"npu_weights_create: no device, no desc or no place for the weights "
			"given");
	ret = check_desc(desc, err);
	if (ret)
		return ret;
	full = *desc;
	fill_defaults(&full);

	weights = calloc(1, dev->ops->weights_size);
	if (!weights)
		return npu_fail(err, -ENOMEM, "no memory for a weights object");
	weights->refs = 1;
	weights->dev = dev;
	weights->n = full.n;
	weights->k = full.k;
	weights->batch = full.batch;
	weights->group_size = full.group_size;
	weights->groups = (full.k - 1) / full.group_size + 1;
	ret = pack(weights, &full, err);
	if (ret) {
		free_weights(weights);
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
	free_weights(weights);
	npu_device_close(dev);
}
