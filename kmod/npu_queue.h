/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's queue: submissions in, two ops on the engine, fences out.
 */
#ifndef _NPU_QUEUE_H_
#define _NPU_QUEUE_H_

#include <linux/dma-fence.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "npu_hw.h"

struct npu_device;
struct npu_job;

/*
 * Submissions in the queue at a time, through each of the two ways into it. One runs and one is
 * fetched; the others cover the time the scheduler's thread takes to wake up. More would make a
 * high priority wait for longer.
 */
#define NPU_QUEUE_DEPTH 4

/**
 * struct npu_slot - an op that sits in a register group
 * @op: The op.
 * @job: The submission it belongs to.
 * @group: Register group.
 * @enabled: It may run; a slot that is not enabled waits for the other one's result.
 * @ready: When it was enabled.
 */
struct npu_slot {
	const struct npu_op *op;
	struct npu_job *job;
	unsigned int group;
	bool enabled;
	ktime_t ready;
};

/**
 * struct npu_queue - what the engine has to do
 * @lock: Protects everything here and the engine's registers while it runs. Taken in the
 *	interrupt handler.
 * @jobs: Submissions in the order in which they run and end, each with a reference.
 * @taken: Submissions in @jobs, and places there that were reserved.
 * @announced: Submissions that are armed and come through the scheduler.
 * @slot: Ops in the engine, the older one first.
 * @filled: Used entries of @slot.
 * @stopped: The engine may not be touched: a reset is under way, it has no power, or @error is set.
 * @paused: No op may be given to the engine: the system sleeps, or is about to.
 * @error: 0, -EIO once the device is wedged, -ENODEV once it is gone. Never cleared, and looked at
 *	without @lock, too.
 * @last_done: When the last op ended.
 * @deadline: When slot 0 counts as hung.
 * @progress: Engine progress seen at the last expired deadline of slot 0.
 * @watchdog: Looks after @deadline. Armed once a busy period and then only when it expires, so
 *	that ops do not pay for a timer each.
 * @refresh: Resets an engine that is worn, while it is idle.
 * @drained: Woken when @filled becomes 0.
 * @resets: Hangs that were recovered.
 * @refreshes: Resets of an engine that was worn.
 * @lost_irqs: Ops that ended without an interrupt.
 */
struct npu_queue {
	spinlock_t lock; /* all of it */
	struct list_head jobs;
	unsigned int taken;
	unsigned int announced;
	struct npu_slot slot[NPU_HW_GROUPS];
	unsigned int filled;
	bool stopped;
	bool paused;
	int error;
	ktime_t last_done;
	ktime_t deadline;
	u32 progress;
	struct delayed_work watchdog;
	struct work_struct refresh;
	wait_queue_head_t drained;
	u64 resets;
	u64 refreshes;
	u64 lost_irqs;
};

void npu_queue_init(struct npu_device *npu);
int npu_queue_error(struct npu_device *npu);
struct dma_fence *npu_queue_dependency(struct npu_device *npu, struct dma_fence *fence);
bool npu_queue_reserve(struct npu_device *npu);
void npu_queue_announce(struct npu_device *npu, struct npu_job *job, struct dma_fence *scheduled);
void npu_queue_push(struct npu_device *npu, struct npu_job *job);
bool npu_queue_shutdown(struct npu_device *npu);
void npu_queue_stop(struct npu_device *npu);
void npu_queue_go(struct npu_device *npu);
void npu_queue_wedge(struct npu_device *npu);
void npu_queue_pause(struct npu_device *npu);
void npu_queue_unpause(struct npu_device *npu);
irqreturn_t npu_queue_irq(int irq, void *data);

/* What the watchdog does with it. */
bool npu_queue_collect(struct npu_device *npu, struct list_head *ended);
void npu_queue_set_deadline(struct npu_queue *q, ktime_t now);
void npu_queue_restart(struct npu_device *npu, struct list_head *ended);
void npu_queue_pin_memory(struct npu_queue *q);
void npu_queue_fail_all(struct npu_queue *q, int err, struct list_head *ended);
void npu_queue_signal(struct list_head *ended);

#endif /* _NPU_QUEUE_H_ */
