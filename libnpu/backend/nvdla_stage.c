// SPDX-License-Identifier: MIT
/*
 * Output stages. There are two of them, each with one addition (or minimum, or maximum), one
 * multiplication by 16 bits, a shift, and ReLU; then a converter that adds a constant and saturates
 * to int8. Operands have 16 bits, a bias has 32. Where nothing comes between scaling and zero point
 * but ReLU, the bias is added in two halves:
 *
 *	x1:  x += high << 16
 *	x2:  x += low;  x *= multiplier;  x = round(x / 2^shift);  ReLU
 *	converter:  x -= -zero_point;  saturate to int8
 *
 * A residual, a clamp or ReLU6 needs the addition of x2, and then the bias has to fit that of x1,
 * 16 bits shifted left:
 *
 *	x1:  x += bias;  x *= multiplier;  x = round(x / 2^shift);  ReLU
 *	x2:  x += residual;  ReLU  |  x = min(x, high)  |  x = max(x, low)
 *	converter:  as above, and the zero point of the residual
 *
 * Nothing saturates on the way that the definition in npu_epilogue.h does not clamp: the caller
 * sees to it that sum and bias stay within int32. A shift from 48 on gives 0 for every product, in
 * the engine as in the definition.
 */
#include "nvdla_stage.h"

/* ---- Operands -------------------------------------------------------------------------- */

static int16_t addend_of(const struct nvdla_stage *stage, int32_t bias)
{
	int16_t low = bias & 0xffff;

	switch (stage->addend) {
	case NVDLA_ADDEND_LOW:
		return low;
	case NVDLA_ADDEND_HIGH:
		return (bias - low) / 65536;
	default:
		return bias >> stage->desc.alu_shift;
	}
}

static int16_t multiplier_of(const struct npu_requant *rq, uint32_t n)
{
	return rq->epilogue.multiplier[rq->epilogue.scale_count > 1 ? n : 0];
}

/* An operand that is the same for all channels needs no memory, and a bias of 0 no addition. */
static void set_addition(struct nvdla_stage *stage, enum nvdla_addend addend, uint8_t shift,
			 const int32_t *bias, uint32_t n)
{
	struct drm_npu_stage *desc = &stage->desc;
	bool same = true;
	int16_t first;

	stage->addend = addend;
	desc->alu_shift = shift;
	first = addend_of(stage, bias[0]);
	for (uint32_t i = 1; i < n && same; i++)
		same = addend_of(stage, bias[i]) == first;
	if (same && !first) {
		desc->alu_shift = 0;
		return;
	}
	desc->alu_op = DRM_NPU_ALU_ADD;
	desc->alu_src = same ? DRM_NPU_OPERAND_IMM : DRM_NPU_OPERAND_CHANNEL;
	desc->alu_imm = same ? first : 0;
}

static void set_scaling(struct nvdla_stage *stage, const struct npu_requant *rq, uint32_t n)
{
	struct drm_npu_stage *desc = &stage->desc;
	bool same = true;

	if (rq->epilogue.scaling == NPU_SCALING_NONE)
		return;
	for (uint32_t i = 1; i < n && same; i++)
		same = multiplier_of(rq, i) == multiplier_of(rq, 0);
	desc->mul_src = same ? DRM_NPU_OPERAND_IMM : DRM_NPU_OPERAND_CHANNEL;
	desc->mul_imm = same ? multiplier_of(rq, 0) : 0;
	desc->mul_shift = rq->epilogue.shift;
}

static void count_operands(struct nvdla_stage *stage)
{
	uint32_t operands = (stage->desc.alu_src == DRM_NPU_OPERAND_CHANNEL) +
			    (stage->desc.mul_src == DRM_NPU_OPERAND_CHANNEL);

	stage->channel_bytes = operands * sizeof(int16_t);
	if (operands)
		stage->desc.operand_bytes = sizeof(int16_t);
}

void nvdla_stage_operands(const struct nvdla_stage *stage, const struct npu_requant *rq,
			  const int32_t *bias, uint32_t n, int16_t *dst)
{
	for (uint32_t i = 0; i < n; i++) {
		if (stage->desc.alu_src == DRM_NPU_OPERAND_CHANNEL)
			*dst++ = addend_of(stage, bias[i]);
		if (stage->desc.mul_src == DRM_NPU_OPERAND_CHANNEL)
			*dst++ = multiplier_of(rq, i);
	}
}

/* ---- Stages ---------------------------------------------------------------------------- */

/* What the stored byte of an 8-bit type differs by from the value. */
static int32_t stored_offset(enum npu_type type)
{
	return type == NPU_TYPE_UINT8 ? 128 : 0;
}

/* The smallest shift that makes 16 bits of every bias, or false. */
static bool fits_one_addition(const int32_t *bias, uint32_t n, uint8_t *shift)
{
	uint32_t bits = 0;
	int32_t least = 0, most = 0;

	for (uint32_t i = 0; i < n; i++) {
		bits |= bias[i];
		least = bias[i] < least ? bias[i] : least;
		most = bias[i] > most ? bias[i] : most;
	}
	for (*shift = 0; least >> *shift < INT16_MIN || most >> *shift > INT16_MAX; ++*shift)
		;
	return !(bits & ((1u << *shift) - 1));
}

/* What comes between scaling and zero point, in units of the stored result less zero point. */
struct after {
	bool relu;
	bool low, high; /* bounds that saturation and ReLU do not give */
	int32_t min, max;
};

static struct after what_comes_after(const struct npu_requant *rq)
{
	int32_t zero_point = rq->epilogue.zero_point;
	struct after after = {
		.min = rq->low - zero_point,
		.max = rq->high - zero_point,
		.relu = rq->low > npu_type_min(rq->output) && rq->low == zero_point,
		.high = rq->high < npu_type_max(rq->output),
	};

	after.low = rq->low > npu_type_min(rq->output) && !after.relu;
	return after;
}

static bool is_fusable(const struct npu_requant *rq)
{
	const struct npu_epilogue_desc *e = &rq->epilogue;
	bool fixed = e->scaling == NPU_SCALING_FIXED16;

	if (rq->output != NPU_TYPE_INT8 && rq->output != NPU_TYPE_UINT8)
		return false;
	if (!fixed && e->scaling != NPU_SCALING_NONE)
		return false;
	if (!rq->residual)
		return true;
	return (rq->residual == NPU_TYPE_INT8 || rq->residual == NPU_TYPE_UINT8) &&
	       (!fixed || (e->residual_multiplier == 1 && !e->residual_shift));
}

/* The one thing x2 does after x1 has scaled; false where it would have to do more. */
static bool set_after(struct nvdla_output *out, const struct npu_requant *rq, struct after after)
{
	struct drm_npu_stage *x1 = &out->stage[0].desc, *x2 = &out->stage[1].desc;
	int32_t residual_zero = rq->epilogue.residual_zero_point - stored_offset(rq->residual);

	if (!!rq->residual + after.low + after.high > 1)
		return false;
	if (rq->residual) {
		/* ReLU looks at the sum, the converter takes away the zero point after it. */
		if (after.relu && residual_zero)
			return false;
		x2->alu_op = DRM_NPU_ALU_ADD;
		x2->alu_src = DRM_NPU_OPERAND_ELEMENT;
		x2->operand_bytes = 1;
		x2->act = after.relu ? DRM_NPU_ACT_RELU : DRM_NPU_ACT_NONE;
		out->cvt_offset += residual_zero;
		return true;
	}
	x1->act = after.relu ? DRM_NPU_ACT_RELU : DRM_NPU_ACT_NONE;
	x2->alu_op = after.high ? DRM_NPU_ALU_MIN : DRM_NPU_ALU_MAX;
	x2->alu_src = DRM_NPU_OPERAND_IMM;
	x2->alu_imm = after.high ? after.max : after.min;
	return true;
}

bool nvdla_output_make(struct nvdla_output *out, const struct npu_requant *rq, const int32_t *bias,
		       uint32_t n)
{
	struct after after = what_comes_after(rq);
	struct nvdla_stage *stage = out->stage;
	uint8_t shift;

	*out = (struct nvdla_output){
		.cvt_offset = stored_offset(rq->output) - rq->epilogue.zero_point,
	};
	if (!is_fusable(rq))
		return false;
	if (!rq->residual && !after.low && !after.high) {
		set_addition(&stage[0], NVDLA_ADDEND_HIGH, 16, bias, n);
		set_addition(&stage[1], NVDLA_ADDEND_LOW, 0, bias, n);
		set_scaling(&stage[1], rq, n);
		stage[1].desc.act = after.relu ? DRM_NPU_ACT_RELU : DRM_NPU_ACT_NONE;
	} else {
		if (!fits_one_addition(bias, n, &shift) || !set_after(out, rq, after))
			return false;
		set_addition(&stage[0], NVDLA_ADDEND_WHOLE, shift, bias, n);
		set_scaling(&stage[0], rq, n);
	}
	count_operands(&stage[0]);
	count_operands(&stage[1]);
	return true;
}
