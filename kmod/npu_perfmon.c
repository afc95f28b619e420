// SPDX-License-Identifier: GPL-2.0-only
/*
 * Perfmons: sums of hardware counters over the jobs of the submissions that name them.
 *
 * A submission holds its perfmon, so that one may be destroyed while it is being counted into.
 */
#include <linux/bitops.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "npu_drv.h"
#include "npu_file.h"
#include "npu_perfmon.h"

static void npu_perfmon_release(struct kref *refs)
{
	kfree(container_of(refs, struct npu_perfmon, refs));
}

/**
 * npu_perfmon_put - drop a reference
 * @perfmon: The perfmon.
 */
void npu_perfmon_put(struct npu_perfmon *perfmon)
{
	kref_put(&perfmon->refs, npu_perfmon_release);
}

/* It has no id any more. */
static void npu_perfmon_close(struct npu_file *file, struct npu_perfmon *perfmon)
{
	npu_quota_give(file, NPU_QUOTA_PERFMONS, 1);
	npu_perfmon_put(perfmon);
}

/**
 * npu_perfmon_get - look a perfmon up
 * @file: The file.
 * @id: The perfmon.
 *
 * Return: The perfmon with a reference, or NULL.
 */
struct npu_perfmon *npu_perfmon_get(struct npu_file *file, u32 id)
{
	struct npu_perfmon *perfmon;

	xa_lock(&file->perfmons);
	perfmon = xa_load(&file->perfmons, id);
	if (perfmon)
		kref_get(&perfmon->refs);
	xa_unlock(&file->perfmons);
	return perfmon;
}

static void npu_perfmon_add(struct npu_perfmon *perfmon, u64 jobs, const u64 *values)
{
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&perfmon->lock, flags);
	perfmon->jobs += jobs;
	for (i = 0; i < NPU_HW_MAX_COUNTERS; i++)
		perfmon->values[i] += values[i];
	spin_unlock_irqrestore(&perfmon->lock, flags);
}

/**
 * npu_perfmon_count - add the counters of a job the engine completed
 * @perfmon: The perfmon of its submission.
 * @npu: The device, npu_queue.lock held.
 * @group: Register group of the job.
 */
void npu_perfmon_count(struct npu_perfmon *perfmon, struct npu_device *npu, unsigned int group)
{
	u64 values[NPU_HW_MAX_COUNTERS] = {};

	npu->hw->ops->read_counters(npu, group, perfmon->counters, values);
	npu_perfmon_add(perfmon, 1, values);
}

/**
 * npu_perfmon_close_all - destroy the perfmons of a file that nobody has open any more
 * @file: The file.
 */
void npu_perfmon_close_all(struct npu_file *file)
{
	struct npu_perfmon *perfmon;
	unsigned long id;

	xa_for_each(&file->perfmons, id, perfmon) {
		xa_erase(&file->perfmons, id);
		npu_perfmon_close(file, perfmon);
	}
}

static struct npu_perfmon *npu_perfmon_new(u64 counters)
{
	struct npu_perfmon *perfmon = kzalloc(sizeof(*perfmon), GFP_KERNEL_ACCOUNT);

	if (!perfmon)
		return NULL;
	kref_init(&perfmon->refs);
	spin_lock_init(&perfmon->lock);
	perfmon->counters = counters;
	return perfmon;
}

/**
 * npu_ioctl_perfmon_create - DRM_IOCTL_NPU_PERFMON_CREATE
 * @drm: The device.
 * @data: struct drm_npu_perfmon_create.
 * @filp: The file.
 *
 * Return: 0 or a negative errno.
 */
int npu_ioctl_perfmon_create(struct drm_device *drm, void *data, struct drm_file *filp)
{
	struct drm_npu_perfmon_create *args = data;
	struct npu_file *file = filp->driver_priv;
	struct npu_perfmon *perfmon;
	int err;

	if (args->flags || !args->counters ||
	    args->counters >= BIT_ULL(to_npu(drm)->hw->n_counters))
		return -EINVAL;
	err = npu_quota_take(file, NPU_QUOTA_PERFMONS, 1);
	if (err)
		return err;
	perfmon = npu_perfmon_new(args->counters);
	err = perfmon ? xa_alloc(&file->perfmons, &args->id, perfmon, XA_LIMIT(1, NPU_MAX_PERFMONS),
				 GFP_KERNEL_ACCOUNT)
		      : -ENOMEM;
	if (err) {
		kfree(perfmon);
		npu_quota_give(file, NPU_QUOTA_PERFMONS, 1);
	}
	return err;
}

/**
 * npu_ioctl_perfmon_destroy - DRM_IOCTL_NPU_PERFMON_DESTROY
 * @drm: The device.
 * @data: struct drm_npu_perfmon_destroy.
 * @filp: The file.
 *
 * Return: 0 or a negative errno.
 */
int npu_ioctl_perfmon_destroy(struct drm_device *drm, void *data, struct drm_file *filp)
{
	struct drm_npu_perfmon_destroy *args = data;
	struct npu_file *file = filp->driver_priv;
	struct npu_perfmon *perfmon;

	if (args->pad)
		return -EINVAL;
	perfmon = xa_erase(&file->perfmons, args->id);
	if (!perfmon)
		return -ENOENT;
	npu_perfmon_close(file, perfmon);
	return 0;
}

/* All sums of one moment. */
static void npu_perfmon_take(struct npu_perfmon *perfmon, bool reset, u64 *jobs, u64 *values)
{
	spin_lock_irq(&perfmon->lock);
	*jobs = perfmon->jobs;
	memcpy(values, perfmon->values, sizeof(perfmon->values));
	if (reset) {
		perfmon->jobs = 0;
		memset(perfmon->values, 0, sizeof(perfmon->values));
	}
	spin_unlock_irq(&perfmon->lock);
}

static int npu_perfmon_copy(u64 __user *to, u64 counters, const u64 *values)
{
	u64 packed[NPU_HW_MAX_COUNTERS];
	unsigned int i, n = 0;

	for (i = 0; i < NPU_HW_MAX_COUNTERS; i++)
		if (counters & BIT_ULL(i))
			packed[n++] = values[i];
	return copy_to_user(to, packed, n * sizeof(*packed)) ? -EFAULT : 0;
}

/**
 * npu_ioctl_perfmon_values - DRM_IOCTL_NPU_PERFMON_VALUES
 * @drm: The device.
 * @data: struct drm_npu_perfmon_values.
 * @filp: The file.
 *
 * Return: 0 or a negative errno.
 */
int npu_ioctl_perfmon_values(struct drm_device *drm, void *data, struct drm_file *filp)
{
	struct drm_npu_perfmon_values *args = data;
	u64 values[NPU_HW_MAX_COUNTERS];
	struct npu_perfmon *perfmon;
	int err = -EINVAL;

	if (args->flags & ~DRM_NPU_PERFMON_RESET || args->pad)
		return -EINVAL;
	perfmon = npu_perfmon_get(filp->driver_priv, args->id);
	if (!perfmon)
		return -ENOENT;
	if (args->count >= hweight64(perfmon->counters)) {
		npu_perfmon_take(perfmon, args->flags & DRM_NPU_PERFMON_RESET, &args->jobs, values);
		err = npu_perfmon_copy(u64_to_user_ptr(args->pointer), perfmon->counters, values);
		/* What could not be told is not forgotten. */
		if (err && args->flags & DRM_NPU_PERFMON_RESET)
			npu_perfmon_add(perfmon, args->jobs, values);
	}
	npu_perfmon_put(perfmon);
	return err;
}
