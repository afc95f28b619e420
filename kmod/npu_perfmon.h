/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Perfmons: sums of hardware counters.
 */
#ifndef _NPU_PERFMON_H_
#define _NPU_PERFMON_H_

#include <linux/kref.h>
#include <linux/spinlock.h>

#include "npu_compat.h"
#include "npu_hw.h"

struct npu_file;

/**
 * struct npu_perfmon - sums of counters over jobs
 * @refs: One for the id, one for each submission.
 * @counters: Which counters, by BIT_ULL(index in npu_hw.counters).
 * @lock: Protects the fields below. Taken in interrupts.
 * @jobs: Jobs summed.
 * @values: The sums, by counter.
 */
struct npu_perfmon {
	struct kref refs;
	u64 counters;

	spinlock_t lock; /* what follows */
	u64 jobs;
	u64 values[NPU_HW_MAX_COUNTERS];
};

struct npu_perfmon *npu_perfmon_get(struct npu_file *file, u32 id);
void npu_perfmon_put(struct npu_perfmon *perfmon);
void npu_perfmon_count(struct npu_perfmon *perfmon, struct npu_device *npu, unsigned int group);
void npu_perfmon_close_all(struct npu_file *file);

int npu_ioctl_perfmon_create(struct drm_device *drm, void *data, struct drm_file *filp);
int npu_ioctl_perfmon_destroy(struct drm_device *drm, void *data, struct drm_file *filp);
int npu_ioctl_perfmon_values(struct drm_device *drm, void *data, struct drm_file *filp);

#endif /* _NPU_PERFMON_H_ */
