/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that knows that kernels differ. compat.sh looks at the headers and defines
 * NPU_HAVE_*; the rest of the driver is written against the functions below.
 */
#ifndef _NPU_COMPAT_H_
#define _NPU_COMPAT_H_

#include <linux/kconfig.h>

#if !IS_ENABLED(CONFIG_DRM)
#error "npu.ko needs a kernel with CONFIG_DRM=m or =y (Debian: not the -cloud flavours)"
#endif
#if !IS_ENABLED(CONFIG_DRM_SCHED)
#error "npu.ko needs CONFIG_DRM_SCHED, which any GPU driver that uses the DRM scheduler selects"
#endif

#include <linux/mm.h>
#include <linux/module.h>
#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_prime.h>
#include <drm/gpu_scheduler.h>

#if defined(NPU_HAVE_ACCEL_H) && IS_ENABLED(CONFIG_DRM_ACCEL)
#include <drm/drm_accel.h>
#define NPU_NODE_FEATURE DRIVER_COMPUTE_ACCEL
#define NPU_NODE_OPEN accel_open
#define NPU_NODE_MINOR accel
#else
#define NPU_NODE_FEATURE DRIVER_RENDER
#define NPU_NODE_OPEN drm_open
#define NPU_NODE_MINOR render
#endif

#ifdef FOP_UNSIGNED_OFFSET
#define NPU_FOP_FLAGS .fop_flags = FOP_UNSIGNED_OFFSET,
#else
#define NPU_FOP_FLAGS
#endif

#ifdef NPU_HAVE_DRIVER_DATE
#define NPU_DRIVER_DATE .date = "0",
#else
#define NPU_DRIVER_DATE
#endif

/* Newer kernels fall back to these helpers. */
#ifdef NPU_HAVE_PRIME_HOOKS
#define NPU_PRIME_HOOKS                                   \
	.prime_handle_to_fd = drm_gem_prime_handle_to_fd, \
	.prime_fd_to_handle = drm_gem_prime_fd_to_handle, .gem_prime_mmap = drm_gem_prime_mmap,
#else
#define NPU_PRIME_HOOKS
#endif

/* Newer kernels leave it to the importer to keep a mapping. */
#ifdef NPU_HAVE_DMA_BUF_CACHE_SGT
#define NPU_DMA_BUF_ATTACH .cache_sgt_mapping = true, .attach = drm_gem_map_attach
#else
#define NPU_DMA_BUF_ATTACH .attach = drm_gem_map_attach
#endif

#ifdef NPU_HAVE_IMPORT_NS_STRING
#define NPU_IMPORT_DMA_BUF MODULE_IMPORT_NS("DMA_BUF")
#else
#define NPU_IMPORT_DMA_BUF MODULE_IMPORT_NS(DMA_BUF)
#endif

/* The name of the callback that returns nothing. */
#ifdef NPU_HAVE_PLATFORM_REMOVE_NEW
#define NPU_PLATFORM_REMOVE remove_new
#else
#define NPU_PLATFORM_REMOVE remove
#endif

#ifdef NPU_HAVE_SCHED_PRIORITY_LOW
#define NPU_SCHED_PRIORITY_LOW DRM_SCHED_PRIORITY_LOW
#else
#define NPU_SCHED_PRIORITY_LOW DRM_SCHED_PRIORITY_MIN
#endif

/**
 * npu_compat_debugfs_root - where a device's files are in debugfs
 * @drm: The device, registered.
 *
 * Return: The folder.
 */
static inline struct dentry *npu_compat_debugfs_root(struct drm_device *drm)
{
#ifdef NPU_HAVE_DEV_DEBUGFS_ROOT
	return drm->debugfs_root;
#else
	return drm->NPU_NODE_MINOR->debugfs_root;
#endif
}

/**
 * npu_compat_fence_ops - whose fence it is
 * @fence: Any fence.
 *
 * Return: Its functions, to be compared.
 */
static inline const struct dma_fence_ops *npu_compat_fence_ops(const struct dma_fence *fence)
{
#ifdef NPU_HAVE_FENCE_OPS_RCU
	return rcu_access_pointer(fence->ops);
#else
	return fence->ops;
#endif
}

/**
 * npu_compat_vm_flags_set - add flags to a mapping
 * @vma: The mapping, not yet visible to others.
 * @flags: VM_*.
 */
static inline void npu_compat_vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
#ifdef NPU_HAVE_VM_FLAGS_SET
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

/* In trace events; newer kernels know the source from the declaration. */
#ifdef NPU_HAVE_ASSIGN_STR_DST
#define npu_compat_assign_str(dst, src) __assign_str(dst)
#else
#define npu_compat_assign_str(dst, src) __assign_str(dst, src)
#endif

/**
 * npu_compat_client_id - a number for an open file
 * @filp: The file.
 *
 * Return: DRM's number, or one that is unique among the files of this driver.
 */
static inline u64 npu_compat_client_id(const struct drm_file *filp)
{
#ifdef NPU_HAVE_CLIENT_ID
	return filp->client_id;
#else
	static atomic64_t last;

	return atomic64_inc_return(&last);
#endif
}

/**
 * npu_compat_sched_init - drm_sched_init() without the scheduler's own time-out
 * @sched: Scheduler to set up.
 * @ops: Its callbacks.
 * @depth: Jobs handed to the driver at the same time.
 * @dev: Device, for messages.
 *
 * Return: 0 or a negative errno.
 */
static inline int npu_compat_sched_init(struct drm_gpu_scheduler *sched,
					const struct drm_sched_backend_ops *ops, u32 depth,
					struct device *dev)
{
#if defined(NPU_HAVE_SCHED_INIT_ARGS)
	const struct drm_sched_init_args args = {
		.ops = ops,
#ifdef NPU_HAVE_SCHED_INIT_NUM_RQS
		.num_rqs = DRM_SCHED_PRIORITY_COUNT,
#endif
		.credit_limit = depth,
		.timeout = MAX_SCHEDULE_TIMEOUT,
		.name = "npu",
		.dev = dev,
	};

	return drm_sched_init(sched, &args);
#elif defined(NPU_HAVE_SCHED_INIT_SUBMIT_WQ)
	return drm_sched_init(sched, ops, NULL, DRM_SCHED_PRIORITY_COUNT, depth, 0,
			      MAX_SCHEDULE_TIMEOUT, NULL, NULL, "npu", dev);
#elif defined(NPU_HAVE_SCHED_INIT_RQS)
	return drm_sched_init(sched, ops, DRM_SCHED_PRIORITY_COUNT, depth, 0, MAX_SCHEDULE_TIMEOUT,
			      NULL, NULL, "npu", dev);
#else
	return drm_sched_init(sched, ops, depth, 0, MAX_SCHEDULE_TIMEOUT, NULL, NULL, "npu", dev);
#endif
}

/**
 * npu_compat_sched_job_init - drm_sched_job_init() for a job of one credit
 * @job: Job to set up.
 * @entity: Queue it will be pushed to.
 * @filp: Open file it is for.
 *
 * Return: 0 or a negative errno.
 */
static inline int npu_compat_sched_job_init(struct drm_sched_job *job,
					    struct drm_sched_entity *entity, struct drm_file *filp)
{
#if defined(NPU_HAVE_SCHED_CLIENT_ID)
	return drm_sched_job_init(job, entity, 1, NULL, filp->client_id);
#elif defined(NPU_HAVE_SCHED_CREDITS)
	return drm_sched_job_init(job, entity, 1, NULL);
#else
	return drm_sched_job_init(job, entity, NULL);
#endif
}

#endif /* _NPU_COMPAT_H_ */
