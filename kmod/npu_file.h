/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Open files: what one may have, and what the system is told about it.
 */
#ifndef _NPU_FILE_H_
#define _NPU_FILE_H_

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/xarray.h>

#include "npu_compat.h"

struct npu_device;

/* The one that is there from open() on included. */
#define NPU_MAX_CTXS 256

#define NPU_MAX_PERFMONS 256

/**
 * struct npu_file - an open file
 * @refs: One for the file, one for each context, one for each BO it created.
 * @npu: The device.
 * @client_id: Names the file in fdinfo and in trace events.
 * @ctxs: Contexts by id; 0 is there from open() on.
 * @perfmons: Perfmons by id.
 * @pending: Jobs (not submissions) that have not ended.
 * @bytes: Of the BOs it created and that still exist.
 * @engine_ns: Time the engine spent on its jobs, those of destroyed contexts included.
 */
struct npu_file {
	struct kref refs;
	struct npu_device *npu;
	u64 client_id;
	struct xarray ctxs;
	struct xarray perfmons;
	atomic_t pending;
	atomic64_t bytes;
	atomic64_t engine_ns;
};

int npu_file_open(struct drm_device *drm, struct drm_file *filp);
void npu_file_close(struct drm_device *drm, struct drm_file *filp);
void npu_file_get(struct npu_file *file);
void npu_file_put(struct npu_file *file);

u64 npu_file_max_bytes(void);
int npu_file_charge(struct npu_file *file, u64 bytes);
void npu_file_uncharge(struct npu_file *file, u64 bytes);

void npu_file_show_fdinfo(struct seq_file *m, struct file *f);

#endif /* _NPU_FILE_H_ */
