// SPDX-License-Identifier: MIT
/*
 * NVDLA operands: weights and epilogues in device memory, written once.
 */
#include <errno.h>
#include <stdlib.h>

#include "nvdla.h"
#include "nvdla_split.h"

/* Parts of a buffer start at multiples of this, enough for every configuration's atom. */
#define ALIGN 64

static size_t align(size_t bytes)
{
	return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* Allocates a buffer and opens it for writing. */
static int begin_fill(struct npu_device *dev, size_t bytes, struct npu_buffer **buf, void **data,
		      struct npu_error *err)
{
	int ret = npu_buffer_create(dev, bytes, buf, err);

	if (ret)
		return ret;
	ret = npu_buffer_begin_access(*buf, NPU_ACCESS_WRITE, 0, (*buf)->bytes, -1, data, err);
	if (ret)
		npu_buffer_destroy(*buf);
	return ret;
}

static int end_fill(struct npu_buffer *buf, struct npu_error *err)
{
	int ret = npu_buffer_end_access(buf, NPU_ACCESS_WRITE, 0, buf->bytes, err);

	if (ret)
		npu_buffer_destroy(buf);
	return ret;
}

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
static int cut_chunks(struct nvdla_weights *nw, const int8_t *data, size_t row_stride,
		      uint32_t max_k, uint32_t unit)
{
	uint32_t n = nw->base.n, k = nw->base.k, width;
	struct nvdla_chunk *chunk = nw->chunks;
	uint32_t *sums = calloc(n, 2 * sizeof(*sums));
	uint32_t *block = sums + n;

	if (!sums)
		return -ENOMEM;

	*chunk = (struct nvdla_chunk){ 0 };
	for (uint32_t k0 = 0; k0 < k; k0 += width) {
		width = k - k0 < unit ? k - k0 : unit;
		if (add_magnitudes(n, data + k0, row_stride, width, sums, block) >
			    NVDLA_EXACT_WEIGHT_SUM ||
		    chunk->k + width > max_k) {
			*++chunk = (struct nvdla_chunk){ .k0 = k0 };
			for (uint32_t row = 0; row < n; row++)
				sums[row] = 0;
		}
		chunk->k += width;
		for (uint32_t row = 0; row < n; row++)
			sums[row] += block[row];
	}
	nw->count = chunk - nw->chunks + 1;
	free(sums);
	return 0;
}

static int choose_chunks(struct nvdla_weights *nw, const int8_t *data, size_t row_stride)
{
	const struct nvdla_device *dev = to_nvdla(nw->base.dev);
	uint32_t unit = npu_plan_k_unit(&dev->limits);
	bool whole = nw->base.k <= dev->max_k;
	int ret;

	nw->chunks = calloc(whole ? 1 : (size_t)nw->base.k / unit + 1, sizeof(*nw->chunks));
	if (!nw->chunks)
		return -ENOMEM;
	if (whole) {
		nw->chunks[0].k = nw->base.k;
		nw->count = 1;
		return 0;
	}
	/* As few as there can be, then as even: a short rest would take as long as a whole one. */
	ret = cut_chunks(nw, data, row_stride, dev->max_k, unit);
	if (!ret)
		ret = cut_chunks(nw, data, row_stride, npu_plan_even(nw->base.k, unit, nw->count),
				 unit);
	if (ret)
		free(nw->chunks);
	return ret;
}

int nvdla_weights_init(struct npu_weights *weights, const int8_t *data, size_t row_stride,
		       struct npu_error *err)
{
	struct nvdla_weights *nw = (struct nvdla_weights *)weights;
	const struct drm_npu_matmul_limits *limits = &to_nvdla(weights->dev)->limits;
	size_t bytes = 0;
	void *base;
	int ret;

	if (choose_chunks(nw, data, row_stride))
		return npu_fail(err, -ENOMEM, "no memory to pack weights of %u x %u", weights->n,
				weights->k);
	for (uint32_t i = 0; i < nw->count; i++) {
		nw->chunks[i].offset = bytes;
		bytes += align((size_t)weights->n * nw->chunks[i].k);
	}
	ret = begin_fill(weights->dev, bytes, &nw->buf, &base, err);
	if (ret)
		goto free_chunks;
	for (uint32_t i = 0; i < nw->count; i++)
		npu_layout_pack_weights((int8_t *)base + nw->chunks[i].offset,
					data + nw->chunks[i].k0, row_stride, weights->n,
					nw->chunks[i].k, limits->mac_kernels, limits->mac_channels);
	ret = end_fill(nw->buf, err);
	if (!ret)
		return 0;

free_chunks:
	free(nw->chunks);
	return ret;
}

void nvdla_weights_fini(struct npu_weights *weights)
{
	struct nvdla_weights *nw = (struct nvdla_weights *)weights;

	npu_buffer_destroy(nw->buf);
	free(nw->chunks);
}

int nvdla_epilogue_init(struct npu_epilogue *epilogue, struct npu_error *err)
{
	struct nvdla_epilogue *ne = (struct nvdla_epilogue *)epilogue;
	size_t atom = to_nvdla(epilogue->dev)->limits.atom_bytes;
	/* The engine reads operands of whole atoms of channels. */
	size_t channels = (epilogue->n + atom - 1) / atom * atom;
	size_t bytes = 0;
	void *base;
	int ret;

	nvdla_stages(ne->stage, &epilogue->requant, epilogue->n);
	for (int i = 0; i < 2; i++) {
		ne->offset[i] = bytes;
		bytes += align(channels * ne->stage[i].channel_bytes);
	}
	if (!bytes)
		return 0;

	ret = begin_fill(epilogue->dev, bytes, &ne->buf, &base, err);
	if (ret)
		return ret;
	for (int i = 0; i < 2; i++)
		nvdla_stage_operands(&ne->stage[i], i, &epilogue->requant, epilogue->n,
				     (int16_t *)((char *)base + ne->offset[i]));
	return end_fill(ne->buf, err);
}

void nvdla_epilogue_fini(struct npu_epilogue *epilogue)
{
	npu_buffer_destroy(((struct nvdla_epilogue *)epilogue)->buf);
}
