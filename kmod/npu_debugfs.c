// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files in debugfs, beside DRM's own for the node: what the queue does and what the registers hold.
 * Who has the device open is in DRM's file clients.
 */
#include <linux/debugfs.h>
#include <linux/pm_runtime.h>
#include <linux/seq_file.h>

#include "npu_ctx.h"
#include "npu_debugfs.h"
#include "npu_drv.h"
#include "npu_file.h"
#include "npu_job.h"

static void show_slot(struct seq_file *m, const struct npu_slot *slot)
{
	const struct npu_job *job = slot->job;

	seq_printf(m, "group %u: client %llu ctx %u seqno %llu job %td of %u, %ux%ux%u, %s\n",
		   slot->group, job->ctx->file->client_id, job->ctx->id, job->fence->base.seqno,
		   slot->op - job->ops, job->n_ops, slot->op->job.m, slot->op->job.n,
		   slot->op->job.k, slot->enabled ? "enabled" : "waits for the other");
}

static const char *state_name(const struct npu_queue *q)
{
	if (q->error)
		return q->error == -ENODEV ? "gone" : "wedged";
	/* Without ops it may have no power, which is how it idles. */
	if (!q->filled)
		return "idle";
	return q->stopped ? "stopped" : "busy";
}

static int state_show(struct seq_file *m, void *unused)
{
	struct npu_device *npu = m->private;
	struct npu_queue *q = &npu->queue;
	unsigned int i, jobs = 0;
	struct npu_job *job;

	spin_lock_irq(&q->lock);
	list_for_each_entry(job, &q->jobs, link)
		jobs++;
	seq_printf(m, "state: %s\n", state_name(q));
	seq_printf(m, "submissions: %u\n", jobs);
	for (i = 0; i < q->filled; i++)
		show_slot(m, &q->slot[i]);
	seq_printf(m, "resets: %llu\n", q->resets);
	seq_printf(m, "refreshes: %llu\n", q->refreshes);
	seq_printf(m, "lost interrupts: %llu\n", q->lost_irqs);
	spin_unlock_irq(&q->lock);
	seq_printf(m, "contexts: %d\n", atomic_read(&npu->live_ctxs));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

/* A unit at a time, so that interrupts wait for one only. False while the engine is being reset. */
static bool show_range(struct seq_file *m, struct npu_device *npu,
		       const struct npu_reg_range *range)
{
	struct npu_queue *q = &npu->queue;
	bool running;
	u32 reg;

	spin_lock_irq(&q->lock);
	running = !q->stopped;
	for (reg = range->first; running && reg <= range->last; reg += sizeof(u32))
		seq_printf(m, "%04x: %08x\n", reg, readl(npu->regs + reg));
	spin_unlock_irq(&q->lock);
	return running;
}

static void show_regs(struct seq_file *m, struct npu_device *npu)
{
	unsigned int i;

	for (i = 0; i < npu->hw->n_reg_ranges; i++)
		if (!show_range(m, npu, &npu->hw->reg_ranges[i])) {
			seq_puts(m, "stopped\n");
			return;
		}
}

/* To look at a sleeping engine must not wake it: there is nothing to see then. */
static int regs_show(struct seq_file *m, void *unused)
{
	struct npu_device *npu = m->private;
	struct device *dev = npu->drm.dev;
	int idx;

	if (!drm_dev_enter(&npu->drm, &idx))
		return -ENODEV;
	pm_runtime_get_noresume(dev);
	pm_runtime_barrier(dev);
	if (pm_runtime_active(dev))
		show_regs(m, npu);
	else
		seq_puts(m, "suspended\n");
	pm_runtime_put_autosuspend(dev);
	drm_dev_exit(idx);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(regs);

/**
 * npu_debugfs_register - make the files
 * @npu: The device, registered; DRM removes the files with its own.
 */
void npu_debugfs_register(struct npu_device *npu)
{
	struct dentry *root = npu_compat_debugfs_root(&npu->drm);

	debugfs_create_file("state", 0400, root, npu, &state_fops);
	debugfs_create_file("regs", 0400, root, npu, &regs_fops);
}
