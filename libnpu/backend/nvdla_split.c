// SPDX-License-Identifier: MIT
/*
 * Split matmuls. A matmul that the engine cannot do whole is the sum of parts: one for each chunk
 * of K, and for each digit of an int16 A. The engine gives exact sums of each part, in passes (see
 * nvdla_passes.c). The CPU adds up the parts of a group of K and goes on from there, a block of
 * rows at a time, so that scratch memory stays small. While it does so the engine works on the next
 * block, with scratch memory of its own.
 */
#include <errno.h>
#include <stdlib.h>

#include "../buffer.h"
#include "nvdla_passes.h"
#include "nvdla_plan.h"
#include "nvdla_split.h"

#define PASSES NVDLA_EXACT_PASSES

/* Scratch memory of a block, unless the fewest rows that are worth a job need more. */
#define SCRATCH_BYTES (128u << 10)
#define MIN_BLOCK_ROWS 3

/* Largest element there is. */
#define MAX_ELEMENT 4

/* Rows that are multiplied with one matrix of the batch. */
struct block {
	uint32_t matrix;
	uint32_t first; /* of all rows of A */
	uint32_t rows;
	uint32_t first_job;
	uint32_t jobs;
};

struct nvdla_split {
	const struct nvdla_packing *packing;
	struct npu_buffer *scratch[2]; /* of even and of odd blocks; the second only with both */
	struct npu_layout layout;      /* of one pass over one part */
	int64_t *sum;		       /* [groups][NPU_STRIP] */
	int64_t *a_sum;		       /* [groups] */
	uint32_t digits;
	uint32_t blocks;
	struct block block[];
};

static const struct nvdla_weights *weights_of(const struct nvdla_matmul *matmul)
{
	return (const struct nvdla_weights *)matmul->base.weights;
}

static const struct drm_npu_matmul_limits *limits_of(const struct nvdla_matmul *matmul)
{
	return &to_nvdla(matmul->base.dev)->limits;
}

/* Parts are numbered digit by digit, high ones first, and in that by chunk. */
static uint32_t parts_of(const struct nvdla_split *split)
{
	return split->digits * split->packing->count;
}

static size_t scratch_offset(const struct nvdla_split *split, uint32_t part, enum nvdla_pass pass)
{
	return ((size_t)part * PASSES + pass) * split->layout.bytes;
}

static struct npu_buffer *scratch_of(const struct nvdla_split *split, const struct block *block)
{
	return split->scratch[(block - split->block) % 2];
}

/* Result of one pass over one part of a block. */
static struct nvdla_matrix result_of(const struct nvdla_split *split, const struct block *block,
				     uint32_t part, enum nvdla_pass pass)
{
	return (struct nvdla_matrix){
		.handle = nvdla_handle(scratch_of(split, block)),
		.plane_stride = split->layout.plane_stride,
		.offset = scratch_offset(split, part, pass),
	};
}

/* ---- Jobs ------------------------------------------------------------------------------ */

/* One pass over one part of one block. */
static struct nvdla_op make_op(const struct nvdla_matmul *matmul, const struct block *block,
			       uint32_t part, enum nvdla_pass pass)
{
	const struct nvdla_packing *packing = matmul->split->packing;
	const struct nvdla_chunk *chunk = &packing->chunks[part % packing->count];
	struct nvdla_op op = {
		.job = {
			.op = DRM_NPU_OP_MATMUL,
			.k = chunk->k,
			.height = 1,
			.w = nvdla_weights_at(weights_of(matmul), packing, block->matrix,
					      part % packing->count),
		},
		.m = block->rows,
		.n = weights_of(matmul)->rows,
		.a = nvdla_matrix_of(matmul->base.a, block->first, chunk->k0),
	};

	struct nvdla_matrix result[PASSES];

	for (enum nvdla_pass p = 0; p < PASSES; p++)
		result[p] = result_of(matmul->split, block, part, p);
	op.a.offset += part / packing->count * matmul->base.a->layout.digit_stride;
	nvdla_pass_set(&op, limits_of(matmul), pass, result);
	return op;
}

/* Chooses the tiles of all parts of all blocks, and counts the jobs. */
static struct npu_tiles *plan_blocks(struct nvdla_matmul *matmul)
{
	struct nvdla_split *split = matmul->split;
	uint32_t parts = parts_of(split);
	struct npu_tiles *tiles = calloc((size_t)split->blocks * parts, sizeof(*tiles));
	struct npu_tiles *next = tiles;

	if (!tiles)
		return NULL;
	for (uint32_t i = 0; i < split->blocks; i++) {
		struct block *block = &split->block[i];

		block->first_job = matmul->count;
		for (uint32_t part = 0; part < parts; part++, next++) {
			struct nvdla_op op = make_op(matmul, block, part, NVDLA_PASS_LOW);

			npu_plan_tiles(limits_of(matmul), nvdla_op_rows(&op, limits_of(matmul)),
				       op.job.k, op.n, PASSES, next);
			block->jobs += PASSES * next->m_tiles * next->n_tiles;
			nvdla_plan_parts(&matmul->base.plan, next, 1);
		}
		nvdla_plan_blocks(&matmul->base.plan, next - parts, 1);
		matmul->count += block->jobs;
	}
	return tiles;
}

static int make_jobs(struct nvdla_matmul *matmul)
{
	struct nvdla_split *split = matmul->split;
	struct npu_tiles *tiles = plan_blocks(matmul);
	const struct npu_tiles *next = tiles;
	struct drm_npu_job_matmul *job;

	job = tiles ? calloc(matmul->count, sizeof(*job)) : NULL;
	if (!job) {
		free(tiles);
		return -ENOMEM;
	}
	matmul->jobs = job;
	for (uint32_t i = 0; i < split->blocks; i++) {
		for (uint32_t part = 0; part < parts_of(split); part++, next++) {
			for (enum nvdla_pass pass = 0; pass < PASSES; pass++) {
				struct nvdla_op op = make_op(matmul, &split->block[i], part, pass);

				/* The passes of a tile follow each other, so the engine has its
				 * operands already. */
				nvdla_op_cut(&op, limits_of(matmul), next, job + pass, PASSES);
			}
			job += PASSES * next->m_tiles * next->n_tiles;
		}
	}
	free(tiles);
	return 0;
}

uint32_t nvdla_split_blocks(uint32_t m, uint32_t n, uint32_t parts)
{
	uint64_t row = (uint64_t)n * PASSES * parts;
	uint64_t rows = SCRATCH_BYTES / row > MIN_BLOCK_ROWS ? SCRATCH_BYTES / row : MIN_BLOCK_ROWS;

	return (m - 1) / rows + 1;
}

/* ---- Life ------------------------------------------------------------------------------ */

/* Chooses the blocks and lays out their scratch memory. */
static struct nvdla_split *choose_blocks(const struct nvdla_matmul *matmul,
					 const struct nvdla_packing *packing)
{
	const struct nvdla_weights *nw = weights_of(matmul);
	uint32_t digits = matmul->base.a->layout.form == NPU_FORM_DIGITS ? 2 : 1;
	uint32_t batch = nw->base.batch, m = matmul->base.a->rows / batch;
	uint32_t each = nvdla_split_blocks(m, nw->rows, digits * packing->count);
	struct nvdla_split *split =
		calloc(1, sizeof(*split) + (size_t)each * batch * sizeof(split->block[0]));

	if (!split)
		return NULL;
	split->packing = packing;
	split->digits = digits;
	split->blocks = each * batch;
	for (uint32_t i = 0; i < split->blocks; i++) {
		struct npu_part part = npu_plan_part(m, 1, each, i % each);

		split->block[i] = (struct block){
			.matrix = i / each,
			.first = i / each * m + part.first,
			.rows = part.count,
		};
	}
	npu_layout_planes(&split->layout, NPU_FORM_PLAIN, (m - 1) / each + 1, nw->rows,
			  limits_of(matmul)->atom_bytes, UINT32_MAX);
	return split;
}

static void set_plan(struct npu_plan *plan, const struct nvdla_split *split, uint32_t batch)
{
	plan->k_parts = split->packing->count;
	plan->host_steps = split->blocks;
	nvdla_plan_exact(plan, split->digits, batch);
}

int nvdla_split_init(struct nvdla_matmul *matmul, struct npu_error *err)
{
	struct nvdla_weights *nw = (struct nvdla_weights *)matmul->base.weights;
	const struct nvdla_packing *packing;
	struct nvdla_split *split;
	int ret;

	ret = nvdla_weights_exact(nw, &packing, err);
	if (ret)
		return ret;
	/* From here on nvdla_split_fini() gives everything back. */
	split = matmul->split = choose_blocks(matmul, packing);
	if (!split)
		return npu_fail(err, -ENOMEM, "no memory for a matmul object");
	split->sum = calloc(nw->base.groups, (NPU_STRIP + 1) * sizeof(*split->sum));
	if (!split->sum)
		return npu_fail(err, -ENOMEM, "no memory for a matmul object");
	split->a_sum = split->sum + (size_t)nw->base.groups * NPU_STRIP;
	for (uint32_t i = 0; i < 2 && i < split->blocks; i++) {
		ret = npu_buffer_create(matmul->base.dev, scratch_offset(split, parts_of(split), 0),
					&split->scratch[i], err);
		if (ret)
			return ret;
	}
	if (make_jobs(matmul))
		return npu_fail(err, -ENOMEM, "no memory for the jobs of a matmul with K = %u",
				nw->base.k);
	set_plan(&matmul->base.plan, split, nw->base.batch);
	return 0;
}

void nvdla_split_fini(struct nvdla_matmul *matmul)
{
	npu_buffer_destroy(matmul->split->scratch[0]);
	npu_buffer_destroy(matmul->split->scratch[1]);
	free(matmul->split->sum);
	free(matmul->split);
}

/* ---- The CPU's steps ------------------------------------------------------------------- */

/* What the CPU looks at while it finishes a block. */
struct view {
	const uint8_t *scratch;
	const uint8_t *residual;
	uint8_t *c;
};

/* Adds @count sums of one part, @scale times, to @sum. */
static void add_part(const struct nvdla_matmul *matmul, const uint8_t *scratch, uint32_t part,
		     uint32_t row, uint32_t first, uint32_t count, int64_t scale, int64_t *sum)
{
	const struct nvdla_split *split = matmul->split;
	const struct npu_layout *layout = &split->layout;
	const uint8_t *bytes[PASSES];

	for (uint32_t i = 0; i < count; i += layout->atom) {
		uint32_t width = count - i < layout->atom ? count - i : layout->atom;
		size_t at = npu_layout_offset(layout, row, first + i);

		for (enum nvdla_pass p = 0; p < PASSES; p++)
			bytes[p] = scratch + scratch_offset(split, part, p) + at;
		nvdla_pass_add(limits_of(matmul), bytes, width, scale, sum + i);
	}
}

/* Adds up, for each group of K, the parts of some channels: @sum is [groups][@stride]. */
static void add_parts(const struct nvdla_matmul *matmul, const uint8_t *scratch, uint32_t row,
		      uint32_t first, uint32_t count, int64_t *sum, size_t stride)
{
	const struct nvdla_split *split = matmul->split;
	const struct npu_weights *w = matmul->base.weights;

	for (uint32_t g = 0; g < w->groups; g++)
		for (uint32_t i = 0; i < count; i++)
			sum[g * stride + i] = 0;
	for (uint32_t part = 0; part < parts_of(split); part++) {
		uint32_t chunk = part % split->packing->count;
		uint32_t group = split->packing->chunks[chunk].k0 / w->group_size;
		/* The first of two digits counts 256 times. */
		int64_t scale = part + split->packing->count < parts_of(split) ? 256 : 1;

		add_part(matmul, scratch, part, row, first, count, scale, sum + group * stride);
	}
}

/* Makes results of some channels of one row. */
static void finish_strip(const struct nvdla_matmul *matmul, const struct block *block,
			 const struct view *view, uint32_t row, uint32_t first, uint32_t count)
{
	const struct npu_matmul *mm = &matmul->base;
	const struct nvdla_split *split = matmul->split;
	struct npu_window window;
	_Alignas(MAX_ELEMENT) uint8_t result[NPU_STRIP * MAX_ELEMENT];
	_Alignas(MAX_ELEMENT) uint8_t residual[NPU_STRIP * MAX_ELEMENT];
	struct npu_strip strip = {
		.first = first,
		.count = count,
		.rows = 1,
		.w_sum = mm->weights->sum +
			 (size_t)block->matrix * mm->weights->n * mm->weights->groups,
		.residual = residual,
	};
	float partial[NPU_STRIP];

	add_parts(matmul, view->scratch, row, first, count, split->sum, NPU_STRIP);
	if (mm->residual) {
		window = npu_tensor_window(mm->residual, block->first + row, 1, first, count);
		npu_layout_load(&mm->residual->layout, view->residual, &window, residual, 0);
	}
	for (uint32_t g = 0; g < mm->weights->groups; g++) {
		strip.sum = split->sum + (size_t)g * NPU_STRIP;
		strip.a_sum = &split->a_sum[g];
		npu_requant_group(&mm->requant, &strip, g, partial, result, 0);
	}
	window = npu_tensor_window(mm->c, block->first + row, 1, first, count);
	npu_layout_store(&mm->c->layout, view->c, &window, result, 0);
}

static void finish_block(const struct nvdla_matmul *matmul, const struct block *block,
			 const struct view *view)
{
	const uint32_t n = matmul->base.weights->n;

	for (uint32_t row = 0; row < block->rows; row++) {
		/* The row of ones is the last of the weights. */
		if (weights_of(matmul)->rows > n)
			add_parts(matmul, view->scratch, row, n, 1, matmul->split->a_sum, 1);
		for (uint32_t first = 0; first < n; first += NPU_STRIP)
			finish_strip(matmul, block, view, row, first,
				     n - first < NPU_STRIP ? n - first : NPU_STRIP);
	}
}

static int finish_with_c(const struct nvdla_matmul *matmul, const struct block *block,
			 struct view *view, struct npu_error *err)
{
	int ret = npu_tensor_begin_step(matmul->base.c, NPU_ACCESS_WRITE, &view->c, err);

	if (ret)
		return ret;
	finish_block(matmul, block, view);
	return npu_tensor_end_step(matmul->base.c, NPU_ACCESS_WRITE, err);
}

static int finish_with_residual(const struct nvdla_matmul *matmul, const struct block *block,
				struct view *view, struct npu_error *err)
{
	struct npu_tensor *residual = matmul->base.residual;
	uint8_t *data;
	int ret, end;

	if (!residual)
		return finish_with_c(matmul, block, view, err);
	ret = npu_tensor_begin_step(residual, NPU_ACCESS_READ, &data, err);
	if (ret)
		return ret;
	view->residual = data;
	ret = finish_with_c(matmul, block, view, err);
	end = npu_tensor_end_step(residual, NPU_ACCESS_READ, ret ? NULL : err);
	return ret ? ret : end;
}

static int access_and_finish(const struct nvdla_matmul *matmul, const struct block *block,
			     struct npu_error *err)
{
	struct npu_buffer *scratch = scratch_of(matmul->split, block);
	struct view view = { 0 };
	void *data;
	int ret, end;

	ret = npu_buffer_begin_step(scratch, NPU_ACCESS_READ, 0, scratch->bytes, &data, err);
	if (ret)
		return ret;
	view.scratch = data;
	ret = finish_with_residual(matmul, block, &view, err);
	end = npu_buffer_end_access(scratch, NPU_ACCESS_READ, 0, scratch->bytes, ret ? NULL : err);
	return ret ? ret : end;
}

/* Hands a block over to the engine; @end is where the queue is then. */
static int start_block(struct nvdla_queue *queue, const struct nvdla_matmul *matmul,
		       const struct block *block, uint64_t ticket, uint64_t *end,
		       struct npu_error *err)
{
	int ret =
		nvdla_queue_stage(queue, matmul->jobs + block->first_job, block->jobs, ticket, err);

	if (!ret)
		ret = nvdla_queue_flush(queue, ticket, err);
	*end = queue->head;
	return ret;
}

/* Waits for a block and does the CPU's step, unless the engine has failed. */
static int end_block(struct nvdla_queue *queue, const struct nvdla_matmul *matmul,
		     const struct block *block, uint64_t ticket, uint64_t end,
		     struct npu_error *err)
{
	int ret = nvdla_queue_reach(queue, end, err);

	if (ret || npu_queue_failed(&queue->base, ticket))
		return ret;
	queue->base.stats.host_steps++;
	return access_and_finish(matmul, block, err);
}

int nvdla_split_run(struct nvdla_queue *queue, struct nvdla_matmul *matmul, uint64_t ticket,
		    struct npu_error *err)
{
	const struct nvdla_split *split = matmul->split;
	uint64_t end, next = 0;
	int ret;

	ret = start_block(queue, matmul, &split->block[0], ticket, &end, err);
	for (uint32_t i = 0; i < split->blocks && !ret; i++, end = next) {
		if (i + 1 < split->blocks)
			ret = start_block(queue, matmul, &split->block[i + 1], ticket, &next, err);
		if (!ret)
			ret = end_block(queue, matmul, &split->block[i], ticket, end, err);
		if (npu_queue_failed(&queue->base, ticket))
			break;
	}
	return ret;
}
