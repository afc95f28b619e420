// SPDX-License-Identifier: MIT
/*
 * Split matmuls. The engine stores 8 bits of a result, but a part of the sum over K has to come out
 * whole. It is computed three times, and each time other bits are stored:
 *
 *	HIGH	-floor(sum / 2^16)			as (2 * sum - 65535) * -1 / 2^17
 *	MIDDLE	low 8 bits of floor(sum / 2^8)		as (2 * sum - 255) / 2^9
 *	LOW	low 8 bits of sum			of sum + (HIGH << 16) - 2^15
 *
 * The doubling makes the numerators odd, so that rounding to nearest never meets a half and rounds
 * down after the offset. LOW first takes away what HIGH holds, with HIGH's result as an operand,
 * because the engine saturates to 16 bits before it stores the low 8. Then
 *
 *	sum = (MIDDLE << 8 | LOW) - (HIGH << 16)
 *
 * for every |sum| up to 127 * 2^16, a bound that the weights' chunks respect. The CPU adds up the
 * chunks and requantizes, a block of rows at a time, so that scratch memory stays small.
 */
#include <errno.h>
#include <stdlib.h>

#include "nvdla_job.h"
#include "nvdla_split.h"

enum pass {
	HIGH,
	MIDDLE,
	LOW,
	PASSES
};

/* Scratch memory of a matmul, unless the fewest rows that can be cut out need more. */
#define SCRATCH_BYTES (256u << 10)
#define MIN_BLOCK_ROWS 3

struct block {
	struct npu_part rows;
	uint32_t first_job;
	uint32_t jobs;
};

struct nvdla_split {
	struct npu_buffer *scratch;
	struct npu_layout layout; /* of one pass over one chunk */
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

static size_t scratch_offset(const struct nvdla_split *split, uint32_t chunk, enum pass pass)
{
	return ((size_t)chunk * PASSES + pass) * split->layout.bytes;
}

/* Result of one pass over one chunk. */
static struct nvdla_matrix result_of(const struct nvdla_split *split, uint32_t chunk,
				     enum pass pass)
{
	return (struct nvdla_matrix){
		.handle = nvdla_handle(split->scratch),
		.plane_stride = split->layout.plane_stride,
		.offset = scratch_offset(split, chunk, pass),
	};
}

/* The arithmetic of a pass; see the top of this file. */
static void set_pass(struct nvdla_op *op, const struct nvdla_split *split, uint32_t chunk,
		     enum pass pass)
{
	struct drm_npu_job_matmul *job = &op->job;

	op->c = result_of(split, chunk, pass);
	if (pass == LOW) {
		op->element = result_of(split, chunk, HIGH);
		job->x1 = (struct drm_npu_stage){
			.alu_op = DRM_NPU_ALU_ADD,
			.alu_src = DRM_NPU_OPERAND_ELEMENT,
			.alu_shift = 16,
			.operand_bytes = 1,
		};
		job->cvt_offset = 32768;
		job->cvt_scale = 1;
	} else {
		job->x1 = (struct drm_npu_stage){ .mul_src = DRM_NPU_OPERAND_IMM, .mul_imm = 2 };
		job->cvt_offset = pass == HIGH ? 65535 : 255;
		job->cvt_scale = pass == HIGH ? -1 : 1;
		job->cvt_shift = pass == HIGH ? 17 : 9;
	}
	job->narrow = pass == HIGH ? DRM_NPU_NARROW_SAT8 : DRM_NPU_NARROW_LOW8;
}

/* One pass over one chunk of one block. */
static struct nvdla_op make_op(const struct nvdla_matmul *matmul, const struct block *block,
			       uint32_t chunk_index, enum pass pass)
{
	const struct nvdla_chunk *chunk = &weights_of(matmul)->chunks[chunk_index];
	struct nvdla_op op = {
		.job = {
			.op = DRM_NPU_OP_MATMUL,
			.k = chunk->k,
			.height = 1,
			.w = nvdla_weights_at(weights_of(matmul), chunk_index),
		},
		.m = block->rows.count,
		.n = matmul->base.weights->n,
		.a = nvdla_matrix_of(matmul->base.a, block->rows.first, chunk->k0),
	};

	set_pass(&op, matmul->split, chunk_index, pass);
	return op;
}

/* Chooses the tiles of all chunks of all blocks, and counts the jobs. */
static struct npu_tiles *plan_blocks(struct nvdla_matmul *matmul)
{
	const struct nvdla_weights *nw = weights_of(matmul);
	struct nvdla_split *split = matmul->split;
	struct npu_tiles *tiles = calloc((size_t)split->blocks * nw->count, sizeof(*tiles));
	struct npu_tiles *next = tiles;

	if (!tiles)
		return NULL;
	for (uint32_t i = 0; i < split->blocks; i++) {
		struct block *block = &split->block[i];

		block->rows = npu_plan_part(matmul->base.a->rows, 1, split->blocks, i);
		block->first_job = matmul->count;
		for (uint32_t chunk = 0; chunk < nw->count; chunk++, next++) {
			npu_plan_tiles(limits_of(matmul), block->rows.count, nw->chunks[chunk].k,
				       nw->base.n, next);
			block->jobs += PASSES * next->m_tiles * next->n_tiles;
			matmul->base.plan.cycles += PASSES * next->cycles;
		}
		matmul->base.plan.cycles += next[-1].start;
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
		for (uint32_t chunk = 0; chunk < weights_of(matmul)->count; chunk++, next++) {
			for (int pass = HIGH; pass < PASSES; pass++) {
				struct nvdla_op op = make_op(matmul, &split->block[i], chunk, pass);

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

/* Chooses the blocks and lays out their scratch memory. */
static struct nvdla_split *choose_blocks(const struct nvdla_matmul *matmul)
{
	uint32_t m = matmul->base.a->rows, n = matmul->base.weights->n;
	size_t row = (size_t)n * PASSES * weights_of(matmul)->count;
	size_t rows = SCRATCH_BYTES / row > MIN_BLOCK_ROWS ? SCRATCH_BYTES / row : MIN_BLOCK_ROWS;
	uint32_t blocks = (m - 1) / rows + 1;
	struct nvdla_split *split = calloc(1, sizeof(*split) + blocks * sizeof(split->block[0]));

	if (!split)
		return NULL;
	split->blocks = blocks;
	npu_layout_planes(&split->layout, (m - 1) / blocks + 1, n, limits_of(matmul)->atom_bytes,
			  UINT32_MAX);
	return split;
}

int nvdla_split_init(struct nvdla_matmul *matmul, struct npu_error *err)
{
	struct nvdla_split *split = choose_blocks(matmul);
	int ret;

	if (!split)
		return npu_fail(err, -ENOMEM, "no memory for a matmul object");
	ret = npu_buffer_create(matmul->base.dev,
				scratch_offset(split, weights_of(matmul)->count, HIGH),
				&split->scratch, err);
	if (ret)
		goto free_split;

	matmul->split = split;
	if (make_jobs(matmul)) {
		ret = npu_fail(err, -ENOMEM, "no memory for the jobs of a matmul with K = %u",
			       matmul->base.weights->k);
		goto free_scratch;
	}
	matmul->base.plan.host_steps = split->blocks;
	return 0;

free_scratch:
	npu_buffer_destroy(split->scratch);
free_split:
	free(split);
	return ret;
}

void nvdla_split_fini(struct nvdla_matmul *matmul)
{
	npu_buffer_destroy(matmul->split->scratch);
	free(matmul->split);
}

/* Sums of one atom of channels of one row. */
static void add_chunks(const struct nvdla_matmul *matmul, const uint8_t *scratch, size_t at,
		       uint32_t width, int64_t *sum)
{
	const struct nvdla_split *split = matmul->split;

	for (uint32_t i = 0; i < width; i++)
		sum[i] = 0;
	for (uint32_t chunk = 0; chunk < weights_of(matmul)->count; chunk++) {
		const uint8_t *high = scratch + scratch_offset(split, chunk, HIGH) + at;
		const uint8_t *middle = scratch + scratch_offset(split, chunk, MIDDLE) + at;
		const uint8_t *low = scratch + scratch_offset(split, chunk, LOW) + at;

		for (uint32_t i = 0; i < width; i++)
			sum[i] += (middle[i] << 8 | low[i]) - (int8_t)high[i] * 65536;
	}
}

/* Adds up and requantizes a block. */
static void finish_block(const struct nvdla_matmul *matmul, const struct block *block,
			 const uint8_t *scratch, uint8_t *c)
{
	const struct npu_layout *from = &matmul->split->layout;
	const struct npu_layout *to = &matmul->base.c->layout;
	uint32_t n = matmul->base.weights->n;
	int64_t sum[NVDLA_MAX_ATOM];

	for (uint32_t channel = 0; channel < n; channel += to->atom) {
		uint32_t width = n - channel < to->atom ? n - channel : to->atom;
		size_t plane = channel / to->atom;

		for (uint32_t r = 0; r < block->rows.count; r++) {
			add_chunks(matmul, scratch,
				   plane * from->plane_stride + r * from->row_stride, width, sum);
			npu_requant_row(&matmul->base.epilogue->requant, channel, width, sum,
					(int8_t *)c + plane * to->plane_stride +
						(block->rows.first + r) * to->row_stride);
		}
	}
}

static int access_and_finish(const struct nvdla_matmul *matmul, const struct block *block,
			     struct npu_error *err)
{
	struct npu_buffer *scratch = matmul->split->scratch;
	struct npu_tensor *c = matmul->base.c;
	void *from, *to;
	int ret, end;

	ret = npu_buffer_begin_access(scratch, NPU_ACCESS_READ, 0, scratch->bytes, -1, &from, err);
	if (ret)
		return ret;
	ret = npu_buffer_begin_access(c->buf, NPU_ACCESS_WRITE, c->offset, npu_tensor_span(c), -1,
				      &to, err);
	if (!ret) {
		finish_block(matmul, block, from, to);
		ret = npu_buffer_end_access(c->buf, NPU_ACCESS_WRITE, c->offset, npu_tensor_span(c),
					    err);
	}
	end = npu_buffer_end_access(scratch, NPU_ACCESS_READ, 0, scratch->bytes, ret ? NULL : err);
	return ret ? ret : end;
}

int nvdla_split_run(struct nvdla_queue *queue, struct nvdla_matmul *matmul, uint64_t ticket,
		    struct npu_error *err)
{
	for (uint32_t i = 0; i < matmul->split->blocks; i++) {
		const struct block *block = &matmul->split->block[i];
		int ret;

		ret = nvdla_queue_stage(queue, matmul->jobs + block->first_job, block->jobs, ticket,
					err);
		if (!ret)
			ret = nvdla_queue_drain(queue, ticket, err);
		if (ret || nvdla_queue_failed(queue, ticket))
			return ret;
		ret = access_and_finish(matmul, block, err);
		if (ret)
			return ret;
		queue->base.stats.host_steps++;
	}
	return 0;
}
