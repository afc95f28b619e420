// SPDX-License-Identifier: MIT
/*
 * NVDLA queues: jobs go to the kernel in SUBMITs, called parts here. A submission of the library is
 * one part, unless it has more jobs than a SUBMIT may have. Parts of a queue end in order, so
 * waiting for one settles all before it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <xf86drm.h>

#include "../fence.h"
#include "nvdla.h"
#include "nvdla_split.h"

/* ---- Life ------------------------------------------------------------------------------ */

static void destroy_syncobjs(struct nvdla_queue *queue, int count)
{
	int fd = to_nvdla(queue->base.dev)->fd;

	while (count--) {
		struct nvdla_part *part = &queue->part[count];

		drmSyncobjDestroy(fd, part->syncobj);
		for (int i = 0; i < NPU_MAX_WAITS && part->wait[i]; i++)
			drmSyncobjDestroy(fd, part->wait[i]);
	}
}

static int create_syncobjs(struct nvdla_queue *queue)
{
	int fd = to_nvdla(queue->base.dev)->fd;

	for (int i = 0; i < NVDLA_PARTS; i++) {
		if (drmSyncobjCreate(fd, 0, &queue->part[i].syncobj)) {
			int ret = -errno;

			destroy_syncobjs(queue, i);
			return ret;
		}
	}
	return 0;
}

static int create_failed(int ret, struct npu_error *err)
{
	if (ret == -EACCES)
		return npu_fail(err, ret,
				"a queue of high priority needs CAP_SYS_NICE: run as root, give "
				"the program the right with 'setcap cap_sys_nice+ep', or take "
				"NPU_PRIORITY_NORMAL");
	if (ret == -EDQUOT)
		return npu_fail(err, ret,
				"one more queue than an open device, or all of this user's "
				"together, may have; destroy some, or open the device again");
	errno = -ret;
	return npu_fail(err, ret, "cannot create a queue: %m");
}

int nvdla_queue_init(struct npu_queue *base, struct npu_error *err)
{
	struct nvdla_queue *queue = (struct nvdla_queue *)base;
	struct nvdla_device *dev = to_nvdla(base->dev);
	struct drm_npu_ctx_create ctx = { .priority = base->priority };
	int ret;

	queue->jobs = calloc(dev->max_batch, sizeof(*queue->jobs));
	if (!queue->jobs)
		return npu_fail(err, -ENOMEM, "no memory for a queue object");
	ret = create_syncobjs(queue);
	if (ret)
		goto free_jobs;
	ret = nvdla_ioctl(dev, DRM_IOCTL_NPU_CTX_CREATE, &ctx);
	if (ret)
		goto destroy_syncobjs;
	queue->ctx = ctx.id;
	return 0;

destroy_syncobjs:
	destroy_syncobjs(queue, NVDLA_PARTS);
free_jobs:
	free(queue->jobs);
	return create_failed(ret, err);
}

/* ---- Settling -------------------------------------------------------------------------- */

/* In @status: how the fence in a syncobj ended, 0 or a negative errno. */
static int read_status(const struct nvdla_queue *queue, uint32_t syncobj, int *status)
{
	int fd, ret;

	if (drmSyncobjExportSyncFile(to_nvdla(queue->base.dev)->fd, syncobj, &fd))
		return -errno;
	ret = npu_fence_status(fd, status);
	close(fd);
	if (*status > 0)
		*status = 0;
	return ret;
}

/* -ECANCELED in @status if something that the part waited for has failed. */
static int read_waits(const struct nvdla_queue *queue, const struct nvdla_part *part, int *status)
{
	int ret = 0;

	for (uint32_t i = 0; i < part->waits && !*status && !ret; i++)
		ret = read_status(queue, part->wait[i], status);
	if (*status)
		*status = -ECANCELED;
	return ret;
}

/* Notes the outcome of the oldest part, which has ended. */
static int settle_oldest(struct nvdla_queue *queue, bool may_have_failed)
{
	const struct nvdla_part *part = nvdla_part_at(queue, queue->tail);
	int status = 0, ret = 0;

	if (may_have_failed)
		ret = read_status(queue, part->syncobj, &status);
	if (!ret && status)
		queue->failures++;
	else if (!ret)
		ret = read_waits(queue, part, &status);
	if (ret)
		return ret;
	if (status)
		npu_queue_note(&queue->base, part->ticket, status, NULL);
	queue->tail++;
	return 0;
}

/* Notes the outcomes of the parts before @end, which have ended. */
static int settle_ended(struct nvdla_queue *queue, uint64_t end)
{
	struct drm_npu_ctx_state state = { .id = queue->ctx };
	int ret = nvdla_ioctl(to_nvdla(queue->base.dev), DRM_IOCTL_NPU_CTX_STATE, &state);

	while (queue->tail < end && !ret)
		ret = settle_oldest(queue, state.submits_failed != queue->failures);
	return ret;
}

/*
 * Waits for the parts before @end and notes how they ended. That takes two system calls, however
 * many parts they are, unless one of them has failed or waited for something. Others may do the
 * same meanwhile, or be so far ahead that the syncobj is used again: then it takes longer.
 */
static int settle(struct nvdla_queue *queue, uint64_t end, int64_t deadline)
{
	int fd = to_nvdla(queue->base.dev)->fd, ret = 0;

	pthread_mutex_lock(&queue->base.lock);
	while (queue->tail < end && !ret) {
		uint32_t syncobj = nvdla_part_at(queue, end - 1)->syncobj;

		pthread_mutex_unlock(&queue->base.lock);
		ret = drmSyncobjWait(fd, &syncobj, 1, deadline, 0, NULL);
		pthread_mutex_lock(&queue->base.lock);
		if (!ret)
			ret = settle_ended(queue, end);
	}
	if (queue->tail >= end)
		ret = 0;
	pthread_mutex_unlock(&queue->base.lock);
	return ret;
}

/* First part that belongs to a submission after @ticket. */
static uint64_t end_of(struct nvdla_queue *queue, uint64_t ticket)
{
	uint64_t end;

	pthread_mutex_lock(&queue->base.lock);
	end = queue->tail;
	while (end < queue->head && nvdla_part_at(queue, end)->ticket <= ticket)
		end++;
	pthread_mutex_unlock(&queue->base.lock);
	return end;
}

int nvdla_queue_settle(struct npu_queue *base, uint64_t ticket, int64_t deadline)
{
	struct nvdla_queue *queue = (struct nvdla_queue *)base;

	return settle(queue, end_of(queue, ticket), deadline);
}

void nvdla_queue_fini(struct npu_queue *base)
{
	struct nvdla_queue *queue = (struct nvdla_queue *)base;
	struct nvdla_device *dev = to_nvdla(base->dev);
	struct drm_npu_ctx_destroy ctx = { .id = queue->ctx };
	int ret = settle(queue, queue->head, NPU_NEVER);

	/* Others may still ask, but not the kernel. */
	pthread_mutex_lock(&base->lock);
	for (; queue->tail < queue->head; queue->tail++)
		npu_queue_note(base, nvdla_part_at(queue, queue->tail)->ticket, ret, NULL);
	pthread_mutex_unlock(&base->lock);
	nvdla_ioctl(dev, DRM_IOCTL_NPU_CTX_DESTROY, &ctx);
	destroy_syncobjs(queue, NVDLA_PARTS);
	free(queue->jobs);
}

/* ---- Submitting ------------------------------------------------------------------------ */

/* The file has as many jobs outstanding as it may have: wait for some of them. */
static int wait_for_room(struct nvdla_queue *queue)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	uint64_t oldest;

	pthread_mutex_lock(&queue->base.lock);
	oldest = queue->tail;
	pthread_mutex_unlock(&queue->base.lock);
	if (oldest < queue->head)
		return settle(queue, oldest + 1, NPU_NEVER);
	/* They are those of other queues, whose ends this one has no way to wait for. */
	nanosleep(&pause, NULL);
	return 0;
}

/* Moves the fences that the next part has to wait for into its syncobjs, and fills @syncs. */
static int set_waits(struct nvdla_queue *queue, struct nvdla_part *part, struct drm_npu_sync *syncs)
{
	int fd = to_nvdla(queue->base.dev)->fd;

	part->waits = 0;
	for (size_t i = 0; i < queue->wait_fd_count; i++) {
		if (!part->wait[i] && drmSyncobjCreate(fd, 0, &part->wait[i]))
			return -errno;
		if (drmSyncobjImportSyncFile(fd, part->wait[i], queue->wait_fds[i]))
			return -errno;
		syncs[i] = (struct drm_npu_sync){
			.handle = part->wait[i],
			.flags = DRM_NPU_SYNC_WAIT,
		};
	}
	part->waits = queue->wait_fd_count;
	queue->wait_fd_count = 0;
	return 0;
}

static int submit_failed(int ret, const struct drm_npu_submit *submit, struct npu_error *err)
{
	errno = -ret;
	if (submit->fail_index != UINT32_MAX)
		return npu_fail(err, ret, "the kernel refused job %u of a submission of %u: %m",
				submit->fail_index, submit->jobs.count);
	if (ret == -EIO || ret == -ENODEV)
		return npu_fail(err, ret, "the device is lost: %m");
	return npu_fail(err, ret, "cannot submit: %m");
}

/* Puts the staged jobs into a SUBMIT, with @part for its fence. */
static int submit_part(struct nvdla_queue *queue, struct nvdla_part *part, struct npu_error *err)
{
	struct nvdla_device *dev = to_nvdla(queue->base.dev);
	struct drm_npu_sync syncs[NPU_MAX_WAITS + 1];
	struct drm_npu_submit submit = {
		.ctx = queue->ctx,
		.jobs = { sizeof(*queue->jobs), queue->staged, (uintptr_t)queue->jobs },
		.fail_index = UINT32_MAX,
	};
	int ret = set_waits(queue, part, syncs);

	if (ret) {
		errno = -ret;
		return npu_fail(err, ret, "cannot wait for a fence: %m");
	}
	syncs[part->waits] = (struct drm_npu_sync){
		.handle = part->syncobj,
		.flags = DRM_NPU_SYNC_SIGNAL,
	};
	submit.syncs = (struct drm_npu_array){ sizeof(*syncs), part->waits + 1, (uintptr_t)syncs };
	while ((ret = nvdla_ioctl(dev, DRM_IOCTL_NPU_SUBMIT, &submit)) == -EBUSY) {
		ret = wait_for_room(queue);
		if (ret)
			return npu_queue_unsettled(ret, err);
	}
	return ret ? submit_failed(ret, &submit, err) : 0;
}

int nvdla_queue_flush(struct nvdla_queue *queue, uint64_t ticket, struct npu_error *err)
{
	struct nvdla_part *part = nvdla_part_at(queue, queue->head);
	int ret = 0;

	if (!queue->staged)
		return 0;
	if (queue->head >= NVDLA_PARTS)
		ret = settle(queue, queue->head - NVDLA_PARTS + 1, NPU_NEVER);
	ret = ret ? npu_queue_unsettled(ret, err) : submit_part(queue, part, err);
	queue->staged = 0;
	if (ret)
		return ret;

	pthread_mutex_lock(&queue->base.lock);
	part->ticket = ticket;
	queue->head++;
	pthread_mutex_unlock(&queue->base.lock);
	return 0;
}

int nvdla_queue_stage(struct nvdla_queue *queue, const struct drm_npu_job_matmul *jobs,
		      uint32_t count, uint64_t ticket, struct npu_error *err)
{
	uint32_t max = to_nvdla(queue->base.dev)->max_batch;

	while (count) {
		uint32_t some = count < max - queue->staged ? count : max - queue->staged;
		int ret;

		memcpy(queue->jobs + queue->staged, jobs, some * sizeof(*jobs));
		queue->staged += some;
		jobs += some;
		count -= some;
		if (queue->staged < max)
			continue;
		ret = nvdla_queue_flush(queue, ticket, err);
		if (ret)
			return ret;
	}
	return 0;
}

int nvdla_queue_reach(struct nvdla_queue *queue, uint64_t end, struct npu_error *err)
{
	int ret = settle(queue, end, NPU_NEVER);

	return ret ? npu_queue_unsettled(ret, err) : 0;
}

/* Stages all; a matmul that needs the CPU ends with its last step, and what follows it may fail. */
static int submit_all(struct nvdla_queue *queue, const struct npu_submission *submission,
		      struct npu_error *err)
{
	uint64_t ticket = submission->ticket;

	for (size_t i = 0; i < submission->count; i++) {
		struct nvdla_matmul *matmul = (struct nvdla_matmul *)submission->matmuls[i];
		int ret;

		if (matmul->split)
			ret = nvdla_split_run(queue, matmul, ticket, err);
		else
			ret = nvdla_queue_stage(queue, matmul->jobs, matmul->count, ticket, err);
		if (ret || npu_queue_failed(&queue->base, ticket))
			return ret;
	}
	return nvdla_queue_flush(queue, ticket, err);
}

int nvdla_queue_submit(struct npu_queue *base, const struct npu_submission *submission,
		       struct npu_error *err)
{
	struct nvdla_queue *queue = (struct nvdla_queue *)base;
	int ret;

	queue->wait_fds = submission->wait_fds;
	queue->wait_fd_count = submission->wait_fd_count;
	ret = submit_all(queue, submission, err);
	queue->wait_fd_count = 0;
	queue->staged = 0;
	return ret;
}

int nvdla_queue_stats(struct npu_queue *base, struct npu_queue_stats *stats, struct npu_error *err)
{
	struct nvdla_queue *queue = (struct nvdla_queue *)base;
	struct drm_npu_ctx_state state = { .id = queue->ctx };
	int ret = nvdla_ioctl(to_nvdla(base->dev), DRM_IOCTL_NPU_CTX_STATE, &state);

	if (ret) {
		errno = -ret;
		return npu_fail(err, ret, "cannot read what the queue has done: %m");
	}
	stats->jobs = state.jobs_done;
	stats->engine_ns = state.engine_ns;
	return 0;
}
