// SPDX-License-Identifier: MIT
/*
 * Claims: which submission in a backlog was the last to be given a buffer. Each waits for the one
 * before, so the last one stands for all. All buffers of a submission are claimed in one step, so
 * no two submissions can wait for each other. What goes to the device at once has no claim, but is
 * counted on the way there.
 */
#include <errno.h>

#include "claim.h"
#include "deadline.h"
#include "error.h"
#include "matmul.h"

/* The ticket of a claim that is no submission's. */
#define ALONE 1

/* The last claim, if it is one that still matters to @queue. With the claims' lock. */
static bool is_claimed(const struct npu_buffer *buf, const struct npu_queue *queue)
{
	return buf->claimant && buf->claimant != queue &&
	       !npu_queue_handed(buf->claimant, buf->claim);
}

/* With the claims' lock. */
static bool any_claimed(const struct npu_queue *queue, struct npu_matmul *const *matmuls,
			size_t count)
{
	struct npu_buffer *bufs[NPU_MATMUL_BUFFERS];

	for (size_t i = 0; i < count; i++) {
		size_t n = npu_matmul_buffers(matmuls[i], bufs);

		while (n--)
			if (is_claimed(bufs[n], queue))
				return true;
	}
	return false;
}

/* With the claims' lock. */
static void count_passing(struct npu_matmul *const *matmuls, size_t count, int change)
{
	struct npu_buffer *bufs[NPU_MATMUL_BUFFERS];

	for (size_t i = 0; i < count; i++) {
		size_t n = npu_matmul_buffers(matmuls[i], bufs);

		while (n--)
			bufs[n]->passing += change;
	}
}

bool npu_claim_pass(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count)
{
	bool may_pass;

	pthread_mutex_lock(&queue->dev->claims_lock);
	may_pass = !any_claimed(queue, matmuls, count);
	if (may_pass)
		count_passing(matmuls, count, 1);
	pthread_mutex_unlock(&queue->dev->claims_lock);
	return may_pass;
}

void npu_claim_passed(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count)
{
	pthread_mutex_lock(&queue->dev->claims_lock);
	count_passing(matmuls, count, -1);
	pthread_cond_broadcast(&queue->dev->claims_left);
	pthread_mutex_unlock(&queue->dev->claims_lock);
}

/* None can begin to pass meanwhile, because the buffers are claimed. */
void npu_claim_enter(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count)
{
	struct npu_device *dev = queue->dev;
	struct npu_buffer *bufs[NPU_MATMUL_BUFFERS];

	pthread_mutex_lock(&dev->claims_lock);
	for (size_t i = 0; i < count; i++) {
		size_t n = npu_matmul_buffers(matmuls[i], bufs);

		while (n--)
			while (bufs[n]->passing)
				pthread_cond_wait(&dev->claims_left, &dev->claims_lock);
	}
	pthread_mutex_unlock(&dev->claims_lock);
}

/* Adds the claim on @buf to @waits; false if there is no room. */
static bool add_wait(const struct npu_buffer *buf, struct npu_wait *waits, size_t *used, size_t max)
{
	for (size_t i = 0; i < *used; i++) {
		if (waits[i].queue != buf->claimant || !waits[i].started)
			continue;
		if (waits[i].ticket < buf->claim)
			waits[i].ticket = buf->claim;
		return true;
	}
	if (*used == max)
		return false;
	waits[(*used)++] = (struct npu_wait){
		.queue = buf->claimant,
		.ticket = buf->claim,
		.started = true,
		.fd = -1,
	};
	npu_queue_ref(buf->claimant);
	return true;
}

/* Adds all claims there are on a submission's buffers; false if there is no room. */
static bool add_waits(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count,
		      struct npu_wait *waits, size_t *used, size_t max)
{
	struct npu_buffer *bufs[NPU_MATMUL_BUFFERS];

	for (size_t i = 0; i < count; i++) {
		size_t n = npu_matmul_buffers(matmuls[i], bufs);

		while (n--)
			if (is_claimed(bufs[n], queue) && !add_wait(bufs[n], waits, used, max))
				return false;
	}
	return true;
}

static void set_claim(struct npu_buffer *buf, struct npu_queue *queue, uint64_t ticket)
{
	if (buf->claimant != queue) {
		if (buf->claimant)
			npu_queue_unref(buf->claimant);
		npu_queue_ref(queue);
	}
	buf->claimant = queue;
	buf->claim = ticket;
}

static void set_claims(struct npu_queue *queue, uint64_t ticket, struct npu_matmul *const *matmuls,
		       size_t count)
{
	struct npu_buffer *bufs[NPU_MATMUL_BUFFERS];

	for (size_t i = 0; i < count; i++) {
		size_t n = npu_matmul_buffers(matmuls[i], bufs);

		while (n--)
			set_claim(bufs[n], queue, ticket);
	}
}

bool npu_claim(struct npu_queue *queue, uint64_t ticket, struct npu_matmul *const *matmuls,
	       size_t count, struct npu_wait *waits, size_t *used, size_t max)
{
	const size_t given = *used;
	bool fits;

	pthread_mutex_lock(&queue->dev->claims_lock);
	fits = add_waits(queue, matmuls, count, waits, used, max);
	if (fits)
		set_claims(queue, ticket, matmuls, count);
	pthread_mutex_unlock(&queue->dev->claims_lock);
	while (!fits && *used > given)
		npu_queue_unref(waits[--*used].queue);
	return fits;
}

/* The last claim, held by a reference where there is one. With the claims' lock. */
static struct npu_dependency get_claim(const struct npu_buffer *buf)
{
	if (buf->claimant)
		npu_queue_ref(buf->claimant);
	return (struct npu_dependency){ .queue = buf->claimant, .ticket = buf->claim };
}

static int wait_for_claim(struct npu_dependency claim, int64_t deadline)
{
	int ret;

	if (!claim.queue)
		return 0;
	ret = npu_queue_wait_handed(claim.queue, claim.ticket, deadline);
	npu_queue_unref(claim.queue);
	return ret;
}

int npu_claim_wait(struct npu_buffer *buf, int64_t deadline)
{
	pthread_mutex_t *lock = &buf->dev->claims_lock;
	struct npu_dependency claim;

	pthread_mutex_lock(lock);
	claim = get_claim(buf);
	pthread_mutex_unlock(lock);
	return wait_for_claim(claim, deadline);
}

int npu_claim_alone(struct npu_buffer *buf, struct npu_queue **claim, struct npu_error *err)
{
	pthread_mutex_t *lock = &buf->dev->claims_lock;
	struct npu_queue *own = npu_queue_stand_in(buf->dev);
	struct npu_dependency before;

	if (!own)
		return npu_fail(err, -ENOMEM, "no memory to claim a buffer");
	pthread_mutex_lock(lock);
	if (buf->writers) {
		pthread_mutex_unlock(lock);
		npu_queue_unref(own);
		return npu_fail(err, -EBUSY,
				"a write access to the buffer of %zu bytes is open: end it first",
				buf->bytes);
	}
	before = get_claim(buf);
	set_claim(buf, own, ALONE);
	pthread_mutex_unlock(lock);
	wait_for_claim(before, NPU_NEVER);
	*claim = own;
	return 0;
}

void npu_claim_end(struct npu_queue *claim)
{
	npu_queue_hand(claim, ALONE);
	npu_queue_unref(claim);
}

void npu_claim_drop(struct npu_buffer *buf)
{
	if (buf->claimant)
		npu_queue_unref(buf->claimant);
}
