// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open files, and what the system is told about them.
 */
#include <linux/dma-resv.h>
#include <linux/math64.h>
#include <linux/pci.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "npu_ctx.h"
#include "npu_drv.h"
#include "npu_file.h"
#include "npu_gem.h"
#include "npu_perfmon.h"

static void npu_file_release(struct kref *refs)
{
	struct npu_file *file = container_of(refs, struct npu_file, refs);

	xa_destroy(&file->ctxs);
	xa_destroy(&file->perfmons);
	npu_quota_leave(file);
	kfree(file);
}

/**
 * npu_file_get - take a reference
 * @file: The file.
 */
void npu_file_get(struct npu_file *file)
{
	kref_get(&file->refs);
}

/**
 * npu_file_put - drop a reference
 * @file: The file.
 */
void npu_file_put(struct npu_file *file)
{
	kref_put(&file->refs, npu_file_release);
}

/**
 * npu_file_open - drm_driver.open
 * @drm: The device.
 * @filp: The file.
 *
 * Return: 0 or a negative errno.
 */
int npu_file_open(struct drm_device *drm, struct drm_file *filp)
{
	struct npu_file *file;
	int err;

	file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);
	if (!file)
		return -ENOMEM;
	kref_init(&file->refs);
	file->npu = to_npu(drm);
	file->client_id = npu_compat_client_id(filp);
	xa_init_flags(&file->ctxs, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	xa_init_flags(&file->perfmons, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);

	err = npu_quota_join(file);
	if (!err)
		err = npu_ctx_open(file);
	if (err) {
		npu_file_put(file);
		return err;
	}
	filp->driver_priv = file;
	return 0;
}

/**
 * npu_file_close - drm_driver.postclose
 * @drm: The device.
 * @filp: The file.
 */
void npu_file_close(struct drm_device *drm, struct drm_file *filp)
{
	struct npu_file *file = filp->driver_priv;

	WRITE_ONCE(file->closed, true);
	npu_ctx_close_all(file);
	npu_perfmon_close_all(file);
	npu_file_put(file);
}

/**
 * struct npu_memory - memory a file has handles of, imports included
 * @total: All of it.
 * @shared: What others have, too.
 * @active: What the engine uses or is going to.
 */
struct npu_memory {
	u64 total;
	u64 shared;
	u64 active;
};

static int npu_memory_add(int handle, void *ptr, void *data)
{
	struct drm_gem_object *obj = ptr;
	struct npu_memory *mem = data;

	mem->total += obj->size;
	/* Others open and close handles and export meanwhile. */
	if (READ_ONCE(obj->handle_count) > 1 || READ_ONCE(obj->dma_buf))
		mem->shared += obj->size;
	if (!dma_resv_test_signaled(obj->resv, DMA_RESV_USAGE_READ))
		mem->active += obj->size;
	return 0;
}

/**
 * npu_file_show_fdinfo - file_operations.show_fdinfo
 * @m: Where to.
 * @f: The file.
 *
 * The keys are those of drm-usage-stats, on each kernel the same: DRM's own functions for this came
 * late and changed often.
 */
void npu_file_show_fdinfo(struct seq_file *m, struct file *f)
{
	struct drm_file *filp = f->private_data;
	struct npu_file *file = filp->driver_priv;
	struct npu_device *npu = file->npu;
	const u64 busy_ns = atomic64_read(&file->engine_ns);
	struct npu_memory mem = {};

	spin_lock(&filp->table_lock);
	idr_for_each(&filp->object_idr, npu_memory_add, &mem);
	spin_unlock(&filp->table_lock);

	seq_printf(m, "drm-driver:\t%s\n", npu->drm.driver->name);
	seq_printf(m, "drm-client-id:\t%llu\n", file->client_id);
	if (dev_is_pci(npu->drm.dev))
		seq_printf(m, "drm-pdev:\t%s\n", dev_name(npu->drm.dev));

	seq_printf(m, "drm-engine-npu:\t%llu ns\n", busy_ns);
	if (npu->clock_hz) {
		seq_printf(m, "drm-cycles-npu:\t%llu\n",
			   mul_u64_u64_div_u64(busy_ns, npu->clock_hz, NSEC_PER_SEC));
		seq_printf(m, "drm-maxfreq-npu:\t%llu Hz\n", npu->clock_hz);
	}

	/* No BO is ever swapped out, so all of it is resident. */
	seq_printf(m, "drm-total-memory:\t%llu KiB\n", mem.total / SZ_1K);
	seq_printf(m, "drm-shared-memory:\t%llu KiB\n", mem.shared / SZ_1K);
	seq_printf(m, "drm-resident-memory:\t%llu KiB\n", mem.total / SZ_1K);
	seq_printf(m, "drm-active-memory:\t%llu KiB\n", mem.active / SZ_1K);
}
