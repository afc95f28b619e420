/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate in front of the engine: limits and one job in, "yes" and every byte the engine would
 * touch out. Pure, so that tests can build it in user space.
 */
#ifndef _NPU_VALIDATE_H_
#define _NPU_VALIDATE_H_

#include <drm/npu_accel.h>

/**
 * enum npu_operand - the tensors of a job
 * @NPU_OPERAND_A: Activations, read.
 * @NPU_OPERAND_W: Weights, read.
 * @NPU_OPERAND_C: Result, the only one that is written.
 * @NPU_OPERAND_X1: Operands of the first epilogue stage, read.
 * @NPU_OPERAND_X2: Operands of the second epilogue stage, read.
 * @NPU_OPERANDS: How many there are.
 */
enum npu_operand {
	NPU_OPERAND_A,
	NPU_OPERAND_W,
	NPU_OPERAND_C,
	NPU_OPERAND_X1,
	NPU_OPERAND_X2,
	NPU_OPERANDS,
};

/**
 * struct npu_extent - the bytes of a BO that lie between the first and last one touched
 * @offset: First byte.
 * @bytes: How many, padding of the last atoms and over-fetch included; 0 for an absent operand.
 *
 * @offset + @bytes never overflows.
 */
struct npu_extent {
	__u64 offset;
	__u64 bytes;
};

/**
 * struct npu_matmul_plan - what validation works out about a job
 * @extent: Bytes touched, by enum npu_operand.
 * @macs: Multiplications.
 * @bytes: What goes over the bus. An extent may hold more, where strides leave gaps, or less,
 *	where they do not let the lines be apart.
 * @width: M / height.
 * @slice_entries: CBUF entries of one line of A.
 * @weight_bytes: Bytes of W that the engine fetches.
 * @data_banks: CBUF banks for A.
 * @weight_banks: CBUF banks for W.
 */
struct npu_matmul_plan {
	struct npu_extent extent[NPU_OPERANDS];
	__u64 macs;
	__u64 bytes;
	__u32 width;
	__u32 slice_entries;
	__u32 weight_bytes;
	__u8 data_banks;
	__u8 weight_banks;
};

int npu_validate_matmul(const struct drm_npu_matmul_limits *lim,
			const struct drm_npu_job_matmul *job, struct npu_matmul_plan *plan);

#endif /* _NPU_VALIDATE_H_ */
