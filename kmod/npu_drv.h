/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device: what its rooms share.
 */
#ifndef _NPU_DRV_H_
#define _NPU_DRV_H_

#include <linux/atomic.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "npu_compat.h"
#include "npu_dump.h"
#include "npu_hw.h"
#include "npu_queue.h"

struct clk_bulk_data;
struct regulator;
struct reset_control;

#define NPU_MAX_BO_BYTES SZ_1G
#define NPU_MAX_JOBS 1024
#define NPU_MAX_SYNCS 64

/**
 * struct npu_device - one NPU
 * @drm: Base.
 * @hw: Hardware configuration, from the compatible.
 * @hw_priv: State of the backend.
 * @mem_source: Whom the DMA API gives memory for BOs; NULL where an IOMMU makes it contiguous.
 * @bos_lock: Protects @bos and the mappings of what is in it.
 * @bos: BOs that are mapped for the engine. Empty from unplug on.
 * @regs: Register window.
 * @irq: Interrupt line.
 * @irq_is_edge: It tells of a change only, so a handler must leave no status behind.
 * @reset: Puts the engine into its state after power-on; NULL when its bus has no way to. Sleeps.
 * @clock_gating: The RTL was built with gated clocks, which has a price: see nvdla_gating.c.
 * @clock_hz: Clock of the engine, 0 when the kernel does not know it.
 * @clks: Its clocks, and those of its bus.
 * @n_clks: Their number.
 * @supply: Its supply, NULL when it is always on.
 * @powered: @clks and @supply are on. Changed by the power management's callbacks, at probe and at
 *	removal, of which the core runs one at a time.
 * @resets: Reset lines, NULL when there are none.
 * @queue: What the engine has to do.
 * @dump: What the last hang left.
 * @sched: Decides which submission comes next.
 * @wq: For the watchdog and for what else fences wait for: nothing there may wait for memory, for
 *	fences, or for who does.
 * @release_wq: For the release of submissions and contexts, which takes reservations of BOs.
 * @live_ctxs: Contexts that still have an entity in @sched, of closed files too.
 * @ctx_gone: Woken when @live_ctxs becomes 0.
 *
 * Lives until the last open file, exported dma-buf and context are gone; the hardware is touched
 * only until unbind, which npu_queue.error and drm_dev_enter() see to.
 */
struct npu_device {
	struct drm_device drm;
	const struct npu_hw *hw;
	void *hw_priv;
	struct device *mem_source;
	struct mutex bos_lock; /* see above */
	struct list_head bos;
	void __iomem *regs;
	int irq;
	bool irq_is_edge;
	int (*reset)(struct npu_device *npu);
	bool clock_gating;
	u64 clock_hz;
	struct clk_bulk_data *clks;
	int n_clks;
	struct regulator *supply;
	bool powered;
	struct reset_control *resets;
	struct npu_queue queue;
	struct npu_dump dump;
	struct drm_gpu_scheduler sched;
	struct workqueue_struct *wq;
	struct workqueue_struct *release_wq;
	atomic_t live_ctxs;
	wait_queue_head_t ctx_gone;
};

static inline struct npu_device *to_npu(struct drm_device *drm)
{
	return container_of(drm, struct npu_device, drm);
}

extern unsigned int npu_timeout_scale;
extern unsigned int npu_timeout_floor_ms;

static inline u64 npu_scale_timeout(u64 timeout)
{
	return timeout * max(1U, READ_ONCE(npu_timeout_scale));
}

struct npu_device *npu_device_alloc(struct device *dev, const struct npu_hw *hw);
int npu_device_start(struct npu_device *npu);
int npu_device_register(struct npu_device *npu);
void npu_device_unplug(struct npu_device *npu);

int npu_sched_init(struct npu_device *npu);
int npu_sched_prepare(struct npu_job *job, struct drm_file *filp);
void npu_sched_arm(struct npu_job *job);
void npu_sched_push(struct npu_job *job);

#ifdef CONFIG_OF
int npu_platform_register(void);
void npu_platform_unregister(void);
#else
static inline int npu_platform_register(void)
{
	return 0;
}

static inline void npu_platform_unregister(void)
{
}
#endif

#ifdef CONFIG_PCI
int npu_pci_register(void);
void npu_pci_unregister(void);
#else
static inline int npu_pci_register(void)
{
	return 0;
}

static inline void npu_pci_unregister(void)
{
}
#endif

#endif /* _NPU_DRV_H_ */
