/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NVDLA backend, shared by its files.
 */
#ifndef _NVDLA_H_
#define _NVDLA_H_

#include <linux/io.h>

#include "npu_drv.h"

#define NVDLA_COUNTERS 4

/**
 * struct nvdla - state of an NVDLA
 * @group: Register group the next op goes to, in all units but SDP_RDMA.
 * @rdma_group: Register group of SDP_RDMA the next op with operands in memory goes to.
 * @leaked: CBUF entries that may have been lost to clock gating, at most.
 * @last: Op that was programmed last since the engine was started. Compared, never followed: it may
 *	be gone.
 *
 * Protected by npu_queue.lock.
 */
struct nvdla {
	unsigned int group;
	unsigned int rdma_group;
	u32 leaked;
	const struct npu_op *last;
};

/* No barrier: the write that enables the op has one, and the bus keeps the order. */
static inline void nvdla_write(struct npu_device *npu, u32 reg, u32 value)
{
	writel_relaxed(value, npu->regs + reg);
}

u8 nvdla_reused(const struct nvdla *nvdla, const struct npu_op *op);
bool nvdla_gating_worn(struct npu_device *npu, const struct npu_op *op);
void nvdla_gating_wear(struct npu_device *npu, const struct npu_op *op);
unsigned int nvdla_conv_program(struct npu_device *npu, const struct npu_op *op);
void nvdla_conv_enable(struct npu_device *npu, const struct npu_op *op);
void nvdla_read_counters(struct npu_device *npu, unsigned int group, u64 mask, u64 *values);
void nvdla_dump(struct npu_device *npu, struct drm_printer *p);

extern const struct drm_npu_counter nvdla_counters[NVDLA_COUNTERS];

#endif /* _NVDLA_H_ */
