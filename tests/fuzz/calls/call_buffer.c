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

static enum outcome close_handle(const struct world_file *f, uint32_t handle)
{
	struct drm_gem_close args = { .handle = handle };

	return handle ? call_ioctl(f, DRM_IOCTL_GEM_CLOSE, &args) : OUTCOME_NONE;
}

enum outcome call_bo_create(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_npu_bo_create args = { .size = 4096ULL << input_below(&a->in, 6) };
	enum outcome outcome;
	uint32_t slot;

	if (input_chance(&a->in, 16))
		args.size = input_number(&a->in);
	input_damage(&a->in, &args, sizeof(args));
	outcome = call_ioctl(f, DRM_IOCTL_NPU_BO_CREATE, &args);
	if (!args.handle)
		return outcome;
	slot = input_below(&a->in, WORLD_OBJECTS);
	f->offsets[slot] = args.mmap_offset;
	close_handle(f, atomic_exchange(&f->bos[slot], args.handle));
	return outcome;
}

enum outcome call_bo_close(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);

	return close_handle(f, world_take(f->bos, &a->in));
}

enum outcome call_bo_info(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_npu_bo_info args = { .handle = world_name(f->bos, &a->in) };

	input_damage(&a->in, &args, sizeof(args));
	return call_ioctl(f, DRM_IOCTL_NPU_BO_INFO, &args);
}

enum outcome call_bo_prep(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_npu_bo_prep args = {
		.handle = world_name(f->bos, &a->in),
		.flags = input_byte(&a->in) & 7,
		.deadline_ns = soon(&a->in),
	};

	if (input_chance(&a->in, 4)) {
		args.offset = input_number(&a->in);
		args.size = input_number(&a->in);
	}
	return call_ioctl(f, DRM_IOCTL_NPU_BO_PREP, &args);
}

enum outcome call_bo_fini(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_npu_bo_fini args = {
		.handle = world_name(f->bos, &a->in),
		.flags = 1 + input_below(&a->in, 4),
	};

	if (input_chance(&a->in, 4)) {
		args.offset = input_number(&a->in);
		args.size = input_number(&a->in);
	}
	return call_ioctl(f, DRM_IOCTL_NPU_BO_FINI, &args);
}

static enum outcome keep_map(struct actor *a, void *at, size_t size)
{
	unsigned int i = input_below(&a->in, ACTOR_MAPS);

	if (at == MAP_FAILED)
		return OUTCOME_REFUSED;
	if (a->maps[i].at)
		munmap(a->maps[i].at, a->maps[i].size);
	a->maps[i].at = at;
	a->maps[i].size = size;
	return OUTCOME_DONE;
}

static uint64_t some_offset(const struct world_file *f, struct input *in)
{
	unsigned int i = input_below(in, WORLD_OBJECTS), end = i + WORLD_OBJECTS - 1;

	while (i < end && !f->offsets[i % WORLD_OBJECTS])
		i++;
	return f->offsets[i % WORLD_OBJECTS];
}

enum outcome call_map(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	uint64_t offset = some_offset(f, &a->in);
	const size_t size = 4096UL << input_below(&a->in, 6);
	const int prot = input_byte(&a->in) & (PROT_READ | PROT_WRITE | PROT_EXEC);
	const int kind = input_chance(&a->in, 4) ? MAP_PRIVATE : MAP_SHARED;

	if (input_chance(&a->in, 8))
		offset += (input_number(&a->in) & 0xfff) << 12;
	return keep_map(a, mmap(NULL, size, prot, kind, f->fd, (off_t)offset), size);
}

/* Faults pages in as an access would, but a refusal is an error instead of a signal. */
enum outcome call_touch(struct actor *a)
{
	unsigned int i = input_below(&a->in, ACTOR_MAPS);

	if (!a->maps[i].at)
		return OUTCOME_NONE;
	if (input_chance(&a->in, 4)) {
		munmap(a->maps[i].at, a->maps[i].size);
		a->maps[i].at = NULL;
		return OUTCOME_DONE;
	}
	return outcome_of(
		madvise(a->maps[i].at, a->maps[i].size,
			input_chance(&a->in, 2) ? MADV_POPULATE_WRITE : MADV_POPULATE_READ));
}

/* ---- Sharing --------------------------------------------------------------------------- */

enum outcome call_export(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_prime_handle args = {
		.handle = world_name(f->bos, &a->in),
		.flags = input_chance(&a->in, 4) ? input_byte(&a->in) : DRM_CLOEXEC | DRM_RDWR,
		.fd = -1,
	};

	call_ioctl(f, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);
	if (args.fd < 0)
		return OUTCOME_REFUSED;
	world_put_fd(a->world, &a->in, args.fd);
	return OUTCOME_DONE;
}

enum outcome call_import(struct actor *a)
{
	struct world_file *f = world_file(a->world, &a->in);
	struct drm_prime_handle args = { .fd = world_fd(a->world, &a->in) };

	call_ioctl(f, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);
	if (!args.handle)
		return OUTCOME_REFUSED;
	close_handle(f, world_put(f->bos, &a->in, args.handle));
	return OUTCOME_DONE;
}

/* One page of another driver, which is one segment, or several that are not. */
enum outcome call_foreign(struct actor *a)
{
	struct drm_mode_create_dumb dumb = { .width = 1024, .bpp = 32 };
	struct drm_prime_handle args = { .flags = DRM_CLOEXEC | DRM_RDWR, .fd = -1 };
	struct drm_gem_close gone;

	dumb.height = 1 + input_below(&a->in, 4);
	if (a->world->vgem < 0 || ioctl(a->world->vgem, DRM_IOCTL_MODE_CREATE_DUMB, &dumb))
		return OUTCOME_NONE;
	args.handle = dumb.handle;
	(void)!ioctl(a->world->vgem, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);
	if (args.fd >= 0)
		world_put_fd(a->world, &a->in, args.fd);
	gone = (struct drm_gem_close){ .handle = dumb.handle };
	(void)!ioctl(a->world->vgem, DRM_IOCTL_GEM_CLOSE, &gone);
	return args.fd >= 0 ? OUTCOME_DONE : OUTCOME_REFUSED;
}

static enum outcome share_fence(struct actor *a, int fd)
{
	struct dma_buf_export_sync_file out = { .flags = 1 + input_below(&a->in, 3), .fd = -1 };
	struct dma_buf_import_sync_file in = { .flags = 1 + input_below(&a->in, 3) };

	if (input_chance(&a->in, 2)) {
		in.fd = world_fd(a->world, &a->in);
		return outcome_of(ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &in));
	}
	if (ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &out))
		return OUTCOME_REFUSED;
	world_put_fd(a->world, &a->in, out.fd);
	return OUTCOME_DONE;
}

enum outcome call_dma_buf(struct actor *a)
{
	const int fd = world_fd(a->world, &a->in);
	struct dma_buf_sync sync = { .flags = input_byte(&a->in) & DMA_BUF_SYNC_VALID_FLAGS_MASK };
	const size_t size = 4096UL << input_below(&a->in, 6);

	switch (input_below(&a->in, 4)) {
	case 0:
		return outcome_of(ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync));
	case 1:
		return keep_map(a,
				mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				     (off_t)input_below(&a->in, 8) << 12),
				size);
	case 2:
		return share_fence(a, fd);
	default:
		return world_put_fd(a->world, &a->in, -1) ? OUTCOME_DONE : OUTCOME_NONE;
	}
}
