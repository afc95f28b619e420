/* SPDX-License-Identifier: MIT */
/*
 * What every test of the device model stands on: a memory, an interrupt line, a clock, and a
 * small driver that programs one op the way the register manual wants it.
 */
#ifndef TESTS_UNIT_TEST_MODEL_RIG_H
#define TESTS_UNIT_TEST_MODEL_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../tools/board/model/npu_model.h"
#include "../../tools/board/model/regs.h"

#define RIG_BASE 0x80000000u
#define RIG_SIZE (24u << 20)

/* Where rig_op_init() puts the tensors of an op. */
#define RIG_A (RIG_BASE + 0x000000)
#define RIG_W (RIG_BASE + 0x400000)
#define RIG_C (RIG_BASE + 0x800000)
#define RIG_X1 (RIG_BASE + 0xc00000)
#define RIG_X2 (RIG_BASE + 0x1000000)

struct rig {
	struct npu_model *model;
	uint8_t *mem;
	int level; /* of the interrupt line */
	unsigned int rises;
	uint64_t now;
	unsigned int group;	 /* next register group to program */
	unsigned int rdma_group; /* the same for SDP_RDMA, which counts only ops that use it */
	uint64_t fail_read;	 /* bus errors for reads and writes of these addresses */
	uint64_t fail_write;
	uint32_t lie_reg; /* rig_submit() gives this register another value at the end */
	uint32_t lie_value;
};

/* One epilogue stage: the raw registers, and its operand array in memory. */
struct rig_stage {
	uint32_t cfg, alu_cfg, alu_value, mul_cfg, mul_value;
	uint32_t rdma_cfg, base, line, surf;
};

/* What the layouts of a hardware configuration are made of. */
struct rig_shape {
	uint32_t atom;	   /* bytes of a memory atom, and kernels of a group */
	uint32_t channels; /* of a block of weights, and bytes of a CBUF entry */
	uint32_t banks;	   /* of 512 entries */
};

extern const struct rig_shape rig_small, rig_large;

struct rig_op {
	const struct rig_shape *shape;
	uint32_t w, h, k, n;
	uint32_t a, wt, c;
	uint32_t a_line, a_surf, c_line, c_surf; /* strides; 0 is packed */
	uint32_t data_banks, weight_banks;
	uint32_t weight_bytes;
	uint32_t misc;
	uint32_t clip;
	struct rig_stage x[2];
	uint32_t cvt_offset, cvt_scale, cvt_shift;
	uint32_t format;
};

void rig_init(struct rig *r, const char *config);
void rig_fini(struct rig *r);

static inline uint8_t *rig_mem(struct rig *r, uint32_t addr)
{
	return r->mem + (addr - RIG_BASE);
}

/* Fills memory with a repeatable pattern. */
void rig_noise(struct rig *r, uint32_t addr, size_t len, uint32_t seed);

/* Lets cycles pass until the line is high; false when @limit passed first. */
bool rig_run_to_irq(struct rig *r, uint64_t limit);

/* Runs until both bits of @mask were seen in the status, clearing it; false on the limit. */
bool rig_wait(struct rig *r, uint32_t mask, uint64_t limit);

/* Fresh out of reset: unmask SDP, set the arbiter, wait for the flush of the CBUF. */
void rig_start(struct rig *r);

/* An op of @m rows with its data and weights just fitting and an epilogue that does nothing. */
void rig_op_init(struct rig_op *op, const struct rig_shape *shape, uint32_t m, uint32_t k,
		 uint32_t n);

/* Programs and enables the op in the next group; returns its SDP done bit. */
uint32_t rig_submit(struct rig *r, const struct rig_op *op);

uint32_t rig_random(uint32_t *state);

/* CBUF entries of one line of the features */
uint32_t rig_slice_entries(const struct rig_op *op);

static inline uint32_t rig_line(const struct rig_op *op, uint32_t stride)
{
	return stride ? stride : op->w * op->shape->atom;
}

static inline uint32_t rig_surf(const struct rig_op *op, uint32_t stride)
{
	return stride ? stride : op->w * op->h * op->shape->atom;
}

#endif /* TESTS_UNIT_TEST_MODEL_RIG_H */
