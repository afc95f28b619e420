// SPDX-License-Identifier: MIT
/*
 * NVDLA weights: groups of kernels in blocks of channels, see packed.h. K is one chunk where it has
 * one group and is within the engine's limits; otherwise the lengths of its chunks are the numbers
 * of the form.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nvdla_chunks.h"

void nvdla_weights_form(const struct npu_device *dev, char form[NPU_PACKED_FORM])
{
	const struct drm_npu_matmul_limits *limits = &to_nvdla(dev)->limits;

	snprintf(form, NPU_PACKED_FORM, "nvdla int8 %ux%u", limits->mac_kernels,
		 limits->mac_channels);
}

static int no_memory(const struct npu_weights *weights, struct npu_error *err)
{
	return npu_fail(err, -ENOMEM, "no memory to pack weights of %u x %u", weights->n,
			weights->k);
}

/* ---- Chunks ----------------------------------------------------------------------------- */

static int choose_chunks(struct npu_weights *weights, const struct npu_weight_source *source)
{
	struct nvdla_weights *nw = (struct nvdla_weights *)weights;
	struct nvdla_reach reach;
	size_t stride;

	if (nvdla_reach_init(&reach, nw))
		return -ENOMEM;
	for (uint32_t matrix = 0; matrix < weights->batch; matrix++)
		for (uint32_t row = 0; row < weights->n; row++)
			nvdla_reach_row(&reach,
					npu_weight_source_rows(source, matrix, row, 1, &stride));
	weights->numbers = nvdla_reach_cut(&reach, nw, &weights->count);
	nvdla_reach_fini(&reach);
	return weights->numbers ? 0 : -ENOMEM;
}

int nvdla_weights_choose(struct npu_weights *weights, const struct npu_weight_source *source,
			 struct npu_error *err)
{
	if (weights->groups > 1 || weights->k > to_nvdla(weights->dev)->max_k)
		return choose_chunks(weights, source) ? no_memory(weights, err) : 0;
	weights->numbers = malloc(sizeof(*weights->numbers));
	if (!weights->numbers)
		return no_memory(weights, err);
	weights->numbers[0] = weights->k;
	weights->count = 1;
	return 0;
}

static size_t align(size_t bytes)
{
	return (bytes + NPU_PACKED_ALIGN - 1) / NPU_PACKED_ALIGN * NPU_PACKED_ALIGN;
}

/*
 * Appends a chunk. False where there cannot be one of that length. That its sums are within the
 * bound of the exact method cannot be seen from the length: a file is taken at its word.
 */
static bool add_chunk(const struct nvdla_weights *nw, struct nvdla_packing *packing, uint32_t k0,
		      uint32_t length)
{
	const struct nvdla_device *dev = to_nvdla(nw->base.dev);
	const uint64_t group = (uint64_t)nw->base.group_size * (k0 / nw->base.group_size + 1);
	size_t bytes;

	if (!length || length > dev->max_k || length > nw->base.k - k0 || k0 + length > group ||
	    k0 % dev->limits.atom_bytes ||
	    __builtin_mul_overflow((size_t)nw->rows, length, &bytes) ||
	    bytes > PTRDIFF_MAX - packing->matrix_bytes - NPU_PACKED_ALIGN)
		return false;
	packing->chunks[packing->count++] = (struct nvdla_chunk){
		.k0 = k0,
		.k = length,
		.offset = packing->matrix_bytes,
	};
	packing->matrix_bytes += align(bytes);
	return true;
}

int nvdla_packing_init(struct nvdla_packing *packing, const struct nvdla_weights *nw,
		       const uint32_t *lengths, uint32_t count)
{
	uint32_t k0 = 0;

	packing->chunks = calloc(count, sizeof(*packing->chunks));
	if (count && !packing->chunks)
		return -ENOMEM;
	for (uint32_t i = 0; i < count && add_chunk(nw, packing, k0, lengths[i]); i++)
		k0 += lengths[i];
	return k0 == nw->base.k && packing->count == count ? 0 : -EINVAL;
}

int nvdla_weights_init(struct npu_weights *weights, struct npu_error *err)
{
	struct nvdla_weights *nw = (struct nvdla_weights *)weights;
	int ret;

	nw->rows = weights->n + !!weights->zero_point;
	ret = nw->rows ? nvdla_packing_init(&nw->packing, nw, weights->numbers, weights->count)
		       : -EINVAL;
	if (ret == -ENOMEM)
		return no_memory(weights, err);
	if (ret ||
	    __builtin_mul_overflow(nw->packing.matrix_bytes, weights->batch, &weights->bytes))
		return npu_fail(err, -EINVAL, "weights of %u x %u are too large for this engine",
				weights->n, weights->k);
	return 0;
}

void nvdla_weights_fini(struct npu_weights *weights)
{
	struct nvdla_weights *nw = (struct nvdla_weights *)weights;

	free(nw->packing.chunks);
	nvdla_exact_fini(nw);
}

struct drm_npu_tensor nvdla_weights_at(const struct nvdla_weights *nw,
				       const struct nvdla_packing *packing, uint32_t matrix,
				       uint32_t chunk)
{
	const bool exact = packing == &nw->exact;
	const struct npu_slice *memory = exact ? &nw->exact_memory : &nw->base.memory;

	return (struct drm_npu_tensor){
		.handle = nvdla_handle(memory->buf),
		.offset = memory->offset + (exact ? 0 : nw->base.offset) +
			  matrix * packing->matrix_bytes + packing->chunks[chunk].offset,
	};
}

/* ---- Packing ---------------------------------------------------------------------------- */

/*
 * A group of kernels as rows. The row of ones, if it is one of the group, is the last: @extra is
 * room for a group that it is added to.
 */
static const int8_t *group_rows(const struct nvdla_weights *nw,
				const struct npu_weight_source *source, uint32_t matrix,
				uint32_t first, uint32_t rows, int8_t *extra, size_t *stride)
{
	const uint32_t k = nw->base.k;
	const uint32_t given = first + rows > nw->base.n ? nw->base.n - first : rows;
	const int8_t *src = NULL;

	if (given)
		src = npu_weight_source_rows(source, matrix, first, given, stride);
	if (given == rows)
		return src;
	for (uint32_t i = 0; i < given; i++)
		memcpy(extra + (size_t)i * k, src + i * *stride, k);
	memset(extra + (size_t)given * k, 1, k);
	*stride = k;
	return extra;
}

static void pack_matrix(const struct nvdla_weights *nw, const struct npu_weight_source *source,
			uint32_t matrix, int8_t *extra, int8_t *dst)
{
	const struct drm_npu_matmul_limits *limits = &to_nvdla(nw->base.dev)->limits;
	const bool stream = nw->base.bytes >= NPU_LAYOUT_STREAM;
	const int8_t *src;
	uint32_t rows;
	size_t stride;

	for (uint32_t first = 0; first < nw->rows; first += rows) {
		rows = nw->rows - first < limits->mac_kernels ? nw->rows - first
							      : limits->mac_kernels;
		src = group_rows(nw, source, matrix, first, rows, extra, &stride);
		for (uint32_t i = 0; i < nw->packing.count; i++) {
			const struct nvdla_chunk *chunk = &nw->packing.chunks[i];

			npu_layout_pack_weights(dst + chunk->offset + (size_t)first * chunk->k,
						src + chunk->k0, stride, rows, chunk->k,
						limits->mac_kernels, limits->mac_channels, stream);
		}
	}
}

/* What was here before is not for those who get a file. */
static void clear_tails(const struct nvdla_weights *nw, int8_t *dst)
{
	for (uint32_t i = 0; i < nw->packing.count; i++) {
		const struct nvdla_chunk *chunk = &nw->packing.chunks[i];
		size_t used = (size_t)nw->rows * chunk->k;

		memset(dst + chunk->offset + used, 0, align(used) - used);
	}
}

int nvdla_weights_pack(const struct npu_weights *weights, int8_t *packed,
		       const struct npu_weight_source *source, struct npu_error *err)
{
	const struct nvdla_weights *nw = (const struct nvdla_weights *)weights;
	int8_t *extra = NULL;

	if (nw->rows > weights->n) {
		extra = malloc((size_t)to_nvdla(weights->dev)->limits.mac_kernels * weights->k);
		if (!extra)
			return no_memory(weights, err);
	}
	for (uint32_t matrix = 0; matrix < weights->batch; matrix++) {
		int8_t *dst = packed + matrix * nw->packing.matrix_bytes;

		pack_matrix(nw, source, matrix, extra, dst);
		clear_tails(nw, dst);
	}
	free(extra);
	return 0;
}
