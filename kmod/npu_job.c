// SPDX-License-Identifier: GPL-2.0-only
/*
 * Submissions: what one holds, and how it lets go of it.
 */
#include <linux/refcount.h>
#include <linux/slab.h>

#include "npu_ctx.h"
#include "npu_drv.h"
#include "npu_file.h"
#include "npu_gem.h"
#include "npu_job.h"
#include "npu_perfmon.h"
#include "npu_pm.h"

static void npu_job_free(struct npu_job *job)
{
	npu_fence_put(job->fence);
	if (job->perfmon)
		npu_perfmon_put(job->perfmon);
	npu_ctx_put(job->ctx);
	kvfree(job);
}

static void npu_job_release_work(struct work_struct *work)
{
	struct npu_job *job = container_of(work, struct npu_job, release);
	unsigned int i;

	for (i = 0; i < job->n_bos; i++)
		drm_gem_object_put(job->bos[i]);
	npu_job_free(job);
}

/*
 * The last reference goes in the interrupt handler as a rule. To free a BO sleeps, but a BO that
 * somebody else still has is only counted down, and then there is no need for a work item.
 */
static void npu_job_release(struct kref *refs)
{
	struct npu_job *job = container_of(refs, struct npu_job, refs);
	unsigned int i, kept = 0;

	for (i = 0; i < job->n_bos; i++)
		if (!refcount_dec_not_one(&job->bos[i]->refcount.refcount))
			job->bos[kept++] = job->bos[i];
	job->n_bos = kept;
	if (kept)
		queue_work(job->ctx->file->npu->release_wq, &job->release);
	else
		npu_job_free(job);
}

/**
 * npu_job_new - make a submission
 * @ctx: Its context; the submission takes over the caller's reference, also when this fails.
 * @n_ops: Jobs it will have.
 *
 * Return: The submission with a reference, or NULL.
 */
struct npu_job *npu_job_new(struct npu_ctx *ctx, u32 n_ops)
{
	const size_t max_bos = (size_t)n_ops * NPU_OPERANDS;
	struct npu_job *job;
	size_t size = struct_size(job, ops, n_ops);

	/* One allocation: what each of them costs is felt in a small job. */
	job = kvzalloc(size + max_bos * (sizeof(*job->bos) + sizeof(*job->written)),
		       GFP_KERNEL_ACCOUNT);
	if (!job) {
		npu_ctx_put(ctx);
		return NULL;
	}
	kref_init(&job->refs);
	INIT_LIST_HEAD(&job->link);
	INIT_WORK(&job->release, npu_job_release_work);
	job->ctx = ctx;
	job->n_ops = n_ops;
	job->n_run = n_ops;
	job->bos = (void *)job + size;
	job->written = (u8 *)&job->bos[max_bos];
	job->fence = npu_fence_alloc(ctx->file->npu);
	if (!job->fence) {
		npu_job_put(job);
		return NULL;
	}
	return job;
}

/**
 * npu_job_get - take a reference
 * @job: The submission.
 */
void npu_job_get(struct npu_job *job)
{
	kref_get(&job->refs);
}

/**
 * npu_job_put - drop a reference
 * @job: The submission.
 */
void npu_job_put(struct npu_job *job)
{
	kref_put(&job->refs, npu_job_release);
}

/**
 * npu_job_end - book the outcome and signal it
 * @job: The submission, its outcome in npu_job.error. No lock is held: a fence runs callbacks of
 *	others.
 */
void npu_job_end(struct npu_job *job)
{
	struct npu_ctx *ctx = job->ctx;

	/* First: whoever waits for the fence finds the numbers up to date. */
	npu_ctx_submit_done(ctx, job->error);
	npu_quota_give(ctx->file, NPU_QUOTA_JOBS, job->n_ops);
	npu_pm_put(ctx->file->npu);
	if (job->error)
		dma_fence_set_error(&job->fence->base, job->error);
	dma_fence_signal(&job->fence->base);
}

/**
 * npu_job_pin_memory - never give the memory of a submission back
 * @job: The submission, whose ops may still write although the driver gave up on them.
 */
void npu_job_pin_memory(struct npu_job *job)
{
	unsigned int i;

	for (i = 0; i < job->n_bos; i++)
		WRITE_ONCE(to_npu_bo(job->bos[i])->pinned, true);
}
