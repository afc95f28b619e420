// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a submission waits for and what it signals: syncobjs, which user space names, and the fences
 * of its BOs.
 */
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-resv.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <drm/drm_gem.h>
#include <drm/drm_syncobj.h>

#include "npu_drv.h"
#include "npu_job.h"
#include "npu_submit.h"

/**
 * struct npu_signal - a syncobj that will get the submission's fence
 * @syncobj: The syncobj.
 * @chain: Link for a timeline point, NULL for a binary one.
 * @point: The point.
 */
struct npu_signal {
	struct drm_syncobj *syncobj;
	struct dma_fence_chain *chain;
	u64 point;
};

static int add_dependency(struct npu_submission *sub, struct dma_fence *fence)
{
	struct dma_fence *before = npu_queue_dependency(sub->npu, fence);
	int err;

	if (!before)
		return 0;
	err = npu_sched_prepare(sub->job, sub->filp);
	if (err) {
		dma_fence_put(before);
		return err;
	}
	return drm_sched_job_add_dependency(&sub->job->base, before);
}

/*
 * A point of a timeline comes as a chain of fences, of which some may be our own. Nothing limits
 * its length but the memory of who made it.
 */
static int add_wait(struct npu_submission *sub, const struct drm_npu_sync *sync)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *all, *fence;
	int err = drm_syncobj_find_fence(sub->filp, sync->handle, sync->point, 0, &all);

	if (err)
		return err;
	dma_fence_unwrap_for_each(fence, &cursor, all) {
		err = fatal_signal_pending(current) ? -EINTR : add_dependency(sub, fence);
		if (err) {
			dma_fence_put(cursor.chain);
			break;
		}
		cond_resched();
	}
	dma_fence_put(all);
	return err;
}

static int add_signal(struct npu_submission *sub, const struct drm_npu_sync *sync)
{
	struct npu_signal *signal = &sub->signals[sub->n_signals];

	signal->syncobj = drm_syncobj_find(sub->filp, sync->handle);
	if (!signal->syncobj)
		return -ENOENT;
	sub->n_signals++;
	signal->point = sync->point;
	if (sync->point) {
		signal->chain = dma_fence_chain_alloc();
		if (!signal->chain)
			return -ENOMEM;
	}
	return 0;
}

/**
 * npu_sync_add - look up the syncobjs that user space named
 * @sub: The submission.
 * @array: Of struct drm_npu_sync.
 *
 * Return: 0 or a negative errno.
 */
int npu_sync_add(struct npu_submission *sub, const struct drm_npu_array *array)
{
	struct drm_npu_sync sync;
	u32 i;
	int err;

	if (!array->count)
		return 0;
	sub->signals = kcalloc(array->count, sizeof(*sub->signals), GFP_KERNEL_ACCOUNT);
	if (!sub->signals)
		return -ENOMEM;
	for (i = 0; i < array->count; i++) {
		err = npu_submit_copy(&sync, sizeof(sync), array, i);
		if (err)
			return err;
		if (sync.flags == DRM_NPU_SYNC_WAIT)
			err = add_wait(sub, &sync);
		else if (sync.flags == DRM_NPU_SYNC_SIGNAL)
			err = add_signal(sub, &sync);
		else
			err = -EINVAL;
		if (err)
			return err;
	}
	return 0;
}

static int add_fences_of(struct npu_submission *sub, struct dma_resv *resv, bool write)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int err;

	dma_resv_for_each_fence(&cursor, resv, dma_resv_usage_rw(write), fence) {
		err = add_dependency(sub, fence);
		if (err)
			return err;
	}
	return dma_resv_reserve_fences(resv, 1);
}

/**
 * npu_sync_add_implicit - wait for what is done to the BOs, and make room for one fence more
 * @sub: The submission, its BOs locked.
 *
 * Return: 0 or a negative errno.
 */
int npu_sync_add_implicit(struct npu_submission *sub)
{
	struct npu_job *job = sub->job;
	unsigned int i;
	int err;

	for (i = 0; i < job->n_bos; i++) {
		err = add_fences_of(sub, job->bos[i]->resv, job->written[i]);
		if (err)
			return err;
	}
	return 0;
}

/**
 * npu_sync_publish - let others wait for the submission
 * @sub: The submission, its BOs locked.
 * @fence: Its fence.
 */
void npu_sync_publish(struct npu_submission *sub, struct dma_fence *fence)
{
	struct npu_job *job = sub->job;
	struct npu_signal *signal;
	unsigned int i;

	for (i = 0; i < job->n_bos; i++)
		dma_resv_add_fence(job->bos[i]->resv, fence,
				   job->written[i] ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);
	for (i = 0; i < sub->n_signals; i++) {
		signal = &sub->signals[i];
		if (signal->chain)
			drm_syncobj_add_point(signal->syncobj, signal->chain, fence, signal->point);
		else
			drm_syncobj_replace_fence(signal->syncobj, fence);
		signal->chain = NULL;
	}
}

/**
 * npu_sync_fini - give back what was not published
 * @sub: The submission.
 */
void npu_sync_fini(struct npu_submission *sub)
{
	unsigned int i;

	for (i = 0; i < sub->n_signals; i++) {
		dma_fence_chain_free(sub->signals[i].chain);
		drm_syncobj_put(sub->signals[i].syncobj);
	}
	kfree(sub->signals);
}
