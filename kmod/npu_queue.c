// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine's queue. Two ops are kept on the engine whenever there are two, fed from the interrupt
 * handler; the scheduler is asked only for the next submission.
 *
 * DOC: Hazards
 *
 * The engine runs ops in order but fetches the next op's operands while the one before still
 * computes. So an op may begin beside an older one only if it reads nothing that one writes; if it
 * does, its registers are written and it is enabled when the older op is done. The other two orders
 * need no care: results leave through one write port in op order (write after write), and the last
 * result of an op leaves after its last operand came in (write after read).
 */
#include <linux/interrupt.h>

#include "npu_ctx.h"
#include "npu_drv.h"
#include "npu_file.h"
#include "npu_job.h"
#include "npu_perfmon.h"
#include "npu_trace.h"
#include "npu_watchdog.h"

static bool overlap(const struct npu_op *x, enum npu_operand xi, const struct npu_op *y,
		    enum npu_operand yi)
{
	return x->addr[xi] < y->addr[yi] + y->plan.extent[yi].bytes &&
	       y->addr[yi] < x->addr[xi] + x->plan.extent[xi].bytes;
}

static bool op_reads_result_of(const struct npu_op *op, const struct npu_op *older)
{
	unsigned int i;

	for (i = 0; i < NPU_OPERANDS; i++)
		if (i != NPU_OPERAND_C && op->plan.extent[i].bytes &&
		    overlap(op, i, older, NPU_OPERAND_C))
			return true;
	return false;
}

/**
 * npu_queue_set_deadline - give the op in slot 0 time
 * @q: The queue, locked.
 * @now: From when on.
 */
void npu_queue_set_deadline(struct npu_queue *q, ktime_t now)
{
	q->deadline = ktime_add_ns(now, q->slot[0].op->budget_ns / 2);
}

static void queue_enable(struct npu_device *npu, struct npu_slot *slot)
{
	struct npu_queue *q = &npu->queue;

	slot->ready = ktime_get();
	slot->enabled = true;
	if (slot == &q->slot[0])
		npu_queue_set_deadline(q, slot->ready);
	trace_npu_job_start(slot);
	npu->hw->ops->enable(npu, slot->op);
}

/* Of a context that is closed, what has begun goes on as long as somebody has the file open. */
static bool job_is_unwanted(const struct npu_job *job)
{
	return job->n_fed ? READ_ONCE(job->ctx->file->closed) : READ_ONCE(job->ctx->closed);
}

/*
 * What the engine has of it runs to its end. Operands that the last op keeps the engine lets go of
 * when the next one does not reuse them.
 */
static void queue_cancel(struct npu_job *job)
{
	job->n_run = job->n_fed;
	job->error = -ECANCELED;
}

static struct npu_job *queue_next_job(struct npu_queue *q)
{
	struct npu_job *job;

	list_for_each_entry(job, &q->jobs, link) {
		if (job->n_fed < job->n_run && job_is_unwanted(job))
			queue_cancel(job);
		if (job->n_fed < job->n_run)
			return job;
	}
	return NULL;
}

/* An engine that is worn gets no more ops, and is reset when it is idle. */
static bool queue_worn(struct npu_device *npu, const struct npu_op *op)
{
	struct npu_queue *q = &npu->queue;

	if (!npu->hw->ops->worn || !npu->hw->ops->worn(npu, op))
		return false;
	if (!q->filled) {
		q->stopped = true;
		queue_work(npu->wq, &q->refresh);
	}
	return true;
}

/* What is left of it will not run. None of it is on the engine. */
static void queue_skip(struct npu_job *job)
{
	job->n_run = 0;
}

/*
 * Submissions end in the order in which they came, those that were cancelled, too: a fence that
 * replaces an older one on a BO must not signal before it.
 */
static void queue_end_done(struct npu_queue *q, struct list_head *ended)
{
	struct npu_job *job, *next;

	list_for_each_entry_safe(job, next, &q->jobs, link) {
		if (job->n_done < job->n_run)
			break;
		list_move_tail(&job->link, ended);
		q->taken--;
	}
}

/* Fills the register groups. Submissions that end go to @ended. */
static void queue_feed(struct npu_device *npu, struct list_head *ended)
{
	struct npu_queue *q = &npu->queue;
	struct npu_slot *slot;
	struct npu_job *job;

	lockdep_assert_held(&q->lock);
	while (!q->stopped && !q->paused && !q->error && q->filled < NPU_HW_GROUPS) {
		job = queue_next_job(q);
		if (!job || queue_worn(npu, &job->ops[job->n_fed]))
			break;
		slot = &q->slot[q->filled++];
		slot->job = job;
		slot->op = &job->ops[job->n_fed++];
		slot->enabled = false;
		slot->group = npu->hw->ops->program(npu, slot->op);
		if (slot == &q->slot[0] || !op_reads_result_of(slot->op, q->slot[0].op))
			queue_enable(npu, slot);
	}
	queue_end_done(q, ended);
}

/* Slot 0 is done: account for it and move on. */
static void queue_retire(struct npu_device *npu)
{
	struct npu_queue *q = &npu->queue;
	struct npu_job *job = q->slot[0].job;
	ktime_t now = ktime_get();
	ktime_t begin =
		ktime_after(q->last_done, q->slot[0].ready) ? q->last_done : q->slot[0].ready;
	u64 engine_ns;

	engine_ns = ktime_to_ns(ktime_sub(now, begin));
	trace_npu_job_done(&q->slot[0], engine_ns);
	npu_ctx_job_done(job->ctx, engine_ns);
	if (job->perfmon)
		npu_perfmon_count(job->perfmon, npu, q->slot[0].group);
	q->last_done = now;
	job->n_done++;

	q->slot[0] = q->slot[1];
	q->progress = 0;
	if (!--q->filled)
		wake_up(&q->drained);
	else if (q->slot[0].enabled)
		npu_queue_set_deadline(q, now);
	else
		queue_enable(npu, &q->slot[0]);
}

/**
 * npu_queue_collect - look what the engine has finished
 * @npu: The device, its queue locked.
 * @ended: Submissions that end go there.
 *
 * Return: False if the engine had nothing to say.
 */
bool npu_queue_collect(struct npu_device *npu, struct list_head *ended)
{
	struct npu_queue *q = &npu->queue;
	int done;

	lockdep_assert_held(&q->lock);
	/* On a shared line, the interrupt of another while the engine has no clock. */
	if (q->stopped)
		return false;
	done = npu->hw->ops->irq(npu);
	if (done < 0)
		return false;
	while (q->filled && q->slot[0].enabled && (done & BIT(q->slot[0].group))) {
		done &= ~BIT(q->slot[0].group);
		queue_retire(npu);
	}
	queue_feed(npu, ended);
	return true;
}

/**
 * npu_queue_signal - end submissions that were taken off the queue
 * @ended: The submissions.
 *
 * Outside the lock: a fence runs callbacks of others.
 */
void npu_queue_signal(struct list_head *ended)
{
	struct npu_job *job, *next;

	list_for_each_entry_safe(job, next, ended, link) {
		list_del_init(&job->link);
		npu_job_end(job);
		npu_job_put(job);
	}
}

/**
 * npu_queue_irq - interrupt handler
 * @irq: Interrupt line.
 * @data: The device.
 *
 * Return: Whether the interrupt was the engine's.
 */
irqreturn_t npu_queue_irq(int irq, void *data)
{
	struct npu_device *npu = data;
	LIST_HEAD(ended);
	bool ours;

	spin_lock(&npu->queue.lock);
	ours = npu_queue_collect(npu, &ended);
	while (ours && npu->irq_is_edge && npu_queue_collect(npu, &ended))
		;
	spin_unlock(&npu->queue.lock);
	npu_queue_signal(&ended);
	return ours ? IRQ_HANDLED : IRQ_NONE;
}

/**
 * npu_queue_dependency - what a submission has to wait for before it may enter the queue
 * @npu: The device.
 * @fence: What its ops have to wait for.
 *
 * Return: A fence with a reference, or NULL when the order of the queue sees to it.
 */
struct dma_fence *npu_queue_dependency(struct npu_device *npu, struct dma_fence *fence)
{
	struct npu_fence *ours = to_npu_fence(fence);
	struct npu_queue *q = &npu->queue;

	if (dma_fence_is_signaled(fence))
		return NULL;
	if (!ours || ours->queue != q)
		return dma_fence_get(fence);

	spin_lock_irq(&q->lock);
	if (ours->queued)
		fence = NULL;
	else if (ours->scheduled)
		fence = ours->scheduled;
	dma_fence_get(fence);
	spin_unlock_irq(&q->lock);
	return fence;
}

/**
 * npu_queue_reserve - ask for a place without the scheduler
 * @npu: The device.
 *
 * Return: True if nobody waits and there is room; npu_queue_push() has to follow.
 */
bool npu_queue_reserve(struct npu_device *npu)
{
	struct npu_queue *q = &npu->queue;
	bool free;

	spin_lock_irq(&q->lock);
	free = !q->announced && q->taken < NPU_QUEUE_DEPTH;
	q->taken += free;
	spin_unlock_irq(&q->lock);
	return free;
}

/**
 * npu_queue_announce - a submission will come through the scheduler
 * @npu: The device.
 * @job: The submission.
 * @scheduled: Will signal when the scheduler has called npu_queue_push().
 */
void npu_queue_announce(struct npu_device *npu, struct npu_job *job, struct dma_fence *scheduled)
{
	struct npu_queue *q = &npu->queue;

	spin_lock_irq(&q->lock);
	q->announced++;
	job->fence->scheduled = dma_fence_get(scheduled);
	spin_unlock_irq(&q->lock);
}

/* It had a place reserved, or it was announced. */
static struct dma_fence *queue_enter(struct npu_queue *q, struct npu_job *job)
{
	struct dma_fence *scheduled = job->fence->scheduled;

	lockdep_assert_held(&q->lock);
	if (scheduled) {
		q->announced--;
		q->taken++;
	}
	job->fence->scheduled = NULL;
	job->fence->queued = true;
	list_add_tail(&job->link, &q->jobs);
	npu_job_get(job);
	return scheduled;
}

/**
 * npu_queue_push - give a submission to the engine
 * @npu: The device.
 * @job: The submission, armed. On a device that is wedged or gone, or in a context that is closed,
 *	it ends in its turn without running.
 */
void npu_queue_push(struct npu_device *npu, struct npu_job *job)
{
	struct npu_queue *q = &npu->queue;
	struct dma_fence *scheduled;
	LIST_HEAD(ended);

	spin_lock_irq(&q->lock);
	scheduled = queue_enter(q, job);
	job->error = q->error;
	if (job->error)
		queue_skip(job);
	queue_feed(npu, &ended);
	npu_watchdog_arm(npu);
	spin_unlock_irq(&q->lock);
	npu_queue_signal(&ended);
	dma_fence_put(scheduled);
}

/**
 * npu_queue_error - why the queue takes nothing any more
 * @npu: The device.
 *
 * Return: 0 while it works, -EIO when the device is wedged, -ENODEV when it is gone.
 */
int npu_queue_error(struct npu_device *npu)
{
	return READ_ONCE(npu->queue.error);
}

/**
 * npu_queue_fail_all - take every submission off the queue
 * @q: The queue, locked.
 * @err: Outcome of those that have none yet.
 * @ended: They go there.
 */
void npu_queue_fail_all(struct npu_queue *q, int err, struct list_head *ended)
{
	struct npu_job *job;

	lockdep_assert_held(&q->lock);
	list_for_each_entry(job, &q->jobs, link) {
		if (!job->error)
			job->error = err;
		queue_skip(job);
	}
	queue_end_done(q, ended);
	q->filled = 0;
	wake_up(&q->drained);
}

/**
 * npu_queue_pin_memory - keep what ops on the engine can reach
 * @q: The queue, locked. The engine does not answer and may still write.
 */
void npu_queue_pin_memory(struct npu_queue *q)
{
	unsigned int i;

	lockdep_assert_held(&q->lock);
	for (i = 0; i < q->filled; i++)
		npu_job_pin_memory(q->slot[i].job);
}

/**
 * npu_queue_restart - the engine was reset because of the op in slot 0
 * @npu: The device, its queue locked.
 * @ended: The submission of that op goes there when its turn has come. The others start again.
 */
void npu_queue_restart(struct npu_device *npu, struct list_head *ended)
{
	struct npu_queue *q = &npu->queue;
	struct npu_job *job = q->slot[0].job;

	job->error = -ETIMEDOUT;
	list_for_each_entry(job, &q->jobs, link) {
		if (job->error)
			queue_skip(job);
		job->n_fed = job->n_done;
	}

	q->filled = 0;
	q->progress = 0;
	q->resets++;
	q->stopped = false;
	queue_feed(npu, ended);
	if (!q->filled)
		wake_up(&q->drained);
}

/**
 * npu_queue_stop - the engine is going to lose power, or to be reset
 * @npu: The device, with no op to run, or with one that will not be waited for any longer.
 *
 * The engine is not touched afterwards, not even by the interrupt of a neighbour on its line.
 */
void npu_queue_stop(struct npu_device *npu)
{
	struct npu_queue *q = &npu->queue;

	/* It ends with an engine that is ready. Without an op to feed it does not come again. */
	flush_work(&q->refresh);
	spin_lock_irq(&q->lock);
	if (!q->stopped)
		npu->hw->ops->mask(npu);
	q->stopped = true;
	spin_unlock_irq(&q->lock);
	synchronize_irq(npu->irq);
}

/* Ends by force what the engine does. It is stopped, so nobody else touches it. */
static bool queue_reset(struct npu_device *npu)
{
	if (!npu->reset || npu_device_start(npu))
		return false;
	npu->hw->ops->mask(npu);
	return true;
}

/**
 * npu_queue_shutdown - the device goes away, or the kernel ends
 * @npu: The device. Its runtime state does not change meanwhile.
 *
 * Lets the ops on the engine end, or resets it, and fails everything else with -ENODEV. The engine
 * is not touched afterwards, and does not touch memory, which may be that of the next kernel. One
 * that is wedged may have become ready for a reset since.
 *
 * Return: False if the engine may still write.
 */
bool npu_queue_shutdown(struct npu_device *npu)
{
	struct npu_queue *q = &npu->queue;
	LIST_HEAD(ended);
	u64 patience = 0;
	unsigned int i;
	bool wedged, quiet;

	spin_lock_irq(&q->lock);
	wedged = q->error == -EIO;
	if (!q->error)
		WRITE_ONCE(q->error, -ENODEV);
	for (i = 0; i < q->filled; i++)
		patience += q->slot[i].op->budget_ns;
	spin_unlock_irq(&q->lock);
	cancel_delayed_work_sync(&q->watchdog);

	spin_lock_irq(&q->lock);
	quiet = wait_event_lock_irq_timeout(q->drained, !q->filled, q->lock,
					    nsecs_to_jiffies(patience) + 1);
	spin_unlock_irq(&q->lock);
	npu_queue_stop(npu);
	quiet = (quiet && !wedged) || !npu->powered || queue_reset(npu);

	spin_lock_irq(&q->lock);
	if (!quiet)
		npu_queue_pin_memory(q);
	npu_queue_fail_all(q, -ENODEV, &ended);
	spin_unlock_irq(&q->lock);
	npu_queue_signal(&ended);
	return quiet;
}

/* There is something to do, perhaps. */
static void queue_continue(struct npu_device *npu, struct list_head *ended)
{
	lockdep_assert_held(&npu->queue.lock);
	queue_feed(npu, ended);
	npu_watchdog_arm(npu);
}

/**
 * npu_queue_go - the engine is ready again
 * @npu: The device.
 */
void npu_queue_go(struct npu_device *npu)
{
	struct npu_queue *q = &npu->queue;
	LIST_HEAD(ended);

	spin_lock_irq(&q->lock);
	q->stopped = false;
	queue_continue(npu, &ended);
	spin_unlock_irq(&q->lock);
	npu_queue_signal(&ended);
}

/**
 * npu_queue_wedge - the engine does not become ready
 * @npu: The device, stopped.
 */
void npu_queue_wedge(struct npu_device *npu)
{
	struct npu_queue *q = &npu->queue;
	LIST_HEAD(ended);

	spin_lock_irq(&q->lock);
	if (!q->error)
		WRITE_ONCE(q->error, -EIO);
	npu_queue_fail_all(q, -EIO, &ended);
	spin_unlock_irq(&q->lock);
	npu_queue_signal(&ended);
}

/**
 * npu_queue_pause - the system goes to sleep
 * @npu: The device.
 *
 * Returns when the ops on the engine have ended, in one way or another; the watchdog sees to that.
 */
void npu_queue_pause(struct npu_device *npu)
{
	struct npu_queue *q = &npu->queue;

	spin_lock_irq(&q->lock);
	q->paused = true;
	wait_event_lock_irq(q->drained, !q->filled, q->lock);
	spin_unlock_irq(&q->lock);
}

/**
 * npu_queue_unpause - the system is awake
 * @npu: The device.
 */
void npu_queue_unpause(struct npu_device *npu)
{
	struct npu_queue *q = &npu->queue;
	LIST_HEAD(ended);

	spin_lock_irq(&q->lock);
	q->paused = false;
	queue_continue(npu, &ended);
	spin_unlock_irq(&q->lock);
	npu_queue_signal(&ended);
}

/**
 * npu_queue_init - set up an empty queue
 * @npu: The device.
 */
void npu_queue_init(struct npu_device *npu)
{
	struct npu_queue *q = &npu->queue;

	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->jobs);
	init_waitqueue_head(&q->drained);
	npu_watchdog_init(npu);
}
