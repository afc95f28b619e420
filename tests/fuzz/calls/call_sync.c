// SPDX-License-Identifier: MIT
/*
 * Calls on syncobjs and sync_files.
 */
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/sync_file.h>
#include <xf86drm.h>

#include "calls.h"

void call_sync_make(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_syncobj_create create = { .flags = input_byte(&a->in) & 1 };
	struct drm_syncobj_destroy destroy = { 0 };

	call_ioctl(f, DRM_IOCTL_SYNCOBJ_CREATE, &create);
	destroy.handle = world_put(f->syncobjs, &a->in, create.handle);
	if (destroy.handle)
		call_ioctl(f, DRM_IOCTL_SYNCOBJ_DESTROY, &destroy);
}

static void wait_for(struct actor *a, const struct world_file *f, uint32_t *handles)
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
	call_ioctl(f, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &args);
}

void call_sync_use(struct actor *a)
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
		call_ioctl(f, DRM_IOCTL_SYNCOBJ_RESET, &reset);
		break;
	case 1:
		call_ioctl(f, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &list);
		break;
	case 2:
		call_ioctl(f, DRM_IOCTL_SYNCOBJ_TRANSFER, &transfer);
		break;
	case 3:
		call_ioctl(f, DRM_IOCTL_SYNCOBJ_QUERY, &list);
		break;
	default:
		wait_for(a, f, handles);
	}
}

static void look_at(int fd)
{
	struct sync_fence_info fences[4];
	struct sync_file_info info = { .num_fences = 4, .sync_fence_info = (uintptr_t)fences };
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLOUT };

	(void)!ioctl(fd, SYNC_IOC_FILE_INFO, &info);
	poll(&poll_fd, 1, 0);
}

/* In and out of syncobjs as files, and two of them merged. */
void call_sync_file(struct actor *a)
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
		if (args.fd >= 0)
			world_put_fd(a->world, &a->in, args.fd);
		break;
	case 1:
		args.fd = world_fd(a->world, &a->in);
		call_ioctl(f, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args);
		break;
	case 2:
		merge.fd2 = world_fd(a->world, &a->in);
		if (!ioctl(world_fd(a->world, &a->in), SYNC_IOC_MERGE, &merge))
			world_put_fd(a->world, &a->in, merge.fence);
		break;
	default:
		look_at(world_fd(a->world, &a->in));
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

/* A fence that signals some steps later, into a syncobj for submissions to wait for; or a step. */
void call_sync_later(struct actor *a)
{
	static atomic_uint now;
	struct world_file *f = world_file(a->world, &a->in);
	struct sw_sync_create create = {
		.value = now + 1 + input_below(&a->in, 3),
		.name = "later",
		.fence = -1,
	};
	struct drm_syncobj_handle args = { .handle = world_name(f->syncobjs, &a->in), .flags = 1 };
	uint32_t step = 1;

	if (input_chance(&a->in, 2)) {
		now++;
		(void)!ioctl(a->world->timeline, SW_SYNC_IOC_INC, &step);
	} else if (!ioctl(a->world->timeline, SW_SYNC_IOC_CREATE, &create)) {
		args.fd = create.fence;
		call_ioctl(f, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args);
		world_put_fd(a->world, &a->in, create.fence);
	}
}
