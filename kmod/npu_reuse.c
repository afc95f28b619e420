// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operands that an op need not fetch, because the op before it in the submission has fetched the
 * same ones into the CBUF and leaves them there.
 *
 * DOC: Why that is exact
 *
 * Whether two ops read the same follows from the kernel's own copies: address, strides, shape and
 * place in the CBUF. Between the fetch and the second use nothing writes there: the CPU keeps off
 * for as long as the submission runs, and the first op's result overlaps none of its operands. The
 * ops of a submission follow each other on the engine without a stranger between them, unless the
 * engine was reset; the backend looks that the op before is the one that ran last, and fetches if
 * it is not. An op whose result is the operand of the next one never shares that operand.
 */
#include "npu_hw.h"

/* Other bank counts than the op before make the engine empty the CBUF. */
static bool same_banks(const struct npu_op *x, const struct npu_op *y)
{
	return x->plan.data_banks == y->plan.data_banks &&
	       x->plan.weight_banks == y->plan.weight_banks;
}

static bool same_activations(const struct npu_op *x, const struct npu_op *y)
{
	return x->addr[NPU_OPERAND_A] == y->addr[NPU_OPERAND_A] &&
	       x->job.a.row_stride == y->job.a.row_stride &&
	       x->job.a.plane_stride == y->job.a.plane_stride && x->job.k == y->job.k &&
	       x->job.m == y->job.m && x->job.height == y->job.height;
}

/* Weights that are kept are kept whole: what streams through its banks cannot be. */
static bool same_weights(const struct drm_npu_matmul_limits *lim, const struct npu_op *x,
			 const struct npu_op *y)
{
	const u32 bank_bytes = lim->cbuf_bank_entries * lim->cbuf_entry_bytes;

	return x->addr[NPU_OPERAND_W] == y->addr[NPU_OPERAND_W] && x->job.k == y->job.k &&
	       x->job.n == y->job.n && x->plan.weight_bytes <= x->plan.weight_banks * bank_bytes;
}

/**
 * npu_reuse_plan - find out what an op can take over from the one before it
 * @lim: Limits of the engine.
 * @before: The op before in the submission; told what to keep.
 * @op: The op, validated, its addresses resolved.
 */
void npu_reuse_plan(const struct drm_npu_matmul_limits *lim, struct npu_op *before,
		    struct npu_op *op)
{
	if (!same_banks(before, op))
		return;
	if (same_activations(before, op))
		op->reuses |= BIT(NPU_OPERAND_A);
	if (same_weights(lim, before, op))
		op->reuses |= BIT(NPU_OPERAND_W);
	before->keeps = op->reuses;
}
