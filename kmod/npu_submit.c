// SPDX-License-Identifier: GPL-2.0-only
/*
 * SUBMIT: everything that can fail happens before the submission is armed, everything user space
 * says is copied once and judged from the copy.
 *
 * DOC: Two ways to the queue
 *
 * A submission that has to wait for something, or that finds others waiting, goes through the DRM
 * scheduler, whose thread hands it over when its turn has come. One that has to wait for nothing
 * and finds room in the queue is put there by the ioctl: the scheduler could decide nothing else,
 * and waking its thread costs more than all the rest. The queue runs in order, so what is in it
 * already is nothing to wait for either.
 */
#include <linux/math64.h>
#include <linux/uaccess.h>

#include "npu_ctx.h"
#include "npu_drv.h"
#include "npu_file.h"
#include "npu_gem.h"
#include "npu_job.h"
#include "npu_perfmon.h"
#include "npu_pm.h"
#include "npu_submit.h"
#include "npu_trace.h"

/*
 * Budget of an op: what the engine needs at best, times a generous factor for slow memory, never
 * under the floor, which is a module parameter, and never above the ceiling, so that a hang ends in
 * a time a person waits for.
 */
#define NPU_BUDGET_SLACK 16
#define NPU_BUDGET_CEILING_NS (60ULL * NSEC_PER_SEC)
#define NPU_BUDGET_CLOCK_HZ 10000000 /* where the kernel does not know the clock: a slow FPGA */

/**
 * npu_submit_copy - copy an element of a user array, whatever its idea of the element's size
 * @dst: Receives it.
 * @size: Size as this driver knows it.
 * @array: The array.
 * @index: Which element.
 *
 * Return: 0 or a negative errno.
 */
int npu_submit_copy(void *dst, size_t size, const struct drm_npu_array *array, u32 index)
{
	u64 at = array->pointer + (u64)index * array->stride;

	if (at < array->pointer)
		return -EFAULT;
	return copy_struct_from_user(dst, size, u64_to_user_ptr(at), array->stride);
}

static int check_array(const struct drm_npu_array *array, u32 max)
{
	if (array->count > max || array->stride > PAGE_SIZE)
		return -E2BIG;
	if (array->count && (!array->stride || array->stride % sizeof(u64)))
		return -EINVAL;
	return 0;
}

/* Adds a BO to those of the submission, where each object is only once: it is locked once. */
static int add_bo(struct npu_submission *sub, u32 handle, unsigned int *index)
{
	struct npu_job *job = sub->job;
	struct drm_gem_object *obj = drm_gem_object_lookup(sub->filp, handle);
	unsigned int i;

	if (!obj)
		return -ENOENT;
	for (i = 0; i < job->n_bos && job->bos[i] != obj; i++)
		;
	if (i < job->n_bos)
		drm_gem_object_put(obj);
	else
		job->bos[job->n_bos++] = obj;
	*index = i;
	return 0;
}

static int find_bo(struct npu_submission *sub, u32 handle, enum npu_operand operand,
		   struct npu_bo **bo)
{
	struct npu_known_bo *known = &sub->known[operand];
	struct npu_job *job = sub->job;
	int err;

	if (handle != known->handle || !handle) {
		err = add_bo(sub, handle, &known->index);
		if (err)
			return err;
		known->handle = handle;
	}
	job->written[known->index] |= operand == NPU_OPERAND_C;
	*bo = to_npu_bo(job->bos[known->index]);
	return 0;
}

static bool op_overwrites_operand(const struct npu_op *op)
{
	const dma_addr_t c = op->addr[NPU_OPERAND_C];
	const u64 c_bytes = op->plan.extent[NPU_OPERAND_C].bytes;
	unsigned int i;

	for (i = 0; i < NPU_OPERANDS; i++)
		if (i != NPU_OPERAND_C && op->addr[i] < c + c_bytes &&
		    c < op->addr[i] + op->plan.extent[i].bytes)
			return true;
	return false;
}

/* From (handle, offset) to bus addresses. */
static int resolve_operands(struct npu_submission *sub, struct npu_op *op)
{
	const u32 handle[NPU_OPERANDS] = {
		[NPU_OPERAND_A] = op->job.a.handle,
		[NPU_OPERAND_W] = op->job.w.handle,
		[NPU_OPERAND_C] = op->job.c.handle,
		[NPU_OPERAND_X1] = op->job.x1.operand.handle,
		[NPU_OPERAND_X2] = op->job.x2.operand.handle,
	};
	struct npu_bo *bo;
	unsigned int i;
	int err;

	for (i = 0; i < NPU_OPERANDS; i++) {
		const struct npu_extent *extent = &op->plan.extent[i];

		if (!extent->bytes)
			continue;
		err = find_bo(sub, handle[i], i, &bo);
		if (err)
			return err;
		if (extent->offset + extent->bytes > bo->base.size)
			return -EINVAL;
		op->addr[i] = bo->dma_addr + extent->offset;
	}
	return op_overwrites_operand(op) ? -EINVAL : 0;
}

static u64 op_budget_ns(struct npu_device *npu, const struct npu_matmul_plan *plan)
{
	const struct drm_npu_matmul_limits *lim = npu->hw->matmul;
	u64 hz = npu->clock_hz ?: NPU_BUDGET_CLOCK_HZ;
	u64 floor =
		min(READ_ONCE(npu_timeout_floor_ms) * (u64)NSEC_PER_MSEC, NPU_BUDGET_CEILING_NS);
	u64 cycles, ns;

	cycles = max(div_u64(plan->macs, lim->mac_channels * lim->mac_kernels),
		     div_u64(plan->bytes, lim->bus_bytes));
	ns = mul_u64_u64_div_u64(cycles * NPU_BUDGET_SLACK, NSEC_PER_SEC, hz);
	return npu_scale_timeout(clamp(ns, floor, NPU_BUDGET_CEILING_NS));
}

static int copy_ops(struct npu_submission *sub, struct drm_npu_submit *args)
{
	struct npu_job *job = sub->job;
	struct npu_op *op;
	u32 i;
	int err;

	for (i = 0; i < args->jobs.count; i++) {
		op = &job->ops[i];
		err = npu_submit_copy(&op->job, sizeof(op->job), &args->jobs, i);
		if (!err)
			err = npu_validate_matmul(sub->npu->hw->matmul, &op->job, &op->plan);
		if (err) {
			args->fail_index = i;
			return err;
		}
		op->budget_ns = op_budget_ns(sub->npu, &op->plan);
		op->counted = job->perfmon;
	}
	return 0;
}

static int resolve_ops(struct npu_submission *sub, struct drm_npu_submit *args)
{
	struct npu_op *op;
	u32 i;
	int err;

	for (i = 0; i < args->jobs.count; i++) {
		op = &sub->job->ops[i];
		err = resolve_operands(sub, op);
		if (err) {
			args->fail_index = i;
			return err;
		}
		if (i)
			npu_reuse_plan(sub->npu->hw->matmul, op - 1, op);
	}
	return 0;
}

/* Arms the submission, after which nothing can fail. The fences of a context are in order. */
static int push_job(struct npu_submission *sub)
{
	struct npu_job *job = sub->job;
	struct npu_ctx *ctx = job->ctx;
	int err = 0;

	mutex_lock(&ctx->submit_lock);
	if (job->scheduled || !npu_queue_reserve(sub->npu))
		err = npu_sched_prepare(job, sub->filp);
	if (!err) {
		npu_fence_init(job->fence, ctx->fence_context, ++ctx->seqno);
		if (job->scheduled)
			npu_sched_arm(job);
		trace_npu_submit(job);
		npu_sync_publish(sub, &job->fence->base);
		if (job->scheduled)
			npu_sched_push(job);
		else
			npu_queue_push(sub->npu, job);
	}
	mutex_unlock(&ctx->submit_lock);
	return err;
}

static int lock_and_push(struct npu_submission *sub)
{
	struct npu_job *job = sub->job;
	struct ww_acquire_ctx acquire;
	int err;

	err = drm_gem_lock_reservations(job->bos, job->n_bos, &acquire);
	if (err)
		return err;
	err = npu_sync_add_implicit(sub);
	if (!err)
		err = push_job(sub);
	drm_gem_unlock_reservations(job->bos, job->n_bos, &acquire);
	return err;
}

/*
 * All that is read from user space. Memory there may be of a file system that does not answer, and
 * the unbind of a device, of any DRM device, waits for whoever is between drm_dev_enter() and
 * drm_dev_exit().
 */
static int copy_job(struct npu_submission *sub, struct drm_npu_submit *args)
{
	struct npu_job *job = sub->job;
	int err;

	if (args->perfmon) {
		job->perfmon = npu_perfmon_get(job->ctx->file, args->perfmon);
		if (!job->perfmon)
			return -ENOENT;
	}
	err = copy_ops(sub, args);
	return err ?: npu_sync_add(sub, &args->syncs);
}

/* drm_dev_enter() holds: addresses mean something. */
static int submit_job(struct npu_submission *sub, struct drm_npu_submit *args)
{
	struct npu_job *job = sub->job;
	int err;

	err = resolve_ops(sub, args);
	if (!err)
		err = npu_quota_take(job->ctx->file, NPU_QUOTA_JOBS, job->n_ops);
	if (err)
		return err;
	/* npu_job_end() puts it and counts the jobs out. */
	err = npu_pm_get(sub->npu);
	if (err)
		goto count_out;
	err = lock_and_push(sub);
	if (!err)
		return 0;
	npu_pm_put(sub->npu);
count_out:
	npu_quota_give(job->ctx->file, NPU_QUOTA_JOBS, job->n_ops);
	return err;
}

static int copy_and_submit(struct npu_submission *sub, struct drm_npu_submit *args)
{
	int idx, err = copy_job(sub, args);

	if (!err && drm_dev_enter(&sub->npu->drm, &idx)) {
		err = submit_job(sub, args);
		drm_dev_exit(idx);
	} else if (!err) {
		err = -ENODEV;
	}
	if (err && sub->job->scheduled)
		drm_sched_job_cleanup(&sub->job->base);
	return err;
}

/**
 * npu_ioctl_submit - DRM_IOCTL_NPU_SUBMIT
 * @drm: The device.
 * @data: struct drm_npu_submit.
 * @filp: The file.
 *
 * Return: 0 or a negative errno.
 */
int npu_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *filp)
{
	struct drm_npu_submit *args = data;
	struct npu_submission sub = { .npu = to_npu(drm), .filp = filp };
	struct npu_ctx *ctx;
	int err;

	args->fail_index = ~0U;
	if (args->flags || !args->jobs.count)
		return -EINVAL;
	err = check_array(&args->jobs, NPU_MAX_JOBS);
	if (!err)
		err = check_array(&args->syncs, NPU_MAX_SYNCS);
	if (!err)
		err = npu_queue_error(sub.npu);
	if (err)
		return err;
	ctx = npu_ctx_get(filp->driver_priv, args->ctx);
	if (!ctx)
		return -ENOENT;
	sub.job = npu_job_new(ctx, args->jobs.count);
	if (!sub.job)
		return -ENOMEM;

	err = copy_and_submit(&sub, args);
	npu_sync_fini(&sub);
	npu_job_put(sub.job);
	return err;
}
