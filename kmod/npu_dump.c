// SPDX-License-Identifier: GPL-2.0-only
/*
 * The coredump of a hang: what the queue had on the engine, in words, and the engine's registers.
 *
 * It is written while fences wait for the reset, so its memory comes from what is free just then or
 * not at all; what may sleep happens in a work item. devcoredump keeps one dump of a device at a
 * time, for five minutes or until it is read, and drops the others.
 */
#include <linux/devcoredump.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/utsname.h>
#include <linux/vmalloc.h>
#include <drm/drm_print.h>

#include "npu_drv.h"
#include "npu_job.h"

#define NPU_DUMP_BYTES SZ_16K

static unsigned int npu_coredump_interval = 60;
module_param_named(coredump_interval, npu_coredump_interval, uint, 0644);
MODULE_PARM_DESC(coredump_interval, "Least seconds from one coredump of a device to its next");

static void dump_tensor(struct drm_printer *p, const char *name, const struct npu_op *op,
			enum npu_operand i, const struct drm_npu_tensor *t)
{
	if (op->plan.extent[i].bytes)
		drm_printf(p,
			   "  %s: bus address %pad, %llu bytes, row stride %u, plane stride %u\n",
			   name, &op->addr[i], op->plan.extent[i].bytes, t->row_stride,
			   t->plane_stride);
}

static void dump_stage(struct drm_printer *p, const char *name, const struct drm_npu_stage *st)
{
	drm_printf(p, "  %s: alu %u from %u, shift %u, value %d; ", name, st->alu_op, st->alu_src,
		   st->alu_shift, st->alu_imm);
	drm_printf(p, "mul from %u, shift %u, value %d; act %u; operands of %u bytes\n",
		   st->mul_src, st->mul_shift, st->mul_imm, st->act, st->operand_bytes);
}

static void dump_op(struct drm_printer *p, const struct npu_op *op)
{
	const struct drm_npu_job_matmul *job = &op->job;

	drm_printf(p, "  matmul: m %u, n %u, k %u, height %u\n", job->m, job->n, job->k,
		   job->height);
	drm_printf(p, "  banks: %u for data, %u for weights\n", op->plan.data_banks,
		   op->plan.weight_banks);
	drm_printf(p, "  budget: %llu ns\n", op->budget_ns);
	dump_tensor(p, "A", op, NPU_OPERAND_A, &job->a);
	dump_tensor(p, "W", op, NPU_OPERAND_W, &job->w);
	dump_tensor(p, "C", op, NPU_OPERAND_C, &job->c);
	dump_tensor(p, "X1", op, NPU_OPERAND_X1, &job->x1.operand);
	dump_tensor(p, "X2", op, NPU_OPERAND_X2, &job->x2.operand);
	drm_printf(p, "  accumulator: shift %u\n", job->acc_shift);
	dump_stage(p, "stage X1", &job->x1);
	dump_stage(p, "stage X2", &job->x2);
	drm_printf(p, "  converter: offset %d, scale %d, shift %u, narrow %u\n", job->cvt_offset,
		   job->cvt_scale, job->cvt_shift, job->narrow);
}

static void dump_queue(struct drm_printer *p, struct npu_queue *q)
{
	const struct npu_slot *slot;
	const struct npu_job *job;
	unsigned int i, n = 0;

	lockdep_assert_held(&q->lock);
	list_for_each_entry(job, &q->jobs, link)
		n++;
	drm_printf(p, "queue: %u submissions, %u ops on the engine\n", n, q->filled);
	drm_printf(p, "before: %llu resets, %llu interrupts lost\n", q->resets, q->lost_irqs);
	for (i = 0; i < q->filled; i++) {
		slot = &q->slot[i];
		drm_printf(p, "op %u%s: group %u, %s, job %u of %u of its submission\n", i,
			   i ? "" : " (guilty)", slot->group,
			   slot->enabled ? "enabled" : "waits for the other's result",
			   (unsigned int)(slot->op - slot->job->ops), slot->job->n_ops);
		dump_op(p, slot->op);
	}
}

static size_t dump_write(struct npu_device *npu, char *text)
{
	struct drm_print_iterator iter = { .data = text, .remain = NPU_DUMP_BYTES };
	struct drm_printer p = drm_coredump_printer(&iter);
	struct npu_queue *q = &npu->queue;

	drm_printf(&p, "npu: the engine hung\n");
	drm_printf(&p, "kernel: %s\n", init_utsname()->release);
	drm_printf(&p, "uptime: %lld s\n", ktime_divns(ktime_get_boottime(), NSEC_PER_SEC));
	drm_printf(&p, "device: %s, %s, clock %llu Hz\n", dev_name(npu->drm.dev), npu->hw->name,
		   npu->clock_hz);
	spin_lock_irq(&q->lock);
	dump_queue(&p, q);
	spin_unlock_irq(&q->lock);
	npu->hw->ops->dump(npu, &p);
	return NPU_DUMP_BYTES - iter.remain;
}

static bool dump_due(const struct npu_dump *dump)
{
	const unsigned long interval = READ_ONCE(npu_coredump_interval) * HZ;

	return !dump->taken || time_after_eq(jiffies, dump->last + interval);
}

/**
 * npu_dump_take - describe a hang
 * @npu: The device, its queue stopped, its engine as it hung.
 */
void npu_dump_take(struct npu_device *npu)
{
	struct npu_dump *dump = &npu->dump;
	char *text;

	/* Pairs with the store in dump_publish(): the last dump is off our hands. */
	if (smp_load_acquire(&dump->text) || !dump_due(dump))
		return;
	text = kmalloc(NPU_DUMP_BYTES, GFP_NOWAIT | __GFP_NOWARN);
	if (!text)
		return;
	dump->len = dump_write(npu, text);
	dump->last = jiffies;
	dump->taken = true;
	/* Pairs with the load in dump_publish(). */
	smp_store_release(&dump->text, text);
	queue_work(system_unbound_wq, &dump->publish);
}

static void dump_publish(struct work_struct *work)
{
	struct npu_device *npu = container_of(work, struct npu_device, dump.publish);
	struct npu_dump *dump = &npu->dump;
	/* Pairs with the store in npu_dump_take(): the text and its length are there. */
	char *text = smp_load_acquire(&dump->text);
	void *copy = vmalloc(dump->len);

	if (copy) {
		memcpy(copy, text, dump->len);
		dev_coredumpv(npu->drm.dev, copy, dump->len, GFP_KERNEL);
	}
	kfree(text);
	/* Pairs with the load in npu_dump_take(). */
	smp_store_release(&dump->text, NULL);
}

/**
 * npu_dump_init - nothing has hung yet
 * @npu: The device.
 */
void npu_dump_init(struct npu_device *npu)
{
	INIT_WORK(&npu->dump.publish, dump_publish);
}

/**
 * npu_dump_fini - the device goes away
 * @npu: The device, which takes no dump any more.
 */
void npu_dump_fini(struct npu_device *npu)
{
	flush_work(&npu->dump.publish);
}
