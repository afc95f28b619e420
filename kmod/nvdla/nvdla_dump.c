// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of a hung NVDLA, both groups of them.
 */
#include <drm/drm_print.h>

#include "nvdla.h"
#include "nvdla_regs.h"

/**
 * struct nvdla_unit - where a unit's registers are
 * @name: Name.
 * @base: S_STATUS; S_POINTER is next to it.
 * @first: First register of a group.
 * @last: Last one.
 */
struct nvdla_unit {
	const char *name;
	u32 base;
	u32 first;
	u32 last;
};

static const struct nvdla_unit nvdla_units[] = {
	{ "CDMA", CDMA, CDMA_D_OP_ENABLE, CDMA_D_LAST },
	{ "CSC", CSC, CSC_D_OP_ENABLE, CSC_D_PRA_CFG },
	{ "CMAC_A", CMAC_A, CMAC_D_OP_ENABLE(CMAC_A), CMAC_D_MISC_CFG(CMAC_A) },
	{ "CMAC_B", CMAC_B, CMAC_D_OP_ENABLE(CMAC_B), CMAC_D_MISC_CFG(CMAC_B) },
	{ "CACC", CACC, CACC_D_OP_ENABLE, CACC_D_LAST },
	{ "SDP_RDMA", SDP_RDMA, SDP_RDMA_D_OP_ENABLE, SDP_RDMA_D_LAST },
	{ "SDP", SDP, SDP_D_OP_ENABLE, SDP_D_LAST },
};

static void dump_range(struct npu_device *npu, struct drm_printer *p, u32 first, u32 last)
{
	u32 reg;

	for (reg = first; reg <= last; reg += 4) {
		if ((reg - first) % 32 == 0)
			drm_printf(p, "%s    %04x:", reg == first ? "" : "\n", reg);
		drm_printf(p, " %08x", readl(npu->regs + reg));
	}
	drm_puts(p, "\n");
}

static void dump_unit(struct npu_device *npu, struct drm_printer *p, const struct nvdla_unit *unit)
{
	u32 group;

	drm_printf(p, "%s: status %08x, pointer %08x\n", unit->name,
		   readl(npu->regs + S_STATUS(unit->base)),
		   readl(npu->regs + S_POINTER(unit->base)));
	for (group = 0; group < NPU_HW_GROUPS; group++) {
		drm_printf(p, "  group %u\n", group);
		writel(group, npu->regs + S_POINTER(unit->base));
		dump_range(npu, p, unit->first, unit->last);
	}
}

/**
 * nvdla_dump - print all registers
 * @npu: The device, which is going to be reset: the producer pointers are not put back.
 * @p: Where to.
 */
void nvdla_dump(struct npu_device *npu, struct drm_printer *p)
{
	unsigned int i;

	drm_printf(p, "GLB: interrupt mask %08x, status %08x\n", readl(npu->regs + GLB_S_INTR_MASK),
		   readl(npu->regs + GLB_S_INTR_STATUS));
	drm_printf(p, "CBUF: flush status %08x\n", readl(npu->regs + CDMA_S_CBUF_FLUSH_STATUS));
	for (i = 0; i < ARRAY_SIZE(nvdla_units); i++)
		dump_unit(npu, p, &nvdla_units[i]);
}
