// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffer objects: cached memory in one DMA segment, shared with the CPU through the brackets
 * BO_PREP and BO_FINI and with other devices as dma-buf.
 *
 * drm_gem_dma_helper is not used: it maps for one direction only and gives uncached or fully
 * coherent memory, which makes packing and reading results slow on boards that do not snoop.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <drm/drm_utils.h>
#include <drm/drm_vma_manager.h>

#include "npu_drv.h"
#include "npu_file.h"
#include "npu_gem.h"
#include "npu_mem.h"

static const struct drm_gem_object_funcs npu_gem_funcs;

/**
 * npu_bo_new - a BO without memory
 * @drm: The device.
 * @size: Bytes it will have.
 *
 * Return: The BO with a reference, or an ERR_PTR.
 */
struct npu_bo *npu_bo_new(struct drm_device *drm, size_t size)
{
	struct npu_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);

	if (!bo)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&bo->link);
	bo->base.funcs = &npu_gem_funcs;
	drm_gem_private_object_init(drm, &bo->base, size);
	return bo;
}

static void npu_gem_free(struct drm_gem_object *obj)
{
	struct npu_bo *bo = to_npu_bo(obj);

	npu_mem_free(bo);
	if (bo->payer) {
		npu_quota_give(bo->payer, NPU_QUOTA_BYTES, obj->size);
		npu_file_put(bo->payer);
	}
	drm_gem_object_release(obj);
	kfree(bo);
}

static struct npu_bo *npu_bo_create(struct drm_device *drm, size_t size, struct npu_file *payer)
{
	struct npu_bo *bo = npu_bo_new(drm, size);
	int err;

	if (IS_ERR(bo))
		return bo;
	err = npu_quota_take(payer, NPU_QUOTA_BYTES, size);
	if (err) {
		drm_gem_object_put(&bo->base);
		return ERR_PTR(err);
	}
	npu_file_get(payer);
	bo->payer = payer;
	err = npu_mem_alloc(bo);
	if (err) {
		drm_gem_object_put(&bo->base);
		return ERR_PTR(err);
	}
	return bo;
}

static int npu_gem_vmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	void *vaddr = npu_mem_vmap(to_npu_bo(obj));

	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void npu_gem_vunmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	npu_mem_vunmap(to_npu_bo(obj), map->vaddr);
}

static int npu_gem_mmap_import(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	int err;

	/* The exporter sets its own up, and holds the memory from here on. */
	vma->vm_ops = NULL;
	vma->vm_private_data = NULL;
	/* DRM wants that of each mapping of an object; not every exporter does it. */
	npu_compat_vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	err = dma_buf_mmap(to_npu_bo(obj)->source, vma, 0);
	if (!err)
		drm_gem_object_put(obj);
	return err;
}

/* Maps all of it at once: tensors are used whole, and a fault for each page would be felt. */
static int npu_gem_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	struct npu_bo *bo = to_npu_bo(obj);
	unsigned long first, last, from, to, at = 0;
	struct scatterlist *sg;
	unsigned int i;
	int err;

	if (bo->source)
		return npu_gem_mmap_import(obj, vma);
	/* A private mapping would be a copy. */
	if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE)
		return -EINVAL;
	/* What DRM added to name the BO goes; a dma-buf may be mapped in part. */
	vma->vm_pgoff -= drm_vma_node_start(&obj->vma_node);
	first = vma->vm_pgoff;
	last = first + vma_pages(vma);

	for_each_sgtable_sg(bo->sgt, sg, i) {
		from = max(first, at);
		to = min(last, at + (sg->length >> PAGE_SHIFT));
		if (from < to) {
			err = remap_pfn_range(vma, vma->vm_start + ((from - first) << PAGE_SHIFT),
					      page_to_pfn(sg_page(sg)) + from - at,
					      (to - from) << PAGE_SHIFT, vma->vm_page_prot);
			if (err)
				return err;
		}
		at += sg->length >> PAGE_SHIFT;
	}
	return 0;
}

/*
 * Unplug zaps all mappings, but the pages are there for as long as the BO is, so whoever still
 * looks at a result may do so.
 */
static vm_fault_t npu_gem_fault(struct vm_fault *vmf)
{
	struct npu_bo *bo = to_npu_bo(vmf->vma->vm_private_data);
	unsigned long at = 0, pages;
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(bo->sgt, sg, i) {
		pages = sg->length >> PAGE_SHIFT;
		if (vmf->pgoff < at + pages)
			return vmf_insert_pfn(vmf->vma, vmf->address,
					      page_to_pfn(sg_page(sg)) + vmf->pgoff - at);
		at += pages;
	}
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct npu_gem_vm_ops = {
	.fault = npu_gem_fault,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

static const struct drm_gem_object_funcs npu_gem_funcs = {
	.free = npu_gem_free,
	.export = npu_gem_export,
	.get_sg_table = npu_gem_get_sg_table,
	.vmap = npu_gem_vmap,
	.vunmap = npu_gem_vunmap,
	.mmap = npu_gem_mmap,
	.vm_ops = &npu_gem_vm_ops,
};

/**
 * npu_ioctl_bo_create - DRM_IOCTL_NPU_BO_CREATE
 * @drm: The device.
 * @data: struct drm_npu_bo_create.
 * @filp: The file.
 *
 * Return: 0 or a negative errno.
 */
int npu_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *filp)
{
	struct drm_npu_bo_create *args = data;
	struct npu_bo *bo;
	int err, idx;

	if (args->flags || !args->size || args->size > NPU_MAX_BO_BYTES)
		return -EINVAL;
	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;
	bo = npu_bo_create(drm, PAGE_ALIGN(args->size), filp->driver_priv);
	drm_dev_exit(idx);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	err = drm_gem_create_mmap_offset(&bo->base);
	if (!err) {
		args->size = bo->base.size;
		args->mmap_offset = drm_vma_node_offset_addr(&bo->base.vma_node);
		/* Last: from here on another thread can close the handle. */
		err = drm_gem_handle_create(filp, &bo->base, &args->handle);
	}
	drm_gem_object_put(&bo->base);
	return err;
}

/**
 * npu_ioctl_bo_info - DRM_IOCTL_NPU_BO_INFO
 * @drm: The device.
 * @data: struct drm_npu_bo_info.
 * @filp: The file.
 *
 * Return: 0 or a negative errno.
 */
int npu_ioctl_bo_info(struct drm_device *drm, void *data, struct drm_file *filp)
{
	struct drm_npu_bo_info *args = data;
	struct drm_gem_object *obj = drm_gem_object_lookup(filp, args->handle);
	int err;

	if (!obj)
		return -ENOENT;
	err = drm_gem_create_mmap_offset(obj);
	args->flags = 0;
	args->size = obj->size;
	args->mmap_offset = drm_vma_node_offset_addr(&obj->vma_node);
	drm_gem_object_put(obj);
	return err;
}

/* Checks a range and gives "all from here on" its size. */
static int check_range(const struct drm_gem_object *obj, u64 offset, u64 *size)
{
	if (offset > obj->size || *size > obj->size - offset)
		return -EINVAL;
	if (!*size)
		*size = obj->size - offset;
	return 0;
}

static int npu_bo_wait(struct drm_gem_object *obj, u32 flags, s64 deadline_ns)
{
	enum dma_resv_usage usage = dma_resv_usage_rw(flags & DRM_NPU_ACCESS_WRITE);
	unsigned long timeout;
	long left;

	if (flags & DRM_NPU_ACCESS_NOWAIT)
		return dma_resv_test_signaled(obj->resv, usage) ? 0 : -EBUSY;
	timeout = drm_timeout_abs_to_jiffies(deadline_ns);
	left = dma_resv_wait_timeout(obj->resv, usage, true, timeout);
	if (left < 0)
		return left;
	/* A deadline in the past still finds out what is ready. */
	return left || dma_resv_test_signaled(obj->resv, usage) ? 0 : -ETIME;
}

/* Whoever only reads does not wait for others who do. */
static enum dma_data_direction access_direction(u32 flags)
{
	return flags & DRM_NPU_ACCESS_WRITE ? DMA_BIDIRECTIONAL : DMA_FROM_DEVICE;
}

/**
 * npu_ioctl_bo_prep - DRM_IOCTL_NPU_BO_PREP
 * @drm: The device.
 * @data: struct drm_npu_bo_prep.
 * @filp: The file.
 *
 * Return: 0 or a negative errno.
 */
int npu_ioctl_bo_prep(struct drm_device *drm, void *data, struct drm_file *filp)
{
	const u32 access = DRM_NPU_ACCESS_READ | DRM_NPU_ACCESS_WRITE;
	struct drm_npu_bo_prep *args = data;
	struct drm_gem_object *obj;
	struct npu_bo *bo;
	int err, idx;

	if (!(args->flags & access) || (args->flags & ~(access | DRM_NPU_ACCESS_NOWAIT)))
		return -EINVAL;
	obj = drm_gem_object_lookup(filp, args->handle);
	if (!obj)
		return -ENOENT;
	bo = to_npu_bo(obj);
	err = check_range(obj, args->offset, &args->size);
	if (!err)
		err = npu_bo_wait(obj, args->flags, args->deadline_ns);
	if (err)
		goto put;
	if (bo->source) {
		err = dma_buf_begin_cpu_access(bo->source, access_direction(args->flags));
	} else if (drm_dev_enter(drm, &idx)) {
		npu_mem_sync(bo, args->offset, args->size, true);
		drm_dev_exit(idx);
	} else {
		err = -ENODEV;
	}
put:
	drm_gem_object_put(obj);
	return err;
}

/**
 * npu_ioctl_bo_fini - DRM_IOCTL_NPU_BO_FINI
 * @drm: The device.
 * @data: struct drm_npu_bo_fini.
 * @filp: The file.
 *
 * Return: 0 or a negative errno.
 */
int npu_ioctl_bo_fini(struct drm_device *drm, void *data, struct drm_file *filp)
{
	const u32 access = DRM_NPU_ACCESS_READ | DRM_NPU_ACCESS_WRITE;
	struct drm_npu_bo_fini *args = data;
	struct drm_gem_object *obj;
	struct npu_bo *bo;
	int err, idx;

	if (!(args->flags & access) || (args->flags & ~access))
		return -EINVAL;
	obj = drm_gem_object_lookup(filp, args->handle);
	if (!obj)
		return -ENOENT;
	bo = to_npu_bo(obj);
	err = check_range(obj, args->offset, &args->size);
	if (err)
		goto put;
	if (bo->source) {
		err = dma_buf_end_cpu_access(bo->source, access_direction(args->flags));
	} else if (drm_dev_enter(drm, &idx)) {
		if (args->flags & DRM_NPU_ACCESS_WRITE)
			npu_mem_sync(bo, args->offset, args->size, false);
		drm_dev_exit(idx);
	} else {
		err = -ENODEV;
	}
put:
	drm_gem_object_put(obj);
	return err;
}
