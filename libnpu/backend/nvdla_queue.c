// SPDX-License-Identifier: MIT
/*
 * NVDLA queues: jobs go to the kernel in SUBMITs, called parts here. A submission of the library is
 * one part, unless it has more jobs than a SUBMIT may have. Parts of a queue end in order, so
 * waiting for one settles all before it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/sync_file.h>
#include <xf86drm.h>

#include "nvdla.h"
#include "nvdla_split.h"

static struct nvdla_part *part_at(struct nvdla_queue *queue, uint64_t index)
{
	return &queue->part[index % NVDLA_PARTS];
}

static int *outcome_of(struct nvdla_queue *queue, uint64_t ticket)
{
	return &queue->outcome[ticket % NPU_QUEUE_DEPTH];
}

bool nvdla_queue_failed(struct nvdla_queue *queue, uint64_t ticket)
{
	return *outcome_of(queue, ticket) != 0;
}

/* ---- Life ------------------------------------------------------------------------------ */

static void destroy_syncobjs(struct nvdla_queue *queue, int count)
{
	while (count--)
		drmSyncobjDestroy(to_nvdla(queue->base.dev)->fd, queue->part[count].syncobj);
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

int nvdla_queue_init(struct npu_queue *base, struct npu_error *err)
{
	struct nvdla_queue *queue = (struct nvdla_queue *)base;
	struct nvdla_device *dev = to_nvdla(base->dev);
	struct drm_npu_ctx_create ctx = { .priority = DRM_NPU_PRIORITY_NORMAL };
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
	errno = -ret;
	return npu_fail(err, ret, "cannot create a queue: %m");
}

/* ---- Settling -------------------------------------------------------------------------- */

/* How a part ended that has ended: 0 or a negative errno in @status. */
static int read_status(struct nvdla_queue *queue, uint64_t index, int *status)
{
	struct sync_file_info info = { 0 };
	int fd, ret = 0;

	if (drmSyncobjExportSyncFile(to_nvdla(queue->base.dev)->fd, part_at(queue, index)->syncobj,
				     &fd))
		return -errno;
	if (ioctl(fd, SYNC_IOC_FILE_INFO, &info))
		ret = -errno;
	close(fd);
	*status = info.status < 0 ? info.status : 0;
	return ret;
}

/* Notes the outcome of the oldest part, which has ended. */
static int settle_oldest(struct nvdla_queue *queue)
{
	int *outcome = outcome_of(queue, part_at(queue, queue->tail)->ticket);
	int status = 0;
	int ret = read_status(queue, queue->tail, &status);

	if (ret)
		return ret;
	if (status) {
		queue->failures++;
		if (!*outcome)
			*outcome = status;
	}
	queue->tail++;
	return 0;
}

/*
 * Waits for the parts before @end and notes how they ended. That takes two system calls, however
 * many parts they are, unless one of them has failed.
 */
static int settle(struct nvdla_queue *queue, uint64_t end, int64_t deadline)
{
	struct nvdla_device *dev = to_nvdla(queue->base.dev);
	struct drm_npu_ctx_state state = { .id = queue->ctx };
	int ret;

	if (queue->tail >= end)
		return 0;
	ret = drmSyncobjWait(dev->fd, &part_at(queue, end - 1)->syncobj, 1, deadline, 0, NULL);
	if (ret)
		return ret;
	ret = nvdla_ioctl(dev, DRM_IOCTL_NPU_CTX_STATE, &state);
	if (ret)
		return ret;

	if (state.submits_failed == queue->failures)
		queue->tail = end;
	while (queue->tail < end && !ret)
		ret = settle_oldest(queue);
	return ret;
}

static int settle_failed(int ret, struct npu_error *err)
{
	errno = -ret;
	return npu_fail(err, ret, "cannot learn how a submission ended: %m");
}

/* First part that belongs to a submission after @ticket. */
static uint64_t end_of(struct nvdla_queue *queue, uint64_t ticket)
{
	uint64_t end = queue->tail;

	while (end < queue->head && part_at(queue, end)->ticket <= ticket)
		end++;
	return end;
}

void nvdla_queue_fini(struct npu_queue *base)
{
	struct nvdla_queue *queue = (struct nvdla_queue *)base;
	struct nvdla_device *dev = to_nvdla(base->dev);
	struct drm_npu_ctx_destroy ctx = { .id = queue->ctx };

	settle(queue, queue->head, INT64_MAX);
	nvdla_ioctl(dev, DRM_IOCTL_NPU_CTX_DESTROY, &ctx);
	destroy_syncobjs(queue, NVDLA_PARTS);
	free(queue->jobs);
}

/* ---- Submitting ------------------------------------------------------------------------ */

/* The file has as many jobs outstanding as it may have: wait for some of them. */
static int wait_for_room(struct nvdla_queue *queue)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	if (queue->tail < queue->head)
		return settle(queue, queue->tail + 1, INT64_MAX);
	/* They are those of other queues, whose ends this one has no way to wait for. */
	nanosleep(&pause, NULL);
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

int nvdla_queue_flush(struct nvdla_queue *queue, uint64_t ticket, struct npu_error *err)
{
	struct nvdla_device *dev = to_nvdla(queue->base.dev);
	struct drm_npu_sync sync = { .flags = DRM_NPU_SYNC_SIGNAL };
	struct drm_npu_submit submit = {
		.ctx = queue->ctx,
		.jobs = { sizeof(*queue->jobs), queue->staged, (uintptr_t)queue->jobs },
		.syncs = { sizeof(sync), 1, (uintptr_t)&sync },
		.fail_index = UINT32_MAX,
	};
	int ret = 0;

	if (!queue->staged)
		return 0;
	queue->staged = 0;
	if (queue->head - queue->tail == NVDLA_PARTS)
		ret = settle(queue, queue->tail + 1, INT64_MAX);
	if (ret)
		return settle_failed(ret, err);

	sync.handle = part_at(queue, queue->head)->syncobj;
	while ((ret = nvdla_ioctl(dev, DRM_IOCTL_NPU_SUBMIT, &submit)) == -EBUSY) {
		ret = wait_for_room(queue);
		if (ret)
			return settle_failed(ret, err);
	}
	if (ret)
		return submit_failed(ret, &submit, err);

	part_at(queue, queue->head)->ticket = ticket;
	queue->head++;
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
	int ret = settle(queue, end, INT64_MAX);

	return ret ? settle_failed(ret, err) : 0;
}

/* Stages all; a matmul that needs the CPU ends with its last step, and what follows it may fail. */
static int submit_all(struct nvdla_queue *queue, struct npu_matmul *const *matmuls, size_t count,
		      uint64_t ticket, struct npu_error *err)
{
	for (size_t i = 0; i < count; i++) {
		struct nvdla_matmul *matmul = (struct nvdla_matmul *)matmuls[i];
		int ret;

		if (matmul->split)
			ret = nvdla_split_run(queue, matmul, ticket, err);
		else
			ret = nvdla_queue_stage(queue, matmul->jobs, matmul->count, ticket, err);
		if (ret || nvdla_queue_failed(queue, ticket))
			return ret;
	}
	return nvdla_queue_flush(queue, ticket, err);
}

int nvdla_queue_submit(struct npu_queue *base, struct npu_matmul *const *matmuls, size_t count,
		       uint64_t ticket, struct npu_error *err)
{
	struct nvdla_queue *queue = (struct nvdla_queue *)base;
	int ret = 0;

	/* The submission whose place this one takes has to be settled first. */
	if (ticket > NPU_QUEUE_DEPTH)
		ret = settle(queue, end_of(queue, ticket - NPU_QUEUE_DEPTH), INT64_MAX);
	if (ret)
		return settle_failed(ret, err);
	*outcome_of(queue, ticket) = 0;

	ret = submit_all(queue, matmuls, count, ticket, err);
	queue->staged = 0;
	return ret;
}

/* ---- Waiting --------------------------------------------------------------------------- */

static int tell_outcome(int outcome, uint64_t ticket, struct npu_error *err)
{
	switch (outcome) {
	case 0:
		return 0;
	case -ETIMEDOUT:
		return npu_fail(err, outcome,
				"the engine hung on submission %" PRIu64 " and was reset", ticket);
	case -EIO:
		return npu_fail(err, outcome,
				"submission %" PRIu64 " failed: bus error, or the device is lost",
				ticket);
	case -ENODEV:
		return npu_fail(err, outcome, "submission %" PRIu64 " failed: the device is gone",
				ticket);
	default:
		errno = -outcome;
		return npu_fail(err, outcome, "submission %" PRIu64 " failed: %m", ticket);
	}
}

int nvdla_queue_wait(struct npu_queue *base, uint64_t ticket, int64_t timeout_ns,
		     struct npu_error *err)
{
	struct nvdla_queue *queue = (struct nvdla_queue *)base;
	int ret = settle(queue, end_of(queue, ticket), nvdla_deadline(timeout_ns));

	if (ret == -ETIME)
		return npu_fail(err, ret,
				"submission %" PRIu64 " has not ended after %" PRId64 " ns", ticket,
				timeout_ns);
	if (ret)
		return settle_failed(ret, err);
	return tell_outcome(*outcome_of(queue, ticket), ticket, err);
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
