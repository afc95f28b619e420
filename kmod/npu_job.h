/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A submission: from the ioctl's copy to the armed scheduler job.
 */
#ifndef _NPU_JOB_H_
#define _NPU_JOB_H_

#include <linux/dma-fence.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/spinlock.h>

#include "npu_compat.h"
#include "npu_hw.h"

struct npu_ctx;
struct npu_device;
struct npu_perfmon;

/**
 * struct npu_fence - signals when the engine is through with a submission
 * @base: Base.
 * @lock: Its lock; inside, because a fence may outlive the device.
 */
struct npu_fence {
	struct dma_fence base;
	spinlock_t lock; /* of base */
};

/**
 * struct npu_job - one SUBMIT
 * @base: Base.
 * @refs: One for the scheduler, one for the ioctl while it runs.
 * @ctx: Context it runs in.
 * @perfmon: What its jobs are counted into, or NULL.
 * @fence: Hardware fence; initialised when the queue takes the submission.
 * @bos: BOs it uses, each once, with a reference.
 * @written: For each of @bos, whether a job writes it.
 * @n_bos: Number of @bos.
 * @n_ops: Number of @ops.
 * @link: In npu_queue.jobs. This and what follows is protected by npu_queue.lock.
 * @n_fed: Ops given to the engine.
 * @n_done: Ops done.
 * @error: Outcome, 0 or a negative errno.
 * @ops: The jobs, validated, in order.
 */
struct npu_job {
	struct drm_sched_job base;
	struct kref refs;
	struct npu_ctx *ctx;
	struct npu_perfmon *perfmon;
	struct npu_fence *fence;
	struct drm_gem_object **bos;
	u8 *written;
	unsigned int n_bos;
	unsigned int n_ops;

	struct list_head link;
	unsigned int n_fed;
	unsigned int n_done;
	int error;

	struct npu_op ops[];
};

static inline struct npu_job *to_npu_job(struct drm_sched_job *base)
{
	return container_of(base, struct npu_job, base);
}

int npu_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *filp);
void npu_job_put(struct npu_job *job);
void npu_job_end(struct npu_job *job, int err);
void npu_job_pin_memory(struct npu_job *job);

extern const struct dma_fence_ops npu_fence_ops;

#endif /* _NPU_JOB_H_ */
