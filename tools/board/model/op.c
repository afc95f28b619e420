// SPDX-License-Identifier: MIT
/*
 * From registers to an op. The engine has no checks of its own: units that disagree wait for each
 * other forever. Here that is found before the op starts, so that the rest of the model only
 * ever sees ops that fit together.
 */
#include <stddef.h>
#include <string.h>

#include "op.h"
#include "regs.h"

/* All D_ registers of this op, by name */
struct reader {
	const struct regfile *rf;
	const struct op *op;
};

static uint32_t get(const struct reader *r, uint32_t offset)
{
	return regfile_get(r->rf, offset, r->op->group[(offset >> 12) - 3]);
}

static uint32_t low13(const struct reader *r, uint32_t offset)
{
	return (get(r, offset) & 0x1fff) + 1;
}

static uint32_t high13(const struct reader *r, uint32_t offset)
{
	return (get(r, offset) >> 16 & 0x1fff) + 1;
}

static uint32_t div_up(uint32_t a, uint32_t b)
{
	return (a + b - 1) / b;
}

static bool stage_reads(uint32_t cfg, uint32_t alu_cfg, uint32_t mul_cfg)
{
	if (cfg & DP_CFG_BYPASS)
		return false;
	return (!(cfg & DP_CFG_ALU_BYPASS) && (alu_cfg & DP_SRC_MEMORY)) ||
	       (!(cfg & DP_CFG_MUL_BYPASS) && (mul_cfg & DP_SRC_MEMORY));
}

/* Does an op in this group of SDP read operands from memory? */
static bool uses_rdma(const struct regfile *rf, unsigned int group)
{
	return stage_reads(regfile_get(rf, SDP_D_DP_BS_CFG, group),
			   regfile_get(rf, SDP_D_DP_BS_ALU_CFG, group),
			   regfile_get(rf, SDP_D_DP_BS_MUL_CFG, group)) ||
	       stage_reads(regfile_get(rf, SDP_D_DP_BN_CFG, group),
			   regfile_get(rf, SDP_D_DP_BN_ALU_CFG, group),
			   regfile_get(rf, SDP_D_DP_BN_MUL_CFG, group));
}

bool op_ready(const struct regfile *rf)
{
	static const enum unit_id units[] = { UNIT_CDMA,   UNIT_CSC,  UNIT_CMAC_A,
					      UNIT_CMAC_B, UNIT_CACC, UNIT_SDP };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!regfile_ready(rf, units[i]))
			return false;
	return !uses_rdma(rf, rf->unit[UNIT_SDP].next) || regfile_ready(rf, UNIT_SDP_RDMA);
}

void op_take(struct op *op, struct regfile *rf)
{
	memset(op, 0, sizeof(*op));
	op->rdma = uses_rdma(rf, rf->unit[UNIT_SDP].next);
	for (unsigned int u = 0; u < UNITS; u++)
		if (u != UNIT_SDP_RDMA || op->rdma)
			op->group[u] = regfile_take(rf, u);
}

static uint64_t address(const struct reader *r, uint32_t high, uint32_t low,
			const struct npu_config *cfg)
{
	uint64_t addr = (uint64_t)get(r, high) << 32 | get(r, low);

	return addr & cfg->address_mask & ~(uint64_t)(cfg->atom_bytes - 1);
}

static void decode_shape(struct op *op, const struct reader *r, const struct npu_config *cfg)
{
	uint32_t per_entry = cfg->entry_bytes / cfg->atom_bytes;

	op->width = low13(r, CDMA_D_DATAIN_SIZE_0);
	op->height = high13(r, CDMA_D_DATAIN_SIZE_0);
	op->channels = low13(r, CDMA_D_DATAIN_SIZE_1);
	op->kernels = low13(r, CDMA_D_WEIGHT_SIZE_1);
	op->positions = op->width * op->height;
	op->surfaces = div_up(op->channels, cfg->atom_bytes);
	op->groups = div_up(op->kernels, cfg->mac_kernels);
	/* Atoms that do not fill an entry share it with those of the next position. */
	op->slice_entries = op->surfaces / per_entry * op->width +
			    div_up(op->surfaces % per_entry * op->width, per_entry);
}

static void decode_conv(struct op *op, const struct reader *r, const struct npu_config *cfg)
{
	uint32_t misc = get(r, CDMA_D_MISC_CFG);
	uint32_t map = get(r, CDMA_D_DAIN_MAP);
	uint32_t bank = get(r, CDMA_D_BANK);
	uint32_t align = ~(cfg->atom_bytes - 1);

	op->data_addr = address(r, CDMA_D_DAIN_ADDR_HIGH_0, CDMA_D_DAIN_ADDR_LOW_0, cfg);
	op->line_stride = get(r, CDMA_D_LINE_STRIDE) & align;
	op->surf_stride = get(r, CDMA_D_SURF_STRIDE) & align;
	op->grain = map & DAIN_MAP_LINE_PACKED ? get(r, CDMA_D_FETCH_GRAIN) + 1 : 1;
	/* A single position with packed surfaces is fetched as one run of atoms. */
	if (op->positions == 1 && (map & DAIN_MAP_SURF_PACKED))
		op->surf_stride = cfg->atom_bytes;
	op->weight_addr = address(r, CDMA_D_WEIGHT_ADDR_HIGH, CDMA_D_WEIGHT_ADDR_LOW, cfg);
	op->weight_bytes = get(r, CDMA_D_WEIGHT_BYTES);
	op->data_banks = (bank & 0x1f) + 1;
	op->weight_banks = (bank >> 16 & 0x1f) + 1;
	op->data_reuse = misc & MISC_CFG_DATA_REUSE;
	op->weight_reuse = misc & MISC_CFG_WEIGHT_REUSE;
	op->skip_data_release = misc & MISC_CFG_SKIP_DATA_RLS;
	op->skip_weight_release = misc & MISC_CFG_SKIP_WEIGHT_RLS;
	op->clip = get(r, CACC_D_CLIP_CFG);
}

static void decode_stage(struct op_stage *s, const struct reader *r, uint32_t dp)
{
	static const enum op_alu algos[] = { OP_ALU_MAX, OP_ALU_MIN, OP_ALU_SUM, OP_ALU_SUM };
	uint32_t cfg = get(r, dp);
	uint32_t alu = get(r, dp + 0x04);
	uint32_t mul = get(r, dp + 0x0c);

	s->bypass = cfg & DP_CFG_BYPASS;
	s->alu = cfg & DP_CFG_ALU_BYPASS ? OP_ALU_NONE : algos[DP_CFG_ALU_ALGO(cfg)];
	s->alu_shift = DP_ALU_SHIFT(alu);
	s->alu_value = get(r, dp + 0x08);
	s->mul = !(cfg & DP_CFG_MUL_BYPASS);
	s->prelu = cfg & DP_CFG_MUL_PRELU;
	s->mul_shift = DP_MUL_SHIFT(mul);
	s->mul_value = get(r, dp + 0x10);
	s->relu = !(cfg & DP_CFG_RELU_BYPASS);
	s->alu_memory = !s->bypass && s->alu != OP_ALU_NONE && (alu & DP_SRC_MEMORY);
	s->mul_memory = !s->bypass && s->mul && (mul & DP_SRC_MEMORY);
}

static void decode_operand(struct op_operand *o, const struct reader *r, uint32_t rdma,
			   const struct npu_config *cfg)
{
	uint32_t align = ~(cfg->atom_bytes - 1);
	uint32_t mode = get(r, rdma);

	*o = (struct op_operand){
		.base = address(r, rdma + 0x08, rdma + 0x04, cfg),
		.line_stride = get(r, rdma + 0x0c) & align,
		.surf_stride = get(r, rdma + 0x10) & align,
		.bytes = mode & RDMA_CFG_TWO_BYTES ? 2 : 1,
		.both = RDMA_CFG_DATA_USE(mode) == RDMA_DATA_USE_BOTH,
		.per_element = mode & RDMA_CFG_PER_ELEMENT,
	};
}

static void decode_sdp(struct op *op, const struct reader *r, const struct npu_config *cfg)
{
	uint32_t align = ~(cfg->atom_bytes - 1);

	op->out_addr = address(r, SDP_D_DST_BASE_ADDR_HIGH, SDP_D_DST_BASE_ADDR_LOW, cfg);
	op->out_line_stride = get(r, SDP_D_DST_LINE_STRIDE) & align;
	op->out_surf_stride = get(r, SDP_D_DST_SURFACE_STRIDE) & align;
	/* A single position is written as one run of atoms, whatever the stride says. */
	if (op->positions == 1)
		op->out_surf_stride = cfg->atom_bytes;
	decode_stage(&op->stage[0], r, SDP_D_DP_BS_CFG);
	decode_stage(&op->stage[1], r, SDP_D_DP_BN_CFG);
	if (op->rdma) {
		decode_operand(&op->stage[0].operand, r, SDP_RDMA_D_BRDMA_CFG, cfg);
		decode_operand(&op->stage[1].operand, r, SDP_RDMA_D_NRDMA_CFG, cfg);
	}
	op->cvt_offset = get(r, SDP_D_CVT_OFFSET);
	op->cvt_scale = get(r, SDP_D_CVT_SCALE);
	op->cvt_shift = get(r, SDP_D_CVT_SHIFT);
	op->out_int16 = DATA_FORMAT_OUT_PRECISION(get(r, SDP_D_DATA_FORMAT)) == PRECISION_INT16;
}

/* What the model leaves out: everything that is not a 1x1 convolution of int8 features. */
static const char *check_modes(const struct reader *r)
{
	if (get(r, CDMA_D_MISC_CFG) & 1 || get(r, CSC_D_MISC_CFG) & 1 ||
	    get(r, CACC_D_MISC_CFG) & 1 || get(r, CMAC_A_D_MISC_CFG) & 1 ||
	    get(r, CMAC_B_D_MISC_CFG) & 1)
		return "CONV_MODE is Winograd, which this hardware does not have";
	if (get(r, CDMA_D_DATAIN_FORMAT) & 1 || get(r, CSC_D_DATAIN_FORMAT))
		return "DATAIN_FORMAT is an image, which the model does not do";
	if (get(r, CDMA_D_WEIGHT_FORMAT) || get(r, CSC_D_WEIGHT_FORMAT))
		return "WEIGHT_FORMAT is compressed, which this hardware does not have";
	if (get(r, CDMA_D_BATCH_NUMBER) || get(r, CSC_D_BATCH_NUMBER) ||
	    get(r, CACC_D_BATCH_NUMBER))
		return "BATCH_NUMBER is more than one, which this hardware does not have";
	if (get(r, CDMA_D_CVT_CFG) & 1 || get(r, CDMA_D_MEAN_FORMAT))
		return "CDMA converts its input, which the model does not do";
	if (get(r, CSC_D_WEIGHT_SIZE_EXT_0) || get(r, CDMA_D_CONV_STRIDE) ||
	    get(r, CSC_D_CONV_STRIDE_EXT) || get(r, CSC_D_DILATION_EXT) ||
	    get(r, CDMA_D_ZERO_PADDING) || get(r, CSC_D_ZERO_PADDING) ||
	    get(r, CSC_D_POST_Y_EXTENSION) || get(r, CSC_D_PRA_CFG))
		return "the convolution is not 1x1, which the model does not do";
	if (get(r, SDP_D_FEATURE_MODE_CFG) != 1)
		return "SDP is not fed by CACC alone, which the model does not do";
	if (!(get(r, SDP_D_DP_EW_CFG) & DP_CFG_BYPASS))
		return "the EW stage is on, which the model does not do";
	if (get(r, SDP_D_DATA_FORMAT) & 3)
		return "SDP PROC_PRECISION is not int8";
	return NULL;
}

static const char *check_shape(const struct op *op, const struct reader *r)
{
	uint32_t size = get(r, CDMA_D_DATAIN_SIZE_0);
	uint32_t channels = op->channels - 1, kernels = op->kernels - 1;

	if (get(r, CDMA_D_DATAIN_SIZE_EXT_0) != size || get(r, CSC_D_DATAIN_SIZE_EXT_0) != size ||
	    get(r, CSC_D_DATAOUT_SIZE_0) != size || get(r, CACC_D_DATAOUT_SIZE_0) != size ||
	    get(r, SDP_D_DATA_CUBE_WIDTH) != op->width - 1 ||
	    get(r, SDP_D_DATA_CUBE_HEIGHT) != op->height - 1)
		return "CDMA, CSC, CACC and SDP disagree about width or height";
	if (get(r, CSC_D_ATOMICS) != op->positions - 1)
		return "CSC ATOMICS is not width x height";
	if (get(r, CSC_D_RELEASE) != op->height - 1)
		return "CSC RELEASE is not the height";
	if (get(r, CSC_D_DATAIN_SIZE_EXT_1) != channels ||
	    (get(r, CSC_D_WEIGHT_SIZE_EXT_1) & 0x1fff) != channels ||
	    get(r, CDMA_D_WEIGHT_SIZE_0) != channels)
		return "CDMA and CSC disagree about the channels";
	if (get(r, CSC_D_WEIGHT_SIZE_EXT_1) >> 16 != kernels ||
	    get(r, CSC_D_DATAOUT_SIZE_1) != kernels || get(r, CACC_D_DATAOUT_SIZE_1) != kernels ||
	    get(r, SDP_D_DATA_CUBE_CHANNEL) != kernels)
		return "CDMA, CSC, CACC and SDP disagree about the kernels";
	if (get(r, CDMA_D_ENTRY_PER_SLICE) != op->slice_entries - 1 ||
	    get(r, CSC_D_ENTRY_PER_SLICE) != op->slice_entries - 1)
		return "ENTRY_PER_SLICE is not that of the width and the channels";
	if ((get(r, CSC_D_MISC_CFG) ^ get(r, CDMA_D_MISC_CFG)) & MISC_CFG_CBUF)
		return "CDMA and CSC disagree about reuse or skipped release";
	if (get(r, CSC_D_BANK) != get(r, CDMA_D_BANK))
		return "CDMA and CSC disagree about the banks";
	if (get(r, CSC_D_WEIGHT_BYTES) != op->weight_bytes)
		return "CDMA and CSC disagree about WEIGHT_BYTES";
	return NULL;
}

static const char *check_rdma_stage(const struct op_stage *s, uint32_t cfg)
{
	uint32_t use = RDMA_CFG_DATA_USE(cfg);
	bool alu = use == RDMA_DATA_USE_ALU || use == RDMA_DATA_USE_BOTH;
	bool mul = use == RDMA_DATA_USE_MUL || use == RDMA_DATA_USE_BOTH;

	if (cfg & RDMA_CFG_DISABLE)
		alu = mul = false;
	if (alu != s->alu_memory || mul != s->mul_memory)
		return "SDP and SDP_RDMA disagree about the operands in memory";
	return NULL;
}

static const char *check_rdma(const struct op *op, const struct reader *r)
{
	const char *why;

	if (!op->rdma)
		return NULL;
	if (get(r, SDP_RDMA_D_DATA_CUBE_WIDTH) != op->width - 1 ||
	    get(r, SDP_RDMA_D_DATA_CUBE_HEIGHT) != op->height - 1 ||
	    get(r, SDP_RDMA_D_DATA_CUBE_CHANNEL) != op->kernels - 1)
		return "SDP and SDP_RDMA disagree about the size";
	/* FLYING_MODE set, WINOGRAD, IN_PRECISION, PROC_PRECISION and BATCH_NUMBER zero */
	if ((get(r, SDP_RDMA_D_FEATURE_MODE_CFG) & 0x1f3f) != 1)
		return "SDP_RDMA FEATURE_MODE_CFG is not on-the-fly int8";
	why = check_rdma_stage(&op->stage[0], get(r, SDP_RDMA_D_BRDMA_CFG));
	if (!why)
		why = check_rdma_stage(&op->stage[1], get(r, SDP_RDMA_D_NRDMA_CFG));
	if (!why && !(get(r, SDP_RDMA_D_ERDMA_CFG) & RDMA_CFG_DISABLE))
		why = "SDP_RDMA fetches for the EW stage, which the model does not do";
	return why;
}

const char *op_decode(struct op *op, const struct regfile *rf, const struct npu_config *cfg)
{
	struct reader r = { rf, op };
	const char *why;

	decode_shape(op, &r, cfg);
	decode_conv(op, &r, cfg);
	decode_sdp(op, &r, cfg);
	why = check_modes(&r);
	if (!why)
		why = check_shape(op, &r);
	if (!why)
		why = check_rdma(op, &r);
	return why;
}

uint32_t op_weight_entries(const struct op *op, const struct npu_config *cfg, uint32_t groups)
{
	uint32_t kernels = groups * cfg->mac_kernels;

	if (kernels > op->kernels)
		kernels = op->kernels;
	/* At most 8192 x 8192 bytes: fits. */
	return div_up(kernels * op->channels, cfg->entry_bytes);
}
