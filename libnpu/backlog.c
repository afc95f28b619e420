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
#include <unistd.h>

#include "backend/backend.h"
#include "backlog.h"
#include "claim.h"
#include "fence.h"

/* What one submission waits for: what it was told, and what had its buffers before. */
#define WAITS (2 * NPU_MAX_WAITS)

/* Matmuls of a submission that there is room for from the start. */
#define FIRST_ROOM 8

struct work {
	uint64_t ticket;
	struct npu_matmul **matmuls; /* each held by a reference */
	size_t count;
	struct npu_wait wait[WAITS];
	size_t waits;
};

/* All but @room and @matmuls are guarded by the queue's lock, these by its submit_lock. */
struct npu_backlog {
	pthread_t thread;
	bool has_thread;
	bool stop;
	bool busy; /* somebody carries out the oldest */
	uint64_t head;
	uint64_t tail;
	struct work work[NPU_QUEUE_DEPTH];
	size_t room; /* matmuls that each work can have */
	struct npu_matmul **matmuls;
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
	if (!ret)
		ret = queue->dev->ops->queue_submit(queue, &submission, &why);
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

/* The ring of lists of matmuls moves, so nobody may be reading one. */
static int make_room(struct npu_queue *queue, size_t count)
{
	struct npu_backlog *backlog = queue->backlog;
	size_t room = backlog->room ? backlog->room : FIRST_ROOM;
	struct npu_matmul **matmuls;

	if (count <= backlog->room)
		return 0;
	while (room < count)
		room *= 2;
	matmuls = calloc(NPU_QUEUE_DEPTH, room * sizeof(struct npu_matmul *));
	if (!matmuls)
		return -ENOMEM;
	npu_queue_wait_handed(queue, queue->last_ticket, NPU_NEVER);
	free(backlog->matmuls);
	backlog->matmuls = matmuls;
	backlog->room = room;
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

int npu_backlog_prepare(struct npu_queue *queue, size_t count, bool threaded, struct npu_error *err)
{
	int ret = 0;

	if (!queue->backlog)
		queue->backlog = calloc(1, sizeof(*queue->backlog));
	if (!queue->backlog || make_room(queue, count))
		return npu_fail(err, -ENOMEM, "no memory for a submission of %zu matmuls", count);
	if (threaded)
		ret = start_thread(queue);
	if (ret)
		return npu_fail(err, ret,
				"cannot start a thread for a queue, the process or its user has as "
				"many as it may have");
	return 0;
}

void npu_backlog_post(struct npu_queue *queue, uint64_t ticket, struct npu_matmul *const *matmuls,
		      size_t count, const struct npu_wait *waits, size_t wait_count)
{
	struct npu_backlog *backlog = queue->backlog;
	size_t at = backlog->head % NPU_QUEUE_DEPTH;
	struct work *work = &backlog->work[at];

	work->ticket = ticket;
	work->matmuls = backlog->matmuls + at * backlog->room;
	work->count = count;
	for (size_t i = 0; i < count; i++) {
		work->matmuls[i] = matmuls[i];
		npu_ref(&matmuls[i]->refs);
	}
	for (size_t i = 0; i < wait_count; i++)
		work->wait[i] = waits[i];
	work->waits = npu_claim(queue, ticket, matmuls, count, work->wait, wait_count, WAITS);

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
	free(backlog->matmuls);
	free(backlog);
}
