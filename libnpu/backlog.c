// SPDX-License-Identifier: MIT
/*
 * Backlog of a queue: a ring of submissions that a processor has to carry out, one after the other.
 * That is done by a thread of the queue, or by a caller who waits for the outcome anyway, whoever
 * comes first; a program that only uses blocking calls has no thread.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "backlog.h"
#include "claim.h"
#include "fence.h"

/* Matmuls of a submission, and things it waits for, that there is room for from the start. */
#define FIRST_MATMULS 8
#define FIRST_WAITS (2 * NPU_MAX_WAITS)

/**
 * struct work - a submission in the backlog, or the place for one
 * @ticket: Its ticket.
 * @matmuls: Each held by a reference.
 * @count: Their number.
 * @matmul_room: How many there can be.
 * @wait: What it waits for: what it was told, and what had its buffers before.
 * @waits: Their number.
 * @wait_room: How many there can be.
 * @first_matmuls, @first_wait: Where these are as long as they are few.
 */
struct work {
	uint64_t ticket;
	struct npu_matmul **matmuls;
	size_t count;
	size_t matmul_room;
	struct npu_wait *wait;
	size_t waits;
	size_t wait_room;
	struct npu_matmul *first_matmuls[FIRST_MATMULS];
	struct npu_wait first_wait[FIRST_WAITS];
};

/*
 * Guarded by the queue's lock; but the place at @head, free as long as there is room in the queue,
 * is that of whoever has the submit_lock. So it can grow there while others are carried out.
 */
struct npu_backlog {
	pthread_t thread;
	bool has_thread;
	bool stop;
	bool busy; /* somebody carries out the oldest */
	uint64_t head;
	uint64_t tail;
	struct work work[NPU_QUEUE_DEPTH];
};

/* ---- Carrying out ---------------------------------------------------------------------- */

/* Waits for one thing: 0, or -ECANCELED where it failed. */
static int wait_for(const struct npu_wait *wait)
{
	int ret;

	if (!wait->queue)
		return npu_fence_wait(wait->fd) ? -ECANCELED : 0;
	npu_queue_wait_handed(wait->queue, wait->ticket, NPU_NEVER);
	if (wait->started)
		return 0;
	ret = npu_queue_settle(wait->queue, wait->ticket, NPU_NEVER);
	return ret || npu_queue_failed(wait->queue, wait->ticket) ? -ECANCELED : 0;
}

static void carry_out(struct npu_queue *queue, struct work *work)
{
	const struct npu_submission submission = {
		.ticket = work->ticket,
		.matmuls = work->matmuls,
		.count = work->count,
	};
	struct npu_error why = { 0 };
	int ret = npu_queue_failed(queue, work->ticket) ? -ECANCELED : 0;

	/* All of them, even after a failure: what uses the same buffers has to be over. */
	for (size_t i = 0; i < work->waits; i++) {
		int failed = wait_for(&work->wait[i]);

		ret = ret ? ret : failed;
		npu_wait_release(&work->wait[i]);
	}
	if (!ret) {
		npu_claim_enter(queue, work->matmuls, work->count);
		ret = queue->dev->ops->queue_submit(queue, &submission, &why);
	}
	pthread_mutex_lock(&queue->lock);
	if (ret)
		npu_queue_note(queue, work->ticket, ret, &why);
	pthread_mutex_unlock(&queue->lock);
	for (size_t i = 0; i < work->count; i++)
		npu_matmul_destroy(work->matmuls[i]);
}

/* With the queue's lock, which is given up meanwhile. */
static void carry_out_oldest(struct npu_queue *queue)
{
	struct npu_backlog *backlog = queue->backlog;
	struct work *work = &backlog->work[backlog->tail % NPU_QUEUE_DEPTH];

	backlog->busy = true;
	pthread_mutex_unlock(&queue->lock);
	carry_out(queue, work);
	pthread_mutex_lock(&queue->lock);
	backlog->busy = false;
	backlog->tail++;
	queue->handed = work->ticket;
	pthread_cond_broadcast(&queue->progress);
}

static void *run(void *arg)
{
	struct npu_queue *queue = arg;
	struct npu_backlog *backlog = queue->backlog;

	pthread_mutex_lock(&queue->lock);
	for (;;) {
		bool empty = backlog->head == backlog->tail;

		if (!empty && !backlog->busy)
			carry_out_oldest(queue);
		else if (empty && backlog->stop)
			break;
		else
			pthread_cond_wait(&queue->progress, &queue->lock);
	}
	pthread_mutex_unlock(&queue->lock);
	return NULL;
}

void npu_backlog_help(struct npu_queue *queue, uint64_t ticket)
{
	struct npu_backlog *backlog = queue->backlog;

	pthread_mutex_lock(&queue->lock);
	while (queue->handed < ticket) {
		if (!backlog->busy)
			carry_out_oldest(queue);
		else
			pthread_cond_wait(&queue->progress, &queue->lock);
	}
	pthread_mutex_unlock(&queue->lock);
}

/* ---- Posting --------------------------------------------------------------------------- */

bool npu_backlog_empty(struct npu_queue *queue)
{
	bool empty;

	if (!queue->backlog)
		return true;
	pthread_mutex_lock(&queue->lock);
	empty = queue->backlog->head == queue->backlog->tail;
	pthread_mutex_unlock(&queue->lock);
	return empty;
}

static struct npu_backlog *new_backlog(void)
{
	struct npu_backlog *backlog = calloc(1, sizeof(*backlog));

	for (size_t i = 0; backlog && i < NPU_QUEUE_DEPTH; i++) {
		struct work *work = &backlog->work[i];

		work->matmuls = work->first_matmuls;
		work->matmul_room = FIRST_MATMULS;
		work->wait = work->first_wait;
		work->wait_room = FIRST_WAITS;
	}
	return backlog;
}

static void free_room(struct work *work)
{
	if (work->matmuls != work->first_matmuls)
		free(work->matmuls);
	if (work->wait != work->first_wait)
		free(work->wait);
}

/* Makes room for @count matmuls; those there were are forgotten. */
static int make_room(struct work *work, size_t count)
{
	struct npu_matmul **matmuls;

	if (count <= work->matmul_room)
		return 0;
	matmuls = calloc(count, sizeof(struct npu_matmul *));
	if (!matmuls)
		return -ENOMEM;
	if (work->matmuls != work->first_matmuls)
		free(work->matmuls);
	work->matmuls = matmuls;
	work->matmul_room = count;
	return 0;
}

/* Makes room for twice as many waits, and keeps those there are. */
static int make_wait_room(struct work *work)
{
	size_t room = 2 * work->wait_room;
	struct npu_wait *wait = calloc(room, sizeof(*wait));

	if (!wait)
		return -ENOMEM;
	memcpy(wait, work->wait, work->waits * sizeof(*wait));
	if (work->wait != work->first_wait)
		free(work->wait);
	work->wait = wait;
	work->wait_room = room;
	return 0;
}

/* Signals are the application's, so its threads get them. */
static int start_thread(struct npu_queue *queue)
{
	struct npu_backlog *backlog = queue->backlog;
	sigset_t all, before;
	int ret;

	if (backlog->has_thread)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&backlog->thread, NULL, run, queue);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	backlog->has_thread = !ret;
	return -ret;
}

static int fill_in(struct work *work, struct npu_matmul *const *matmuls, size_t count,
		   const struct npu_wait *waits, size_t wait_count)
{
	if (make_room(work, count))
		return -ENOMEM;
	memcpy(work->matmuls, matmuls, count * sizeof(struct npu_matmul *));
	work->count = count;
	memcpy(work->wait, waits, wait_count * sizeof(*waits));
	work->waits = wait_count;
	return 0;
}

static int claim(struct npu_queue *queue, struct work *work)
{
	const uint64_t ticket = queue->last_ticket + 1;
	int ret = 0;

	while (!ret && !npu_claim(queue, ticket, work->matmuls, work->count, work->wait,
				  &work->waits, work->wait_room))
		ret = make_wait_room(work);
	return ret;
}

/* The place that the next submission gets. */
static struct work *next_work(struct npu_backlog *backlog)
{
	return &backlog->work[backlog->head % NPU_QUEUE_DEPTH];
}

int npu_backlog_prepare(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count,
			const struct npu_wait *waits, size_t wait_count, bool threaded,
			struct npu_error *err)
{
	int ret = 0;

	if (!queue->backlog)
		queue->backlog = new_backlog();
	if (queue->backlog && threaded)
		ret = start_thread(queue);
	if (ret)
		return npu_fail(err, ret,
				"cannot start a thread for a queue, the process or its user has as "
				"many as it may have");
	if (!queue->backlog ||
	    fill_in(next_work(queue->backlog), matmuls, count, waits, wait_count) ||
	    claim(queue, next_work(queue->backlog)))
		return npu_fail(err, -ENOMEM, "no memory for a submission of %zu matmuls", count);
	return 0;
}

void npu_backlog_post(struct npu_queue *queue, uint64_t ticket)
{
	struct npu_backlog *backlog = queue->backlog;
	struct work *work = next_work(backlog);

	work->ticket = ticket;
	for (size_t i = 0; i < work->count; i++)
		npu_ref(&work->matmuls[i]->refs);
	pthread_mutex_lock(&queue->lock);
	backlog->head++;
	pthread_cond_broadcast(&queue->progress);
	pthread_mutex_unlock(&queue->lock);
}

void npu_backlog_destroy(struct npu_queue *queue)
{
	struct npu_backlog *backlog = queue->backlog;

	if (!backlog)
		return;
	pthread_mutex_lock(&queue->lock);
	backlog->stop = true;
	pthread_cond_broadcast(&queue->progress);
	pthread_mutex_unlock(&queue->lock);
	if (backlog->has_thread)
		pthread_join(backlog->thread, NULL);
	queue->backlog = NULL;
	for (size_t i = 0; i < NPU_QUEUE_DEPTH; i++)
		free_room(&backlog->work[i]);
	free(backlog);
}
