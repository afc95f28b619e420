// SPDX-License-Identifier: MIT
/*
 * NVDLA matmuls: from operands to an array of jobs that a submission only has to copy.
 */
#include <errno.h>
#include <stdlib.h>

#include "nvdla_job.h"
#include "nvdla_split.h"

static void set_epilogue(struct nvdla_op *op, const struct nvdla_epilogue *ne)
{
	struct drm_npu_stage *x[] = { &op->job.x1, &op->job.x2 };

	for (int i = 0; i < 2; i++) {
		*x[i] = ne->stage[i].desc;
		op->channel_bytes[i] = ne->stage[i].channel_bytes;
		if (op->channel_bytes[i]) {
			x[i]->operand.handle = nvdla_handle(ne->memory.buf);
			x[i]->operand.offset = ne->memory.offset + ne->offset[i];
		}
	}
	op->job.cvt_offset = -ne->base.requant.zero_point;
	op->job.cvt_scale = 1;
	op->job.narrow = DRM_NPU_NARROW_SAT8;
}

static int make_jobs(struct nvdla_matmul *nm, struct npu_error *err)
{
	const struct drm_npu_matmul_limits *limits = &to_nvdla(nm->base.dev)->limits;
	const struct nvdla_weights *nw = (struct nvdla_weights *)nm->base.weights;
	uint32_t m = nm->base.a->rows, k = nw->base.k, n = nw->base.n;
	struct nvdla_op op = {
		.job = {
			.op = DRM_NPU_OP_MATMUL,
			.k = k,
			.height = 1,
			.w = nvdla_weights_at(nw, 0),
		},
		.m = m,
		.n = n,
		.a = nvdla_matrix_of(nm->base.a, 0, 0),
		.c = nvdla_matrix_of(nm->base.c, 0, 0),
	};
	struct npu_tiles tiles;

	npu_plan_tiles(limits, m, k, n, &tiles);
	nm->count = tiles.m_tiles * tiles.n_tiles;
	nm->jobs = calloc(nm->count, sizeof(*nm->jobs));
	if (!nm->jobs)
		return npu_fail(err, -ENOMEM, "no memory for the %u jobs of a matmul", nm->count);

	set_epilogue(&op, (struct nvdla_epilogue *)nm->base.epilogue);
	nvdla_op_cut(&op, limits, &tiles, nm->jobs, 1);
	nm->base.plan.cycles = tiles.start + tiles.cycles;
	return 0;
}

int nvdla_matmul_init(struct npu_matmul *matmul, struct npu_error *err)
{
	const struct npu_device_info *info = &matmul->dev->info;
	struct nvdla_matmul *nm = (struct nvdla_matmul *)matmul;
	struct npu_plan *plan = &matmul->plan;
	uint64_t compute = (plan->macs - 1) / info->macs_per_cycle + 1;
	uint64_t transfer = (plan->bytes - 1) / info->bus_bytes_per_cycle + 1;
	int ret;

	if (((struct nvdla_weights *)matmul->weights)->count > 1)
		ret = nvdla_split_init(nm, err);
	else
		ret = make_jobs(nm, err);
	if (ret)
		return ret;
	plan->jobs = nm->count;
	plan->limit_cycles = compute > transfer ? compute : transfer;
	return 0;
}

void nvdla_matmul_fini(struct npu_matmul *matmul)
{
	struct nvdla_matmul *nm = (struct nvdla_matmul *)matmul;

	if (nm->split)
		nvdla_split_fini(nm);
	free(nm->jobs);
}
