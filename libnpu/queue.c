// SPDX-License-Identifier: MIT
/*
 * Queues: tickets for submissions, whose outcome is asked for later.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "backend/backend.h"

int npu_queue_create(struct npu_device *dev, struct npu_queue **out, struct npu_error *err)
{
	struct npu_queue *queue;
	int ret = 0;

	if (!dev || !out)
		return npu_fail(err, -EINVAL,
				"npu_queue_create: no device or no place for the queue given");

	queue = calloc(1, dev->ops->queue_size);
	if (!queue)
		return npu_fail(err, -ENOMEM, "no memory for a queue object");

	queue->dev = dev;
	queue->stats.size = sizeof(queue->stats);
	if (dev->ops->queue_init)
		ret = dev->ops->queue_init(queue, err);
	if (ret) {
		free(queue);
		return ret;
	}
	npu_ref(&dev->refs);
	*out = queue;
	return 0;
}

void npu_queue_destroy(struct npu_queue *queue)
{
	struct npu_device *dev;

	if (!queue)
		return;
	dev = queue->dev;
	if (dev->ops->queue_fini)
		dev->ops->queue_fini(queue);
	free(queue);
	npu_device_close(dev);
}

int npu_queue_submit(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count,
		     uint64_t *ticket, struct npu_error *err)
{
	int ret;

	if (!queue || !matmuls || !count)
		return npu_fail(err, -EINVAL, "submit: no queue or no matmul given");
	for (size_t i = 0; i < count; i++) {
		if (!matmuls[i])
			return npu_fail(err, -EINVAL, "submit: matmul %zu is NULL", i);
		if (matmuls[i]->dev != queue->dev)
			return npu_fail(err, -EINVAL,
					"submit: matmul %zu belongs to another device", i);
	}

	queue->last_ticket++;
	ret = queue->dev->ops->queue_submit(queue, matmuls, count, queue->last_ticket, err);
	if (ret)
		return ret;
	queue->stats.matmuls += count;
	if (ticket)
		*ticket = queue->last_ticket;
	return 0;
}

int npu_queue_wait(struct npu_queue *queue, uint64_t ticket, int64_t timeout_ns,
		   struct npu_error *err)
{
	if (!queue)
		return npu_fail(err, -EINVAL, "wait: no queue given");
	if (!ticket || ticket > queue->last_ticket)
		return npu_fail(err, -EINVAL, "wait: this queue gave out no ticket %" PRIu64,
				ticket);
	if (queue->last_ticket - ticket >= NPU_QUEUE_DEPTH)
		return npu_fail(err, -EINVAL,
				"wait: the outcome of ticket %" PRIu64 " is forgotten, the queue "
				"remembers its last %d submissions",
				ticket, NPU_QUEUE_DEPTH);
	if (!queue->dev->ops->queue_wait)
		return 0;
	return queue->dev->ops->queue_wait(queue, ticket, timeout_ns, err);
}

int npu_queue_run(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count,
		  struct npu_error *err)
{
	uint64_t ticket;
	int ret = npu_queue_submit(queue, matmuls, count, &ticket, err);

	return ret ? ret : npu_queue_wait(queue, ticket, -1, err);
}

int npu_queue_get_stats(struct npu_queue *queue, struct npu_queue_stats *stats,
			struct npu_error *err)
{
	struct npu_queue_stats now;
	int ret = 0;

	if (!queue || !stats)
		return npu_fail(err, -EINVAL, "npu_queue_get_stats: no queue or no stats given");
	if (stats->size != sizeof(*stats))
		return npu_fail(err, -EINVAL,
				"npu_queue_stats.size is %zu, set it to sizeof(struct "
				"npu_queue_stats), which is %zu",
				stats->size, sizeof(*stats));
	now = queue->stats;
	if (queue->dev->ops->queue_stats)
		ret = queue->dev->ops->queue_stats(queue, &now, err);
	if (!ret)
		*stats = now;
	return ret;
}
