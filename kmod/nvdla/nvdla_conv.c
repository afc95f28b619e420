// SPDX-License-Identifier: GPL-2.0-only
/*
 * One matrix multiplication as registers: a 1x1 convolution over M = width * height positions with
 * K channels and N kernels, then the epilogue. Registers keep what an earlier op wrote, so every
 * one that matters is written each time. Nothing is read: a read costs as much as twenty writes.
 */
#include "nvdla.h"
#include "nvdla_regs.h"

static bool stage_in_memory(const struct drm_npu_stage *st)
{
	return st->operand_bytes;
}

static bool op_uses_rdma(const struct npu_op *op)
{
	return stage_in_memory(&op->job.x1) || stage_in_memory(&op->job.x2);
}

/* Two 13 bit fields that come together in every unit. */
static u32 width_height(const struct npu_op *op)
{
	return (op->job.height - 1) << 16 | (op->plan.width - 1);
}

static void select_groups(struct npu_device *npu, const struct npu_op *op)
{
	struct nvdla *nvdla = npu->hw_priv;

	nvdla_write(npu, S_POINTER(CACC), nvdla->group);
	nvdla_write(npu, S_POINTER(CMAC_A), nvdla->group);
	nvdla_write(npu, S_POINTER(CMAC_B), nvdla->group);
	nvdla_write(npu, S_POINTER(CSC), nvdla->group);
	nvdla_write(npu, S_POINTER(CDMA), nvdla->group);
	nvdla_write(npu, S_POINTER(SDP), nvdla->group);
	/* SDP_RDMA runs only for ops that need it, so it alternates at a pace of its own. */
	if (op_uses_rdma(op))
		nvdla_write(npu, S_POINTER(SDP_RDMA), nvdla->rdma_group);
}

static void program_cacc(struct npu_device *npu, const struct npu_op *op)
{
	const struct drm_npu_job_matmul *job = &op->job;

	nvdla_write(npu, CACC_D_MISC_CFG, 0);
	nvdla_write(npu, CACC_D_DATAOUT_SIZE_0, width_height(op));
	nvdla_write(npu, CACC_D_DATAOUT_SIZE_1, job->n - 1);
	nvdla_write(npu, CACC_D_DATAOUT_ADDR, lower_32_bits(op->addr[NPU_OPERAND_C]));
	nvdla_write(npu, CACC_D_BATCH_NUMBER, 0);
	nvdla_write(npu, CACC_D_LINE_STRIDE, job->c.row_stride & CACC_D_STRIDE_BITS);
	nvdla_write(npu, CACC_D_SURF_STRIDE, job->c.plane_stride & CACC_D_STRIDE_BITS);
	nvdla_write(npu, CACC_D_DATAOUT_MAP, job->m == 1 ? CACC_DATAOUT_MAP_PACKED : 0);
	nvdla_write(npu, CACC_D_CLIP_CFG, job->acc_shift);
}

static void program_cmac(struct npu_device *npu)
{
	nvdla_write(npu, CMAC_D_MISC_CFG(CMAC_A), 0);
	nvdla_write(npu, CMAC_D_MISC_CFG(CMAC_B), 0);
}

static u32 bank_split(const struct npu_op *op)
{
	return (op->plan.weight_banks - 1) << 16 | (op->plan.data_banks - 1);
}

/**
 * nvdla_reused - what is in the CBUF already and is not fetched
 * @nvdla: State of the NVDLA.
 * @op: The op that is next.
 *
 * The op before in the submission must really be the one before on the engine, which it is not
 * after a reset.
 *
 * Return: Operands, by BIT(enum npu_operand).
 */
u8 nvdla_reused(const struct nvdla *nvdla, const struct npu_op *op)
{
	return nvdla->last && nvdla->last == op - 1 ? op->reuses : 0;
}

static u32 conv_misc(const struct nvdla *nvdla, const struct npu_op *op)
{
	const u8 reuses = nvdla_reused(nvdla, op);
	u32 misc = 0;

	if (reuses & BIT(NPU_OPERAND_A))
		misc |= CONV_MISC_DATA_REUSE;
	if (reuses & BIT(NPU_OPERAND_W))
		misc |= CONV_MISC_WEIGHT_REUSE;
	if (op->keeps & BIT(NPU_OPERAND_A))
		misc |= CONV_MISC_SKIP_DATA_RELEASE;
	if (op->keeps & BIT(NPU_OPERAND_W))
		misc |= CONV_MISC_SKIP_WEIGHT_RELEASE;
	return misc;
}

static void program_csc(struct npu_device *npu, const struct npu_op *op)
{
	const struct drm_npu_job_matmul *job = &op->job;

	nvdla_write(npu, CSC_D_MISC_CFG, conv_misc(npu->hw_priv, op));
	nvdla_write(npu, CSC_D_DATAIN_FORMAT, 0);
	nvdla_write(npu, CSC_D_DATAIN_SIZE_EXT_0, width_height(op));
	nvdla_write(npu, CSC_D_DATAIN_SIZE_EXT_1, job->k - 1);
	nvdla_write(npu, CSC_D_BATCH_NUMBER, 0);
	nvdla_write(npu, CSC_D_POST_Y_EXTENSION, 0);
	nvdla_write(npu, CSC_D_ENTRY_PER_SLICE, op->plan.slice_entries - 1);
	nvdla_write(npu, CSC_D_WEIGHT_FORMAT, 0);
	nvdla_write(npu, CSC_D_WEIGHT_SIZE_EXT_0, 0);
	nvdla_write(npu, CSC_D_WEIGHT_SIZE_EXT_1, (job->n - 1) << 16 | (job->k - 1));
	nvdla_write(npu, CSC_D_WEIGHT_BYTES, op->plan.weight_bytes);
	nvdla_write(npu, CSC_D_WMB_BYTES, 0);
	nvdla_write(npu, CSC_D_DATAOUT_SIZE_0, width_height(op));
	nvdla_write(npu, CSC_D_DATAOUT_SIZE_1, job->n - 1);
	nvdla_write(npu, CSC_D_ATOMICS, job->m - 1);
	nvdla_write(npu, CSC_D_RELEASE, job->height - 1);
	nvdla_write(npu, CSC_D_CONV_STRIDE_EXT, 0);
	nvdla_write(npu, CSC_D_DILATION_EXT, 0);
	nvdla_write(npu, CSC_D_ZERO_PADDING, 0);
	nvdla_write(npu, CSC_D_ZERO_PADDING_VALUE, 0);
	nvdla_write(npu, CSC_D_BANK, bank_split(op));
	nvdla_write(npu, CSC_D_PRA_CFG, 0);
}

static void program_cdma_data(struct npu_device *npu, const struct npu_op *op)
{
	const struct drm_npu_job_matmul *job = &op->job;

	nvdla_write(npu, CDMA_D_MISC_CFG, conv_misc(npu->hw_priv, op));
	nvdla_write(npu, CDMA_D_DATAIN_FORMAT, 0);
	nvdla_write(npu, CDMA_D_DATAIN_SIZE_0, width_height(op));
	nvdla_write(npu, CDMA_D_DATAIN_SIZE_1, job->k - 1);
	nvdla_write(npu, CDMA_D_DATAIN_SIZE_EXT_0, width_height(op));
	nvdla_write(npu, CDMA_D_PIXEL_OFFSET, 0);
	nvdla_write(npu, CDMA_D_DAIN_RAM_TYPE, RAM_TYPE_MAIN_MEMORY);
	nvdla_write(npu, CDMA_D_DAIN_ADDR_HIGH_0, upper_32_bits(op->addr[NPU_OPERAND_A]));
	nvdla_write(npu, CDMA_D_DAIN_ADDR_LOW_0, lower_32_bits(op->addr[NPU_OPERAND_A]));
	nvdla_write(npu, CDMA_D_DAIN_ADDR_HIGH_1, 0);
	nvdla_write(npu, CDMA_D_DAIN_ADDR_LOW_1, 0);
	nvdla_write(npu, CDMA_D_LINE_STRIDE, job->a.row_stride);
	nvdla_write(npu, CDMA_D_LINE_UV_STRIDE, 0);
	nvdla_write(npu, CDMA_D_SURF_STRIDE, job->a.plane_stride);
	nvdla_write(npu, CDMA_D_DAIN_MAP, CDMA_DAIN_MAP_PACKED);
	nvdla_write(npu, CDMA_D_BATCH_NUMBER, 0);
	nvdla_write(npu, CDMA_D_BATCH_STRIDE, 0);
	nvdla_write(npu, CDMA_D_ENTRY_PER_SLICE, op->plan.slice_entries - 1);
	/* One line at a time: more would need lines without gaps. */
	nvdla_write(npu, CDMA_D_FETCH_GRAIN, 0);
	nvdla_write(npu, CDMA_D_MEAN_FORMAT, 0);
	nvdla_write(npu, CDMA_D_CVT_CFG, 0);
	nvdla_write(npu, CDMA_D_CVT_OFFSET, 0);
	nvdla_write(npu, CDMA_D_CVT_SCALE, 1);
	nvdla_write(npu, CDMA_D_CONV_STRIDE, 0);
	nvdla_write(npu, CDMA_D_ZERO_PADDING, 0);
	nvdla_write(npu, CDMA_D_ZERO_PADDING_VALUE, 0);
	nvdla_write(npu, CDMA_D_BANK, bank_split(op));
	nvdla_write(npu, CDMA_D_NAN_FLUSH_TO_ZERO, 0);
	nvdla_write(npu, CDMA_D_PERF_ENABLE, op->counted ? CDMA_PERF_DMA : 0);
}

/*
 * The weight bytes must be exact: with more the first op is right and all later ones are wrong,
 * with fewer the engine hangs.
 */
static void program_cdma_weights(struct npu_device *npu, const struct npu_op *op)
{
	const struct drm_npu_job_matmul *job = &op->job;

	nvdla_write(npu, CDMA_D_WEIGHT_FORMAT, 0);
	nvdla_write(npu, CDMA_D_WEIGHT_SIZE_0, job->k - 1);
	nvdla_write(npu, CDMA_D_WEIGHT_SIZE_1, job->n - 1);
	nvdla_write(npu, CDMA_D_WEIGHT_RAM_TYPE, RAM_TYPE_MAIN_MEMORY);
	nvdla_write(npu, CDMA_D_WEIGHT_ADDR_HIGH, upper_32_bits(op->addr[NPU_OPERAND_W]));
	nvdla_write(npu, CDMA_D_WEIGHT_ADDR_LOW, lower_32_bits(op->addr[NPU_OPERAND_W]));
	nvdla_write(npu, CDMA_D_WEIGHT_BYTES, op->plan.weight_bytes);
}

static void program_rdma_stage(struct npu_device *npu, u32 cfg, const struct drm_npu_stage *st,
			       dma_addr_t addr)
{
	bool alu = st->alu_src >= DRM_NPU_OPERAND_CHANNEL;
	bool mul = st->mul_src >= DRM_NPU_OPERAND_CHANNEL;
	bool element =
		st->alu_src == DRM_NPU_OPERAND_ELEMENT || st->mul_src == DRM_NPU_OPERAND_ELEMENT;

	if (!stage_in_memory(st)) {
		nvdla_write(npu, cfg, RDMA_CFG_DISABLE);
		return;
	}
	nvdla_write(npu, cfg,
		    (alu && mul ? RDMA_CFG_USE_BOTH
		     : alu	? RDMA_CFG_USE_ALU
				: RDMA_CFG_USE_MUL) |
			    (st->operand_bytes == 2 ? RDMA_CFG_TWO_BYTES : 0) |
			    (element ? RDMA_CFG_PER_ELEMENT : 0) | RDMA_CFG_MAIN_MEMORY);
	nvdla_write(npu, cfg + RDMA_ADDR_LOW, lower_32_bits(addr));
	nvdla_write(npu, cfg + RDMA_ADDR_HIGH, upper_32_bits(addr));
	nvdla_write(npu, cfg + RDMA_LINE_STRIDE, st->operand.row_stride);
	nvdla_write(npu, cfg + RDMA_SURFACE_STRIDE, st->operand.plane_stride);
}

static void program_rdma(struct npu_device *npu, const struct npu_op *op)
{
	const struct drm_npu_job_matmul *job = &op->job;

	nvdla_write(npu, SDP_RDMA_D_DATA_CUBE_WIDTH, op->plan.width - 1);
	nvdla_write(npu, SDP_RDMA_D_DATA_CUBE_HEIGHT, job->height - 1);
	nvdla_write(npu, SDP_RDMA_D_DATA_CUBE_CHANNEL, job->n - 1);
	nvdla_write(npu, SDP_RDMA_D_FEATURE_MODE_CFG,
		    SDP_RDMA_FEATURE_FLYING |
			    (job->narrow == DRM_NPU_NARROW_LOW8 ? SDP_RDMA_FEATURE_OUT_INT16 : 0));
	program_rdma_stage(npu, SDP_RDMA_D_BRDMA_CFG, &job->x1, op->addr[NPU_OPERAND_X1]);
	program_rdma_stage(npu, SDP_RDMA_D_NRDMA_CFG, &job->x2, op->addr[NPU_OPERAND_X2]);
	nvdla_write(npu, SDP_RDMA_D_ERDMA_CFG, RDMA_CFG_DISABLE);
}

static u32 stage_cfg(const struct drm_npu_stage *st)
{
	static const u32 alu[] = {
		[DRM_NPU_ALU_NONE] = SDP_DP_ALU_BYPASS,
		[DRM_NPU_ALU_MAX] = SDP_DP_ALU_MAX,
		[DRM_NPU_ALU_MIN] = SDP_DP_ALU_MIN,
		[DRM_NPU_ALU_ADD] = SDP_DP_ALU_SUM,
	};
	u32 cfg = alu[st->alu_op];

	if (st->mul_src == DRM_NPU_OPERAND_NONE)
		cfg |= SDP_DP_MUL_BYPASS;
	if (st->act == DRM_NPU_ACT_PRELU)
		cfg |= SDP_DP_MUL_PRELU;
	if (st->act != DRM_NPU_ACT_RELU)
		cfg |= SDP_DP_RELU_BYPASS;
	/* The shift works without a multiplication, too. */
	if (cfg == (SDP_DP_EMPTY & ~SDP_DP_BYPASS) && !st->mul_shift)
		cfg |= SDP_DP_BYPASS;
	return cfg;
}

static void program_sdp_stage(struct npu_device *npu, u32 cfg, const struct drm_npu_stage *st)
{
	nvdla_write(npu, cfg, stage_cfg(st));
	nvdla_write(npu, cfg + SDP_DP_ALU_CFG,
		    SDP_DP_SHIFT(st->alu_shift) |
			    (st->alu_src >= DRM_NPU_OPERAND_CHANNEL ? SDP_DP_SRC_MEMORY : 0));
	nvdla_write(npu, cfg + SDP_DP_ALU_VALUE, (u16)st->alu_imm);
	nvdla_write(npu, cfg + SDP_DP_MUL_CFG,
		    SDP_DP_SHIFT(st->mul_shift) |
			    (st->mul_src >= DRM_NPU_OPERAND_CHANNEL ? SDP_DP_SRC_MEMORY : 0));
	nvdla_write(npu, cfg + SDP_DP_MUL_VALUE, (u16)st->mul_imm);
}

static void program_sdp(struct npu_device *npu, const struct npu_op *op)
{
	const struct drm_npu_job_matmul *job = &op->job;

	nvdla_write(npu, SDP_D_DATA_CUBE_WIDTH, op->plan.width - 1);
	nvdla_write(npu, SDP_D_DATA_CUBE_HEIGHT, job->height - 1);
	nvdla_write(npu, SDP_D_DATA_CUBE_CHANNEL, job->n - 1);
	nvdla_write(npu, SDP_D_DST_BASE_ADDR_HIGH, upper_32_bits(op->addr[NPU_OPERAND_C]));
	nvdla_write(npu, SDP_D_DST_BASE_ADDR_LOW, lower_32_bits(op->addr[NPU_OPERAND_C]));
	nvdla_write(npu, SDP_D_DST_LINE_STRIDE, job->c.row_stride);
	nvdla_write(npu, SDP_D_DST_SURFACE_STRIDE, job->c.plane_stride);
	program_sdp_stage(npu, SDP_D_DP_BS_CFG, &job->x1);
	program_sdp_stage(npu, SDP_D_DP_BN_CFG, &job->x2);
	nvdla_write(npu, SDP_D_DP_EW_CFG, SDP_DP_EMPTY);
	nvdla_write(npu, SDP_D_FEATURE_MODE_CFG, SDP_FEATURE_FLYING);
	nvdla_write(npu, SDP_D_DST_DMA_CFG, RAM_TYPE_MAIN_MEMORY);
	nvdla_write(npu, SDP_D_DST_BATCH_STRIDE, 0);
	nvdla_write(npu, SDP_D_DATA_FORMAT,
		    job->narrow == DRM_NPU_NARROW_LOW8 ? SDP_DATA_FORMAT_OUT_INT16 : 0);
	nvdla_write(npu, SDP_D_CVT_OFFSET, job->cvt_offset);
	nvdla_write(npu, SDP_D_CVT_SCALE, (u16)job->cvt_scale);
	nvdla_write(npu, SDP_D_CVT_SHIFT, job->cvt_shift);
	nvdla_write(npu, SDP_D_PERF_ENABLE, op->counted ? SDP_PERF_DMA | SDP_PERF_SATURATION : 0);
}

/**
 * nvdla_conv_program - write an op into the next register groups
 * @npu: The device.
 * @op: The op.
 *
 * A change of the bank split between ops needs no care here: the units wait for each other and
 * empty the CBUF, at the price of the overlap.
 *
 * Return: The group.
 */
unsigned int nvdla_conv_program(struct npu_device *npu, const struct npu_op *op)
{
	struct nvdla *nvdla = npu->hw_priv;
	unsigned int group = nvdla->group;

	select_groups(npu, op);
	program_cacc(npu, op);
	program_cmac(npu);
	program_csc(npu, op);
	program_cdma_data(npu, op);
	program_cdma_weights(npu, op);
	if (op_uses_rdma(op)) {
		program_rdma(npu, op);
		nvdla->rdma_group ^= 1;
	}
	program_sdp(npu, op);
	nvdla->group ^= 1;
	nvdla->last = op;
	return group;
}

/**
 * nvdla_conv_enable - let the op that was programmed last begin
 * @npu: The device.
 * @op: The op.
 *
 * From the end of the pipeline to its start, so that each unit is ready when data comes.
 */
void nvdla_conv_enable(struct npu_device *npu, const struct npu_op *op)
{
	/* Descriptors and operands are in memory before the first fetch. */
	wmb();
	if (op_uses_rdma(op))
		nvdla_write(npu, SDP_RDMA_D_OP_ENABLE, 1);
	nvdla_write(npu, SDP_D_OP_ENABLE, 1);
	nvdla_write(npu, CACC_D_OP_ENABLE, 1);
	nvdla_write(npu, CMAC_D_OP_ENABLE(CMAC_A), 1);
	nvdla_write(npu, CMAC_D_OP_ENABLE(CMAC_B), 1);
	nvdla_write(npu, CSC_D_OP_ENABLE, 1);
	nvdla_write(npu, CDMA_D_OP_ENABLE, 1);
}
