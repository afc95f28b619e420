// SPDX-License-Identifier: GPL-2.0-only
/*
 * The erratum of RTL that was built with clock gating.
 *
 * DOC: Clock gating
 *
 * CDMA counts the CBUF entries that weights take: up with each one it fetches, down when CSC
 * releases the kernels of a group. Where its clock is gated the count does not hear of what is
 * released while CDMA has no op, as is the case whenever it has fetched all there is to fetch. From
 * then on these entries are taken until the next reset, and an op that finds too few of them free
 * never gets all its weights.
 *
 * How many releases are lost depends on timing. At most it is what the op has in the CBUF, so that
 * is what each op counts as here, whatever was on the engine beside it. Before an op that might not
 * fit any more the queue resets the engine, which costs about as much as flushing the CBUF: 8000
 * cycles. An op whose weights stream through their banks needs all of them.
 */
#include "nvdla.h"

static u32 ring_entries(const struct npu_device *npu, const struct npu_op *op)
{
	return op->plan.weight_banks * npu->hw->matmul->cbuf_bank_entries;
}

static u32 fetched_entries(const struct npu_device *npu, const struct npu_op *op)
{
	if (nvdla_reused(npu->hw_priv, op) & BIT(NPU_OPERAND_W))
		return 0;
	return op->plan.weight_bytes / npu->hw->matmul->cbuf_entry_bytes;
}

/**
 * nvdla_gating_worn - may the engine hang on an op?
 * @npu: The device.
 * @op: The op.
 *
 * Return: True if it needs a reset before.
 */
bool nvdla_gating_worn(struct npu_device *npu, const struct npu_op *op)
{
	const struct nvdla *nvdla = npu->hw_priv;
	const u32 fetched = fetched_entries(npu, op);

	/* Without a reset there is nothing to be done about it; the log has told so. */
	return npu->clock_gating && npu->reset && fetched && nvdla->leaked &&
	       nvdla->leaked + fetched > ring_entries(npu, op);
}

/**
 * nvdla_gating_wear - count what an op may leave behind
 * @npu: The device.
 * @op: The op, about to be programmed.
 */
void nvdla_gating_wear(struct npu_device *npu, const struct npu_op *op)
{
	struct nvdla *nvdla = npu->hw_priv;

	nvdla->leaked += min(fetched_entries(npu, op), ring_entries(npu, op));
}
