/* SPDX-License-Identifier: MIT */
/*
 * Claims: which submission in a backlog was the last to be given a buffer. The kernel orders
 * accesses of the engine by itself, but does not know of work that is still to be done by the CPU,
 * or to be handed over by it.
 */
#ifndef LIBNPU_CLAIM_H
#define LIBNPU_CLAIM_H

#include "queue.h"

/*
 * For a submission that could go to the device past all backlogs: false if a buffer of its matmuls
 * is claimed by a submission in the backlog of another queue. Otherwise later claims wait in
 * npu_claim_enter() for npu_claim_passed().
 */
bool npu_claim_pass(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count);
void npu_claim_passed(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count);

/* Waits until nothing that came before the claims of these matmuls is on its way to the device. */
void npu_claim_enter(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count);

/*
 * Claims the buffers of the matmuls for @ticket, and adds the submissions that had them before to
 * @waits, which has @used of @max elements. False, and nothing is done, if these are too few.
 */
bool npu_claim(struct npu_queue *queue, uint64_t ticket, struct npu_matmul *const *matmuls,
	       size_t count, struct npu_wait *waits, size_t *used, size_t max);

/*
 * Claims a buffer for something that is no submission, and waits for those that have it; what comes
 * later waits for npu_claim_end(). Errors: -ENOMEM; -EBUSY the CPU is writing to it.
 */
int npu_claim_alone(struct npu_buffer *buf, struct npu_queue **claim, struct npu_error *err);
void npu_claim_end(struct npu_queue *claim);

/* Waits until no submission in a backlog uses the buffer; 0 or -ETIME. */
int npu_claim_wait(struct npu_buffer *buf, int64_t deadline);

/* The buffer goes. */
void npu_claim_drop(struct npu_buffer *buf);

#endif /* LIBNPU_CLAIM_H */
