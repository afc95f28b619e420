// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DRM driver: node, ioctl table, DEV_QUERY, and the device's way from allocation to unplug,
 * which is the same on every bus.
 */
#include <linux/compat.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <drm/drm_managed.h>

#include "npu_ctx.h"
#include "npu_debugfs.h"
#include "npu_drv.h"
#include "npu_file.h"
#include "npu_gem.h"
#include "npu_job.h"
#include "npu_mem.h"
#include "npu_perfmon.h"
#include "npu_pm.h"

unsigned int npu_timeout_scale = 1;
module_param_named(timeout_scale, npu_timeout_scale, uint, 0644);
MODULE_PARM_DESC(timeout_scale, "Multiplies every time-out, for engines that are simulated slowly");

/* The default covers a machine that is busy elsewhere. */
unsigned int npu_timeout_floor_ms = 1000;
module_param_named(timeout_floor_ms, npu_timeout_floor_ms, uint, 0644);
MODULE_PARM_DESC(timeout_floor_ms, "Least time budget of a job in ms");

static void query_device(struct npu_device *npu, const struct npu_file *file,
			 struct drm_npu_device_info *info)
{
	strscpy(info->name, npu->hw->name, sizeof(info->name));
	info->family = npu->hw->family;
	info->cores = 1;
	info->clock_hz = npu->clock_hz;
	if (npu->reset)
		info->caps |= DRM_NPU_CAP_RESET;
	if (!npu->mem_source)
		info->caps |= DRM_NPU_CAP_IOMMU;
	info->max_bo_bytes = NPU_MAX_BO_BYTES;
	info->max_jobs = NPU_MAX_JOBS;
	info->max_syncs = NPU_MAX_SYNCS;
	info->max_pending = NPU_MAX_PENDING;
	info->max_contexts = NPU_MAX_CTXS;
	info->max_file_bytes = npu_quota_of_file(NPU_QUOTA_BYTES);
	if (file->user)
		info->max_user_bytes = npu_quota_of_user(NPU_QUOTA_BYTES);
}

/* Gives @size bytes to a caller who has room for query->size, and tells him @size. */
static int query_answer(struct drm_npu_dev_query *query, const void *answer, u32 size)
{
	void __user *to = u64_to_user_ptr(query->pointer);
	u32 room = query->size;

	query->size = size;
	if (!query->pointer)
		return 0;
	if (copy_to_user(to, answer, min(room, size)))
		return -EFAULT;
	if (room > size && clear_user(to + size, room - size))
		return -EFAULT;
	return 0;
}

static int npu_ioctl_dev_query(struct drm_device *drm, void *data, struct drm_file *filp)
{
	struct npu_device *npu = to_npu(drm);
	struct drm_npu_device_info info = {};
	struct drm_npu_dev_query *query = data;

	switch (query->type) {
	case DRM_NPU_QUERY_DEVICE:
		query_device(npu, filp->driver_priv, &info);
		return query_answer(query, &info, sizeof(info));
	case DRM_NPU_QUERY_MATMUL:
		return query_answer(query, npu->hw->matmul, sizeof(*npu->hw->matmul));
	case DRM_NPU_QUERY_COUNTERS:
		return query_answer(query, npu->hw->counters,
				    npu->hw->n_counters * sizeof(*npu->hw->counters));
	default:
		return -EINVAL;
	}
}

static const struct drm_ioctl_desc npu_ioctls[] = {
	DRM_IOCTL_DEF_DRV(NPU_DEV_QUERY, npu_ioctl_dev_query, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(NPU_BO_CREATE, npu_ioctl_bo_create, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(NPU_BO_INFO, npu_ioctl_bo_info, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(NPU_BO_PREP, npu_ioctl_bo_prep, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(NPU_BO_FINI, npu_ioctl_bo_fini, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(NPU_CTX_CREATE, npu_ioctl_ctx_create, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(NPU_CTX_DESTROY, npu_ioctl_ctx_destroy, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(NPU_CTX_STATE, npu_ioctl_ctx_state, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(NPU_SUBMIT, npu_ioctl_submit, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(NPU_PERFMON_CREATE, npu_ioctl_perfmon_create, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(NPU_PERFMON_DESTROY, npu_ioctl_perfmon_destroy, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(NPU_PERFMON_VALUES, npu_ioctl_perfmon_values, DRM_RENDER_ALLOW),
};

/*
 * The interface promises more than DRM does. DRM cuts a structure that is larger than it knows:
 * what is cut off must be zero here, or a program would believe that a field it set had an effect.
 * And a missing ioctl is not a wrong argument.
 */
static int check_request(unsigned int cmd, void __user *arg)
{
	unsigned int nr = _IOC_NR(cmd) - DRM_COMMAND_BASE;
	unsigned int known, size = _IOC_SIZE(cmd);
	int zeroed;

	if (_IOC_NR(cmd) < DRM_COMMAND_BASE || _IOC_NR(cmd) >= DRM_COMMAND_END)
		return 0;
	if (nr >= ARRAY_SIZE(npu_ioctls))
		return -ENOTTY;
	known = _IOC_SIZE(npu_ioctls[nr].cmd);
	if (size <= known)
		return 0;
	zeroed = check_zeroed_user(arg + known, size - known);
	if (zeroed < 0)
		return zeroed;
	return zeroed ? 0 : -E2BIG;
}

static long npu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int err = check_request(cmd, (void __user *)arg);

	return err ?: drm_ioctl(file, cmd, arg);
}

#ifdef CONFIG_COMPAT
static long npu_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int err = check_request(cmd, compat_ptr(arg));

	return err ?: drm_compat_ioctl(file, cmd, arg);
}
#else
#define npu_compat_ioctl NULL
#endif

static const struct file_operations npu_fops = { .owner = THIS_MODULE,
						 .open = NPU_NODE_OPEN,
						 .release = drm_release,
						 .unlocked_ioctl = npu_ioctl,
						 .compat_ioctl = npu_compat_ioctl,
						 .poll = drm_poll,
						 .read = drm_read,
						 .llseek = noop_llseek,
						 .show_fdinfo = npu_file_show_fdinfo,
						 .mmap = drm_gem_mmap,
						 NPU_FOP_FLAGS };

static const struct drm_driver npu_driver = {
	.driver_features = NPU_NODE_FEATURE | DRIVER_GEM | DRIVER_SYNCOBJ | DRIVER_SYNCOBJ_TIMELINE,
	.open = npu_file_open,
	.postclose = npu_file_close,
	.gem_prime_import = npu_gem_prime_import,
	.gem_prime_import_sg_table = npu_gem_prime_import_sg_table,
	.ioctls = npu_ioctls,
	.num_ioctls = ARRAY_SIZE(npu_ioctls),
	.fops = &npu_fops,
	.name = "npu",
	.desc = "Integer neural processing unit",
	.major = 1,
	NPU_DRIVER_DATE NPU_PRIME_HOOKS
};

/**
 * npu_device_alloc - first step of a probe
 * @dev: The device on its bus.
 * @hw: Its hardware configuration.
 *
 * Return: The device, or an ERR_PTR. It goes away with the last reference after unbind.
 */
struct npu_device *npu_device_alloc(struct device *dev, const struct npu_hw *hw)
{
	struct npu_device *npu;
	int err;

	npu = devm_drm_dev_alloc(dev, &npu_driver, struct npu_device, drm);
	if (IS_ERR(npu))
		return npu;
	npu->hw = hw;
	npu->hw_priv = drmm_kzalloc(&npu->drm, hw->priv_size, GFP_KERNEL);
	if (!npu->hw_priv)
		return ERR_PTR(-ENOMEM);

	err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(hw->dma_bits));
	if (err)
		return ERR_PTR(err);
	dma_set_max_seg_size(dev, UINT_MAX);

	err = npu_mem_init(npu);
	if (err)
		return ERR_PTR(err);
	npu_queue_init(npu);
	npu_dump_init(npu);
	err = npu_sched_init(npu);
	return err ? ERR_PTR(err) : npu;
}

/**
 * npu_device_start - bring the engine from any state to idle and ready
 * @npu: The device, powered, with no op to run.
 *
 * Used by probe and by recovery, so that what recovers a hang is tested at each boot.
 *
 * Return: 0 or a negative errno.
 */
int npu_device_start(struct npu_device *npu)
{
	int err;

	if (npu->reset) {
		err = npu->reset(npu);
		if (err)
			return err;
	}
	return npu->hw->ops->init(npu);
}

/**
 * npu_device_register - last step of a probe: start the engine and show the device to user space
 * @npu: The device, with registers, interrupt and reset set.
 *
 * Return: 0 or a negative errno.
 */
int npu_device_register(struct npu_device *npu)
{
	struct device *dev = npu->drm.dev;
	int err;

	err = npu_device_start(npu);
	if (err)
		return dev_err_probe(dev, err, "the engine does not become ready\n");
	err = devm_request_irq(dev, npu->irq, npu_queue_irq, IRQF_SHARED, dev_name(dev), npu);
	if (err)
		return dev_err_probe(dev, err, "cannot use interrupt %d\n", npu->irq);
	if (!npu->reset)
		dev_warn(dev, "no reset: a hang will not be recovered%s\n",
			 npu->clock_gating ? ", and with its gated clocks it will come" : "");
	err = drm_dev_register(&npu->drm, 0);
	if (err)
		return err;
	npu_debugfs_register(npu);
	return 0;
}

/**
 * npu_device_unplug - the device goes away, whoever still has it open
 * @npu: The device.
 */
void npu_device_unplug(struct npu_device *npu)
{
	int err;

	drm_dev_unplug(&npu->drm);
	err = npu_pm_get(npu);
	npu_queue_shutdown(npu);
	npu_dump_fini(npu);
	npu_mem_revoke(npu);
	if (!err)
		npu_pm_put(npu);
}

static int __init npu_init(void)
{
	int err = npu_platform_register();

	if (err)
		return err;
	err = npu_pci_register();
	if (err)
		npu_platform_unregister();
	return err;
}
module_init(npu_init);

static void __exit npu_exit(void)
{
	npu_pci_unregister();
	npu_platform_unregister();
	/* The last fences are on their way to be freed, by a function of ours. */
	rcu_barrier();
}
module_exit(npu_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Integer neural processing units (NVDLA)");
NPU_IMPORT_DMA_BUF;
