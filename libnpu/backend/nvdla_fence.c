// SPDX-License-Identifier: MIT
/*
 * NVDLA fences: sync_files of what a queue has under way.
 */
#include <errno.h>
#include <unistd.h>

#include <xf86drm.h>

#include "nvdla.h"

int nvdla_queue_fence(struct npu_queue *base, uint64_t ticket, int *fd)
{
	struct nvdla_queue *queue = (struct nvdla_queue *)base;
	const struct nvdla_part *last = NULL;
	int ret = 0;

	*fd = -1;
	pthread_mutex_lock(&base->lock);
	for (uint64_t i = queue->tail; i < queue->head; i++)
		if (nvdla_part_at(queue, i)->ticket <= ticket)
			last = nvdla_part_at(queue, i);
	if (last && drmSyncobjExportSyncFile(to_nvdla(base->dev)->fd, last->syncobj, fd))
		ret = -errno;
	pthread_mutex_unlock(&base->lock);
	return ret;
}

/* Adds a sync_file of @syncobj to @fds. */
static int export_fence(const struct nvdla_queue *queue, uint32_t syncobj, int *fds, size_t *count,
			size_t max)
{
	if (*count == max)
		return -E2BIG;
	if (drmSyncobjExportSyncFile(to_nvdla(queue->base.dev)->fd, syncobj, &fds[*count]))
		return -errno;
	(*count)++;
	return 0;
}

/* ... of a part, and of what it waits for. */
static int export_part(const struct nvdla_queue *queue, const struct nvdla_part *part, int *fds,
		       size_t *count, size_t max)
{
	int ret = export_fence(queue, part->syncobj, fds, count, max);

	for (uint32_t i = 0; i < part->waits && !ret; i++)
		ret = export_fence(queue, part->wait[i], fds, count, max);
	return ret;
}

int nvdla_queue_fences(struct npu_queue *base, uint64_t ticket, int *fds, size_t max)
{
	struct nvdla_queue *queue = (struct nvdla_queue *)base;
	size_t count = 0;
	int ret = 0;

	pthread_mutex_lock(&base->lock);
	for (uint64_t i = queue->tail; i < queue->head && !ret; i++)
		if (nvdla_part_at(queue, i)->ticket == ticket)
			ret = export_part(queue, nvdla_part_at(queue, i), fds, &count, max);
	pthread_mutex_unlock(&base->lock);
	if (!ret)
		return count;
	while (count--)
		close(fds[count]);
	return ret;
}
