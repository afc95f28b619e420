/* SPDX-License-Identifier: MIT */
/*
 * Backlog of a queue: submissions that a processor has to carry out, because it computes a part of
 * them, or because they come after one of those.
 */
#ifndef LIBNPU_BACKLOG_H
#define LIBNPU_BACKLOG_H

#include "queue.h"

/*
 * Makes room for a submission of @count matmuls, and starts the queue's thread if @threaded. What
 * can fail in posting fails here. With submit_lock.
 */
int npu_backlog_prepare(struct npu_queue *queue, size_t count, bool threaded,
			struct npu_error *err);

/* Posts a submission; the backlog takes over the @waits. With submit_lock. */
void npu_backlog_post(struct npu_queue *queue, uint64_t ticket, struct npu_matmul *const *matmuls,
		      size_t count, const struct npu_wait *waits, size_t wait_count);

/* True if nothing is waiting or being carried out. */
bool npu_backlog_empty(struct npu_queue *queue);

/* Carries out in the calling thread what no other one does, until @ticket is handed. */
void npu_backlog_help(struct npu_queue *queue, uint64_t ticket);

/* Carries out everything, then ends the thread and frees the backlog. */
void npu_backlog_destroy(struct npu_queue *queue);

#endif /* LIBNPU_BACKLOG_H */
