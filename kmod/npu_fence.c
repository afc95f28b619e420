// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fences of submissions.
 *
 * DOC: Fences
 *
 * What the world sees is a fence of our own, one timeline for each context, signalled by the queue.
 * The scheduler's fences stay inside: they name the scheduler, which is gone when somebody looks at
 * a sync_file long after the device was unbound. A fence of our own needs nothing but the text of
 * this module, so it holds the module.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "npu_drv.h"
#include "npu_fence.h"

static const char *npu_fence_name(struct dma_fence *fence)
{
	return "npu";
}

/* rcu_barrier() at the end of the module waits until this function is left. */
static void npu_fence_free(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct npu_fence, base.rcu));
	module_put(THIS_MODULE);
}

static void npu_fence_release(struct dma_fence *base)
{
	call_rcu(&base->rcu, npu_fence_free);
}

static const struct dma_fence_ops npu_fence_ops = {
	.get_driver_name = npu_fence_name,
	.get_timeline_name = npu_fence_name,
	.release = npu_fence_release,
};

/**
 * npu_fence_alloc - make a fence that is not yet one
 * @npu: The device.
 *
 * Return: The fence, for npu_fence_init() or npu_fence_put(), or NULL.
 */
struct npu_fence *npu_fence_alloc(struct npu_device *npu)
{
	struct npu_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL_ACCOUNT);

	if (!fence)
		return NULL;
	spin_lock_init(&fence->lock);
	fence->queue = &npu->queue;
	/* The caller is in an ioctl, whose open file holds the module. */
	__module_get(THIS_MODULE);
	return fence;
}

/**
 * npu_fence_init - from here on it is a fence, with one reference
 * @fence: The fence.
 * @context: Timeline.
 * @seqno: Place on it.
 */
void npu_fence_init(struct npu_fence *fence, u64 context, u64 seqno)
{
	dma_fence_init(&fence->base, &npu_fence_ops, &fence->lock, context, seqno);
}

/**
 * npu_fence_put - drop the reference, or undo the allocation
 * @fence: The fence, or NULL.
 */
void npu_fence_put(struct npu_fence *fence)
{
	if (!fence)
		return;
	if (kref_read(&fence->base.refcount))
		dma_fence_put(&fence->base);
	else
		npu_fence_free(&fence->base.rcu);
}

/**
 * to_npu_fence - our own ones among fences
 * @fence: Any fence.
 *
 * Return: The fence, or NULL if it is another driver's.
 */
struct npu_fence *to_npu_fence(struct dma_fence *fence)
{
	return npu_compat_fence_ops(fence) == &npu_fence_ops
		       ? container_of(fence, struct npu_fence, base)
		       : NULL;
}
