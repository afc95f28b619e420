// SPDX-License-Identifier: MIT
/*
 * NVDLA devices: open, and learn what the engine is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <xf86drm.h>

#include "node.h"
#include "nvdla.h"
#include "nvdla_plan.h"

#define DRIVER "npu"

int nvdla_ioctl(const struct nvdla_device *dev, unsigned long request, void *arg)
{
	int ret;

	do
		ret = ioctl(dev->fd, request, arg);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

static int query(const struct nvdla_device *dev, uint32_t type, void *answer, uint32_t size)
{
	struct drm_npu_dev_query q = {
		.type = type,
		.size = size,
		.pointer = (uintptr_t)answer,
	};

	return nvdla_ioctl(dev, DRM_IOCTL_NPU_DEV_QUERY, &q);
}

/* Limits of an engine that there was not when this was written, and those that none has. */
static int check_limits(const struct nvdla_device *dev, const struct drm_npu_device_info *info,
			const char *path, struct npu_error *err)
{
	const struct drm_npu_matmul_limits *limits = &dev->limits;

	/* Groups of K and strips of channels are whole atoms. */
	if (limits->atom_bytes &&
	    (NPU_GROUP_UNIT % limits->atom_bytes || limits->mac_kernels > NPU_WEIGHT_ROWS))
		return npu_fail(err, -ENOTSUP,
				"%s: an engine with atoms of %u bytes and %u kernels, which this "
				"library does not know; update libnpu",
				path, limits->atom_bytes, limits->mac_kernels);
	if (!dev->max_k || dev->max_k < npu_plan_k_unit(limits) || !dev->max_batch ||
	    !info->max_syncs)
		return npu_fail(err, -ENOTSUP,
				"%s: the driver tells limits that make no sense: K up to %u, %u "
				"jobs and %u syncs a submission; update the driver",
				path, dev->max_k, dev->max_batch, info->max_syncs);
	return 0;
}

static int learn(struct nvdla_device *dev, struct drm_npu_device_info *info, const char *path,
		 struct npu_error *err)
{
	uint64_t has_syncobj = 0;
	int ret;

	ret = query(dev, DRM_NPU_QUERY_DEVICE, info, sizeof(*info));
	if (!ret)
		ret = query(dev, DRM_NPU_QUERY_MATMUL, &dev->limits, sizeof(dev->limits));
	if (ret == -ENODEV)
		return npu_fail(err, ret, "%s: the device is gone", path);
	if (ret)
		return npu_fail(err, -ENOTSUP,
				"%s: the driver does not tell its limits; it is not the one this "
				"library is made for, update both",
				path);
	if (info->family != DRM_NPU_FAMILY_NVDLA)
		return npu_fail(err, -ENOTSUP,
				"%s: an NPU of family %u, which this library does "
				"not know; update it",
				path, info->family);

	dev->max_bo_bytes = info->max_bo_bytes;
	dev->max_k = npu_plan_max_k(&dev->limits);
	dev->max_batch = info->max_jobs < info->max_pending ? info->max_jobs : info->max_pending;
	ret = check_limits(dev, info, path, err);
	if (ret)
		return ret;
	/* One sync of a SUBMIT is what it signals. */
	dev->base.max_waits = info->max_syncs > NPU_MAX_WAITS ? NPU_MAX_WAITS : info->max_syncs - 1;
	if (drmGetCap(dev->fd, DRM_CAP_SYNCOBJ, &has_syncobj) || !has_syncobj)
		return npu_fail(err, -ENOTSUP, "%s: the driver has no synchronization objects",
				path);
	return 0;
}

/* What is left of it others may have taken meanwhile: this is what is possible at most. */
static uint64_t total_bytes(const struct drm_npu_device_info *info)
{
	if (info->max_user_bytes && info->max_user_bytes < info->max_file_bytes)
		return info->max_user_bytes;
	return info->max_file_bytes;
}

static void fill_info(struct nvdla_device *dev, const struct drm_npu_device_info *info,
		      const char *path)
{
	const struct drm_npu_matmul_limits *limits = &dev->limits;

	dev->base.info = (struct npu_device_info){
		.size = sizeof(dev->base.info),
		.backend = "nvdla",
		.driver = DRIVER,
		.clock_hz = info->clock_hz,
		.macs_per_cycle = limits->mac_channels * limits->mac_kernels,
		.bus_bytes_per_cycle = limits->bus_bytes,
		.cbuf_bytes =
			limits->cbuf_banks * limits->cbuf_bank_entries * limits->cbuf_entry_bytes,
		.can_reset = !!(info->caps & DRM_NPU_CAP_RESET),
		.has_iommu = !!(info->caps & DRM_NPU_CAP_IOMMU),
		.column_align = limits->atom_bytes,
		.max_pending = info->max_pending,
		.max_buffer_bytes = info->max_bo_bytes,
		.max_total_bytes = total_bytes(info),
		/* The context that a file is born with serves no queue. */
		.max_queues = info->max_contexts ? info->max_contexts - 1 : 0,
	};
	snprintf(dev->base.info.name, sizeof(dev->base.info.name), "%.*s", (int)sizeof(info->name),
		 info->name);
	snprintf(dev->base.info.node, sizeof(dev->base.info.node), "%.*s",
		 (int)sizeof(dev->base.info.node) - 1, path);
}

static void nvdla_device_close(struct npu_device *base)
{
	close(to_nvdla(base)->fd);
	pthread_mutex_destroy(&to_nvdla(base)->share_lock);
	pthread_mutex_destroy(&to_nvdla(base)->exact_lock);
	free(base);
}

/* What the engine reads and writes is in planes of int8; the rest is the CPU's. */
static bool nvdla_tensor_layout(const struct npu_device *dev, enum npu_type type, uint32_t rows,
				uint32_t cols, struct npu_layout *layout)
{
	enum npu_form form;

	switch (type) {
	case NPU_TYPE_INT8:
		form = NPU_FORM_PLAIN;
		break;
	case NPU_TYPE_UINT8:
		form = NPU_FORM_FLIPPED;
		break;
	case NPU_TYPE_INT16:
		form = NPU_FORM_DIGITS;
		break;
	default:
		return npu_layout_rows(layout, rows, cols, npu_type_size(type));
	}
	return npu_layout_planes(layout, form, rows, cols, to_nvdla(dev)->limits.atom_bytes,
				 UINT32_MAX);
}

static const struct npu_backend nvdla_backend = {
	.device_close = nvdla_device_close,
	.tensor_layout = nvdla_tensor_layout,
	.buffer_size = sizeof(struct nvdla_buffer),
	.buffer_init = nvdla_buffer_init,
	.buffer_fini = nvdla_buffer_fini,
	.buffer_begin = nvdla_buffer_begin,
	.buffer_end = nvdla_buffer_end,
	.buffer_export = nvdla_buffer_export,
	.buffer_import = nvdla_buffer_import,
	.weights_size = sizeof(struct nvdla_weights),
	.weights_form = nvdla_weights_form,
	.weights_choose = nvdla_weights_choose,
	.weights_init = nvdla_weights_init,
	.weights_pack = nvdla_weights_pack,
	.weights_fini = nvdla_weights_fini,
	.matmul_size = sizeof(struct nvdla_matmul),
	.matmul_init = nvdla_matmul_init,
	.matmul_fini = nvdla_matmul_fini,
	.plan = nvdla_plan,
	.queue_size = sizeof(struct nvdla_queue),
	.queue_init = nvdla_queue_init,
	.queue_fini = nvdla_queue_fini,
	.queue_submit = nvdla_queue_submit,
	.queue_settle = nvdla_queue_settle,
	.queue_fence = nvdla_queue_fence,
	.queue_fences = nvdla_queue_fences,
	.queue_stats = nvdla_queue_stats,
};

int npu_nvdla_open(const char *path, struct npu_device **out, struct npu_error *err)
{
	struct drm_npu_device_info info;
	struct nvdla_device *dev;
	char found[300];
	int ret;

	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return npu_fail(err, -ENOMEM, "no memory for a device object");

	dev->fd = path ? npu_node_open(path, DRIVER, err)
		       : npu_node_find("", DRIVER, found, sizeof(found), err);
	if (dev->fd < 0) {
		ret = dev->fd;
		goto free_dev;
	}
	if (!path)
		path = found;
	ret = learn(dev, &info, path, err);
	if (ret)
		goto close_fd;

	dev->base.refs = 1;
	npu_arena_init(&dev->base.arena);
	pthread_mutex_init(&dev->share_lock, NULL);
	pthread_mutex_init(&dev->exact_lock, NULL);
	dev->base.ops = &nvdla_backend;
	fill_info(dev, &info, path);
	*out = &dev->base;
	return 0;

close_fd:
	close(dev->fd);
free_dev:
	free(dev);
	return ret;
}
