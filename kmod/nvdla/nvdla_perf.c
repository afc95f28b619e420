// SPDX-License-Identifier: GPL-2.0-only
/*
 * NVDLA's performance counters. A unit copies them into the registers of a group when it is done
 * with the op there, and they stay until the group is enabled again. An op that does not enable
 * them finds those of an older op, so only ops that do are read.
 */
#include "nvdla.h"
#include "nvdla_regs.h"

/* The latency counters of CDMA are left out: that of the weights stays 0 in the RTL. */
const struct drm_npu_counter nvdla_counters[NVDLA_COUNTERS] = {
	{ "data-read-stall", "cycles" },
	{ "weight-read-stall", "cycles" },
	{ "write-stall", "cycles" },
	{ "out-saturation", "results" },
};

static const u32 nvdla_counter_regs[NVDLA_COUNTERS] = {
	CDMA_D_PERF_DAT_READ_STALL,
	CDMA_D_PERF_WT_READ_STALL,
	SDP_D_PERF_WDMA_WRITE_STALL,
	SDP_D_PERF_OUT_SATURATION,
};

static void select_group(struct npu_device *npu, unsigned int group)
{
	nvdla_write(npu, S_POINTER(CDMA), group);
	nvdla_write(npu, S_POINTER(SDP), group);
}

/**
 * nvdla_read_counters - read the counters of an op that has ended
 * @npu: The device.
 * @group: Register group of the op.
 * @mask: Which counters.
 * @values: Where to, by counter.
 *
 * The op behind it may be programmed and not yet enabled, so its group is selected again.
 */
void nvdla_read_counters(struct npu_device *npu, unsigned int group, u64 mask, u64 *values)
{
	const struct nvdla *nvdla = npu->hw_priv;
	unsigned int i;

	select_group(npu, group);
	for (i = 0; i < NVDLA_COUNTERS; i++)
		if (mask & BIT_ULL(i))
			values[i] = readl(npu->regs + nvdla_counter_regs[i]);
	select_group(npu, nvdla->group ^ 1);
}
