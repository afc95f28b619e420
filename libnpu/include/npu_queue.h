/* SPDX-License-Identifier: MIT */
/*
 * Queues: where matmuls are submitted, and waited for.
 */
#ifndef NPU_QUEUE_H
#define NPU_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "npu_error.h"

#if defined(__cplusplus)
extern "C" {
#endif

struct npu_device;
struct npu_matmul;
struct npu_queue;

/** enum npu_priority - which queues get the engine first */
enum npu_priority {
	NPU_PRIORITY_LOW = -1, /* when no other queue wants it */
	NPU_PRIORITY_NORMAL = 0,
	NPU_PRIORITY_HIGH = 1, /* before all others; needs CAP_SYS_NICE on an NPU */
};

/**
 * struct npu_queue_desc - a queue to make
 * @size: sizeof(struct npu_queue_desc), set by the caller.
 * @priority: Against all queues of all processes. Has no meaning on the CPU, which shares itself
 *	out.
 */
struct npu_queue_desc {
	size_t size;
	enum npu_priority priority;
};

/**
 * Makes a queue. Submissions of one queue run in order; those of different queues run in any
 * order, unless they use the same buffer (the later one then waits for the earlier one) or are
 * told to wait.
 * @desc: NULL for a queue of normal priority.
 *
 * All functions on a queue may be called from any number of threads at the same time, except its
 * destruction, which has to be the last call. A child of fork() cannot use its parent's queues.
 *
 * Errors: -EINVAL; -EACCES no right to a high priority; -ENOMEM; -EDQUOT the device has as many
 * queues as it may have while it is open once, or the user has as many as he may have; -EIO,
 * -ENODEV the device is lost.
 */
int npu_queue_create(struct npu_device *dev, const struct npu_queue_desc *desc,
		     struct npu_queue **queue, struct npu_error *err);

/** Waits for everything submitted, then gives up the queue. */
void npu_queue_destroy(struct npu_queue *queue);

/** Most things a submission can be told to wait for, fences and tickets together. */
#define NPU_MAX_WAITS 16

/**
 * struct npu_dependency - a submission that another one waits for
 * @queue: Any queue of the same device.
 * @ticket: One of its tickets.
 */
struct npu_dependency {
	struct npu_queue *queue;
	uint64_t ticket;
};

/**
 * struct npu_submit_desc - matmuls to run
 * @size: sizeof(struct npu_submit_desc), set by the caller.
 * @matmuls: What to run, in the order given; one may read what an earlier one wrote. The array is
 *	read in the call, the matmuls may be destroyed after it.
 * @count: Number of @matmuls, at least 1.
 * @wait_fds: Fences to wait for first: sync_file descriptors of any driver, -1 for one that has
 *	signalled. They stay the caller's, who may close them after the call.
 * @wait_fd_count: Number of @wait_fds.
 * @after: Submissions to wait for first.
 * @after_count: Number of @after.
 * @fence_fd: Receives a sync_file descriptor that signals when the submission has ended, to be
 *	closed by the caller; NULL if none is wanted. It receives -1 when there is nothing to wait
 *	for any more. The kernel can only promise what the engine does, so where the CPU has a part
 *	in the matmuls (host_steps in struct npu_plan, or the CPU backend), or they come after
 *	such a submission that has not ended, the call waits until only the engine has still
 *	something to do; on the CPU backend that is the end, so it always gives -1.
 */
struct npu_submit_desc {
	size_t size;
	struct npu_matmul *const *matmuls;
	size_t count;
	const int *wait_fds;
	size_t wait_fd_count;
	const struct npu_dependency *after;
	size_t after_count;
	int *fence_fd;
};

/**
 * Submits matmuls and returns without waiting for them, on every device: the engine runs what it
 * can alone, a thread of the queue the rest. Only a full queue makes the call wait: one with 64
 * submissions under way for the oldest of them, and where the kernel has as many jobs as it takes
 * of a device that is opened once (max_pending), for some to end. A call that asks for @fence_fd
 * may wait too, see there; and threads that submit to the same queue take turns. What these calls
 * wait for must not be something that the same thread does after them, such as signalling a fence.
 *
 * Nothing is allocated, except when a queue meets the first submission for its thread, and when one
 * there has more than 8 matmuls, or buffers that more than 16 other queues have at the time:
 * each of the 64 places in the queue is made larger once.
 * @ticket: Receives what npu_queue_wait() takes, may be NULL.
 *
 * A submission whose @wait_fds or @after failed ends with -ECANCELED. It is not run if that was
 * known in time; its results are not valid either way. A @fence_fd signals all the same.
 *
 * Errors: -EINVAL (the text names the element), -EMFILE, -ENOMEM, -EAGAIN no thread could be
 * started; -EIO, -ENODEV the device is lost. Nothing was submitted then, or at most a part of it.
 */
int npu_queue_submit(struct npu_queue *queue, const struct npu_submit_desc *desc, uint64_t *ticket,
		     struct npu_error *err);

/**
 * Waits until a submission has ended, at most @timeout_ns (negative: for ever), and tells how. It
 * tells that as often as it is asked, and a call that failed with -ETIME or -EMFILE can be made
 * again.
 *
 * Errors: -ETIME it has not ended yet; -EMFILE something has failed, and no file descriptor is left
 * to find out what; -ETIMEDOUT the engine hung on it and was reset; -ECANCELED
 * something it had to wait for failed; -EIO, -ENODEV the device is lost; -ENOMEM and others where
 * the queue's thread could not submit it; -EINVAL no such ticket, or one whose outcome is
 * forgotten: the queue remembers its last 64 submissions, and of those before only that there was
 * no failure since.
 */
int npu_queue_wait(struct npu_queue *queue, uint64_t ticket, int64_t timeout_ns,
		   struct npu_error *err);

/** Submits and waits: the blocking way. The CPU's part is done in the calling thread. */
int npu_queue_run(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count,
		  struct npu_error *err);

/**
 * struct npu_queue_stats - what a queue has done so far
 * @size: sizeof(struct npu_queue_stats), set by the caller.
 * @matmuls: Matmuls submitted.
 * @jobs: Jobs the engine completed.
 * @engine_ns: Time the engine worked for this queue, as the kernel driver measured it between
 *	interrupts; 0 on the CPU. Times the clock this is device cycles.
 * @host_steps: Steps done on the CPU on behalf of an NPU, see struct npu_plan.
 */
struct npu_queue_stats {
	size_t size;
	uint64_t matmuls;
	uint64_t jobs;
	uint64_t engine_ns;
	uint64_t host_steps;
};

/** Fills @stats. Errors: -EINVAL, -EIO, -ENODEV. */
int npu_queue_get_stats(struct npu_queue *queue, struct npu_queue_stats *stats,
			struct npu_error *err);

#if defined(__cplusplus)
}
#endif

#endif /* NPU_QUEUE_H */
