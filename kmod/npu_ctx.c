// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts.
 *
 * Lifetimes: a submission holds its context, a context its file. When the last of them is done the
 * context's scheduler entity is destroyed from a work item, because the last reference may go in
 * the scheduler's own thread or in an interrupt. The device waits for all contexts before it goes.
 */
#include <linux/capability.h>
#include <linux/slab.h>

#include "npu_ctx.h"
#include "npu_drv.h"
#include "npu_file.h"

static void npu_ctx_release_work(struct work_struct *work)
{
	struct npu_ctx *ctx = container_of(work, struct npu_ctx, release);
	struct npu_device *npu = ctx->file->npu;

	drm_sched_entity_destroy(&ctx->entity);
	mutex_destroy(&ctx->submit_lock);
	npu_file_put(ctx->file);
	kfree(ctx);
	if (atomic_dec_and_test(&npu->live_ctxs))
		wake_up(&npu->ctx_gone);
}

static void npu_ctx_release(struct kref *refs)
{
	struct npu_ctx *ctx = container_of(refs, struct npu_ctx, refs);

	queue_work(ctx->file->npu->release_wq, &ctx->release);
}

/**
 * npu_ctx_put - drop a reference
 * @ctx: The context.
 */
void npu_ctx_put(struct npu_ctx *ctx)
{
	kref_put(&ctx->refs, npu_ctx_release);
}

/**
 * npu_ctx_get - look a context up
 * @file: The file.
 * @id: The context.
 *
 * Return: The context with a reference, or NULL.
 */
struct npu_ctx *npu_ctx_get(struct npu_file *file, u32 id)
{
	struct npu_ctx *ctx;

	xa_lock(&file->ctxs);
	ctx = xa_load(&file->ctxs, id);
	if (ctx)
		kref_get(&ctx->refs);
	xa_unlock(&file->ctxs);
	return ctx;
}

/**
 * npu_ctx_job_done - count a job the engine completed
 * @ctx: The context it ran in.
 * @engine_ns: Time the engine spent on it.
 */
void npu_ctx_job_done(struct npu_ctx *ctx, u64 engine_ns)
{
	unsigned long flags;

	spin_lock_irqsave(&ctx->stat_lock, flags);
	ctx->jobs_done++;
	ctx->engine_ns += engine_ns;
	spin_unlock_irqrestore(&ctx->stat_lock, flags);
	atomic64_add(engine_ns, &ctx->file->engine_ns);
}

/**
 * npu_ctx_submit_done - count a submission that has ended
 * @ctx: The context it belongs to.
 * @err: Its outcome, 0 or a negative errno.
 */
void npu_ctx_submit_done(struct npu_ctx *ctx, int err)
{
	unsigned long flags;

	spin_lock_irqsave(&ctx->stat_lock, flags);
	ctx->submits_done++;
	if (err) {
		ctx->submits_failed++;
		ctx->last_error = -err;
	}
	spin_unlock_irqrestore(&ctx->stat_lock, flags);
}

static struct npu_ctx *npu_ctx_new(struct npu_file *file, enum drm_sched_priority priority)
{
	struct drm_gpu_scheduler *sched = &file->npu->sched;
	struct npu_ctx *ctx;
	int err;

	err = npu_quota_take(file, NPU_QUOTA_CTXS, 1);
	if (err)
		return ERR_PTR(err);
	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	err = ctx ? drm_sched_entity_init(&ctx->entity, priority, &sched, 1, NULL) : -ENOMEM;
	if (err) {
		kfree(ctx);
		npu_quota_give(file, NPU_QUOTA_CTXS, 1);
		return ERR_PTR(err);
	}
	kref_init(&ctx->refs);
	mutex_init(&ctx->submit_lock);
	ctx->fence_context = dma_fence_context_alloc(1);
	spin_lock_init(&ctx->stat_lock);
	INIT_WORK(&ctx->release, npu_ctx_release_work);
	ctx->file = file;
	npu_file_get(file);
	atomic_inc(&file->npu->live_ctxs);
	return ctx;
}

static void npu_ctx_close(struct npu_ctx *ctx)
{
	WRITE_ONCE(ctx->closed, true);
	npu_quota_give(ctx->file, NPU_QUOTA_CTXS, 1);
	npu_ctx_put(ctx);
}

/**
 * npu_ctx_open - make the context that a file is born with
 * @file: The file.
 *
 * Return: 0 or a negative errno.
 */
int npu_ctx_open(struct npu_file *file)
{
	struct npu_ctx *ctx = npu_ctx_new(file, DRM_SCHED_PRIORITY_NORMAL);
	int err;

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	err = xa_insert(&file->ctxs, 0, ctx, GFP_KERNEL_ACCOUNT);
	if (err)
		npu_ctx_close(ctx);
	return err;
}

/**
 * npu_ctx_close_all - close the contexts of a file that nobody has open any more
 * @file: The file.
 */
void npu_ctx_close_all(struct npu_file *file)
{
	struct npu_ctx *ctx;
	unsigned long id;

	xa_for_each(&file->ctxs, id, ctx) {
		xa_erase(&file->ctxs, id);
		npu_ctx_close(ctx);
	}
}

/**
 * npu_ioctl_ctx_create - DRM_IOCTL_NPU_CTX_CREATE
 * @drm: The device.
 * @data: struct drm_npu_ctx_create.
 * @filp: The file.
 *
 * Return: 0 or a negative errno.
 */
int npu_ioctl_ctx_create(struct drm_device *drm, void *data, struct drm_file *filp)
{
	struct drm_npu_ctx_create *args = data;
	struct npu_file *file = filp->driver_priv;
	enum drm_sched_priority priority = DRM_SCHED_PRIORITY_NORMAL;
	struct npu_ctx *ctx;
	int err;

	if (args->flags || args->pad)
		return -EINVAL;
	switch (args->priority) {
	case DRM_NPU_PRIORITY_LOW:
		priority = NPU_SCHED_PRIORITY_LOW;
		break;
	case DRM_NPU_PRIORITY_NORMAL:
		break;
	case DRM_NPU_PRIORITY_HIGH:
		if (!capable(CAP_SYS_NICE))
			return -EACCES;
		priority = DRM_SCHED_PRIORITY_HIGH;
		break;
	default:
		return -EINVAL;
	}

	ctx = npu_ctx_new(file, priority);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	/* Another thread may destroy it as soon as it has an id. */
	kref_get(&ctx->refs);
	err = xa_alloc(&file->ctxs, &ctx->id, ctx, XA_LIMIT(1, NPU_MAX_CTXS - 1),
		       GFP_KERNEL_ACCOUNT);
	if (err)
		npu_ctx_close(ctx);
	else
		args->id = ctx->id;
	npu_ctx_put(ctx);
	return err;
}

/**
 * npu_ioctl_ctx_destroy - DRM_IOCTL_NPU_CTX_DESTROY
 * @drm: The device.
 * @data: struct drm_npu_ctx_destroy.
 * @filp: The file.
 *
 * Return: 0 or a negative errno.
 */
int npu_ioctl_ctx_destroy(struct drm_device *drm, void *data, struct drm_file *filp)
{
	struct drm_npu_ctx_destroy *args = data;
	struct npu_file *file = filp->driver_priv;
	struct npu_ctx *ctx;

	if (args->pad || !args->id)
		return -EINVAL;
	ctx = xa_erase(&file->ctxs, args->id);
	if (!ctx)
		return -ENOENT;
	npu_ctx_close(ctx);
	return 0;
}

/**
 * npu_ioctl_ctx_state - DRM_IOCTL_NPU_CTX_STATE
 * @drm: The device.
 * @data: struct drm_npu_ctx_state.
 * @filp: The file.
 *
 * Return: 0 or a negative errno.
 */
int npu_ioctl_ctx_state(struct drm_device *drm, void *data, struct drm_file *filp)
{
	struct drm_npu_ctx_state *args = data;
	struct npu_ctx *ctx = npu_ctx_get(filp->driver_priv, args->id);

	if (!ctx)
		return -ENOENT;
	spin_lock_irq(&ctx->stat_lock);
	args->last_error = ctx->last_error;
	args->submits_done = ctx->submits_done;
	args->submits_failed = ctx->submits_failed;
	args->jobs_done = ctx->jobs_done;
	args->engine_ns = ctx->engine_ns;
	spin_unlock_irq(&ctx->stat_lock);
	npu_ctx_put(ctx);
	return 0;
}
