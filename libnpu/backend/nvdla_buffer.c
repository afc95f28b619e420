// SPDX-License-Identifier: MIT
/*
 * NVDLA buffers: one buffer object of the kernel each, mapped once. The kernel knows them by a
 * handle, other processes and drivers by a dma-buf.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include <linux/magic.h>
#include <xf86drm.h>

#include "nvdla.h"

static void close_handle(const struct nvdla_device *dev, uint32_t handle)
{
	struct drm_gem_close arg = { .handle = handle };

	nvdla_ioctl(dev, DRM_IOCTL_GEM_CLOSE, &arg);
}

/* Makes @buf the memory of a BO, whose handle is the caller's again when that fails. */
static int map_bo(struct npu_buffer *buf, uint32_t handle, uint64_t size, uint64_t offset,
		  struct npu_error *err)
{
	void *map = MAP_FAILED;

	errno = ENOMEM;
	if (size <= PTRDIFF_MAX)
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, to_nvdla(buf->dev)->fd,
			   offset);
	if (map == MAP_FAILED)
		return npu_fail(err, -errno, "cannot map a buffer of %llu bytes: %m",
				(unsigned long long)size);
	((struct nvdla_buffer *)buf)->handle = handle;
	buf->bytes = size;
	buf->map = map;
	return 0;
}

int nvdla_buffer_init(struct npu_buffer *buf, struct npu_error *err)
{
	struct nvdla_device *dev = to_nvdla(buf->dev);
	struct drm_npu_bo_create bo = { .size = buf->bytes };
	int ret;

	if (buf->bytes > dev->max_bo_bytes)
		return npu_fail(err, -ENOMEM,
				"no memory for a buffer of %zu bytes, the device takes %llu at "
				"most",
				buf->bytes, (unsigned long long)dev->max_bo_bytes);
	ret = nvdla_ioctl(dev, DRM_IOCTL_NPU_BO_CREATE, &bo);
	if (ret == -ENOMEM && dev->base.info.has_iommu)
		return npu_fail(err, ret, "no memory for a buffer of %zu bytes; free some",
				buf->bytes);
	if (ret == -ENOMEM)
		return npu_fail(err, ret,
				"no contiguous memory for a buffer of %zu bytes; free some, or "
				"give the kernel more with cma=",
				buf->bytes);
	if (ret == -EDQUOT)
		return npu_fail(err, ret,
				"a buffer of %zu bytes is more than this open device, or all of "
				"this user's together, may still have; destroy some, or raise "
				"npu.max_file_mib and npu.max_user_mib",
				buf->bytes);
	if (ret) {
		errno = -ret;
		return npu_fail(err, ret, "cannot create a buffer of %zu bytes: %m", buf->bytes);
	}

	ret = map_bo(buf, bo.handle, bo.size, bo.mmap_offset, err);
	if (ret)
		close_handle(dev, bo.handle);
	return ret;
}

/* ---- Sharing ---------------------------------------------------------------------------- */

static void enlist(struct nvdla_device *dev, struct nvdla_buffer *nb)
{
	if (nb->is_shared)
		return;
	nb->is_shared = true;
	nb->next = dev->shared;
	dev->shared = nb;
}

static void delist(struct nvdla_device *dev, struct nvdla_buffer *nb)
{
	struct nvdla_buffer **at = &dev->shared;

	while (*at != nb)
		at = &(*at)->next;
	*at = nb->next;
}

/* Closes a handle that may have come out of a file descriptor, if no other buffer has it. */
static void close_shared(struct nvdla_device *dev, uint32_t handle)
{
	for (const struct nvdla_buffer *nb = dev->shared; nb; nb = nb->next)
		if (nb->handle == handle)
			return;
	close_handle(dev, handle);
}

void nvdla_buffer_fini(struct npu_buffer *buf)
{
	struct nvdla_buffer *nb = (struct nvdla_buffer *)buf;
	struct nvdla_device *dev = to_nvdla(buf->dev);

	munmap(buf->map, buf->bytes);
	if (!nb->is_shared) {
		close_handle(dev, nb->handle);
		return;
	}
	pthread_mutex_lock(&dev->share_lock);
	delist(dev, nb);
	close_shared(dev, nb->handle);
	pthread_mutex_unlock(&dev->share_lock);
}

int nvdla_buffer_export(struct npu_buffer *buf, int *fd, struct npu_error *err)
{
	struct nvdla_device *dev = to_nvdla(buf->dev);
	struct drm_prime_handle prime = {
		.handle = nvdla_handle(buf),
		.flags = DRM_CLOEXEC | DRM_RDWR,
	};
	int ret;

	pthread_mutex_lock(&dev->share_lock);
	ret = nvdla_ioctl(dev, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	if (!ret)
		enlist(dev, (struct nvdla_buffer *)buf);
	pthread_mutex_unlock(&dev->share_lock);
	if (ret) {
		errno = -ret;
		return npu_fail(err, ret, "cannot share a buffer of %zu bytes: %m", buf->bytes);
	}
	*fd = prime.fd;
	return 0;
}

static int cannot_import(int fd, int error, struct npu_error *err)
{
	struct statfs fs;

	if (error == -EBADF)
		return npu_fail(err, error, "cannot import %d: not an open file descriptor", fd);
	if (!fstatfs(fd, &fs) && fs.f_type != DMA_BUF_MAGIC)
		return npu_fail(err, -EINVAL, "cannot import file descriptor %d: not a dma-buf",
				fd);
	if (error == -EINVAL)
		return npu_fail(err, error,
				"cannot import file descriptor %d: the engine cannot reach all of "
				"this dma-buf in one piece; without an IOMMU it must be contiguous",
				fd);
	errno = -error;
	return npu_fail(err, error, "cannot import file descriptor %d: %m", fd);
}

/* With the lock held: makes @buf the memory behind a handle that an import gave. */
static int take_handle(struct npu_buffer *buf, uint32_t handle, struct npu_error *err)
{
	struct nvdla_device *dev = to_nvdla(buf->dev);
	struct drm_npu_bo_info info = { .handle = handle };
	int ret = nvdla_ioctl(dev, DRM_IOCTL_NPU_BO_INFO, &info);

	if (ret) {
		errno = -ret;
		close_shared(dev, handle);
		return npu_fail(err, ret, "cannot ask for the size of an imported buffer: %m");
	}
	ret = map_bo(buf, handle, info.size, info.mmap_offset, err);
	if (!ret)
		enlist(dev, (struct nvdla_buffer *)buf);
	else
		close_shared(dev, handle);
	return ret;
}

int nvdla_buffer_import(struct npu_buffer *buf, int fd, struct npu_error *err)
{
	struct nvdla_device *dev = to_nvdla(buf->dev);
	struct drm_prime_handle prime = { .fd = fd };
	int ret;

	pthread_mutex_lock(&dev->share_lock);
	ret = nvdla_ioctl(dev, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
	if (ret)
		ret = cannot_import(fd, ret, err);
	else
		ret = take_handle(buf, prime.handle, err);
	pthread_mutex_unlock(&dev->share_lock);
	return ret;
}

/* ---- Brackets --------------------------------------------------------------------------- */

static uint32_t access_flags(unsigned int access)
{
	return (access & NPU_ACCESS_READ ? DRM_NPU_ACCESS_READ : 0) |
	       (access & NPU_ACCESS_WRITE ? DRM_NPU_ACCESS_WRITE : 0);
}

int nvdla_buffer_begin(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
		       int64_t deadline, struct npu_error *err)
{
	struct drm_npu_bo_prep prep = {
		.handle = nvdla_handle(buf),
		.flags = access_flags(access),
		.offset = offset,
		.size = bytes,
		.deadline_ns = deadline,
	};
	int ret = nvdla_ioctl(to_nvdla(buf->dev), DRM_IOCTL_NPU_BO_PREP, &prep);

	if (ret && ret != -ETIME) {
		errno = -ret;
		return npu_fail(err, ret, "cannot begin to access a buffer: %m");
	}
	return ret;
}

int nvdla_buffer_end(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
		     struct npu_error *err)
{
	struct drm_npu_bo_fini fini = {
		.handle = nvdla_handle(buf),
		.flags = access_flags(access),
		.offset = offset,
		.size = bytes,
	};
	int ret = nvdla_ioctl(to_nvdla(buf->dev), DRM_IOCTL_NPU_BO_FINI, &fini);

	if (ret) {
		errno = -ret;
		return npu_fail(err, ret, "cannot end the access to a buffer: %m");
	}
	return 0;
}
