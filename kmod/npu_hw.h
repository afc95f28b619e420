/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a hardware backend provides. Functions that touch the engine are called with npu_queue.lock
 * held, or while the queue is stopped.
 */
#ifndef _NPU_HW_H_
#define _NPU_HW_H_

#include <linux/bits.h>
#include <linux/types.h>

#include "npu_validate.h"

struct drm_npu_counter;
struct drm_printer;
struct npu_device;

/* Register groups: an engine runs one op while the next one is programmed. */
#define NPU_HW_GROUPS 2

/* More than any engine has. */
#define NPU_HW_MAX_COUNTERS 8

/**
 * struct npu_op - one validated job, ready for the registers
 * @job: Descriptor, the kernel's own copy.
 * @plan: What validation worked out.
 * @addr: Bus address of each operand, by enum npu_operand.
 * @reuses: Operands, by BIT(enum npu_operand), that the op before in the submission leaves in the
 *	CBUF.
 * @keeps: Those it has to leave there for the next one.
 * @counted: Its counters will be read.
 * @budget_ns: Time the op may take before the engine counts as hung.
 */
struct npu_op {
	struct drm_npu_job_matmul job;
	struct npu_matmul_plan plan;
	dma_addr_t addr[NPU_OPERANDS];
	u8 reuses;
	u8 keeps;
	bool counted;
	u64 budget_ns;
};

/**
 * struct npu_hw_ops - functions of a backend
 */
struct npu_hw_ops {
	/**
	 * @init: From reset, or from whatever an earlier driver left, to idle and ready. Sleeps.
	 * Fails when the engine is not idle within a bounded time.
	 */
	int (*init)(struct npu_device *npu);

	/**
	 * @worn: The engine has to be reset before it can take an op, and will be idle when that is
	 * done. Asked before @program. Atomic, optional.
	 */
	bool (*worn)(struct npu_device *npu, const struct npu_op *op);

	/**
	 * @program: Writes all registers of an op into the next group and returns that group.
	 * Atomic, reads nothing from the engine.
	 */
	unsigned int (*program)(struct npu_device *npu, const struct npu_op *op);

	/** @enable: Lets the op that was programmed last begin. Atomic. */
	void (*enable)(struct npu_device *npu, const struct npu_op *op);

	/**
	 * @irq: Reads and clears the interrupt status. Returns a bit for each group whose op has
	 * ended, its result in memory, or a negative value if the interrupt is not the engine's.
	 */
	int (*irq)(struct npu_device *npu);

	/**
	 * @read_counters: Reads the counters in @mask, by index in npu_hw.counters, of an op that
	 * has ended in @group and was programmed as counted. Atomic, and slow.
	 */
	void (*read_counters)(struct npu_device *npu, unsigned int group, u64 mask, u64 *values);

	/** @mask: Keeps the engine from raising interrupts. */
	void (*mask)(struct npu_device *npu);

	/** @progress: A number that changes while an op gets on and when it ends; never 0. */
	u32 (*progress)(struct npu_device *npu);

	/** @dump: Prints the registers of an engine that hangs and will be reset. */
	void (*dump)(struct npu_device *npu, struct drm_printer *p);
};

/**
 * struct npu_reg_range - registers that can be read without an effect
 * @first: Offset of the first one.
 * @last: Offset of the last one.
 */
struct npu_reg_range {
	u32 first;
	u32 last;
};

/**
 * struct npu_hw - one hardware configuration
 * @name: For DEV_QUERY.
 * @family: enum drm_npu_family.
 * @dma_bits: Address lines of the memory port.
 * @priv_size: Bytes of state the backend wants in npu_device.hw_priv.
 * @matmul: Limits, as user space sees them.
 * @counters: Performance counters, as user space sees them.
 * @n_counters: Their number, at most NPU_HW_MAX_COUNTERS.
 * @reg_ranges: What to show of the register window to people.
 * @n_reg_ranges: Their number.
 * @ops: Functions.
 */
struct npu_hw {
	const char *name;
	u32 family;
	unsigned int dma_bits;
	size_t priv_size;
	const struct drm_npu_matmul_limits *matmul;
	const struct drm_npu_counter *counters;
	unsigned int n_counters;
	const struct npu_reg_range *reg_ranges;
	unsigned int n_reg_ranges;
	const struct npu_hw_ops *ops;
};

void npu_reuse_plan(const struct drm_npu_matmul_limits *lim, struct npu_op *before,
		    struct npu_op *op);

extern const struct npu_hw nvdla_small;
extern const struct npu_hw nvdla_large;

#endif /* _NPU_HW_H_ */
