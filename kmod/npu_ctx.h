/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Open files and their contexts.
 */
#ifndef _NPU_CTX_H_
#define _NPU_CTX_H_

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "npu_compat.h"

struct npu_device;

/**
 * struct npu_file - an open file
 * @refs: One for the file, one for each context.
 * @npu: The device.
 * @ctxs: Contexts by id; 0 is there from open() on.
 * @pending: Jobs (not submissions) that have not ended.
 */
struct npu_file {
	struct kref refs;
	struct npu_device *npu;
	struct xarray ctxs;
	atomic_t pending;
};

/**
 * struct npu_ctx - a queue of submissions
 * @refs: One for the id, one for each submission.
 * @file: File it belongs to.
 * @entity: Its queue in the scheduler. Destroyed with the last reference, when the queue is empty:
 *	nothing is ever killed from it, so each submission ends through npu_sched_run_job().
 * @submit_lock: Held from arming a submission to pushing it, to keep fences in order.
 * @release: Destroys @entity, which may sleep.
 * @closed: Id or file are gone: what has not begun ends with -ECANCELED.
 * @stat_lock: Protects the fields below. Taken in interrupts.
 * @last_error: Of the last failed submission, a positive errno.
 * @submits_done: Submissions that have ended.
 * @submits_failed: Those of them that failed.
 * @jobs_done: Jobs the engine completed.
 * @engine_ns: Time it spent on them.
 */
struct npu_ctx {
	struct kref refs;
	struct npu_file *file;
	struct drm_sched_entity entity;
	struct mutex submit_lock; /* arm to push */
	struct work_struct release;
	bool closed;

	spinlock_t stat_lock; /* what follows */
	int last_error;
	u64 submits_done;
	u64 submits_failed;
	u64 jobs_done;
	u64 engine_ns;
};

int npu_file_open(struct drm_device *drm, struct drm_file *filp);
void npu_file_close(struct drm_device *drm, struct drm_file *filp);

struct npu_ctx *npu_ctx_get(struct npu_file *file, u32 id);
void npu_ctx_put(struct npu_ctx *ctx);
void npu_ctx_job_done(struct npu_ctx *ctx, u64 engine_ns);
void npu_ctx_submit_done(struct npu_ctx *ctx, int err);

int npu_ioctl_ctx_create(struct drm_device *drm, void *data, struct drm_file *filp);
int npu_ioctl_ctx_destroy(struct drm_device *drm, void *data, struct drm_file *filp);
int npu_ioctl_ctx_state(struct drm_device *drm, void *data, struct drm_file *filp);

#endif /* _NPU_CTX_H_ */
