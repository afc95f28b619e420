// SPDX-License-Identifier: MIT
/*
 * NVDLA weights: groups of kernels in blocks of channels, see packed.h. K is one chunk where it is
 * within the engine's limits; beyond, the lengths of its chunks are the numbers of the form.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nvdla.h"

/*
 * Sums that the exact method of nvdla_split.c can reconstruct have a magnitude of at most
 * 127 * 2^16; an activation has one of at most 128.
 */
#define EXACT_WEIGHT_SUM (127 * 65536 / 128)

void nvdla_weights_form(const struct npu_device *dev, char form[NPU_PACKED_FORM])
{
	const struct drm_npu_matmul_limits *limits = &to_nvdla(dev)->limits;

	snprintf(form, NPU_PACKED_FORM, "nvdla int8 %ux%u", limits->mac_kernels,
		 limits->mac_channels);
}

/* ---- Choosing chunks -------------------------------------------------------------------- */

/* Magnitudes of @width weights of each row added up; the largest of @before plus these. */
static uint32_t add_magnitudes(uint32_t n, const int8_t *data, size_t row_stride, uint32_t width,
			       const uint32_t *before, uint32_t *sums)
{
	uint32_t largest = 0;

	for (uint32_t row = 0; row < n; row++) {
		uint32_t sum = 0;

		for (uint32_t i = 0; i < width; i++)
			sum += abs(data[row * row_stride + i]);
		sums[row] = sum;
		if (before[row] + sum > largest)
			largest = before[row] + sum;
	}
	return largest;
}

/* Cuts K into the longest chunks that the engine can take and whose sums can be reconstructed. */
static int cut_chunks(struct npu_weights *weights, const int8_t *data, size_t row_stride,
		      uint32_t max_k, uint32_t unit)
{
	uint32_t n = weights->n, k = weights->k, width, *length = weights->numbers;
	uint32_t *sums = calloc(n, 2 * sizeof(*sums));
	uint32_t *block = sums + n;

	if (!sums)
		return -ENOMEM;

	for (uint32_t k0 = 0; k0 < k; k0 += width) {
		width = k - k0 < unit ? k - k0 : unit;
		if (add_magnitudes(n, data + k0, row_stride, width, sums, block) >
			    EXACT_WEIGHT_SUM ||
		    *length + width > max_k) {
			length++;
			for (uint32_t row = 0; row < n; row++)
				sums[row] = 0;
		}
		*length += width;
		for (uint32_t row = 0; row < n; row++)
			sums[row] += block[row];
	}
	weights->count = length - weights->numbers + 1;
	free(sums);
	return 0;
}

int nvdla_weights_choose(struct npu_weights *weights, const int8_t *data, size_t row_stride,
			 struct npu_error *err)
{
	const struct nvdla_device *dev = to_nvdla(weights->dev);
	uint32_t unit = npu_plan_k_unit(&dev->limits);
	bool whole = weights->k <= dev->max_k;

	weights->numbers =
		calloc(whole ? 1 : (size_t)weights->k / unit + 1, sizeof(*weights->numbers));
	if (weights->numbers && whole) {
		weights->numbers[0] = weights->k;
		weights->count = 1;
		return 0;
	}
	if (!weights->numbers || cut_chunks(weights, data, row_stride, dev->max_k, unit))
		return npu_fail(err, -ENOMEM, "no memory to pack weights of %u x %u", weights->n,
				weights->k);
	return 0;
}

/* ---- Chunks ----------------------------------------------------------------------------- */

static size_t align(size_t bytes)
{
	return (bytes + NPU_PACKED_ALIGN - 1) / NPU_PACKED_ALIGN * NPU_PACKED_ALIGN;
}

/*
 * Appends a chunk. False where there cannot be one of that length. That its sums are within the
 * bound of the exact method cannot be seen from the length: a file is taken at its word.
 */
static bool add_chunk(struct nvdla_weights *nw, uint32_t k0, uint32_t length)
{
	const struct nvdla_device *dev = to_nvdla(nw->base.dev);
	size_t bytes;

	if (!length || length > dev->max_k || length > nw->base.k - k0 ||
	    k0 % npu_plan_k_unit(&dev->limits) ||
	    __builtin_mul_overflow((size_t)nw->base.n, length, &bytes) ||
	    bytes > PTRDIFF_MAX - nw->base.bytes - NPU_PACKED_ALIGN)
		return false;
	nw->chunks[nw->count++] = (struct nvdla_chunk){
		.k0 = k0,
		.k = length,
		.offset = nw->base.bytes,
	};
	nw->base.bytes += align(bytes);
	return true;
}

int nvdla_weights_init(struct npu_weights *weights, struct npu_error *err)
{
	struct nvdla_weights *nw = (struct nvdla_weights *)weights;
	uint32_t k0 = 0;

	nw->chunks = calloc(weights->count, sizeof(*nw->chunks));
	if (weights->count && !nw->chunks)
		return npu_fail(err, -ENOMEM, "no memory for weights of %u x %u", weights->n,
				weights->k);
	for (uint32_t i = 0; i < weights->count; i++) {
		if (!add_chunk(nw, k0, weights->numbers[i]))
			break;
		k0 += weights->numbers[i];
	}
	if (k0 != weights->k || nw->count != weights->count)
		return npu_fail(err, -EINVAL, "weights of %u x %u are too large for this engine",
				weights->n, weights->k);
	return 0;
}

void nvdla_weights_pack(const struct npu_weights *weights, int8_t *packed, const int8_t *data,
			size_t row_stride)
{
	const struct drm_npu_matmul_limits *limits = &to_nvdla(weights->dev)->limits;
	const struct nvdla_weights *nw = (const struct nvdla_weights *)weights;

	for (uint32_t i = 0; i < nw->count; i++) {
		const struct nvdla_chunk *chunk = &nw->chunks[i];
		size_t used = (size_t)weights->n * chunk->k;

		npu_layout_pack_weights(packed + chunk->offset, data + chunk->k0, row_stride,
					weights->n, chunk->k, limits->mac_kernels,
					limits->mac_channels);
		/* What was here before is not for those who get a file. */
		memset(packed + chunk->offset + used, 0, align(used) - used);
	}
}

void nvdla_weights_fini(struct npu_weights *weights)
{
	free(((struct nvdla_weights *)weights)->chunks);
}

struct drm_npu_tensor nvdla_weights_at(const struct nvdla_weights *nw, uint32_t chunk)
{
	const struct npu_slice *memory = &nw->base.memory;

	return (struct drm_npu_tensor){
		.handle = nvdla_handle(memory->buf),
		.offset = memory->offset + nw->base.offset + nw->chunks[chunk].offset,
	};
}
