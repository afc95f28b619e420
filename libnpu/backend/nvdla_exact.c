// SPDX-License-Identifier: MIT
/*
 * Weights cut for exact sums, though the engine could multiply with them whole: for matmuls of
 * which it cannot do the rest. They are made of the packed weights, when they are first asked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nvdla_chunks.h"

/* Takes in all rows of a matrix that is packed in one chunk; @row is room for one. */
static void reach_packed(struct nvdla_reach *reach, const struct nvdla_weights *nw,
			 const int8_t *packed, int8_t *row)
{
	const struct drm_npu_matmul_limits *limits = &to_nvdla(nw->base.dev)->limits;
	const uint32_t k = nw->base.k;

	for (uint32_t r = 0; r < nw->rows; r++) {
		uint32_t group = r - r % limits->mac_kernels, left = nw->rows - group;
		uint32_t rows = left < limits->mac_kernels ? left : limits->mac_kernels;

		for (uint32_t c = 0; c < k; c += limits->mac_channels) {
			uint32_t width =
				k - c < limits->mac_channels ? k - c : limits->mac_channels;

			memcpy(row + c,
			       packed + (size_t)group * k + (size_t)c * rows +
				       (size_t)(r - group) * width,
			       width);
		}
		nvdla_reach_row(reach, row);
	}
}

static int choose_chunks(struct nvdla_weights *nw, const int8_t *packed)
{
	int8_t *row = malloc(nw->base.k);
	uint32_t *lengths = NULL, count = 0;
	struct nvdla_reach reach = { 0 };
	int ret = row ? nvdla_reach_init(&reach, nw) : -ENOMEM;

	for (uint32_t matrix = 0; matrix < nw->base.batch && !ret; matrix++)
		reach_packed(&reach, nw, packed + matrix * nw->packing.matrix_bytes, row);
	if (!ret)
		lengths = nvdla_reach_cut(&reach, nw, &count);
	ret = lengths ? nvdla_packing_init(&nw->exact, nw, lengths, count) : -ENOMEM;
	free(lengths);
	nvdla_reach_fini(&reach);
	free(row);
	return ret;
}

static void cut(const struct nvdla_weights *nw, const int8_t *packed, int8_t *dst)
{
	const uint32_t kernels = to_nvdla(nw->base.dev)->limits.mac_kernels;

	for (uint32_t matrix = 0; matrix < nw->base.batch; matrix++) {
		for (uint32_t i = 0; i < nw->exact.count; i++) {
			const struct nvdla_chunk *chunk = &nw->exact.chunks[i];

			npu_layout_cut_weights(dst + matrix * nw->exact.matrix_bytes +
						       chunk->offset,
					       packed + matrix * nw->packing.matrix_bytes, nw->rows,
					       nw->base.k, kernels, chunk->k0, chunk->k);
		}
	}
}

static int no_memory(const struct nvdla_weights *nw, struct npu_error *err)
{
	return npu_fail(err, -ENOMEM, "no memory to cut weights of %u x %u", nw->base.n,
			nw->base.k);
}

static int fill(struct nvdla_weights *nw, const int8_t *packed, struct npu_error *err)
{
	size_t bytes;
	void *data;
	int ret;

	/* Each chunk is padded, so it can be more than the packed weights are. */
	if (__builtin_mul_overflow(nw->exact.matrix_bytes, nw->base.batch, &bytes))
		return no_memory(nw, err);
	ret = npu_slice_alloc(nw->base.dev, bytes, &nw->exact_memory, err);
	if (!ret)
		ret = npu_slice_begin_fill(&nw->exact_memory, &data, err);
	if (ret)
		return ret;
	cut(nw, packed, data);
	return npu_slice_end_fill(&nw->exact_memory, err);
}

void nvdla_exact_fini(struct nvdla_weights *nw)
{
	npu_slice_free(nw->base.dev, &nw->exact_memory);
	free(nw->exact.chunks);
	nw->exact = (struct nvdla_packing){ 0 };
}

static int cut_up(struct nvdla_weights *nw, const int8_t *packed, struct npu_error *err)
{
	int ret = choose_chunks(nw, packed);

	if (ret == -ENOMEM)
		return no_memory(nw, err);
	if (ret)
		return npu_fail(err, ret,
				"weights of %u x %u cannot be cut so that this engine gives exact "
				"sums",
				nw->base.n, nw->base.k);
	/* One chunk is what there is already. */
	return nw->exact.count > 1 ? fill(nw, packed, err) : 0;
}

static int make(struct nvdla_weights *nw, struct npu_error *err)
{
	const struct npu_slice *memory = &nw->base.memory;
	const void *image;
	int ret, end;

	ret = npu_slice_begin_read(memory, &image, err);
	if (ret)
		return ret;
	ret = cut_up(nw, (const int8_t *)image + nw->base.offset, err);
	end = npu_slice_end_read(memory, ret ? NULL : err);
	ret = ret ? ret : end;
	if (ret)
		nvdla_exact_fini(nw);
	return ret;
}

int nvdla_weights_exact(struct nvdla_weights *nw, const struct nvdla_packing **packing,
			struct npu_error *err)
{
	pthread_mutex_t *lock = &to_nvdla(nw->base.dev)->exact_lock;
	int ret = 0;

	if (nw->packing.count == 1 && nw->base.groups == 1) {
		pthread_mutex_lock(lock);
		if (!nw->exact.chunks)
			ret = make(nw, err);
		pthread_mutex_unlock(lock);
	}
	*packing = nw->exact_memory.buf ? &nw->exact : &nw->packing;
	return ret;
}
