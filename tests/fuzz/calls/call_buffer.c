// SPDX-License-Identifier: MIT
/*
 * Calls on buffers, and buffers that come from elsewhere or go there.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <xf86drm.h>

#include "calls.h"

/* Waits for a moment at most, so that a thread is not lost to a fence that never signals. */
static int64_t soon(struct input *in)
{
	struct timespec now;

	if (input_chance(in, 4))
		return (int64_t)input_number(in) >> 1 & 0xffffffff;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec + input_byte(in) * 100000LL;
}

static void close_handle(const struct world_file *f, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	if (handle)
		call_ioctl(f, DRM_IOCTL_GEM_CLOSE, &args);
}

void call_bo_create(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_npu_bo_create args = { .size = 4096ULL << input_below(&a->in, 6) };
	uint32_t slot;

	if (input_chance(&a->in, 16))
		args.size = input_number(&a->in);
	input_damage(&a->in, &args, sizeof(args));
	call_ioctl(f, DRM_IOCTL_NPU_BO_CREATE, &args);
	if (!args.handle)
		return;
	slot = input_below(&a->in, WORLD_OBJECTS);
	f->offsets[slot] = args.mmap_offset;
	close_handle(f, atomic_exchange(&f->bos[slot], args.handle));
}

void call_bo_close(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);

	close_handle(f, world_name(f->bos, &a->in));
}

void call_bo_info(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_npu_bo_info args = { .handle = world_name(f->bos, &a->in) };

	input_damage(&a->in, &args, sizeof(args));
	call_ioctl(f, DRM_IOCTL_NPU_BO_INFO, &args);
}

void call_bo_prep(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_npu_bo_prep args = {
		.handle = world_name(f->bos, &a->in),
		.flags = input_byte(&a->in) & 7,
		.deadline_ns = soon(&a->in),
	};

	if (input_chance(&a->in, 2)) {
		args.offset = input_number(&a->in);
		args.size = input_number(&a->in);
	}
	call_ioctl(f, DRM_IOCTL_NPU_BO_PREP, &args);
}

void call_bo_fini(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_npu_bo_fini args = {
		.handle = world_name(f->bos, &a->in),
		.flags = 1 + input_below(&a->in, 4),
	};

	if (input_chance(&a->in, 2)) {
		args.offset = input_number(&a->in);
		args.size = input_number(&a->in);
	}
	call_ioctl(f, DRM_IOCTL_NPU_BO_FINI, &args);
}

static void keep_map(struct actor *a, void *at, size_t size)
{
	unsigned int i = input_below(&a->in, ACTOR_MAPS);

	if (at == MAP_FAILED)
		return;
	if (a->maps[i].at)
		munmap(a->maps[i].at, a->maps[i].size);
	a->maps[i].at = at;
	a->maps[i].size = size;
}

void call_map(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	uint64_t offset = f->offsets[input_below(&a->in, WORLD_OBJECTS)];
	const size_t size = 4096UL << input_below(&a->in, 6);
	const int prot = input_byte(&a->in) & (PROT_READ | PROT_WRITE | PROT_EXEC);
	const int kind = input_chance(&a->in, 4) ? MAP_PRIVATE : MAP_SHARED;

	if (input_chance(&a->in, 8))
		offset += (input_number(&a->in) & 0xfff) << 12;
	keep_map(a, mmap(NULL, size, prot, kind, f->fd, (off_t)offset), size);
}

/* Faults pages in as an access would, but a refusal is an error instead of a signal. */
void call_touch(struct actor *a)
{
	unsigned int i = input_below(&a->in, ACTOR_MAPS);

	if (!a->maps[i].at)
		return;
	if (input_chance(&a->in, 4)) {
		munmap(a->maps[i].at, a->maps[i].size);
		a->maps[i].at = NULL;
		return;
	}
	madvise(a->maps[i].at, a->maps[i].size,
		input_chance(&a->in, 2) ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
}

/* ---- Sharing --------------------------------------------------------------------------- */

void call_export(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_prime_handle args = {
		.handle = world_name(f->bos, &a->in),
		.flags = input_chance(&a->in, 4) ? input_byte(&a->in) : DRM_CLOEXEC | DRM_RDWR,
		.fd = -1,
	};

	call_ioctl(f, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);
	if (args.fd >= 0)
		world_put_fd(a->world, &a->in, args.fd);
}

void call_import(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_prime_handle args = { .fd = world_fd(a->world, &a->in) };

	call_ioctl(f, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);
	if (args.handle)
		close_handle(f, world_put(f->bos, &a->in, args.handle));
}

/* One page of another driver, which is one segment, or several that are not. */
void call_foreign(struct actor *a)
{
	struct drm_mode_create_dumb dumb = { .width = 1024, .bpp = 32 };
	struct drm_prime_handle args = { .flags = DRM_CLOEXEC | DRM_RDWR, .fd = -1 };
	struct drm_gem_close gone;

	dumb.height = 1 + input_below(&a->in, 4);
	if (a->world->vgem < 0 || ioctl(a->world->vgem, DRM_IOCTL_MODE_CREATE_DUMB, &dumb))
		return;
	args.handle = dumb.handle;
	(void)!ioctl(a->world->vgem, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);
	if (args.fd >= 0)
		world_put_fd(a->world, &a->in, args.fd);
	gone = (struct drm_gem_close){ .handle = dumb.handle };
	(void)!ioctl(a->world->vgem, DRM_IOCTL_GEM_CLOSE, &gone);
}

static void share_fence(struct actor *a, int fd)
{
	struct dma_buf_export_sync_file out = { .flags = 1 + input_below(&a->in, 3), .fd = -1 };
	struct dma_buf_import_sync_file in = { .flags = 1 + input_below(&a->in, 3) };

	if (input_chance(&a->in, 2)) {
		in.fd = world_fd(a->world, &a->in);
		(void)!ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &in);
	} else if (!ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &out)) {
		world_put_fd(a->world, &a->in, out.fd);
	}
}

void call_dma_buf(struct actor *a)
{
	const int fd = world_fd(a->world, &a->in);
	struct dma_buf_sync sync = { .flags = input_byte(&a->in) & DMA_BUF_SYNC_VALID_FLAGS_MASK };
	const size_t size = 4096UL << input_below(&a->in, 6);

	switch (input_below(&a->in, 4)) {
	case 0:
		(void)!ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
		break;
	case 1:
		keep_map(a,
			 mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			      (off_t)input_below(&a->in, 8) << 12),
			 size);
		break;
	case 2:
		share_fence(a, fd);
		break;
	default:
		world_put_fd(a->world, &a->in, -1);
	}
}
