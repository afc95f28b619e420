// SPDX-License-Identifier: GPL-2.0-only
/*
 * One bug of each kind that the debug kernels are there to find: insmod planted.ko bug=NAME. It is
 * committed while the module loads. check-debug sees to it that each is reported; nothing else
 * builds this module.
 */
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

static char *bug = "";
module_param(bug, charp, 0);
MODULE_PARM_DESC(bug, "Which bug to commit");

/* What the compiler must not see through. */
static char *volatile hidden;
static volatile unsigned int forty = 40;
static volatile unsigned int sink;

static int use_after_free(void)
{
	hidden = kmalloc(64, GFP_KERNEL);
	if (!hidden)
		return -ENOMEM;
	kfree(hidden);
	sink = hidden[8];
	return 0;
}

static int beyond_vmalloc(void)
{
	hidden = vmalloc(PAGE_SIZE - 8);
	if (!hidden)
		return -ENOMEM;
	sink = hidden[PAGE_SIZE - 8];
	vfree(hidden);
	return 0;
}

static int leak(void)
{
	unsigned int i;

	/* More than one, because a stale register or stack slot may still hold an address. */
	for (i = 0; i < 16; i++)
		hidden = kmalloc(4000, GFP_KERNEL);
	hidden = NULL;
	return 0;
}

static int lock_inversion(void)
{
	static DEFINE_MUTEX(a);
	static DEFINE_MUTEX(b);

	mutex_lock(&a);
	mutex_lock(&b);
	mutex_unlock(&b);
	mutex_unlock(&a);

	mutex_lock(&b);
	mutex_lock(&a);
	mutex_unlock(&a);
	mutex_unlock(&b);
	return 0;
}

static DEFINE_RAW_SPINLOCK(irq_lock);
static DECLARE_COMPLETION(irq_came);

static enum hrtimer_restart take_irq_lock(struct hrtimer *timer)
{
	raw_spin_lock(&irq_lock);
	raw_spin_unlock(&irq_lock);
	complete(&irq_came);
	return HRTIMER_NORESTART;
}

/* With interrupts on, the handler could wait for the lock that the task below it holds. */
static int lock_in_irq(void)
{
	static struct hrtimer timer;

	raw_spin_lock(&irq_lock);
	raw_spin_unlock(&irq_lock);
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	timer.function = take_irq_lock;
	hrtimer_start(&timer, NSEC_PER_MSEC, HRTIMER_MODE_REL_HARD);
	wait_for_completion(&irq_came);
	hrtimer_cancel(&timer);
	return 0;
}

static int rcu_unlocked(void)
{
	static int number;
	static int __rcu *pointer = (int __rcu *)&number;

	sink = *rcu_dereference(pointer);
	return 0;
}

static int sleep_in_atomic(void)
{
	raw_spin_lock(&irq_lock);
	kfree(kmalloc(64, GFP_KERNEL));
	raw_spin_unlock(&irq_lock);
	return 0;
}

static void never(struct timer_list *timer)
{
}

static int free_active_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return -ENOMEM;
	timer_setup(timer, never, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
	return 0;
}

static int shift_too_far(void)
{
	sink = 1U << forty;
	return 0;
}

#define RACES 200000

static unsigned int raced;
static atomic_t racers;
static DECLARE_COMPLETION(race_over);

/* The processors of a guest need not all run: nobody is done before the other one is there. */
static void wait_for_other(void)
{
	atomic_inc(&racers);
	while (atomic_read(&racers) < 2)
		cond_resched();
}

static int race_plain(void *unused)
{
	unsigned int i;

	wait_for_other();
	for (i = 0; i < RACES; i++) {
		raced++;
		/* Or the compiler would add them all at once. */
		barrier();
		cond_resched();
	}
	complete(&race_over);
	return 0;
}

/* What is meant to be looked at while others write it. */
static int race_marked(void *unused)
{
	unsigned int i;

	wait_for_other();
	for (i = 0; i < RACES; i++) {
		WRITE_ONCE(raced, READ_ONCE(raced) + 1);
		cond_resched();
	}
	complete(&race_over);
	return 0;
}

static int race(int (*racer)(void *))
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct task_struct *task = kthread_create(racer, NULL, "racer");

		if (IS_ERR(task))
			return PTR_ERR(task);
		kthread_bind(task, cpumask_nth(i, cpu_online_mask));
		wake_up_process(task);
	}
	wait_for_completion(&race_over);
	wait_for_completion(&race_over);
	return 0;
}

static int plain_race(void)
{
	return race(race_plain);
}

static int marked_race(void)
{
	return race(race_marked);
}

/* Of a mapping that is not undone the kernel tells when the driver leaves its device. */
static dma_addr_t map_page(struct pci_dev *pdev)
{
	void *page = (void *)__get_free_page(GFP_KERNEL);

	return page ? dma_map_single(&pdev->dev, page, PAGE_SIZE, DMA_TO_DEVICE) : 0;
}

static int planted_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	dma_addr_t addr;

	if (dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64)))
		return -EIO;
	addr = map_page(pdev);
	if (!addr || dma_mapping_error(&pdev->dev, addr))
		return -ENOMEM;
	if (!strcmp(bug, "dma-size"))
		dma_unmap_single(&pdev->dev, addr, PAGE_SIZE / 2, DMA_TO_DEVICE);
	return 0;
}

static void planted_remove(struct pci_dev *pdev)
{
}

/* The board's NPU, which has no driver meanwhile. */
static const struct pci_device_id planted_ids[] = {
	{ PCI_DEVICE_CLASS(PCI_CLASS_ACCELERATOR_PROCESSING << 8, ~0U) },
	{},
};

static struct pci_driver planted_driver = {
	.name = "planted",
	.id_table = planted_ids,
	.probe = planted_probe,
	.remove = planted_remove,
};

static int wrong_dma(void)
{
	int err = pci_register_driver(&planted_driver);

	if (!err)
		pci_unregister_driver(&planted_driver);
	return err;
}

static const struct {
	const char *name;
	int (*commit)(void);
} bugs[] = {
	{ "use-after-free", use_after_free },
	{ "beyond-vmalloc", beyond_vmalloc },
	{ "leak", leak },
	{ "lock-inversion", lock_inversion },
	{ "lock-in-irq", lock_in_irq },
	{ "rcu-unlocked", rcu_unlocked },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "free-active-timer", free_active_timer },
	{ "shift", shift_too_far },
	{ "dma-leak", wrong_dma },
	{ "dma-size", wrong_dma },
	{ "data-race", plain_race },
	{ "marked-race", marked_race },
	{ "none", NULL },
};

static int __init planted_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++)
		if (!strcmp(bug, bugs[i].name))
			return bugs[i].commit ? bugs[i].commit() : 0;
	return -EINVAL;
}
module_init(planted_init);

static void __exit planted_exit(void)
{
}
module_exit(planted_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Bugs for the debug kernels to find");
