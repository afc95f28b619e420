/* SPDX-License-Identifier: MIT */
/*
 * Queues as the rest of the library sees them.
 */
#ifndef LIBNPU_QUEUE_H
#define LIBNPU_QUEUE_H

#include "object.h"

/**
 * struct npu_wait - something to wait for
 * @queue: Its submission @ticket; held by a reference. NULL for @fd.
 * @ticket: See @queue.
 * @started: The submission need only have been handed to the device, whose own fences do the rest.
 * @fd: A sync_file.
 * @owned: @fd is to be closed.
 */
struct npu_wait {
	struct npu_queue *queue;
	uint64_t ticket;
	bool started;
	int fd;
	bool owned;
};

/* Gives up what a wait holds. */
void npu_wait_release(const struct npu_wait *wait);

void npu_queue_ref(struct npu_queue *queue);
void npu_queue_unref(struct npu_queue *queue);

/*
 * A queue that nothing is submitted to, for a claim that is no submission's: others wait for a
 * ticket of it as for any. NULL without memory.
 */
struct npu_queue *npu_queue_stand_in(struct npu_device *dev);

/* True if the queue gave out @ticket. */
bool npu_queue_knows(struct npu_queue *queue, uint64_t ticket);

/* True if @ticket is with the device or done. */
bool npu_queue_handed(struct npu_queue *queue, uint64_t ticket);

/* From now on it is, and all before it are; tells those who wait for that. */
void npu_queue_hand(struct npu_queue *queue, uint64_t ticket);

/* Waits for that: 0 or -ETIME. */
int npu_queue_wait_handed(struct npu_queue *queue, uint64_t ticket, int64_t deadline);

/* Waits until @ticket has ended; 0, -ETIME, or why that cannot be learned. */
int npu_queue_settle(struct npu_queue *queue, uint64_t ticket, int64_t deadline);

/* Words for what npu_queue_settle() failed with; returns @ret. */
int npu_queue_unsettled(int ret, struct npu_error *err);

/* Waits until there is room for one more submission. With submit_lock. */
int npu_queue_make_room(struct npu_queue *queue, struct npu_error *err);

/* Gives out the next ticket, last_ticket + 1, where there is room. With submit_lock. */
uint64_t npu_queue_take_ticket(struct npu_queue *queue);

/* Submission @ticket has failed; the first reason counts. @why may be NULL. With the lock. */
void npu_queue_note(struct npu_queue *queue, uint64_t ticket, int code,
		    const struct npu_error *why);

/* True if @ticket has failed, as far as is settled; once forgotten, if any since has. */
bool npu_queue_failed(struct npu_queue *queue, uint64_t ticket);

#endif /* LIBNPU_QUEUE_H */
