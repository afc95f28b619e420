// SPDX-License-Identifier: MIT
/*
 * Output stages. Operands have 16 bits, a bias has 32: it is added in two halves,
 *
 *	x1:  x += high << 16
 *	x2:  x += low;  x *= multiplier;  x = round(x / 2^shift);  ReLU
 *	converter:  x -= -zero_point;  saturate to int8
 *
 * Nothing saturates on the way that the definition in npu.h does not clamp: with K at most 65535
 * a sum is below 2^30, and so is a bias, so that x1 ends within int32. A shift from 48 on gives 0
 * for every product, in the engine as in the definition.
 */
#include "nvdla_stage.h"

static int16_t bias_low(const struct npu_requant *rq, uint32_t n)
{
	return rq->bias ? (int16_t)(rq->bias[n] & 0xffff) : 0;
}

/* What is left of the bias, a multiple of 65536. */
static int16_t bias_high(const struct npu_requant *rq, uint32_t n)
{
	return rq->bias ? (int16_t)((rq->bias[n] - bias_low(rq, n)) / 65536) : 0;
}

static int16_t multiplier(const struct npu_requant *rq, uint32_t n)
{
	return rq->multiplier[rq->per_channel ? n : 0];
}

typedef int16_t (*operand_fn)(const struct npu_requant *rq, uint32_t n);

/* An operand that is the same for all channels needs no memory. */
static enum drm_npu_operand_src choose_source(operand_fn operand, const struct npu_requant *rq,
					      uint32_t n, int16_t *imm)
{
	int16_t first = operand(rq, 0);

	for (uint32_t i = 1; i < n; i++)
		if (operand(rq, i) != first)
			return DRM_NPU_OPERAND_CHANNEL;
	*imm = first;
	return DRM_NPU_OPERAND_IMM;
}

static void set_addition(struct drm_npu_stage *desc, operand_fn operand,
			 const struct npu_requant *rq, uint32_t n, uint8_t shift)
{
	int16_t imm = 0;
	enum drm_npu_operand_src source = choose_source(operand, rq, n, &imm);

	if (source == DRM_NPU_OPERAND_IMM && !imm)
		return;
	desc->alu_op = DRM_NPU_ALU_ADD;
	desc->alu_src = source;
	desc->alu_imm = imm;
	desc->alu_shift = shift;
}

static void set_multiplication(struct drm_npu_stage *desc, const struct npu_requant *rq, uint32_t n)
{
	desc->mul_src = choose_source(multiplier, rq, n, &desc->mul_imm);
	desc->mul_shift = rq->shift;
	desc->act = rq->relu ? DRM_NPU_ACT_RELU : DRM_NPU_ACT_NONE;
}

void nvdla_stages(struct nvdla_stage stage[2], const struct npu_requant *rq, uint32_t n)
{
	stage[0] = stage[1] = (struct nvdla_stage){ 0 };
	set_addition(&stage[0].desc, bias_high, rq, n, 16);
	set_addition(&stage[1].desc, bias_low, rq, n, 0);
	set_multiplication(&stage[1].desc, rq, n);

	for (int i = 0; i < 2; i++) {
		struct drm_npu_stage *desc = &stage[i].desc;
		uint32_t operands = (desc->alu_src == DRM_NPU_OPERAND_CHANNEL) +
				    (desc->mul_src == DRM_NPU_OPERAND_CHANNEL);

		stage[i].channel_bytes = operands * sizeof(int16_t);
		desc->operand_bytes = operands ? sizeof(int16_t) : 0;
	}
}

void nvdla_stage_operands(const struct nvdla_stage *stage, unsigned int index,
			  const struct npu_requant *rq, uint32_t n, int16_t *dst)
{
	operand_fn addend = index ? bias_low : bias_high;

	for (uint32_t i = 0; i < n; i++) {
		if (stage->desc.alu_src == DRM_NPU_OPERAND_CHANNEL)
			*dst++ = addend(rq, i);
		if (stage->desc.mul_src == DRM_NPU_OPERAND_CHANNEL)
			*dst++ = multiplier(rq, i);
	}
}
