// SPDX-License-Identifier: GPL-2.0-only
/*
 * NVDLA as a backend: constants, start-up and interrupts.
 *
 * The constants belong to the compatible and are not read from the configuration ROM, which larger
 * configurations of the RTL leave at nv_small's values.
 */
#include <linux/iopoll.h>

#include "nvdla.h"
#include "nvdla_limits.h"
#include "nvdla_regs.h"

/* The CBUF is flushed in about 8000 cycles after reset; an op that nobody waits for takes longer.
 */
#define NVDLA_READY_US (1 * USEC_PER_SEC)

static const u32 nvdla_units[] = { CDMA, CSC, CMAC_A, CMAC_B, CACC, SDP_RDMA, SDP };

static unsigned int nvdla_consumer(struct npu_device *npu, u32 unit)
{
	return !!(readl(npu->regs + S_POINTER(unit)) & S_POINTER_CONSUMER);
}

static bool nvdla_units_idle(struct npu_device *npu)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nvdla_units); i++)
		if (readl(npu->regs + S_STATUS(nvdla_units[i])) & S_STATUS_GROUPS)
			return false;
	return true;
}

/*
 * Without a reset the engine is as an earlier driver left it, so the register groups that come next
 * are asked for. They differ between units only when an op was cut off.
 */
static int nvdla_init(struct npu_device *npu)
{
	const u64 timeout_us = npu_scale_timeout(NVDLA_READY_US);
	struct nvdla *nvdla = npu->hw_priv;
	unsigned int i;
	bool idle;
	u32 status;
	int err;

	nvdla_write(npu, GLB_S_INTR_MASK, GLB_INTR_ALL);
	err = readl_poll_timeout(npu->regs + CDMA_S_CBUF_FLUSH_STATUS, status,
				 status & CDMA_S_CBUF_FLUSH_DONE, 10, timeout_us);
	if (!err)
		err = read_poll_timeout(nvdla_units_idle, idle, idle, 10, timeout_us, false, npu);
	if (err)
		return err;

	nvdla->last = NULL;
	nvdla->leaked = 0;
	nvdla->group = nvdla_consumer(npu, SDP);
	nvdla->rdma_group = nvdla_consumer(npu, SDP_RDMA);
	for (i = 0; i < ARRAY_SIZE(nvdla_units); i++)
		if (nvdla_units[i] != SDP_RDMA &&
		    nvdla_consumer(npu, nvdla_units[i]) != nvdla->group)
			return -EIO;

	nvdla_write(npu, CDMA_S_ARBITER, CDMA_S_ARBITER_EVEN);
	nvdla_write(npu, GLB_S_INTR_STATUS, GLB_INTR_ALL);
	/* Only the end of an op is of interest, and SDP is where ops end. */
	writel(GLB_INTR_ALL & ~(GLB_INTR_SDP_DONE(0) | GLB_INTR_SDP_DONE(1)),
	       npu->regs + GLB_S_INTR_MASK);
	return 0;
}

static unsigned int nvdla_program(struct npu_device *npu, const struct npu_op *op)
{
	nvdla_gating_wear(npu, op);
	return nvdla_conv_program(npu, op);
}

static void nvdla_mask(struct npu_device *npu)
{
	/* Read back, so that the line has fallen when this returns. */
	writel(GLB_INTR_ALL, npu->regs + GLB_S_INTR_MASK);
	readl(npu->regs + GLB_S_INTR_MASK);
}

static int nvdla_irq(struct npu_device *npu)
{
	u32 status = readl(npu->regs + GLB_S_INTR_STATUS);

	/* A function in reset, or gone, reads as ones. */
	if (status == U32_MAX || !(status & (GLB_INTR_SDP_DONE(0) | GLB_INTR_SDP_DONE(1))))
		return -ENODATA;
	nvdla_write(npu, GLB_S_INTR_STATUS, status);
	return status & (GLB_INTR_SDP_DONE(0) | GLB_INTR_SDP_DONE(1));
}

/*
 * Which unit works on which group. That changes a few times in an op and never again in a hang;
 * stall and latency counters would go on.
 */
static u32 nvdla_progress(struct npu_device *npu)
{
	u32 progress = 1;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nvdla_units); i++)
		progress = progress * 31 + readl(npu->regs + S_STATUS(nvdla_units[i]));
	return progress;
}

static const struct npu_hw_ops nvdla_ops = {
	.init = nvdla_init,
	.worn = nvdla_gating_worn,
	.program = nvdla_program,
	.enable = nvdla_conv_enable,
	.irq = nvdla_irq,
	.read_counters = nvdla_read_counters,
	.mask = nvdla_mask,
	.progress = nvdla_progress,
	.dump = nvdla_dump,
};

/* Of units with two groups, the registers of the group that is programmed next or last. */
static const struct npu_reg_range nvdla_reg_ranges[] = {
	{ GLB_S_INTR_MASK, GLB_S_INTR_STATUS },
	{ S_STATUS(CDMA), CDMA_D_PERF_ENABLE },
	{ S_STATUS(CSC), CSC_D_PRA_CFG },
	{ S_STATUS(CMAC_A), CMAC_D_MISC_CFG(CMAC_A) },
	{ S_STATUS(CMAC_B), CMAC_D_MISC_CFG(CMAC_B) },
	{ S_STATUS(CACC), CACC_D_CLIP_CFG },
	{ S_STATUS(SDP_RDMA), SDP_RDMA_D_ERDMA_CFG },
	{ S_STATUS(SDP), SDP_D_PERF_ENABLE },
};

/* Address lines are a matter of the SoC; the registers have all of them. */
const struct npu_hw nvdla_large = {
	.name = "nv_large",
	.family = DRM_NPU_FAMILY_NVDLA,
	.dma_bits = 64,
	.priv_size = sizeof(struct nvdla),
	.matmul = &nvdla_large_limits,
	.counters = nvdla_counters,
	.n_counters = NVDLA_COUNTERS,
	.reg_ranges = nvdla_reg_ranges,
	.n_reg_ranges = ARRAY_SIZE(nvdla_reg_ranges),
	.ops = &nvdla_ops,
};

const struct npu_hw nvdla_small = {
	.name = "nv_small",
	.family = DRM_NPU_FAMILY_NVDLA,
	.dma_bits = 32,
	.priv_size = sizeof(struct nvdla),
	.matmul = &nvdla_small_limits,
	.counters = nvdla_counters,
	.n_counters = NVDLA_COUNTERS,
	.reg_ranges = nvdla_reg_ranges,
	.n_reg_ranges = ARRAY_SIZE(nvdla_reg_ranges),
	.ops = &nvdla_ops,
};
