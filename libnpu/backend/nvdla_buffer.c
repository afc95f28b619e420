// SPDX-License-Identifier: MIT
/*
 * NVDLA buffers: one buffer object of the kernel each, mapped once.
 */
#include <errno.h>
#include <sys/mman.h>

#include <xf86drm.h>

#include "nvdla.h"

static void close_handle(const struct nvdla_device *dev, uint32_t handle)
{
	struct drm_gem_close arg = { .handle = handle };

	nvdla_ioctl(dev, DRM_IOCTL_GEM_CLOSE, &arg);
}

int nvdla_buffer_init(struct npu_buffer *buf, struct npu_error *err)
{
	struct nvdla_device *dev = to_nvdla(buf->dev);
	struct drm_npu_bo_create bo = { .size = buf->bytes };
	void *map;
	int ret;

	if (buf->bytes > dev->max_bo_bytes)
		return npu_fail(err, -ENOMEM,
				"no memory for a buffer of %zu bytes, the device takes %llu at "
				"most",
				buf->bytes, (unsigned long long)dev->max_bo_bytes);
	ret = nvdla_ioctl(dev, DRM_IOCTL_NPU_BO_CREATE, &bo);
	if (ret == -ENOMEM)
		return npu_fail(err, ret,
				"no contiguous memory for a buffer of %zu bytes; free some, or "
				"give the kernel more with cma=",
				buf->bytes);
	if (ret == -EDQUOT)
		return npu_fail(err, ret,
				"a buffer of %zu bytes is more than one open device may still "
				"have; destroy some, or raise npu.max_file_mib",
				buf->bytes);
	if (ret) {
		errno = -ret;
		return npu_fail(err, ret, "cannot create a buffer of %zu bytes: %m", buf->bytes);
	}

	map = mmap(NULL, bo.size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd, bo.mmap_offset);
	if (map == MAP_FAILED) {
		ret = npu_fail(err, -errno, "cannot map a buffer of %zu bytes: %m", buf->bytes);
		close_handle(dev, bo.handle);
		return ret;
	}
	((struct nvdla_buffer *)buf)->handle = bo.handle;
	buf->bytes = bo.size;
	buf->map = map;
	return 0;
}

void nvdla_buffer_fini(struct npu_buffer *buf)
{
	munmap(buf->map, buf->bytes);
	close_handle(to_nvdla(buf->dev), nvdla_handle(buf));
}

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
