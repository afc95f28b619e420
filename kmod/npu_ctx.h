/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Contexts.
 */
#ifndef _NPU_CTX_H_
#define _NPU_CTX_H_

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "npu_compat.h"

struct npu_file;

/**
 * struct npu_ctx - a queue of submissions
 * @refs: One for the id, one for each submission.
 * @file: File it belongs to.
 * @id: Its id there.
 * @entity: Its queue in the scheduler. Destroyed with the last reference, when the queue is empty:
 *	nothing is ever killed from it, so each submission there gets to npu_sched_run_job().
 * @submit_lock: Held from arming a submission to pushing it, to keep fences in order.
 * @fence_context: Timeline of its fences.
 * @seqno: Of the last of them.
 * @release: Destroys @entity, which may sleep.
 * @closed: Id or file are gone: what the engine has not begun ends with -ECANCELED. Goes from false
 *	to true, and has no lock.
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
	u32 id;
	struct drm_sched_entity entity;
	struct mutex submit_lock; /* arm to push, seqno */
	u64 fence_context;
	u64 seqno;
	struct work_struct release;
	bool closed;

	spinlock_t stat_lock; /* what follows */
	int last_error;
	u64 submits_done;
	u64 submits_failed;
	u64 jobs_done;
	u64 engine_ns;
};

int npu_ctx_open(struct npu_file *file);
void npu_ctx_close_all(struct npu_file *file);

struct npu_ctx *npu_ctx_get(struct npu_file *file, u32 id);
void npu_ctx_put(struct npu_ctx *ctx);
void npu_ctx_job_done(struct npu_ctx *ctx, u64 engine_ns);
void npu_ctx_submit_done(struct npu_ctx *ctx, int err);

int npu_ioctl_ctx_create(struct drm_device *drm, void *data, struct drm_file *filp);
int npu_ioctl_ctx_destroy(struct drm_device *drm, void *data, struct drm_file *filp);
int npu_ioctl_ctx_state(struct drm_device *drm, void *data, struct drm_file *filp);

#endif /* _NPU_CTX_H_ */
