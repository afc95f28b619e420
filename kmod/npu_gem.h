/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffer objects.
 */
#ifndef _NPU_GEM_H_
#define _NPU_GEM_H_

#include "npu_compat.h"

struct dma_buf;
struct npu_file;
struct page;
struct sg_table;

/**
 * struct npu_bo - memory the engine can reach
 * @base: Base; base.size is what the engine may touch.
 * @sgt: Our own pages, or the mapping of an imported dma-buf.
 * @pages: Our own pages one by one where an IOMMU makes a segment of them, else NULL.
 * @source: The dma-buf that it was imported from, with a reference; NULL for memory of our own.
 * @dma_addr: Bus address of its single DMA segment.
 * @link: In npu_device.bos while it is mapped for the engine.
 * @payer: File whose quota the memory counts against, with a reference; NULL for an import.
 * @pinned: A wedged engine may still write here: the memory is never given back.
 *
 * All but @link and @pinned are set once, before anybody else sees the BO; @pinned goes from false
 * to true.
 *
 * The mapping ends with the BO or, if that is earlier, with the binding of the device: @dma_addr,
 * and
 * @sgt of an import, mean something only between drm_dev_enter() and drm_dev_exit(), and to jobs on
 * the engine. Our own pages stay until the BO is freed. See npu_mem.c.
 */
struct npu_bo {
	struct drm_gem_object base;
	struct sg_table *sgt;
	struct page **pages;
	struct dma_buf *source;
	dma_addr_t dma_addr;
	struct list_head link;
	struct npu_file *payer;
	bool pinned;
};

static inline struct npu_bo *to_npu_bo(struct drm_gem_object *obj)
{
	return container_of(obj, struct npu_bo, base);
}

struct npu_bo *npu_bo_new(struct drm_device *drm, size_t size);

struct sg_table *npu_gem_get_sg_table(struct drm_gem_object *obj);
struct dma_buf *npu_gem_export(struct drm_gem_object *obj, int flags);
struct drm_gem_object *npu_gem_prime_import(struct drm_device *drm, struct dma_buf *dma_buf);
struct drm_gem_object *npu_gem_prime_import_sg_table(struct drm_device *drm,
						     struct dma_buf_attachment *attach,
						     struct sg_table *sgt);

int npu_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *filp);
int npu_ioctl_bo_info(struct drm_device *drm, void *data, struct drm_file *filp);
int npu_ioctl_bo_prep(struct drm_device *drm, void *data, struct drm_file *filp);
int npu_ioctl_bo_fini(struct drm_device *drm, void *data, struct drm_file *filp);

#endif /* _NPU_GEM_H_ */
