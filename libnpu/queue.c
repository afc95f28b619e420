// SPDX-License-Identifier: MIT
/*
 * Queues: tickets for submissions, whose outcome is asked for later.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "backlog.h"
#include "queue.h"

/* ---- Life ------------------------------------------------------------------------------ */

void npu_queue_ref(struct npu_queue *queue)
{
	npu_ref(&queue->refs);
}

void npu_queue_unref(struct npu_queue *queue)
{
	struct npu_device *dev = queue->dev;

	if (!npu_unref(&queue->refs))
		return;
	pthread_cond_destroy(&queue->progress);
	pthread_mutex_destroy(&queue->lock);
	pthread_mutex_destroy(&queue->submit_lock);
	free(queue);
	npu_device_close(dev);
}

static void init_locks(struct npu_queue *queue)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&queue->submit_lock, NULL);
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->progress, &attr);
	pthread_condattr_destroy(&attr);
}

static struct npu_queue *new_queue(struct npu_device *dev, size_t size)
{
	struct npu_queue *queue = calloc(1, size);

	if (!queue)
		return NULL;
	queue->refs = 1;
	queue->dev = dev;
	init_locks(queue);
	npu_ref(&dev->refs);
	return queue;
}

struct npu_queue *npu_queue_stand_in(struct npu_device *dev)
{
	return new_queue(dev, sizeof(struct npu_queue));
}

static int check_queue_desc(const struct npu_queue_desc *desc, struct npu_error *err)
{
	if (desc->size != sizeof(*desc))
		return npu_fail(err, -EINVAL,
				"npu_queue_desc.size is %zu, set it to sizeof(struct "
				"npu_queue_desc), which is %zu",
				desc->size, sizeof(*desc));
	if (desc->priority < NPU_PRIORITY_LOW || desc->priority > NPU_PRIORITY_HIGH)
		return npu_fail(err, -EINVAL,
				"npu_queue_desc.priority is %d: must be one of enum npu_priority",
				desc->priority);
	return 0;
}

int npu_queue_create(struct npu_device *dev, const struct npu_queue_desc *desc,
		     struct npu_queue **out, struct npu_error *err)
{
	struct npu_queue *queue;
	int ret = 0;

	if (!dev || !out)
		return npu_fail(err, -EINVAL,
				"npu_queue_create: no device or no place for the queue given");
	if (desc)
		ret = check_queue_desc(desc, err);
	if (ret)
		return ret;
	queue = new_queue(dev, dev->ops->queue_size);
	if (!queue)
		return npu_fail(err, -ENOMEM, "no memory for a queue object");

	queue->priority = desc ? desc->priority : NPU_PRIORITY_NORMAL;
	if (dev->ops->queue_init)
		ret = dev->ops->queue_init(queue, err);
	if (ret) {
		npu_queue_unref(queue);
		return ret;
	}
	*out = queue;
	return 0;
}

void npu_queue_destroy(struct npu_queue *queue)
{
	if (!queue)
		return;
	npu_backlog_destroy(queue);
	if (queue->dev->ops->queue_fini)
		queue->dev->ops->queue_fini(queue);
	npu_queue_unref(queue);
}

/* ---- Progress -------------------------------------------------------------------------- */

bool npu_queue_knows(struct npu_queue *queue, uint64_t ticket)
{
	bool known;

	pthread_mutex_lock(&queue->lock);
	known = ticket && ticket <= queue->last_ticket;
	pthread_mutex_unlock(&queue->lock);
	return known;
}

bool npu_queue_handed(struct npu_queue *queue, uint64_t ticket)
{
	bool handed;

	pthread_mutex_lock(&queue->lock);
	handed = queue->handed >= ticket;
	pthread_mutex_unlock(&queue->lock);
	return handed;
}

void npu_queue_hand(struct npu_queue *queue, uint64_t ticket)
{
	pthread_mutex_lock(&queue->lock);
	queue->handed = ticket;
	pthread_cond_broadcast(&queue->progress);
	pthread_mutex_unlock(&queue->lock);
}

int npu_queue_wait_handed(struct npu_queue *queue, uint64_t ticket, int64_t deadline)
{
	const struct timespec until = { deadline / 1000000000, deadline % 1000000000 };
	int ret = 0;

	pthread_mutex_lock(&queue->lock);
	while (queue->handed < ticket && !ret)
		ret = pthread_cond_timedwait(&queue->progress, &queue->lock, &until);
	if (queue->handed >= ticket)
		ret = 0;
	pthread_mutex_unlock(&queue->lock);
	return ret ? -ETIME : 0;
}

int npu_queue_settle(struct npu_queue *queue, uint64_t ticket, int64_t deadline)
{
	int ret = npu_queue_wait_handed(queue, ticket, deadline);

	if (!ret && queue->dev->ops->queue_settle)
		ret = queue->dev->ops->queue_settle(queue, ticket, deadline);
	return ret;
}

static int *outcome_of(struct npu_queue *queue, uint64_t ticket)
{
	return &queue->outcome[ticket % NPU_QUEUE_DEPTH];
}

void npu_queue_note(struct npu_queue *queue, uint64_t ticket, int code, const struct npu_error *why)
{
	int *outcome = outcome_of(queue, ticket);

	if (*outcome)
		return;
	*outcome = code;
	if (ticket > queue->newest_failure)
		queue->newest_failure = ticket;
	if (why && why->text[0]) {
		queue->why = *why;
		queue->why_ticket = ticket;
	}
}

static bool is_remembered(const struct npu_queue *queue, uint64_t ticket)
{
	return queue->last_ticket - ticket < NPU_QUEUE_DEPTH;
}

bool npu_queue_failed(struct npu_queue *queue, uint64_t ticket)
{
	bool failed;

	pthread_mutex_lock(&queue->lock);
	failed = is_remembered(queue, ticket) ? *outcome_of(queue, ticket) != 0
					      : queue->newest_failure >= ticket;
	pthread_mutex_unlock(&queue->lock);
	return failed;
}

int npu_queue_unsettled(int ret, struct npu_error *err)
{
	errno = -ret;
	return npu_fail(err, ret, "cannot learn how a submission ended: %m");
}

/* The submission whose place the next one takes has to be settled first. */
int npu_queue_make_room(struct npu_queue *queue, struct npu_error *err)
{
	uint64_t next = queue->last_ticket + 1;
	int ret = 0;

	if (next > NPU_QUEUE_DEPTH)
		ret = npu_queue_settle(queue, next - NPU_QUEUE_DEPTH, NPU_NEVER);
	return ret ? npu_queue_unsettled(ret, err) : 0;
}

uint64_t npu_queue_take_ticket(struct npu_queue *queue)
{
	uint64_t ticket;

	pthread_mutex_lock(&queue->lock);
	ticket = ++queue->last_ticket;
	*outcome_of(queue, ticket) = 0;
	pthread_mutex_unlock(&queue->lock);
	return ticket;
}

/* ---- Waiting --------------------------------------------------------------------------- */

/* With the queue's lock. */
static int tell_outcome(struct npu_queue *queue, uint64_t ticket, struct npu_error *err)
{
	int outcome = *outcome_of(queue, ticket);

	if (outcome && queue->why_ticket == ticket)
		return npu_fail(err, outcome, "submission %" PRIu64 " failed: %s", ticket,
				queue->why.text);
	switch (outcome) {
	case 0:
		return 0;
	case -ETIMEDOUT:
		return npu_fail(err, outcome,
				"the engine hung on submission %" PRIu64 " and was reset", ticket);
	case -EIO:
		return npu_fail(err, outcome,
				"submission %" PRIu64 " failed: bus error, or the device is lost",
				ticket);
	case -ENODEV:
		return npu_fail(err, outcome, "submission %" PRIu64 " failed: the device is gone",
				ticket);
	case -ECANCELED:
		return npu_fail(err, outcome,
				"submission %" PRIu64 " failed: something that it had to wait for "
				"failed, so its results are not valid",
				ticket);
	default:
		errno = -outcome;
		return npu_fail(err, outcome, "submission %" PRIu64 " failed: %m", ticket);
	}
}

/* With the queue's lock. What is forgotten can be told as long as nothing has failed since. */
static int tell(struct npu_queue *queue, uint64_t ticket, struct npu_error *err)
{
	if (is_remembered(queue, ticket))
		return tell_outcome(queue, ticket, err);
	if (queue->newest_failure < ticket)
		return 0;
	return npu_fail(err, -EINVAL,
			"wait: the outcome of ticket %" PRIu64 " is forgotten: the queue remembers "
			"its last %d submissions, and one after this has failed",
			ticket, NPU_QUEUE_DEPTH);
}

int npu_queue_wait(struct npu_queue *queue, uint64_t ticket, int64_t timeout_ns,
		   struct npu_error *err)
{
	int ret;

	if (!queue)
		return npu_fail(err, -EINVAL, "wait: no queue given");
	if (!npu_queue_knows(queue, ticket))
		return npu_fail(err, -EINVAL, "wait: this queue gave out no ticket %" PRIu64,
				ticket);
	ret = npu_queue_settle(queue, ticket, npu_deadline(timeout_ns));
	if (ret == -ETIME)
		return npu_fail(err, ret,
				"submission %" PRIu64 " has not ended after %" PRId64 " ns", ticket,
				timeout_ns);
	if (ret)
		return npu_queue_unsettled(ret, err);
	pthread_mutex_lock(&queue->lock);
	ret = tell(queue, ticket, err);
	pthread_mutex_unlock(&queue->lock);
	return ret;
}

int npu_queue_get_stats(struct npu_queue *queue, struct npu_queue_stats *stats,
			struct npu_error *err)
{
	struct npu_queue_stats now = { .size = sizeof(now) };
	int ret = 0;

	if (!queue || !stats)
		return npu_fail(err, -EINVAL, "npu_queue_get_stats: no queue or no stats given");
	if (stats->size != sizeof(*stats))
		return npu_fail(err, -EINVAL,
				"npu_queue_stats.size is %zu, set it to sizeof(struct "
				"npu_queue_stats), which is %zu",
				stats->size, sizeof(*stats));
	now.matmuls = queue->stats.matmuls;
	now.host_steps = queue->stats.host_steps;
	if (queue->dev->ops->queue_stats)
		ret = queue->dev->ops->queue_stats(queue, &now, err);
	if (!ret)
		*stats = now;
	return ret;
}
