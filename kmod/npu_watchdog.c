// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watchdog: resets an engine that hangs, and one that is going to.
 *
 * DOC: A hang
 *
 * An op has a time budget. The watchdog looks twice, at one half and at the whole of it: an op that
 * has ended without its interrupt is completed, an op that gets on is given time, anything else is
 * a hang. The engine is then reset, the submission whose op is the oldest fails with -ETIMEDOUT,
 * and the others start again at their first op that was not done: ops can be repeated because no op
 * overwrites its own operands. An engine that cannot be reset is wedged: everything fails with -EIO
 * from then on, and the memory its ops could still reach is never given back.
 *
 * DOC: Wear
 *
 * Some engines lose a little with each op and hang in the end. Their backend counts, and says when
 * an op must wait for a reset: the queue lets the engine end what it has, and a work item resets it
 * before the op is fed. No submission notices.
 */
#include <linux/interrupt.h>
#include <drm/drm_print.h>

#include "npu_drv.h"
#include "npu_job.h"
#include "npu_trace.h"
#include "npu_watchdog.h"

/**
 * npu_watchdog_arm - let it look when the deadline has passed
 * @npu: The device, its queue locked.
 */
void npu_watchdog_arm(struct npu_device *npu)
{
	struct npu_queue *q = &npu->queue;
	s64 left;

	lockdep_assert_held(&q->lock);
	if (!q->filled || q->error)
		return;
	left = ktime_to_ns(ktime_sub(q->deadline, ktime_get()));
	queue_delayed_work(npu->wq, &q->watchdog, left > 0 ? nsecs_to_jiffies(left) + 1 : 1);
}

static bool watchdog_late(struct npu_queue *q)
{
	return q->filled && !q->stopped && !q->error && ktime_after(ktime_get(), q->deadline);
}

/* The deadline passed and no handler is running. Is there a better explanation than a hang? */
static bool watchdog_excused(struct npu_device *npu, struct list_head *ended)
{
	struct npu_queue *q = &npu->queue;
	u32 progress;

	lockdep_assert_held(&q->lock);
	if (!watchdog_late(q))
		return true;
	if (npu_queue_collect(npu, ended) && !watchdog_late(q)) {
		q->lost_irqs++;
		drm_warn_once(&npu->drm, "an interrupt was lost\n");
		return true;
	}
	progress = npu->hw->ops->progress(npu);
	if (progress == q->progress)
		return false;
	q->progress = progress;
	npu_queue_set_deadline(q, ktime_get());
	return true;
}

/* From here on no handler completes an op. */
static void watchdog_halt(struct npu_device *npu)
{
	struct npu_queue *q = &npu->queue;

	lockdep_assert_held(&q->lock);
	q->stopped = true;
	trace_npu_timeout(&q->slot[0]);
	npu->hw->ops->mask(npu);
}

/* The queue is halted, with the op that hangs in slot 0. */
static void watchdog_recover(struct npu_device *npu, struct list_head *ended)
{
	struct npu_queue *q = &npu->queue;
	int err;

	npu_dump_take(npu);
	err = npu->reset ? npu_device_start(npu) : -EOPNOTSUPP;
	trace_npu_reset(npu, err);

	spin_lock_irq(&q->lock);
	if (!err) {
		npu_queue_restart(npu, ended);
	} else {
		npu_queue_pin_memory(q);
		WRITE_ONCE(q->error, -EIO);
		npu_queue_fail_all(q, -EIO, ended);
	}
	spin_unlock_irq(&q->lock);

	if (!err)
		dev_warn_ratelimited(npu->drm.dev, "hung: engine reset, one submission failed\n");
	else if (err == -EOPNOTSUPP)
		drm_err(&npu->drm,
			"hung, and without a reset it stays so: all jobs fail until it is powered off; see docs/boards.md\n");
	else
		drm_err(&npu->drm, "hung, and reset failed (%d): all jobs fail until reboot\n",
			err);
}

static void watchdog_look(struct work_struct *work)
{
	struct npu_device *npu = container_of(work, struct npu_device, queue.watchdog.work);
	struct npu_queue *q = &npu->queue;
	LIST_HEAD(ended);
	bool excused;

	spin_lock_irq(&q->lock);
	excused = !watchdog_late(q);
	spin_unlock_irq(&q->lock);

	if (!excused) {
		/* A handler may be just about to complete the op. */
		synchronize_irq(npu->irq);
		spin_lock_irq(&q->lock);
		excused = watchdog_excused(npu, &ended);
		if (!excused)
			watchdog_halt(npu);
		spin_unlock_irq(&q->lock);
	}
	if (!excused)
		watchdog_recover(npu, &ended);

	spin_lock_irq(&q->lock);
	npu_watchdog_arm(npu);
	spin_unlock_irq(&q->lock);
	npu_queue_signal(&ended);
}

static void watchdog_refresh(struct work_struct *work)
{
	struct npu_device *npu = container_of(work, struct npu_device, queue.refresh);
	int err = npu_device_start(npu);

	if (err) {
		drm_err(&npu->drm,
			"reset of the idle engine failed (%d): all jobs fail until reboot\n", err);
		npu_queue_wedge(npu);
		return;
	}
	spin_lock_irq(&npu->queue.lock);
	npu->queue.refreshes++;
	spin_unlock_irq(&npu->queue.lock);
	npu_queue_go(npu);
}

/**
 * npu_watchdog_init - set up the work items of a queue
 * @npu: The device.
 */
void npu_watchdog_init(struct npu_device *npu)
{
	INIT_DELAYED_WORK(&npu->queue.watchdog, watchdog_look);
	INIT_WORK(&npu->queue.refresh, watchdog_refresh);
}
