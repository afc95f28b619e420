/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fences of submissions.
 */
#ifndef _NPU_FENCE_H_
#define _NPU_FENCE_H_

#include <linux/dma-fence.h>
#include <linux/spinlock.h>

struct npu_device;
struct npu_queue;

/**
 * struct npu_fence - signals when a submission has ended
 * @base: Base; initialised when the submission is armed.
 * @lock: Its lock; inside, because a fence may outlive the device.
 * @queue: The queue that the submission goes to. Compared, never followed.
 * @scheduled: Signals when the scheduler has let the submission go to the queue; NULL when it is
 *	there, or goes there without the scheduler. Protected by npu_queue.lock.
 * @queued: The submission is in the queue. Protected by npu_queue.lock.
 */
struct npu_fence {
	struct dma_fence base;
	spinlock_t lock; /* of base */
	const struct npu_queue *queue;
	struct dma_fence *scheduled;
	bool queued;
};

struct npu_fence *npu_fence_alloc(struct npu_device *npu);
void npu_fence_init(struct npu_fence *fence, u64 context, u64 seqno);
void npu_fence_put(struct npu_fence *fence);
struct npu_fence *to_npu_fence(struct dma_fence *fence);

#endif /* _NPU_FENCE_H_ */
