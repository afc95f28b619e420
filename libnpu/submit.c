// SPDX-License-Identifier: MIT
/*
 * Submissions on their way into a queue. What the device can do alone is handed to it in the call;
 * the rest goes to the backlog, and so does what comes after it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "backend/backend.h"
#include "backlog.h"
#include "claim.h"
#include "fence.h"
#include "queue.h"

/* ---- What a submission waits for ------------------------------------------------------- */

/**
 * struct request - a submission on its way into the queue
 * @desc: What the application wants.
 * @wait: What it has to wait for.
 * @waits: Their number.
 * @cancelled: Something that it has to wait for has already failed.
 * @backlogged: The device cannot be left alone with it.
 */
struct request {
	const struct npu_submit_desc *desc;
	struct npu_wait wait[NPU_MAX_WAITS];
	size_t waits;
	bool cancelled;
	bool backlogged;
};

void npu_wait_release(const struct npu_wait *wait)
{
	if (wait->queue)
		npu_queue_unref(wait->queue);
	if (wait->owned)
		close(wait->fd);
}

static void release_waits(const struct request *request)
{
	for (size_t i = 0; i < request->waits; i++)
		npu_wait_release(&request->wait[i]);
}

/* Adds a fence, if it is one to wait for. Takes over an owned one, whatever happens. */
static int add_fence(struct request *request, int fd, bool owned)
{
	int status = 0, ret = npu_fence_status(fd, &status);

	if (!ret && !status) {
		request->wait[request->waits++] = (struct npu_wait){ .fd = fd, .owned = owned };
		return 0;
	}
	request->cancelled |= status < 0;
	if (owned)
		close(fd);
	return ret;
}

static int add_wait_fd(struct request *request, size_t i, struct npu_error *err)
{
	int fd = request->desc->wait_fds[i], ret;

	if (fd == -1)
		return 0;
	ret = add_fence(request, fd, false);
	if (ret) {
		errno = -ret;
		return npu_fail(err, -EINVAL,
				"submit: wait_fds[%zu] is %d, which is no sync_file: %m", i, fd);
	}
	return 0;
}

/* Waits in the backlog for a submission that is in one. */
static void add_ticket(struct request *request, const struct npu_dependency *after)
{
	request->wait[request->waits++] = (struct npu_wait){
		.queue = after->queue,
		.ticket = after->ticket,
		.fd = -1,
	};
	npu_queue_ref(after->queue);
	request->backlogged = true;
}

/*
 * A submission that the device has is a fence for each of its parts and for what it waits for: the
 * device does not hand on a failure from one to the other. At most @room of them.
 */
static int add_fences(struct request *request, const struct npu_dependency *after, size_t room)
{
	int fds[NPU_MAX_WAITS];
	int count = after->queue->dev->ops->queue_fences(after->queue, after->ticket, fds, room);
	int ret = 0;

	if (count == -E2BIG)
		add_ticket(request, after);
	else if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		int failed = add_fence(request, fds[i], true);

		ret = ret ? ret : failed;
	}
	return ret;
}

static int add_dependency(struct request *request, size_t i, struct npu_error *err)
{
	const struct npu_submit_desc *desc = request->desc;
	const struct npu_dependency *after = &desc->after[i];
	size_t room = NPU_MAX_WAITS - request->waits - (desc->after_count - 1 - i);
	int ret = 0;

	if (!npu_queue_handed(after->queue, after->ticket)) {
		add_ticket(request, after);
		return 0;
	}
	if (after->queue->dev->ops->queue_fences)
		ret = add_fences(request, after, room);
	if (ret) {
		errno = -ret;
		return npu_fail(err, ret, "submit: cannot make a fence of after[%zu]: %m", i);
	}
	/* What is settled or cancelled has no fence. */
	request->cancelled |= npu_queue_failed(after->queue, after->ticket);
	return 0;
}

static int check_dependency(const struct npu_queue *queue, const struct npu_dependency *after,
			    size_t i, struct npu_error *err)
{
	if (!after->queue)
		return npu_fail(err, -EINVAL, "submit: after[%zu] has no queue", i);
	if (after->queue->dev != queue->dev)
		return npu_fail(err, -EINVAL,
				"submit: after[%zu] is of another device; use a fence_fd there and "
				"wait_fds here",
				i);
	if (!npu_queue_knows(after->queue, after->ticket))
		return npu_fail(err, -EINVAL,
				"submit: after[%zu]: that queue gave out no ticket %" PRIu64, i,
				after->ticket);
	return 0;
}

static int collect_waits(struct npu_queue *queue, struct request *request, struct npu_error *err)
{
	const struct npu_submit_desc *desc = request->desc;
	int ret = 0;

	for (size_t i = 0; i < desc->wait_fd_count && !ret; i++)
		ret = add_wait_fd(request, i, err);
	for (size_t i = 0; i < desc->after_count && !ret; i++) {
		ret = check_dependency(queue, &desc->after[i], i, err);
		if (!ret)
			ret = add_dependency(request, i, err);
	}
	return ret;
}

/* ---- Submitting ------------------------------------------------------------------------ */

static int check_matmuls(const struct npu_queue *queue, struct npu_matmul *const *matmuls,
			 size_t count, struct npu_error *err)
{
	if (!matmuls || !count)
		return npu_fail(err, -EINVAL, "submit: no matmul given");
	for (size_t i = 0; i < count; i++) {
		if (!matmuls[i])
			return npu_fail(err, -EINVAL, "submit: matmul %zu is NULL", i);
		if (matmuls[i]->dev != queue->dev)
			return npu_fail(err, -EINVAL,
					"submit: matmul %zu belongs to another device", i);
	}
	return 0;
}

static int check_submit_desc(const struct npu_queue *queue, const struct npu_submit_desc *desc,
			     struct npu_error *err)
{
	if (!queue || !desc)
		return npu_fail(err, -EINVAL, "submit: no queue or no desc given");
	if (desc->size != sizeof(*desc))
		return npu_fail(err, -EINVAL,
				"npu_submit_desc.size is %zu, set it to sizeof(struct "
				"npu_submit_desc), which is %zu",
				desc->size, sizeof(*desc));
	if ((desc->wait_fd_count && !desc->wait_fds) || (desc->after_count && !desc->after))
		return npu_fail(err, -EINVAL, "submit: %s is NULL, its count is not 0",
				desc->wait_fd_count && !desc->wait_fds ? "wait_fds" : "after");
	if (desc->wait_fd_count > NPU_MAX_WAITS ||
	    desc->after_count > NPU_MAX_WAITS - desc->wait_fd_count)
		return npu_fail(err, -EINVAL,
				"submit: %zu wait_fds and %zu after are more than the %d things a "
				"submission can wait for; merge fences with SYNC_IOC_MERGE",
				desc->wait_fd_count, desc->after_count, NPU_MAX_WAITS);
	return check_matmuls(queue, desc->matmuls, desc->count, err);
}

static bool needs_processor(struct npu_queue *queue, const struct request *request)
{
	const struct npu_submit_desc *desc = request->desc;

	if (queue->dev->ops->submit_computes || request->backlogged ||
	    request->waits > queue->dev->max_waits || !npu_backlog_empty(queue))
		return true;
	for (size_t i = 0; i < desc->count; i++)
		if (desc->matmuls[i]->plan.host_steps)
			return true;
	return false;
}

/* The application's descriptors are good until the call returns only. */
static int own_fences(struct request *request, struct npu_error *err)
{
	for (size_t i = 0; i < request->waits; i++) {
		struct npu_wait *wait = &request->wait[i];
		int fd;

		if (wait->queue || wait->owned)
			continue;
		fd = fcntl(wait->fd, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return npu_fail(err, -errno, "submit: cannot keep a fence: %m");
		wait->fd = fd;
		wait->owned = true;
	}
	return 0;
}

/* The ticket of a request, which has failed already if what it waits for has. */
static uint64_t take_ticket(struct npu_queue *queue, const struct request *request)
{
	uint64_t ticket = npu_queue_take_ticket(queue);

	if (!request->cancelled)
		return ticket;
	pthread_mutex_lock(&queue->lock);
	npu_queue_note(queue, ticket, -ECANCELED, NULL);
	pthread_mutex_unlock(&queue->lock);
	return ticket;
}

static int post(struct npu_queue *queue, struct request *request, bool threaded, uint64_t *ticket,
		struct npu_error *err)
{
	const struct npu_submit_desc *desc = request->desc;
	int ret = own_fences(request, err);

	if (!ret)
		ret = npu_backlog_prepare(queue, desc->matmuls, desc->count, request->wait,
					  request->waits, threaded, err);
	if (ret)
		return ret;
	*ticket = take_ticket(queue, request);
	npu_backlog_post(queue, *ticket);
	request->waits = 0;
	return 0;
}

static int hand_over(struct npu_queue *queue, const struct request *request, uint64_t *ticket,
		     struct npu_error *err)
{
	int wait_fds[NPU_MAX_WAITS], ret = 0;
	struct npu_submission submission = {
		.matmuls = request->desc->matmuls,
		.count = request->desc->count,
		.wait_fds = wait_fds,
		.wait_fd_count = request->waits,
	};

	for (size_t i = 0; i < request->waits; i++)
		wait_fds[i] = request->wait[i].fd;
	*ticket = take_ticket(queue, request);
	submission.ticket = *ticket;
	if (!request->cancelled)
		ret = queue->dev->ops->queue_submit(queue, &submission, err);
	npu_queue_hand(queue, *ticket);
	npu_claim_passed(queue, submission.matmuls, submission.count);
	return ret;
}

/*
 * Brings a submission in. What its caller waits for anyway, @blocking, is carried out in the
 * calling thread where a processor is needed.
 */
static int submit(struct npu_queue *queue, const struct npu_submit_desc *desc, bool blocking,
		  uint64_t *ticket, struct npu_error *err)
{
	struct request request = { .desc = desc };
	bool backlogged = false;
	int ret;

	pthread_mutex_lock(&queue->submit_lock);
	ret = collect_waits(queue, &request, err);
	if (!ret)
		ret = npu_queue_make_room(queue, err);
	if (!ret) {
		/* hand_over() ends what npu_claim_pass() begins. */
		backlogged = needs_processor(queue, &request) ||
			     !npu_claim_pass(queue, desc->matmuls, desc->count);
		ret = backlogged ? post(queue, &request, !blocking, ticket, err)
				 : hand_over(queue, &request, ticket, err);
	}
	pthread_mutex_unlock(&queue->submit_lock);
	release_waits(&request);
	if (ret)
		return ret;
	queue->stats.matmuls += desc->count;
	if (backlogged && blocking)
		npu_backlog_help(queue, *ticket);
	return 0;
}

/* The fence of a submission that the device has, or -1 when it has ended. */
static int make_fence(struct npu_queue *queue, uint64_t ticket)
{
	int fd = -1;

	if (!queue->dev->ops->queue_fence || queue->dev->ops->queue_fence(queue, ticket, &fd))
		npu_queue_settle(queue, ticket, NPU_NEVER);
	return fd;
}

int npu_queue_submit(struct npu_queue *queue, const struct npu_submit_desc *desc, uint64_t *out,
		     struct npu_error *err)
{
	uint64_t ticket;
	int ret = check_submit_desc(queue, desc, err);

	if (!ret)
		ret = submit(queue, desc, desc->fence_fd, &ticket, err);
	if (ret)
		return ret;
	if (desc->fence_fd)
		*desc->fence_fd = make_fence(queue, ticket);
	if (out)
		*out = ticket;
	return 0;
}

int npu_queue_run(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count,
		  struct npu_error *err)
{
	const struct npu_submit_desc desc = {
		.size = sizeof(desc),
		.matmuls = matmuls,
		.count = count,
	};
	uint64_t ticket;
	int ret = check_submit_desc(queue, &desc, err);

	if (!ret)
		ret = submit(queue, &desc, true, &ticket, err);
	return ret ? ret : npu_queue_wait(queue, ticket, -1, err);
}
