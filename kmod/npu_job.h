/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A submission: what the ioctl made of it, until nobody needs it any more.
 */
#ifndef _NPU_JOB_H_
#define _NPU_JOB_H_

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/workqueue.h>

#include "npu_compat.h"
#include "npu_fence.h"
#include "npu_hw.h"

struct npu_ctx;
struct npu_perfmon;

/**
 * struct npu_job - one SUBMIT
 * @base: Base, for a submission that takes the way through the scheduler.
 * @scheduled: It takes that way.
 * @refs: One for the ioctl while it runs, one for the scheduler, one for the queue.
 * @release: Gives back what cannot be given back in an interrupt.
 * @ctx: Context it runs in.
 * @perfmon: What its jobs are counted into, or NULL.
 * @fence: Signals when it has ended.
 * @bos: BOs it uses, each once, with a reference.
 * @written: For each of @bos, whether a job writes it.
 * @n_bos: Number of @bos.
 * @n_ops: Number of @ops.
 * @link: In npu_queue.jobs. This and what follows is protected by npu_queue.lock.
 * @n_run: Ops that are to run, the first ones: fewer than @n_ops when the rest is cancelled.
 * @n_fed: Ops given to the engine, and, as @n_done, of no meaning beyond @n_run.
 * @n_done: Ops done.
 * @error: Outcome, 0 or a negative errno.
 * @ops: The jobs, validated, in order.
 */
struct npu_job {
	struct drm_sched_job base;
	bool scheduled;
	struct kref refs;
	struct work_struct release;
	struct npu_ctx *ctx;
	struct npu_perfmon *perfmon;
	struct npu_fence *fence;
	struct drm_gem_object **bos;
	u8 *written;
	unsigned int n_bos;
	unsigned int n_ops;

	struct list_head link;
	unsigned int n_run;
	unsigned int n_fed;
	unsigned int n_done;
	int error;

	struct npu_op ops[];
};

static inline struct npu_job *to_npu_job(struct drm_sched_job *base)
{
	return container_of(base, struct npu_job, base);
}

struct npu_job *npu_job_new(struct npu_ctx *ctx, u32 n_ops);
void npu_job_get(struct npu_job *job);
void npu_job_put(struct npu_job *job);
void npu_job_end(struct npu_job *job);
void npu_job_pin_memory(struct npu_job *job);

int npu_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *filp);

#endif /* _NPU_JOB_H_ */
