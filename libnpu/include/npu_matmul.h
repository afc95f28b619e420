/* SPDX-License-Identifier: MIT */
/*
 * Matmuls: tensors, weights and an epilogue bound together, and the plans they are carried out by.
 */
#ifndef NPU_MATMUL_H
#define NPU_MATMUL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "npu_epilogue.h"
#include "npu_error.h"
#include "npu_tensor.h"
#include "npu_weights.h"

#if defined(__cplusplus)
extern "C" {
#endif

struct npu_device;
struct npu_matmul;

/**
 * struct npu_matmul_desc - one multiplication, or a batch of them
 * @size: sizeof(struct npu_matmul_desc), set by the caller.
 * @a: Input, M x K; with a batch of B matrices of weights B * M x K, where rows b * M and up are
 *	multiplied with matrix b.
 * @weights: N x K, or B of them.
 * @epilogue: Output stage for N channels.
 * @c: Output, as many rows as @a, N columns.
 * @residual: Added to the result, the shape of @c, or NULL.
 * @a_zero_point: Zero point of @a, a value of its type.
 *
 * All belong to the same device. @c must not share memory with @a or @residual, of which a window
 * of the same tensor is a case.
 */
struct npu_matmul_desc {
	size_t size;
	struct npu_tensor *a;
	struct npu_weights *weights;
	struct npu_epilogue *epilogue;
	struct npu_tensor *c;
	struct npu_tensor *residual;
	int32_t a_zero_point;
};

/**
 * Plans a multiplication: tiles it to the device's limits and prepares everything a submission
 * needs, so that submitting allocates nothing. M, K and N may be any size that memory allows.
 *
 * Errors: -EINVAL (the text names what does not fit together), -ENOMEM.
 */
int npu_matmul_create(struct npu_device *dev, const struct npu_matmul_desc *desc,
		      struct npu_matmul **matmul, struct npu_error *err);

/** Gives up the caller's hold on a matmul. */
void npu_matmul_destroy(struct npu_matmul *matmul);

/* Parts of a matmul that struct npu_plan tells the place of. */
#define NPU_STAGE_SUMS (1u << 0)	/* adding up partial sums over K or over bytes of A */
#define NPU_STAGE_ZERO_POINTS (1u << 1) /* of A and W */
#define NPU_STAGE_BIAS (1u << 2)
#define NPU_STAGE_SCALING (1u << 3)
#define NPU_STAGE_RESIDUAL (1u << 4)
#define NPU_STAGE_ACTIVATION (1u << 5)
#define NPU_STAGE_CLAMP (1u << 6)
#define NPU_STAGE_OUTPUT (1u << 7) /* zero point and type of C */

/**
 * struct npu_plan - how a matmul will be carried out
 * @size: sizeof(struct npu_plan), set by the caller.
 * @m, @k, @n: Shape; @m is all rows of C.
 * @jobs: Jobs for the engine; 0 on the CPU, as is everything up to @weight_fetches.
 * @m_tiles: Tiles that the rows of C are divided into.
 * @n_tiles: Tiles that the columns of C are divided into.
 * @lead_rows: Rows of the first tile, if it is smaller than the others so that the engine starts
 *	early; 0 if all have the same size.
 * @k_parts: Parts that K is divided into, each with sums of its own.
 * @passes: How often each tile is computed, to get all bits of its sums, and of an int16 A.
 * @data_banks: Banks of the on-chip buffer for A.
 * @weight_banks: Banks of the on-chip buffer for the weights.
 * @a_fetches: How often the engine reads each element of A from memory.
 * @weight_fetches: How often it reads each weight.
 * @macs: Multiply-accumulates, M * K * N.
 * @bytes: Bytes the operands and the result occupy, each counted once.
 * @cycles: Predicted engine cycles of a call on an idle engine, from the start of its first job to
 *	the end of its last; 0 on the CPU, as are the following.
 * @stream_cycles: Predicted engine cycles of one of many such matmuls in a row.
 * @mac_cycles: macs / macs_per_cycle, rounded up.
 * @bus_cycles: bytes / bus_bytes_per_cycle, rounded up.
 * @limit_cycles: Physical limit, the larger of @mac_cycles and @bus_cycles.
 * @host_steps: Steps that the CPU does as part of the matmul, 0 when the engine does all of it.
 *	The engine then gives exact sums, and a thread of the queue makes results of them, bit for
 *	bit the same.
 * @engine_stages, @host_stages: NPU_STAGE_* bits of what is done where; a stage that the matmul
 *	does not have is in neither. On the CPU backend both are 0.
 */
struct npu_plan {
	size_t size;
	uint32_t m, k, n;
	uint32_t jobs;
	uint32_t m_tiles;
	uint32_t n_tiles;
	uint32_t lead_rows;
	uint32_t k_parts;
	uint32_t passes;
	uint32_t data_banks;
	uint32_t weight_banks;
	uint32_t a_fetches;
	uint32_t weight_fetches;
	uint64_t macs;
	uint64_t bytes;
	uint64_t cycles;
	uint64_t stream_cycles;
	uint64_t mac_cycles;
	uint64_t bus_cycles;
	uint64_t limit_cycles;
	uint32_t host_steps;
	uint32_t engine_stages;
	uint32_t host_stages;
};

/** Fills @plan. Errors: -EINVAL @plan->size is not a size this function ever had. */
int npu_matmul_get_plan(const struct npu_matmul *matmul, struct npu_plan *plan,
			struct npu_error *err);

/**
 * struct npu_plan_desc - a multiplication to be planned
 * @size: sizeof(struct npu_plan_desc), set by the caller.
 * @m, @k, @n: Shape, each at least 1; @m is all rows of C.
 * @batch: Matrices of weights, 0 means 1; divides @m.
 * @group_size: Columns in a group of K, as in struct npu_weights_desc; 0 means all @k.
 * @a_type, @c_type: Types of A and C, 0 means NPU_TYPE_INT8.
 * @exact: True for an output stage that is the CPU's, which takes sums in full. It always is with
 *	results of more than 8 bits, an int16 A, and more than one group of K. The engine stores 8
 *	bits at a time, so it then takes three passes.
 * @w_type: How weights are given. Sums of 4-bit weights are smaller, so exact ones of them need
 *	fewer parts of K.
 * @w_zero_points: True if weights have zero points; those of 4-bit weights have 4 bits, too.
 * @a_zero_point: Zero point of A.
 * @residual_type: Type of the residual, 0 for none.
 * @epilogue: The output stage, whose @n and @groups are those of the plan. Whether the engine can
 *	do it decides then, and the plan says where which part is done. NULL for one that the engine
 *	can do, unless @exact; nothing is said of its parts.
 */
struct npu_plan_desc {
	size_t size;
	uint32_t m, k, n;
	uint32_t batch;
	uint32_t group_size;
	enum npu_type a_type;
	enum npu_type c_type;
	bool exact;
	bool w_zero_points;
	enum npu_weight_type w_type;
	enum npu_type residual_type;
	int32_t a_zero_point;
	const struct npu_epilogue_desc *epilogue;
};

/**
 * Plans a multiplication without making anything of it.
 *
 * The plan is that of a matmul whose weights may have any value. Where K is divided, as for all
 * exact sums of more than some 500 products, the parts of a matmul with small weights may be
 * longer; and where a zero point of A meets a residual, a clamp or ReLU6, which leave little room
 * for a bias, the engine may do with some weights what the plan gives to the CPU.
 *
 * Errors: -EINVAL a size or a type is wrong, types and output stage do not go together, or the
 * shape is beyond what the device can address.
 */
int npu_plan_query(const struct npu_device *dev, const struct npu_plan_desc *desc,
		   struct npu_plan *plan, struct npu_error *err);

/**
 * The same for a hardware configuration that need not be there.
 * @config: "nv_small" or "nv_large".
 *
 * Errors: those of npu_plan_query(), and -ENOENT there is no such configuration.
 */
int npu_plan_query_config(const char *config, const struct npu_plan_desc *desc,
			  struct npu_plan *plan, struct npu_error *err);

#if defined(__cplusplus)
}
#endif

#endif /* NPU_MATMUL_H */
