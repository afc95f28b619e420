// SPDX-License-Identifier: MIT
/*
 * Calls on syncobjs and sync_files.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/sync_file.h>
#include <xf86drm.h>

#include "calls.h"

enum {
	LATER_MAX = 64
};

enum outcome call_sync_make(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_syncobj_create create = { .flags = input_byte(&a->in) & 1 };
	struct drm_syncobj_destroy destroy = { 0 };
	enum outcome outcome;

	outcome = call_ioctl(f, DRM_IOCTL_SYNCOBJ_CREATE, &create);
	destroy.handle = world_put(f->syncobjs, &a->in, create.handle);
	if (destroy.handle)
		call_ioctl(f, DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
	return outcome;
}

static enum outcome wait_for(struct actor *a, const struct world_file *f, uint32_t *handles)
{
	uint64_t points[2] = { input_byte(&a->in) / 8, input_byte(&a->in) / 8 };
	struct drm_syncobj_timeline_wait args = {
		.handles = (uintptr_t)handles,
		.points = (uintptr_t)points,
		.count_handles = 1 + input_below(&a->in, 2),
		.flags = input_byte(&a->in) & 7,
	};
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	args.timeout_nsec = now.tv_sec * 1000000000LL + now.tv_nsec + input_byte(&a->in) * 10000LL;
	return call_ioctl(f, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &args);
}

enum outcome call_sync_use(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	uint32_t handles[2] = { world_name(f->syncobjs, &a->in), world_name(f->syncobjs, &a->in) };
	uint64_t point = input_byte(&a->in) / 8;
	struct drm_syncobj_timeline_array list = {
		.handles = (uintptr_t)handles,
		.points = (uintptr_t)&point,
		.count_handles = 1,
	};
	struct drm_syncobj_array reset = { .handles = (uintptr_t)handles, .count_handles = 2 };
	struct drm_syncobj_transfer transfer = {
		.src_handle = handles[0],
		.dst_handle = handles[1],
		.src_point = input_byte(&a->in) / 16,
		.dst_point = point,
	};

	switch (input_below(&a->in, 5)) {
	case 0:
		return call_ioctl(f, DRM_IOCTL_SYNCOBJ_RESET, &reset);
	case 1:
		return call_ioctl(f, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &list);
	case 2:
		return call_ioctl(f, DRM_IOCTL_SYNCOBJ_TRANSFER, &transfer);
	case 3:
		return call_ioctl(f, DRM_IOCTL_SYNCOBJ_QUERY, &list);
	default:
		return wait_for(a, f, handles);
	}
}

static enum outcome look_at(int fd)
{
	struct sync_fence_info fences[4];
	struct sync_file_info info = { .num_fences = 4, .sync_fence_info = (uintptr_t)fences };
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLOUT };

	poll(&poll_fd, 1, 0);
	return outcome_of(ioctl(fd, SYNC_IOC_FILE_INFO, &info));
}

/* In and out of syncobjs as files, and two of them merged. */
enum outcome call_sync_file(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct sync_merge_data merge = { .name = "merged", .fence = -1 };
	struct drm_syncobj_handle args = {
		.handle = world_name(f->syncobjs, &a->in),
		.flags = 1,
		.fd = -1,
	};

	switch (input_below(&a->in, 4)) {
	case 0:
		call_ioctl(f, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args);
		if (args.fd < 0)
			return OUTCOME_REFUSED;
		world_put_fd(a->world, &a->in, args.fd);
		return OUTCOME_DONE;
	case 1:
		args.fd = world_fd(a->world, &a->in);
		return call_ioctl(f, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args);
	case 2:
		merge.fd2 = world_fd(a->world, &a->in);
		if (ioctl(world_fd(a->world, &a->in), SYNC_IOC_MERGE, &merge))
			return OUTCOME_REFUSED;
		world_put_fd(a->world, &a->in, merge.fence);
		return OUTCOME_DONE;
	default:
		return look_at(world_fd(a->world, &a->in));
	}
}

/* The interface of drivers/dma-buf/sw_sync.c, which has no header for user space. */
struct sw_sync_create {
	uint32_t value;
	char name[32];
	int32_t fence;
};

#define SW_SYNC_IOC_CREATE _IOWR('W', 0, struct sw_sync_create)
#define SW_SYNC_IOC_INC _IOW('W', 1, uint32_t)

/*
 * Linux 6.12 gets a reference to each fence that a step signals, also to one whose last reference
 * is just being put (sync_timeline_signal()). So those that are to come are held until they came.
 */
static struct {
	pthread_mutex_t lock;
	uint32_t now;
	unsigned int held;
	struct {
		uint32_t value;
		int fd;
	} fences[LATER_MAX];
} later = { .lock = PTHREAD_MUTEX_INITIALIZER };

static enum outcome step(struct world *w)
{
	uint32_t one = 1;
	unsigned int i = 0;

	if (ioctl(w->timeline, SW_SYNC_IOC_INC, &one))
		return OUTCOME_REFUSED;
	later.now++;
	while (i < later.held) {
		if ((int32_t)(later.fences[i].value - later.now) > 0) {
			i++;
			continue;
		}
		close(later.fences[i].fd);
		later.fences[i] = later.fences[--later.held];
	}
	return OUTCOME_DONE;
}

/* A fence that signals @steps later, into a syncobj for submissions to wait for. */
static enum outcome make_later(struct actor *a, const struct world_file *f, uint32_t steps)
{
	struct sw_sync_create create = {
		.value = later.now + steps,
		.name = "later",
		.fence = -1,
	};
	struct drm_syncobj_handle args = { .handle = world_name(f->syncobjs, &a->in), .flags = 1 };
	enum outcome outcome;

	if (ioctl(a->world->timeline, SW_SYNC_IOC_CREATE, &create))
		return OUTCOME_REFUSED;
	later.fences[later.held].value = create.value;
	later.fences[later.held++].fd = create.fence;
	args.fd = create.fence;
	outcome = call_ioctl(f, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args);
	world_put_fd(a->world, &a->in, dup(create.fence));
	return outcome;
}

enum outcome call_sync_later(struct actor *a)
{
	const struct world_file *f = world_file(a->world, &a->in);
	const uint32_t steps = 1 + input_below(&a->in, 3);
	enum outcome outcome;

	pthread_mutex_lock(&later.lock);
	if (later.held == LATER_MAX || input_chance(&a->in, 2))
		outcome = step(a->world);
	else
		outcome = make_later(a, f, steps);
	pthread_mutex_unlock(&later.lock);
	return outcome;
}
