/* SPDX-License-Identifier: MIT */
/*
 * Backlog of a queue: submissions that a processor has to carry out, because it computes a part of
 * them, or because they come after one of those.
 */
#ifndef LIBNPU_BACKLOG_H
#define LIBNPU_BACKLOG_H

#include "queue.h"

/*
 * Prepares the submission that gets the next ticket: starts the queue's thread if @threaded, and
 * claims the buffers. All that can fail in posting fails here, and leaves nothing behind. With
 * submit_lock, and after npu_queue_make_room().
 */
int npu_backlog_prepare(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count,
			const struct npu_wait *waits, size_t wait_count, bool threaded,
			struct npu_error *err);

/* Posts what was prepared; the backlog takes over the waits. With submit_lock. */
void npu_backlog_post(struct npu_queue *queue, uint64_t ticket);

/* True if nothing is waiting or being carried out. */
bool npu_backlog_empty(struct npu_queue *queue);

/* Carries out in the calling thread what no other one does, until @ticket is handed. */
void npu_backlog_help(struct npu_queue *queue, uint64_t ticket);

/* Carries out everything, then ends the thread and frees the backlog. */
void npu_backlog_destroy(struct npu_queue *queue);

#endif /* LIBNPU_BACKLOG_H */
