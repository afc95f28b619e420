// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers shared with other devices as dma-bufs, in both directions. DRM's helpers do the work, but
 * their exporter knows nothing of caches, so the operations are our own.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "npu_drv.h"
#include "npu_gem.h"
#include "npu_mem.h"

/**
 * npu_gem_get_sg_table - drm_gem_object_funcs.get_sg_table
 * @obj: A BO with memory of its own.
 *
 * Return: Its pages, for another device to map, or an ERR_PTR.
 */
struct sg_table *npu_gem_get_sg_table(struct drm_gem_object *obj)
{
	struct npu_bo *bo = to_npu_bo(obj);
	struct scatterlist *from, *to;
	struct sg_table *sgt;
	unsigned int i;
	int err;

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL_ACCOUNT);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	err = sg_alloc_table(sgt, bo->sgt->orig_nents, GFP_KERNEL_ACCOUNT);
	if (err) {
		kfree(sgt);
		return ERR_PTR(err);
	}
	to = sgt->sgl;
	for_each_sgtable_sg(bo->sgt, from, i) {
		sg_set_page(to, sg_page(from), from->length, from->offset);
		to = sg_next(to);
	}
	return sgt;
}

/*
 * Whoever maps an exported BO brackets its accesses with DMA_BUF_IOCTL_SYNC. The caller waits for
 * fences, too, but only when this is done: what the engine writes after the sync the CPU might not
 * see.
 */
static int npu_dma_buf_begin_cpu_access(struct dma_buf *dma_buf, enum dma_data_direction dir)
{
	enum dma_resv_usage usage = dma_resv_usage_rw(dir != DMA_FROM_DEVICE);
	struct drm_gem_object *obj = dma_buf->priv;
	long left;
	int idx;

	left = dma_resv_wait_timeout(obj->resv, usage, true, MAX_SCHEDULE_TIMEOUT);
	if (left < 0)
		return left;
	if (drm_dev_enter(obj->dev, &idx)) {
		npu_mem_sync(to_npu_bo(obj), 0, obj->size, true);
		drm_dev_exit(idx);
	}
	return 0;
}

static int npu_dma_buf_end_cpu_access(struct dma_buf *dma_buf, enum dma_data_direction dir)
{
	struct drm_gem_object *obj = dma_buf->priv;
	int idx;

	if (dir != DMA_FROM_DEVICE && drm_dev_enter(obj->dev, &idx)) {
		npu_mem_sync(to_npu_bo(obj), 0, obj->size, false);
		drm_dev_exit(idx);
	}
	return 0;
}

static const struct dma_buf_ops npu_dma_buf_ops = {
	NPU_DMA_BUF_ATTACH,
	.detach = drm_gem_map_detach,
	.map_dma_buf = drm_gem_map_dma_buf,
	.unmap_dma_buf = drm_gem_unmap_dma_buf,
	.release = drm_gem_dmabuf_release,
	.begin_cpu_access = npu_dma_buf_begin_cpu_access,
	.end_cpu_access = npu_dma_buf_end_cpu_access,
	.mmap = drm_gem_dmabuf_mmap,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
};

/**
 * npu_gem_export - drm_gem_object_funcs.export
 * @obj: The object.
 * @flags: For the dma-buf's file.
 *
 * Return: The dma-buf, or an ERR_PTR.
 */
struct dma_buf *npu_gem_export(struct drm_gem_object *obj, int flags)
{
	struct drm_device *drm = obj->dev;
	struct dma_buf_export_info info = {
		.exp_name = KBUILD_MODNAME,
		.owner = drm->driver->fops->owner,
		.ops = &npu_dma_buf_ops,
		.size = obj->size,
		.flags = flags,
		.priv = obj,
		.resv = obj->resv,
	};

	return drm_gem_dmabuf_export(drm, &info);
}

/**
 * npu_gem_prime_import - drm_driver.gem_prime_import
 * @drm: The device.
 * @dma_buf: Buffer to import.
 *
 * Return: An object with a reference, our own one if the buffer came from this device.
 */
struct drm_gem_object *npu_gem_prime_import(struct drm_device *drm, struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = dma_buf->priv;
	int idx;

	if (dma_buf->ops == &npu_dma_buf_ops && obj->dev == drm) {
		drm_gem_object_get(obj);
		return obj;
	}
	if (!drm_dev_enter(drm, &idx))
		return ERR_PTR(-ENODEV);
	obj = drm_gem_prime_import(drm, dma_buf);
	drm_dev_exit(idx);
	return obj;
}

/**
 * npu_gem_prime_import_sg_table - drm_driver.gem_prime_import_sg_table
 * @drm: The device.
 * @attach: Attachment of the device to the buffer.
 * @sgt: The buffer, mapped for the device.
 *
 * The engine walks a buffer by address, so it must be one range of bus addresses.
 *
 * Return: The object, or -EINVAL if the buffer is scattered.
 */
struct drm_gem_object *npu_gem_prime_import_sg_table(struct drm_device *drm,
						     struct dma_buf_attachment *attach,
						     struct sg_table *sgt)
{
	const size_t size = PAGE_ALIGN(attach->dmabuf->size);
	struct npu_bo *bo;

	if (drm_prime_get_contiguous_size(sgt) < size)
		return ERR_PTR(-EINVAL);
	bo = npu_bo_new(drm, size);
	if (IS_ERR(bo))
		return ERR_CAST(bo);
	bo->sgt = sgt;
	bo->dma_addr = sg_dma_address(sgt->sgl);
	bo->source = attach->dmabuf;
	get_dma_buf(bo->source);
	npu_mem_track(bo);
	return &bo->base;
}
