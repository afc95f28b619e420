// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DRM scheduler between contexts and the engine's queue. It resolves dependencies and decides
 * whose submission comes next; time-outs are the queue's business, which knows each op's budget, so
 * the scheduler's own are off.
 */
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "npu_ctx.h"
#include "npu_drv.h"
#include "npu_file.h"
#include "npu_job.h"

/**
 * npu_sched_prepare - choose the way through the scheduler, unless it is chosen already
 * @job: The submission.
 * @filp: The file.
 *
 * Return: 0 or a negative errno.
 */
int npu_sched_prepare(struct npu_job *job, struct drm_file *filp)
{
	int err;

	if (job->scheduled)
		return 0;
	err = npu_compat_sched_job_init(&job->base, &job->ctx->entity, filp);
	if (!err)
		job->scheduled = true;
	return err;
}

/**
 * npu_sched_arm - let a submission take the way through the scheduler
 * @job: The submission, npu_ctx.submit_lock held, its fence initialised.
 */
void npu_sched_arm(struct npu_job *job)
{
	drm_sched_job_arm(&job->base);
	npu_queue_announce(job->ctx->file->npu, job, &job->base.s_fence->scheduled);
}

/**
 * npu_sched_push - give an armed submission to the scheduler
 * @job: The submission.
 */
void npu_sched_push(struct npu_job *job)
{
	npu_job_get(job);
	drm_sched_entity_push_job(&job->base);
}

static struct dma_fence *npu_sched_run_job(struct drm_sched_job *base)
{
	struct npu_job *job = to_npu_job(base);

	npu_queue_push(job->ctx->file->npu, job);
	/* The job keeps its reference, so the fence is there even if the job has ended by now. */
	return dma_fence_get(&job->fence->base);
}

static void npu_sched_free_job(struct drm_sched_job *base)
{
	drm_sched_job_cleanup(base);
	npu_job_put(to_npu_job(base));
}

static const struct drm_sched_backend_ops npu_sched_ops = {
	.run_job = npu_sched_run_job,
	.free_job = npu_sched_free_job,
};

static void sched_destroy_wqs(struct npu_device *npu)
{
	if (npu->release_wq)
		destroy_workqueue(npu->release_wq);
	if (npu->wq)
		destroy_workqueue(npu->wq);
}

/*
 * A work item that waits must not keep another one waiting that a fence depends on, as it might
 * when memory is short and one thread has to do all of a queue.
 */
static int sched_create_wqs(struct npu_device *npu)
{
	npu->wq = alloc_workqueue("npu", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	npu->release_wq = alloc_workqueue("npu-release", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (npu->wq && npu->release_wq)
		return 0;
	sched_destroy_wqs(npu);
	return -ENOMEM;
}

/*
 * The scheduler outlives unbind: files may still be open and submissions still wait for fences of
 * others. They drain through npu_queue_push(), which refuses them.
 */
static void npu_sched_release(struct drm_device *drm, void *data)
{
	struct npu_device *npu = to_npu(drm);

	wait_event(npu->ctx_gone, !atomic_read(&npu->live_ctxs));
	sched_destroy_wqs(npu);
	drm_sched_fini(&npu->sched);
}

/**
 * npu_sched_init - start the scheduler
 * @npu: The device; the scheduler ends with it.
 *
 * Return: 0 or a negative errno.
 */
int npu_sched_init(struct npu_device *npu)
{
	int err;

	init_waitqueue_head(&npu->ctx_gone);
	err = sched_create_wqs(npu);
	if (err)
		return err;
	err = npu_compat_sched_init(&npu->sched, &npu_sched_ops, NPU_QUEUE_DEPTH, npu->drm.dev);
	if (err) {
		sched_destroy_wqs(npu);
		return err;
	}
	return drmm_add_action_or_reset(&npu->drm, npu_sched_release, NULL);
}
