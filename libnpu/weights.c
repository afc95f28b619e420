// SPDX-License-Identifier: MIT
/*
 * Weights: matrices packed once into the form a device multiplies with.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "weight_source.h"
#include "weights.h"

/* ---- Checks ----------------------------------------------------------------------------- */

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

/* Where sizes have 32 bits, the bits of a row may be more than they can count. */
static uint64_t row_bytes(const struct npu_weights_desc *desc)
{
	return ((uint64_t)desc->k * bits_of(desc) + 7) / 8;
}

/* Puts the number meant in place of the zeros that mean a default. */
static void fill_defaults(struct npu_weights_desc *desc)
{
	if (!desc->batch)
		desc->batch = 1;
	if (!desc->group_size || desc->group_size > desc->k)
		desc->group_size = desc->k;
	if (!desc->row_stride)
		desc->row_stride = (size_t)row_bytes(desc);
	if (!desc->matrix_stride)
		desc->matrix_stride = desc->n * desc->row_stride;
}

static int check_shape(const struct npu_weights_desc *desc, struct npu_error *err)
{
	if (!desc->n || !desc->k)
		return npu_fail(err, -EINVAL, "weights of %u x %u: both must be at least 1",
				desc->n, desc->k);
	if (desc->group_size % NPU_GROUP_UNIT)
		return npu_fail(err, -EINVAL, "weights: group_size is %u, not a multiple of %d",
				desc->group_size, NPU_GROUP_UNIT);
	return 0;
}

static int check_strides(const struct npu_weights_desc *desc, struct npu_error *err)
{
	uint64_t row = row_bytes(desc), matrix, all;

	if (desc->row_stride && desc->row_stride < row)
		return npu_fail(err, -EINVAL,
				"weights of %u x %u: row_stride is %zu, a row has %" PRIu64
				" bytes",
				desc->n, desc->k, desc->row_stride, row);
	if (desc->row_stride)
		row = desc->row_stride;
	if (desc->matrix_stride && desc->matrix_stride / row < desc->n)
		return npu_fail(err, -EINVAL,
				"weights of %u x %u: matrix_stride is %zu, less than their rows",
				desc->n, desc->k, desc->matrix_stride);
	/* Of strides that are left out, check_size() knows how large they may be. */
	if (!desc->row_stride && !desc->matrix_stride)
		return 0;
	matrix = desc->matrix_stride;
	if ((!matrix && __builtin_mul_overflow(row, desc->n, &matrix)) ||
	    __builtin_mul_overflow(matrix, desc->batch ? desc->batch : 1, &all) ||
	    all > PTRDIFF_MAX)
		return npu_fail(err, -EINVAL,
				"weights of %u x %u: with row_stride %zu and matrix_stride %zu "
				"they are larger than any memory",
				desc->n, desc->k, desc->row_stride, desc->matrix_stride);
	return 0;
}

/* Every size that follows from the shape is at most 8 bytes for each weight. */
static int check_size(const struct npu_weights_desc *desc, struct npu_error *err)
{
	const uint32_t batch = desc->batch ? desc->batch : 1;
	size_t all;

	if (__builtin_mul_overflow((uint64_t)desc->n * 16, desc->k, &all) ||
	    __builtin_mul_overflow(all, batch, &all))
		return npu_fail(err, -ENOMEM, "no memory for %u matrices of weights of %u x %u",
				batch, desc->n, desc->k);
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
		ret = check_strides(desc, err);
	if (!ret)
		ret = check_size(desc, err);
	if (!ret)
		ret = check_zero_points(desc, err);
	return ret;
}

/* ---- Making ----------------------------------------------------------------------------- */

static struct npu_weights *new_weights(struct npu_device *dev, uint32_t n, uint32_t k,
				       uint32_t batch, uint32_t group_size, struct npu_error *err)
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
	weights->batch = batch;
	weights->group_size = group_size;
	weights->groups = (k - 1) / group_size + 1;
	npu_ref(&dev->refs);
	return weights;
}

struct npu_packed npu_weights_describe(const struct npu_weights *weights)
{
	struct npu_packed packed = {
		.n = weights->n,
		.k = weights->k,
		.batch = weights->batch,
		.group_size = weights->group_size,
		.numbers = weights->numbers,
		.count = weights->count,
		.sum = weights->sum,
		.zero_point = weights->zero_point,
		.offset = weights->offset,
		.bytes = weights->bytes,
	};

	weights->dev->ops->weights_form(weights->dev, packed.form);
	return packed;
}

/* Chooses how to pack, and gets memory for it. */
static int prepare(struct npu_weights *weights, const struct npu_weight_source *source,
		   struct npu_error *err)
{
	const struct npu_backend *ops = weights->dev->ops;
	struct npu_packed packed;
	size_t size;
	int ret = 0;

	if (ops->weights_choose)
		ret = ops->weights_choose(weights, source, err);
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

/* The sums that the image begins with are known when all rows have been read. */
static int fill(struct npu_weights *weights, const struct npu_weight_source *source,
		struct npu_error *err)
{
	struct npu_packed packed = npu_weights_describe(weights);
	void *image;
	int ret = npu_slice_begin_fill(&weights->memory, &image, err);

	if (ret)
		return ret;
	ret = weights->dev->ops->weights_pack(weights, (int8_t *)image + weights->offset, source,
					      err);
	npu_packed_begin(&packed, image);
	return ret ? ret : npu_slice_end_fill(&weights->memory, err);
}

static int pack(struct npu_weights *weights, const struct npu_weights_desc *desc,
		struct npu_error *err)
{
	struct npu_weight_source source;
	int ret = npu_weight_source_init(&source, desc, weights, err);

	if (ret)
		return ret;
	ret = prepare(weights, &source, err);
	if (!ret)
		ret = fill(weights, &source, err);
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

	weights = new_weights(dev, full.n, full.k, full.batch, full.group_size, err);
	if (!weights)
		return -ENOMEM;
	ret = pack(weights, &full, err);
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
	weights = new_weights(dev, packed.n, packed.k, packed.batch, packed.group_size, err);
	if (!weights) {
		npu_packed_free(&packed);
		return -ENOMEM;
	}
	weights->numbers = packed.numbers;
	weights->count = packed.count;
	weights->sum = packed.sum;
	weights->zero_point = packed.zero_point;
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

uint32_t npu_weights_batch(const struct npu_weights *weights)
{
	return weights ? weights->batch : 0;
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
	free(weights->sum);
	free(weights->zero_point);
	free(weights);
	npu_device_close(dev);
}

static int sum_up(const struct npu_weights *weights, struct npu_packed_header *header,
		  struct npu_error *err)
{
	struct npu_packed packed = npu_weights_describe(weights);
	const void *image;
	int ret = npu_slice_begin_read(&weights->memory, &image, err);

	if (ret)
		return ret;
	npu_packed_sum(image, &packed, header);
	return npu_slice_end_read(&weights->memory, err);
}

int npu_weights_equal(const struct npu_weights *x, const struct npu_weights *y, bool *equal,
		      struct npu_error *err)
{
	struct npu_packed_header a, b;
	int ret;

	if (!x || !y || !equal)
		return npu_fail(err, -EINVAL,
				"npu_weights_equal: no weights or no place for the result given");
	ret = sum_up(x, &a, err);
	if (!ret)
		ret = sum_up(y, &b, err);
	if (!ret)
		*equal = !memcmp(&a, &b, sizeof(a));
	return ret;
}
