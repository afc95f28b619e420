// SPDX-License-Identifier: MIT
/*
 * NVDLA matmuls: from operands to an array of jobs that a submission only has to copy. Where the
 * engine cannot do all of a matmul, it makes exact sums of them (nvdla_split.c).
 */
#include <errno.h>
#include <stdlib.h>

#include "../arith.h"
#include "../output.h"
#include "nvdla_job.h"
#include "nvdla_plan.h"
#include "nvdla_split.h"

/* Operands of a stage start at multiples of this, enough for every configuration's atom. */
#define ALIGN 64

/**
 * struct fusion - what the engine's output unit needs for each matrix of a batch
 * @bias: [batch][n], zero points of A included.
 * @output: [batch].
 * @offset: [batch] of the operands of the two stages.
 * @bytes: Of all operands.
 */
struct fusion {
	int32_t *bias;
	struct nvdla_output *output;
	uint64_t (*offset)[2];
	size_t bytes;
};

static void free_fusion(struct fusion *fusion)
{
	free(fusion->bias);
	free(fusion->output);
	free(fusion->offset);
}

static bool new_fusion(const struct npu_weights *w, struct fusion *fusion)
{
	*fusion = (struct fusion){
		.bias = calloc((size_t)w->batch * w->n, sizeof(*fusion->bias)),
		.output = calloc(w->batch, sizeof(*fusion->output)),
		.offset = calloc(w->batch, sizeof(*fusion->offset)),
	};
	return fusion->bias && fusion->output && fusion->offset;
}

/*
 * Bias and zero point of A in one: a sum of (a - za) * w is one of a * w less za * (sum of w).
 * False where one is too large.
 */
static bool fold_bias(const struct npu_matmul *mm, const int64_t *w_sum, int32_t *bias)
{
	const struct npu_requant *rq = &mm->requant;
	const int64_t most = nvdla_stage_most_bias(rq->k);

	for (uint32_t n = 0; n < mm->weights->n; n++) {
		int64_t b = (rq->epilogue.bias ? rq->epilogue.bias[n] : 0) -
			    rq->a_zero_point * w_sum[n];

		if (b > most || b < -most)
			return false;
		bias[n] = b;
	}
	return true;
}

/* The engine writes whole atoms: beside a window of columns it would spoil what lies there. */
static bool spoils_columns(const struct npu_tensor *c)
{
	uint32_t end = c->first_col + c->cols;

	return end % c->layout.atom && end < c->matrix_cols;
}

/* True if the engine can do all of it. */
static bool fuse(const struct nvdla_matmul *nm, struct fusion *fusion)
{
	const struct nvdla_weights *nw = (struct nvdla_weights *)nm->base.weights;
	const uint32_t n = nw->base.n;
	const size_t atom = to_nvdla(nm->base.dev)->limits.atom_bytes;
	/* The engine reads operands of whole atoms of channels. */
	const size_t channels = npu_round_up(n, atom);

	if (nw->packing.count > 1 || nw->base.zero_point || nm->base.a->type == NPU_TYPE_INT16 ||
	    spoils_columns(nm->base.c))
		return false;
	for (uint32_t b = 0; b < nw->base.batch; b++) {
		int32_t *bias = fusion->bias + (size_t)b * n;
		struct nvdla_output *output = &fusion->output[b];

		if (!fold_bias(&nm->base, nw->base.sum + (size_t)b * n, bias) ||
		    !nvdla_output_make(output, &nm->base.requant, bias, n))
			return false;
		for (int i = 0; i < 2; i++) {
			fusion->offset[b][i] = fusion->bytes;
			fusion->bytes +=
				npu_round_up(channels * output->stage[i].channel_bytes, ALIGN);
		}
	}
	return true;
}

static int write_operands(struct nvdla_matmul *nm, const struct fusion *fusion,
			  struct npu_error *err)
{
	const struct npu_weights *w = nm->base.weights;
	void *data;
	int ret;

	if (!fusion->bytes)
		return 0;
	ret = npu_slice_alloc(nm->base.dev, fusion->bytes, &nm->operands, err);
	if (!ret)
		ret = npu_slice_begin_fill(&nm->operands, &data, err);
	if (ret)
		return ret;
	for (uint32_t b = 0; b < w->batch; b++)
		for (int i = 0; i < 2; i++)
			nvdla_stage_operands(&fusion->output[b].stage[i], &nm->base.requant,
					     fusion->bias + (size_t)b * w->n, w->n,
					     (int16_t *)((char *)data + fusion->offset[b][i]));
	return npu_slice_end_fill(&nm->operands, err);
}

static void set_output(struct nvdla_op *op, const struct nvdla_matmul *nm,
		       const struct fusion *fusion, uint32_t b, uint32_t row)
{
	struct drm_npu_stage *x[] = { &op->job.x1, &op->job.x2 };

	for (int i = 0; i < 2; i++) {
		const struct nvdla_stage *stage = &fusion->output[b].stage[i];

		*x[i] = stage->desc;
		op->channel_bytes[i] = stage->channel_bytes;
		if (stage->channel_bytes) {
			x[i]->operand.handle = nvdla_handle(nm->operands.buf);
			x[i]->operand.offset = nm->operands.offset + fusion->offset[b][i];
		}
	}
	if (nm->base.residual)
		op->element[1] = nvdla_matrix_of(nm->base.residual, row, 0);
	op->job.cvt_offset = fusion->output[b].cvt_offset;
	op->job.cvt_scale = 1;
	op->job.narrow = DRM_NPU_NARROW_SAT8;
}

/* The multiplication with one matrix of the batch. */
static struct nvdla_op make_op(const struct nvdla_matmul *nm, const struct fusion *fusion,
			       uint32_t b)
{
	const struct nvdla_weights *nw = (struct nvdla_weights *)nm->base.weights;
	const uint32_t m = nm->base.a->rows / nw->base.batch;
	struct nvdla_op op = {
		.job = {
			.op = DRM_NPU_OP_MATMUL,
			.k = nw->base.k,
			.height = 1,
			.w = nvdla_weights_at(nw, &nw->packing, b, 0),
		},
		.m = m,
		.n = nw->base.n,
		.a = nvdla_matrix_of(nm->base.a, b * m, 0),
		.c = nvdla_matrix_of(nm->base.c, b * m, 0),
	};

	set_output(&op, nm, fusion, b, b * m);
	return op;
}

static int make_jobs(struct nvdla_matmul *nm, const struct fusion *fusion, struct npu_error *err)
{
	const struct drm_npu_matmul_limits *limits = &to_nvdla(nm->base.dev)->limits;
	const struct npu_weights *w = nm->base.weights;
	struct nvdla_op op = make_op(nm, fusion, 0);
	struct npu_plan *plan = &nm->base.plan;
	struct npu_tiles tiles;
	uint32_t each;

	npu_plan_tiles(limits, nvdla_op_rows(&op, limits), w->k, w->n, 1, &tiles);
	each = tiles.m_tiles * tiles.n_tiles;
	nm->jobs = calloc((size_t)each * w->batch, sizeof(*nm->jobs));
	if (!nm->jobs)
		return npu_fail(err, -ENOMEM, "no memory for the jobs of a matmul");
	for (uint32_t b = 0; b < w->batch; b++) {
		op = make_op(nm, fusion, b);
		nvdla_op_cut(&op, limits, &tiles, nm->jobs + (size_t)b * each, 1);
	}
	nm->count = each * w->batch;
	plan->k_parts = 1;
	nvdla_plan_blocks(plan, &tiles, 1);
	nvdla_plan_parts(plan, &tiles, w->batch);
	plan->m_tiles *= w->batch;
	return 0;
}

/* The engine's zero point of A: bytes of uint8 and int16 stand for 128 more than they are. */
static void move_zero_point(struct npu_matmul *mm)
{
	if (mm->a->layout.form != NPU_FORM_PLAIN)
		mm->requant.a_zero_point -= 128;
}

static int init(struct nvdla_matmul *nm, struct fusion *fusion, struct npu_error *err)
{
	const uint32_t stages = npu_output_stages(&nm->base.requant);
	struct npu_plan *plan = &nm->base.plan;
	int ret;

	move_zero_point(&nm->base);
	if (fuse(nm, fusion)) {
		plan->engine_stages = stages;
		ret = write_operands(nm, fusion, err);
		return ret ? ret : make_jobs(nm, fusion, err);
	}
	plan->host_stages = stages | NPU_STAGE_SUMS;
	return nvdla_split_init(nm, err);
}

int nvdla_matmul_init(struct npu_matmul *matmul, struct npu_error *err)
{
	struct nvdla_matmul *nm = (struct nvdla_matmul *)matmul;
	struct fusion fusion;
	int ret;

	nvdla_plan_limit(&matmul->plan, &to_nvdla(matmul->dev)->limits);
	if (new_fusion(matmul->weights, &fusion))
		ret = init(nm, &fusion, err);
	else
		ret = npu_fail(err, -ENOMEM, "no memory for a matmul object");
	free_fusion(&fusion);
	if (ret)
		nvdla_matmul_fini(matmul);
	return ret;
}

void nvdla_matmul_fini(struct npu_matmul *matmul)
{
	struct nvdla_matmul *nm = (struct nvdla_matmul *)matmul;

	if (nm->split)
		nvdla_split_fini(nm);
	npu_slice_free(matmul->dev, &nm->operands);
	free(nm->jobs);
}
