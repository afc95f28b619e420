/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffer objects.
 */
#ifndef _NPU_GEM_H_
#define _NPU_GEM_H_

#include "npu_compat.h"

struct npu_file;
struct sg_table;

/**
 * struct npu_bo - memory the engine can reach
 * @base: Base; base.size is what the engine may touch.
 * @sgt: Our own memory, or the mapping of an imported dma-buf.
 * @dma_addr: Bus address of its single DMA segment.
 * @payer: File whose quota the memory counts against, with a reference; NULL for an import.
 * @pinned: A wedged engine may still write here: the memory is never given back.
 *
 * All but @pinned are set once, before anybody else sees the BO; @pinned goes from false to true.
 */
struct npu_bo {
	struct drm_gem_object base;
	struct sg_table *sgt;
	dma_addr_t dma_addr;
	struct npu_file *payer;
	bool pinned;
};

static inline struct npu_bo *to_npu_bo(struct drm_gem_object *obj)
{
	return container_of(obj, struct npu_bo, base);
}

struct npu_bo *npu_bo_new(struct drm_device *drm, size_t size);
void npu_bo_sync(struct npu_bo *bo, u64 offset, u64 size, bool for_cpu);

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
