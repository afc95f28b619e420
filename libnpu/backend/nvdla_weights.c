// SPDX-License-Identifier: MIT
/*
 * NVDLA weights in device memory, written once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nvdla.h"

/* Chunks start at multiples of this, enough for every configuration's atom. */
#define ALIGN 64

/*
 * Sums that the exact method of nvdla_split.c can reconstruct have a magnitude of at most
 * 127 * 2^16; an activation has one of at most 128.
 */
#define EXACT_WEIGHT_SUM (127 * 65536 / 128)

static size_t align(size_t bytes)
{
	return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static int no_memory(const struct nvdla_weights *nw, struct npu_error *err)
{
	return npu_fail(err, -ENOMEM, "no memory to pack weights of %u x %u", nw->base.n,
			nw->base.k);
}

static void free_packing(struct nvdla_packing *packing)
{
	npu_buffer_destroy(packing->buf);
	free(packing->chunks);
	*packing = (struct nvdla_packing){ 0 };
}

/* ---- Chunks ---------------------------------------------------------------------------- */

/*
 * Where a chunk can end, in units of K, if it begins at unit i: reach[i] is the least of what all
 * rows allow.
 */
struct reach {
	uint32_t unit;
	uint32_t units;
	uint32_t *end;
	uint32_t *magnitude; /* of a row's units, added up */
};

static int reach_init(struct reach *reach, uint32_t k, uint32_t unit)
{
	uint32_t units = (k - 1) / unit + 1;

	*reach = (struct reach){ .unit = unit, .units = units };
	reach->end = calloc((size_t)units * 2, sizeof(*reach->end));
	if (!reach->end)
		return -ENOMEM;
	reach->magnitude = reach->end + units;
	for (uint32_t i = 0; i < units; i++)
		reach->end[i] = units;
	return 0;
}

/* Takes in a row of weights. */
static void reach_row(struct reach *reach, const int8_t *w, uint32_t k)
{
	uint32_t end = 0, sum = 0;

	for (uint32_t i = 0; i < reach->units; i++) {
		uint32_t first = i * reach->unit;
		uint32_t width = k - first < reach->unit ? k - first : reach->unit;
		uint32_t magnitude = 0;

		for (uint32_t c = 0; c < width; c++)
			magnitude += abs(w[first + c]);
		reach->magnitude[i] = magnitude;
	}
	for (uint32_t i = 0; i < reach->units; i++) {
		while (end < reach->units && sum + reach->magnitude[end] <= EXACT_WEIGHT_SUM)
			sum += reach->magnitude[end++];
		if (end < reach->end[i])
			reach->end[i] = end;
		sum -= reach->magnitude[i];
	}
}

/* The longest chunks that the engine can take, that reach, and that do not cross a group. */
static int cut_chunks(const struct nvdla_weights *nw, const struct reach *reach,
		      struct nvdla_packing *packing)
{
	const uint32_t k = nw->base.k, max_k = to_nvdla(nw->base.dev)->max_k;
	struct nvdla_chunk *chunk;
	uint64_t offset = 0;

	/* A group may end inside a unit. */
	packing->chunks = calloc((size_t)reach->units + nw->base.groups, sizeof(*packing->chunks));
	if (!packing->chunks)
		return -ENOMEM;
	chunk = packing->chunks;
	for (uint32_t k0 = 0; k0 < k; k0 += chunk++->k) {
		uint64_t end = (uint64_t)reach->end[k0 / reach->unit] * reach->unit;
		uint64_t group = (uint64_t)(k0 / nw->base.group_size + 1) * nw->base.group_size;

		if (end > k0 + max_k - max_k % reach->unit)
			end = k0 + max_k - max_k % reach->unit;
		end = end < group ? end : group;
		end = end < k ? end : k;
		*chunk = (struct nvdla_chunk){ .k0 = k0, .k = end - k0, .offset = offset };
		offset += align((size_t)nw->rows * chunk->k);
	}
	packing->count = chunk - packing->chunks;
	packing->matrix_bytes = offset;
	return 0;
}

static int one_chunk(const struct nvdla_weights *nw, struct nvdla_packing *packing)
{
	packing->chunks = calloc(1, sizeof(*packing->chunks));
	if (!packing->chunks)
		return -ENOMEM;
	packing->chunks[0].k = nw->base.k;
	packing->count = 1;
	packing->matrix_bytes = align((size_t)nw->rows * nw->base.k);
	return 0;
}

/* K may be cut where both a plane of A and a block of weights end. */
static uint32_t k_unit(const struct nvdla_weights *nw)
{
	return npu_plan_k_unit(&to_nvdla(nw->base.dev)->limits);
}

static int choose_chunks(struct nvdla_weights *nw, const struct npu_weight_source *source)
{
	const uint32_t n = nw->base.n, k = nw->base.k;
	struct reach reach;
	size_t stride;
	int ret;

	if (nw->base.groups == 1 && k <= to_nvdla(nw->base.dev)->max_k)
		return one_chunk(nw, &nw->packing);
	ret = reach_init(&reach, k, k_unit(nw));
	if (ret)
		return ret;
	for (uint32_t matrix = 0; matrix < nw->base.batch; matrix++)
		for (uint32_t row = 0; row < n; row++)
			reach_row(&reach, npu_weight_source_rows(source, matrix, row, 1, &stride),
				  k);
	ret = cut_chunks(nw, &reach, &nw->packing);
	free(reach.end);
	return ret;
}

/* ---- Packing --------------------------------------------------------------------------- */

/* Allocates the buffer of a packing and opens it for writing. */
static int begin_fill(struct nvdla_weights *nw, struct nvdla_packing *packing, int8_t **data,
		      struct npu_error *err)
{
	size_t bytes = nw->base.batch * packing->matrix_bytes;
	void *base;
	int ret = npu_buffer_create(nw->base.dev, bytes, &packing->buf, err);

	if (ret)
		return ret;
	ret = npu_buffer_begin_access(packing->buf, NPU_ACCESS_WRITE, 0, packing->buf->bytes, -1,
				      &base, err);
	if (!ret)
		*data = base;
	return ret;
}

static int end_fill(struct nvdla_packing *packing, struct npu_error *err)
{
	return npu_buffer_end_access(packing->buf, NPU_ACCESS_WRITE, 0, packing->buf->bytes, err);
}

/*
 * Packs a group of kernels of all chunks. The row of ones, if it is one of the group, is the last:
 * @extra is room for a group that it is added to.
 */
static void pack_group(const struct nvdla_weights *nw, const struct npu_weight_source *source,
		       uint32_t matrix, uint32_t first, int8_t *extra, int8_t *dst)
{
	const struct drm_npu_matmul_limits *limits = &to_nvdla(nw->base.dev)->limits;
	const uint32_t left = nw->rows - first, k = nw->base.k;
	const uint32_t rows = left < limits->mac_kernels ? left : limits->mac_kernels;
	const uint32_t given = first + rows > nw->base.n ? nw->base.n - first : rows;
	const int8_t *src = NULL;
	size_t stride = k;

	if (given)
		src = npu_weight_source_rows(source, matrix, first, given, &stride);
	if (given < rows) {
		for (uint32_t i = 0; i < given; i++)
			memcpy(extra + (size_t)i * k, src + i * stride, k);
		memset(extra + (size_t)given * k, 1, k);
		src = extra;
		stride = k;
	}
	for (uint32_t i = 0; i < nw->packing.count; i++) {
		const struct nvdla_chunk *chunk = &nw->packing.chunks[i];

		npu_layout_pack_weights(dst + chunk->offset + (size_t)first * chunk->k,
					src + chunk->k0, stride, rows, chunk->k,
					limits->mac_kernels, limits->mac_channels);
	}
}

static int fill(struct nvdla_weights *nw, const struct npu_weight_source *source,
		struct npu_error *err)
{
	const uint32_t kernels = to_nvdla(nw->base.dev)->limits.mac_kernels;
	int8_t *extra = NULL, *base;
	int ret;

	if (nw->rows > nw->base.n) {
		extra = malloc((size_t)kernels * nw->base.k);
		if (!extra)
			return no_memory(nw, err);
	}
	ret = begin_fill(nw, &nw->packing, &base, err);
	if (!ret) {
		for (uint32_t matrix = 0; matrix < nw->base.batch; matrix++)
			for (uint32_t first = 0; first < nw->rows; first += kernels)
				pack_group(nw, source, matrix, first, extra,
					   base + matrix * nw->packing.matrix_bytes);
		ret = end_fill(&nw->packing, err);
	}
	free(extra);
	return ret;
}

int nvdla_weights_init(struct npu_weights *weights, const struct npu_weight_source *source,
		       struct npu_error *err)
{
	struct nvdla_weights *nw = (struct nvdla_weights *)weights;
	int ret;

	nw->rows = weights->n + !!weights->zero_point;
	if (choose_chunks(nw, source))
		return no_memory(nw, err);
	ret = fill(nw, source, err);
	if (ret) {
		free_packing(&nw->packing);
		return ret;
	}
	pthread_mutex_init(&nw->lock, NULL);
	return 0;
}

void nvdla_weights_fini(struct npu_weights *weights)
{
	struct nvdla_weights *nw = (struct nvdla_weights *)weights;

	free_packing(&nw->packing);
	free_packing(&nw->exact);
	pthread_mutex_destroy(&nw->lock);
}

/* ---- Exact packing --------------------------------------------------------------------- */

/* Takes in all rows of a matrix that is packed in one chunk. */
static void reach_packed(struct reach *reach, const struct nvdla_weights *nw, const int8_t *packed,
			 int8_t *row)
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
		reach_row(reach, row, k);
	}
}

static int choose_exact_chunks(struct nvdla_weights *nw, const int8_t *packed)
{
	int8_t *row = malloc(nw->base.k);
	struct reach reach = { 0 };
	int ret = row ? reach_init(&reach, nw->base.k, k_unit(nw)) : -ENOMEM;

	if (!ret) {
		for (uint32_t matrix = 0; matrix < nw->base.batch; matrix++)
			reach_packed(&reach, nw, packed + matrix * nw->packing.matrix_bytes, row);
		ret = cut_chunks(nw, &reach, &nw->exact);
	}
	free(reach.end);
	free(row);
	return ret;
}

static int fill_exact(struct nvdla_weights *nw, const int8_t *packed, struct npu_error *err)
{
	const uint32_t kernels = to_nvdla(nw->base.dev)->limits.mac_kernels;
	int8_t *base;
	int ret = begin_fill(nw, &nw->exact, &base, err);

	if (ret)
		return ret;
	for (uint32_t matrix = 0; matrix < nw->base.batch; matrix++) {
		for (uint32_t i = 0; i < nw->exact.count; i++) {
			const struct nvdla_chunk *chunk = &nw->exact.chunks[i];

			npu_layout_cut_weights(base + matrix * nw->exact.matrix_bytes +
						       chunk->offset,
					       packed + matrix * nw->packing.matrix_bytes, nw->rows,
					       nw->base.k, kernels, chunk->k0, chunk->k);
		}
	}
	return end_fill(&nw->exact, err);
}

static int make_exact(struct nvdla_weights *nw, struct npu_error *err)
{
	struct npu_buffer *buf = nw->packing.buf;
	void *packed;
	int ret, end;

	ret = npu_buffer_begin_access(buf, NPU_ACCESS_READ, 0, buf->bytes, -1, &packed, err);
	if (ret)
		return ret;
	if (choose_exact_chunks(nw, packed))
		ret = no_memory(nw, err);
	/* One chunk is what there is already. */
	if (!ret && nw->exact.count > 1)
		ret = fill_exact(nw, packed, err);
	end = npu_buffer_end_access(buf, NPU_ACCESS_READ, 0, buf->bytes, ret ? NULL : err);
	ret = ret ? ret : end;
	if (ret)
		free_packing(&nw->exact);
	return ret;
}

int nvdla_weights_exact(struct nvdla_weights *nw, const struct nvdla_packing **packing,
			struct npu_error *err)
{
	int ret = 0;

	if (nw->packing.count == 1 && nw->base.groups == 1) {
		pthread_mutex_lock(&nw->lock);
		if (!nw->exact.chunks)
			ret = make_exact(nw, err);
		pthread_mutex_unlock(&nw->lock);
	}
	*packing = nw->exact.buf ? &nw->exact : &nw->packing;
	return ret;
}
