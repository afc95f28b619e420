// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of buffer objects: the pages, and the engine's mapping of them.
 *
 * DOC: Pages and mapping
 *
 * The two have different lives. Pages are there for as long as the BO is, because mmaps, vmaps and
 * importers that know no revocation look at them long after the device was unbound. The mapping
 * belongs to the bus device and ends before its driver is off it: what made the mapping, an IOMMU's
 * domain or another driver's attachment, is not ours any more afterwards.
 *
 * So pages do not come from the bus device. Behind an IOMMU they are ordinary ones. Without one a
 * BO has to be contiguous and where the engine reaches it, and only the DMA API finds such memory:
 * it is asked on behalf of a device of our own, which is on no bus, has the bus device's limits and
 * its memory-region, and lives as long as the DRM device.
 *
 * DOC: A wedged engine
 *
 * It may write at any time, so npu_bo.pinned memory is never given back, and neither is what makes
 * its bus addresses: a mapping through an IOMMU, or an attachment to another driver's buffer. These
 * stay even when the device is unbound, with a reference to it. Without an IOMMU the mapping of our
 * own pages is book-keeping, and ends.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/of_reserved_mem.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include "npu_drv.h"
#include "npu_gem.h"
#include "npu_mem.h"

/* What IOMMUs map with one entry. */
#define NPU_MEM_CHUNK SZ_2M

/* Pages of a BO: for the control group of who makes it, and rather none than somebody killed. */
#define NPU_MEM_GFP (GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN)

static void mem_device_free(struct device *dev)
{
	kfree(dev);
}

static void mem_device_put(struct drm_device *drm, void *data)
{
	of_reserved_mem_device_release(data);
	put_device(data);
}

/* A device with the limits of the bus device, as far as the search for memory is concerned. */
static struct device *mem_device_new(struct device *dev)
{
	struct device *source = kzalloc(sizeof(*source), GFP_KERNEL);

	if (!source)
		return NULL;
	device_initialize(source);
	source->release = mem_device_free;
	if (dev_set_name(source, "%s-memory", dev_name(dev))) {
		put_device(source);
		return NULL;
	}
	set_dev_node(source, dev_to_node(dev));
	source->coherent_dma_mask = dev->coherent_dma_mask;
	source->dma_mask = &source->coherent_dma_mask;
	source->bus_dma_limit = dev->bus_dma_limit;
	/* Lent until unplug: only allocation looks at it. */
	source->dma_range_map = dev->dma_range_map;
	return source;
}

static bool mem_is_translated(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type != IOMMU_DOMAIN_IDENTITY;
}

/**
 * npu_mem_init - find out where memory comes from
 * @npu: The device, its DMA mask set.
 *
 * Return: 0 or a negative errno.
 */
int npu_mem_init(struct npu_device *npu)
{
	struct device *dev = npu->drm.dev;
	int err;

	INIT_LIST_HEAD(&npu->bos);
	err = drmm_mutex_init(&npu->drm, &npu->bos_lock);
	if (err || mem_is_translated(dev))
		return err;
	npu->mem_source = mem_device_new(dev);
	if (!npu->mem_source)
		return -ENOMEM;
	if (dev->of_node) {
		err = of_reserved_mem_device_init_by_idx(npu->mem_source, dev->of_node, 0);
		if (err && err != -ENODEV) {
			put_device(npu->mem_source);
			return dev_err_probe(dev, err, "cannot use memory-region\n");
		}
	}
	return drmm_add_action_or_reset(&npu->drm, mem_device_put, npu->mem_source);
}

/* ---- Pages ---- */

/* Large pages as long as there are any, one by one then. Returns NULL or 1 << *order pages. */
static struct page *alloc_chunk(int node, unsigned int *order)
{
	const gfp_t gfp = NPU_MEM_GFP | __GFP_HIGHMEM;
	struct page *page;

	for (; *order; --*order) {
		page = alloc_pages_node(node, gfp | __GFP_NORETRY, *order);
		if (page) {
			split_page(page, *order);
			return page;
		}
	}
	return alloc_pages_node(node, gfp | __GFP_RETRY_MAYFAIL, 0);
}

static int alloc_scattered(struct npu_bo *bo)
{
	const unsigned int n = bo->base.size >> PAGE_SHIFT;
	unsigned int i = 0, order = get_order(NPU_MEM_CHUNK), end;
	struct page *page;

	bo->pages = kvcalloc(n, sizeof(*bo->pages), GFP_KERNEL_ACCOUNT);
	if (!bo->pages)
		return -ENOMEM;
	while (i < n) {
		order = min_t(unsigned int, order, ilog2(n - i));
		page = alloc_chunk(dev_to_node(bo->base.dev->dev), &order);
		if (!page)
			return -ENOMEM;
		for (end = i + (1U << order); i < end; i++)
			bo->pages[i] = page++;
	}
	return sg_alloc_table_from_pages(bo->sgt, bo->pages, n, 0, bo->base.size,
					 GFP_KERNEL_ACCOUNT);
}

static int alloc_contiguous(struct npu_bo *bo)
{
	const size_t size = bo->base.size;
	int err = sg_alloc_table(bo->sgt, 1, GFP_KERNEL_ACCOUNT);
	struct page *page;

	if (err)
		return err;
	page = dma_alloc_pages(to_npu(bo->base.dev)->mem_source, size, &bo->dma_addr,
			       DMA_BIDIRECTIONAL, NPU_MEM_GFP | __GFP_RETRY_MAYFAIL);
	if (!page)
		return -ENOMEM;
	sg_set_page(bo->sgt->sgl, page, size, 0);
	return 0;
}

static void free_scattered(struct npu_bo *bo)
{
	const unsigned int n = bo->base.size >> PAGE_SHIFT;
	unsigned int i;

	for (i = 0; i < n && bo->pages[i] && !bo->pinned; i++)
		__free_page(bo->pages[i]);
	kvfree(bo->pages);
}

static void free_contiguous(struct npu_bo *bo)
{
	struct device *source = to_npu(bo->base.dev)->mem_source;
	struct page *page = bo->sgt->sgl ? sg_page(bo->sgt->sgl) : NULL;

	if (!page)
		return;
	if (bo->pinned) {
		/* Who debugs the DMA API has it noted as the owner. */
		get_device(source);
		kmemleak_not_leak(source);
		return;
	}
	dma_free_pages(source, bo->base.size, page, bo->dma_addr, DMA_BIDIRECTIONAL);
}

static void free_pages_of(struct npu_bo *bo)
{
	if (bo->pages)
		free_scattered(bo);
	else
		free_contiguous(bo);
	sg_free_table(bo->sgt);
	kfree(bo->sgt);
}

/* ---- Mapping ---- */

/*
 * The check of the address is for memory that the DMA API would rather copy than let the engine at
 * it: the engine would not see what others write there.
 */
static int map_bo(struct npu_bo *bo)
{
	struct device *dev = bo->base.dev->dev;
	dma_addr_t addr;

	if (dma_map_sgtable(dev, bo->sgt, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC))
		return -ENOMEM;
	addr = sg_dma_address(bo->sgt->sgl);
	if (drm_prime_get_contiguous_size(bo->sgt) < bo->base.size ||
	    (!bo->pages && addr != bo->dma_addr)) {
		dma_unmap_sgtable(dev, bo->sgt, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
		return -ENOMEM;
	}
	bo->dma_addr = addr;
	/* The zeroes may still be in the cache: no line may be written back over a result later. */
	dma_sync_sgtable_for_device(dev, bo->sgt, DMA_BIDIRECTIONAL);
	return 0;
}

/* Ends the mapping, if there still is one. @attrs: of the DMA API. */
static void unmap_bo(struct npu_bo *bo, unsigned long attrs)
{
	struct drm_gem_object *obj = &bo->base;
	struct device *dev = obj->dev->dev;

	lockdep_assert_held(&to_npu(obj->dev)->bos_lock);
	if (list_empty(&bo->link))
		return;
	list_del_init(&bo->link);
	if (bo->pinned && (bo->source || bo->pages)) {
		get_device(dev);
	} else if (bo->source) {
		drm_prime_gem_destroy(obj, bo->sgt);
		obj->import_attach = NULL;
	} else {
		dma_unmap_sgtable(dev, bo->sgt, DMA_BIDIRECTIONAL, attrs);
	}
}

/**
 * npu_mem_track - a BO is mapped from now on
 * @bo: The BO; drm_dev_enter() holds.
 */
void npu_mem_track(struct npu_bo *bo)
{
	struct npu_device *npu = to_npu(bo->base.dev);

	mutex_lock(&npu->bos_lock);
	list_add(&bo->link, &npu->bos);
	mutex_unlock(&npu->bos_lock);
}

/**
 * npu_mem_alloc - give a BO memory of its own, zeroed, and map it
 * @bo: A BO without memory; drm_dev_enter() holds. What is there after an error npu_mem_free()
 * frees.
 *
 * Return: 0 or a negative errno.
 */
int npu_mem_alloc(struct npu_bo *bo)
{
	int err;

	bo->sgt = kzalloc(sizeof(*bo->sgt), GFP_KERNEL_ACCOUNT);
	if (!bo->sgt)
		return -ENOMEM;
	err = to_npu(bo->base.dev)->mem_source ? alloc_contiguous(bo) : alloc_scattered(bo);
	if (!err)
		err = map_bo(bo);
	if (!err)
		npu_mem_track(bo);
	return err;
}

/**
 * npu_mem_free - the last user of a BO is gone
 * @bo: The BO.
 */
void npu_mem_free(struct npu_bo *bo)
{
	struct npu_device *npu = to_npu(bo->base.dev);

	if (bo->pinned)
		drm_warn_once(&npu->drm, "memory of jobs on the wedged engine is kept\n");
	mutex_lock(&npu->bos_lock);
	unmap_bo(bo, DMA_ATTR_SKIP_CPU_SYNC);
	mutex_unlock(&npu->bos_lock);
	if (!bo->source && bo->sgt)
		free_pages_of(bo);
	else if (bo->source && bo->pinned)
		kmemleak_not_leak(bo->sgt);
	else if (bo->source)
		dma_buf_put(bo->source);
}

/**
 * npu_mem_sync - make a range coherent
 * @bo: A BO with memory of its own; drm_dev_enter() holds.
 * @offset: First byte.
 * @size: Bytes.
 * @for_cpu: For the CPU, after the engine wrote; else for the engine.
 *
 * The segment has one bus address range, but behind an IOMMU its pages are scattered, and a sync
 * must not run from one page's memory into what happens to follow it. Whole cache lines, or the
 * edges would be written back over what the engine put there.
 */
void npu_mem_sync(struct npu_bo *bo, u64 offset, u64 size, bool for_cpu)
{
	struct device *dev = bo->base.dev->dev;
	const u64 line = dma_get_cache_alignment();
	const u64 begin = round_down(offset, line);
	const u64 end = min_t(u64, round_up(offset + size, line), bo->base.size);
	struct scatterlist *sg;
	u64 at = 0, from, to;
	unsigned int i;

	for_each_sgtable_sg(bo->sgt, sg, i) {
		from = max(begin, at);
		to = min(end, at + sg->length);
		if (from < to && for_cpu)
			dma_sync_single_for_cpu(dev, bo->dma_addr + from, to - from,
						DMA_BIDIRECTIONAL);
		else if (from < to)
			dma_sync_single_for_device(dev, bo->dma_addr + from, to - from,
						   DMA_BIDIRECTIONAL);
		at += sg->length;
		if (at >= end)
			break;
	}
}

/**
 * npu_mem_vmap - map a BO into the kernel
 * @bo: A BO with memory of its own.
 *
 * Return: Its address, or NULL.
 */
void *npu_mem_vmap(struct npu_bo *bo)
{
	if (bo->pages)
		return vmap(bo->pages, bo->base.size >> PAGE_SHIFT, VM_MAP, PAGE_KERNEL);
	return page_address(sg_page(bo->sgt->sgl));
}

/**
 * npu_mem_vunmap - undo npu_mem_vmap()
 * @bo: The BO.
 * @vaddr: What that returned.
 */
void npu_mem_vunmap(struct npu_bo *bo, void *vaddr)
{
	if (bo->pages)
		vunmap(vaddr);
}

/**
 * npu_mem_revoke - end all mappings, and lose the buffers of others
 * @npu: The device, unplugged and its engine stopped: nobody makes a mapping or uses one any more.
 *
 * Caches are made coherent first: there will be no other occasion, and results may still be looked
 * at. What a program writes in the same moment may be lost.
 *
 * Who exports an import has DRM look at its attachment, under object_name_lock.
 */
void npu_mem_revoke(struct npu_device *npu)
{
	struct npu_bo *bo, *next;

	mutex_lock(&npu->drm.object_name_lock);
	mutex_lock(&npu->bos_lock);
	list_for_each_entry_safe(bo, next, &npu->bos, link) {
		if (!bo->source)
			dma_sync_sgtable_for_device(npu->drm.dev, bo->sgt, DMA_BIDIRECTIONAL);
		unmap_bo(bo, 0);
	}
	mutex_unlock(&npu->bos_lock);
	mutex_unlock(&npu->drm.object_name_lock);
	if (npu->mem_source)
		npu->mem_source->dma_range_map = NULL;
}
