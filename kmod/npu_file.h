/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Open files, and what the system is told about them.
 */
#ifndef _NPU_FILE_H_
#define _NPU_FILE_H_

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/xarray.h>

#include "npu_compat.h"
#include "npu_quota.h"

struct npu_device;

/**
 * struct npu_file - an open file
 * @refs: One for the file, one for each context, one for each BO it created.
 * @npu: The device.
 * @client_id: Names the file in fdinfo and in trace events.
 * @ctxs: Contexts by id; 0 is there from open() on.
 * @perfmons: Perfmons by id.
 * @user: Who opened it; NULL for one whose files are not counted together.
 * @used: What it has, by enum npu_quota.
 * @closed: Nobody has it open: what the engine has not begun ends with -ECANCELED. Goes from false
 *	to true, and has no lock.
 * @engine_ns: Time the engine spent on its jobs, those of destroyed contexts included.
 */
struct npu_file {
	struct kref refs;
	struct npu_device *npu;
	u64 client_id;
	struct xarray ctxs;
	struct xarray perfmons;
	struct npu_user *user;
	atomic64_t used[NPU_QUOTAS];
	bool closed;
	atomic64_t engine_ns;
};

int npu_file_open(struct drm_device *drm, struct drm_file *filp);
void npu_file_close(struct drm_device *drm, struct drm_file *filp);
void npu_file_get(struct npu_file *file);
void npu_file_put(struct npu_file *file);

void npu_file_show_fdinfo(struct seq_file *m, struct file *f);

#endif /* _NPU_FILE_H_ */
