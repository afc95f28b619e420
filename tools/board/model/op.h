/* SPDX-License-Identifier: MIT */
/*
 * One op, decoded from the register groups of all its units when the last of them was enabled.
 * Every number here is bounded by its register field.
 */
#ifndef NPU_MODEL_OP_H
#define NPU_MODEL_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "regfile.h"

enum op_alu {
	OP_ALU_NONE,
	OP_ALU_MAX,
	OP_ALU_MIN,
	OP_ALU_SUM
};

/* Where an epilogue stage finds its operands in memory */
struct op_operand {
	uint64_t base;
	uint32_t line_stride;
	uint32_t surf_stride;
	unsigned int bytes; /* of one operand */
	bool both;	    /* ALU and MUL operands, interleaved */
	bool per_element;
};

struct op_stage {
	bool bypass;
	enum op_alu alu;
	unsigned int alu_shift;
	int16_t alu_value;
	bool alu_memory;
	bool mul;
	bool prelu;
	unsigned int mul_shift;
	int16_t mul_value;
	bool mul_memory;
	bool relu;
	struct op_operand operand;
};

struct op {
	unsigned int group[UNITS];
	bool rdma; /* uses SDP_RDMA */

	/* shape */
	uint32_t width, height, channels, kernels;
	uint32_t positions; /* width x height */
	uint32_t surfaces;  /* of the features: channels in atoms */
	uint32_t groups;    /* of kernels */

	/* CDMA and CSC */
	uint64_t data_addr;
	uint32_t line_stride, surf_stride;
	uint32_t grain; /* lines fetched as one run; the unit in which CBUF space is asked for */
	uint32_t slice_entries;
	uint64_t weight_addr;
	uint32_t weight_bytes;
	uint32_t data_banks, weight_banks;
	bool data_reuse, weight_reuse, skip_data_release, skip_weight_release;

	/* CACC */
	unsigned int clip;

	/* SDP */
	uint64_t out_addr;
	uint32_t out_line_stride, out_surf_stride;
	struct op_stage stage[2];
	int32_t cvt_offset;
	int16_t cvt_scale;
	unsigned int cvt_shift;
	bool out_int16;
};

/* Are the groups of all units enabled that the next op would use? */
bool op_ready(const struct regfile *rf);

/* Takes these groups for @op, and says with it whether it needs SDP_RDMA. */
void op_take(struct op *op, struct regfile *rf);

/*
 * Decodes the op in the groups op->group[]. Returns NULL, or why the units cannot complete it: they
 * disagree about it, or it asks for something that this hardware or this model does not do.
 */
const char *op_decode(struct op *op, const struct regfile *rf, const struct npu_config *cfg);

/* CBUF entries that the first @groups kernel groups of the op use up. */
uint32_t op_weight_entries(const struct op *op, const struct npu_config *cfg, uint32_t groups);

#endif /* NPU_MODEL_OP_H */
