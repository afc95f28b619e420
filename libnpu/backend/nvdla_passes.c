// SPDX-License-Identifier: MIT
/*
 * Exact sums. The engine stores 8 bits of a result, but a sum over K has to come out whole. It is
 * computed three times, and each time other bits are stored. Where the engine can store low bytes:
 *
 *	HIGH	h = -floor(sum / 2^16)			as (2 * sum - 65535) * -1 / 2^17
 *	MIDDLE	m = low 8 bits of floor(sum / 2^8)	as (2 * sum - 255) / 2^9
 *	LOW	l = low 8 bits of sum			of sum + (h << 16) - 2^15
 *
 *	sum = (m << 8 | l) - (h << 16)
 *
 * The doubling makes the numerators odd, so that rounding to nearest never meets a half and rounds
 * down after the offset. LOW first takes away what HIGH holds, with HIGH's result as an operand,
 * because the engine saturates to 16 bits before it stores the low 8.
 *
 * Where it can only saturate, each pass has to leave a rest that fits the next one's 8 bits, and
 * takes away what those before it hold:
 *
 *	HIGH	h = -floor((sum + 32640) / 2^16)	as (2 * sum - 255) * -1 / 2^17
 *	MIDDLE	m = -floor((r + 128) / 2^8)		as (2 * r + 1) * -1 / 2^9
 *	LOW	l = r + (m << 8)
 *	with	r = sum + (h << 16), from -32640 to 32895
 *
 *	sum = l - (m << 8) - (h << 16)
 *
 * so that m and l are from -128 to 127. That costs more: MIDDLE waits for HIGH's result. Both hold
 * for every |sum| up to 127 * 2^16.
 */
#include "nvdla_passes.h"

static bool has_low_bytes(const struct drm_npu_matmul_limits *limits)
{
	return limits->narrows >> DRM_NPU_NARROW_LOW8 & 1;
}

/* x += the result of an earlier pass << @shift */
static void add_result(struct drm_npu_stage *stage, struct nvdla_matrix *element,
		       const struct nvdla_matrix *result, uint8_t shift)
{
	stage->alu_op = DRM_NPU_ALU_ADD;
	stage->alu_src = DRM_NPU_OPERAND_ELEMENT;
	stage->alu_shift = shift;
	stage->operand_bytes = 1;
	*element = *result;
}

static void double_it(struct drm_npu_stage *stage)
{
	stage->mul_src = DRM_NPU_OPERAND_IMM;
	stage->mul_imm = 2;
}

static void convert(struct drm_npu_job_matmul *job, int32_t offset, int16_t scale, uint8_t shift)
{
	job->cvt_offset = offset;
	job->cvt_scale = scale;
	job->cvt_shift = shift;
}

static void low_bytes_pass(struct nvdla_op *op, enum nvdla_pass pass,
			   const struct nvdla_matrix *result)
{
	struct drm_npu_job_matmul *job = &op->job;

	job->narrow = pass == NVDLA_PASS_HIGH ? DRM_NPU_NARROW_SAT8 : DRM_NPU_NARROW_LOW8;
	switch (pass) {
	case NVDLA_PASS_HIGH:
		double_it(&job->x1);
		convert(job, 65535, -1, 17);
		break;
	case NVDLA_PASS_MIDDLE:
		double_it(&job->x1);
		convert(job, 255, 1, 9);
		break;
	default:
		add_result(&job->x1, &op->element[0], &result[NVDLA_PASS_HIGH], 16);
		convert(job, 32768, 1, 0);
	}
}

static void saturating_pass(struct nvdla_op *op, enum nvdla_pass pass,
			    const struct nvdla_matrix *result)
{
	struct drm_npu_job_matmul *job = &op->job;

	job->narrow = DRM_NPU_NARROW_SAT8;
	if (pass != NVDLA_PASS_HIGH)
		add_result(&job->x1, &op->element[0], &result[NVDLA_PASS_HIGH], 16);
	switch (pass) {
	case NVDLA_PASS_HIGH:
		double_it(&job->x1);
		convert(job, 255, -1, 17);
		break;
	case NVDLA_PASS_MIDDLE:
		double_it(&job->x1);
		convert(job, -1, -1, 9);
		break;
	default:
		add_result(&job->x2, &op->element[1], &result[NVDLA_PASS_MIDDLE], 8);
		convert(job, 0, 1, 0);
	}
}

void nvdla_pass_set(struct nvdla_op *op, const struct drm_npu_matmul_limits *limits,
		    enum nvdla_pass pass, const struct nvdla_matrix *result)
{
	op->c = result[pass];
	if (has_low_bytes(limits))
		low_bytes_pass(op, pass, result);
	else
		saturating_pass(op, pass, result);
}

void nvdla_pass_add(const struct drm_npu_matmul_limits *limits, const uint8_t *const *part,
		    uint32_t count, int64_t scale, int64_t *sum)
{
	const int8_t *high = (const int8_t *)part[NVDLA_PASS_HIGH];
	const uint8_t *middle = part[NVDLA_PASS_MIDDLE];
	const uint8_t *low = part[NVDLA_PASS_LOW];

	if (has_low_bytes(limits)) {
		for (uint32_t i = 0; i < count; i++)
			sum[i] += scale * ((middle[i] << 8 | low[i]) - high[i] * 65536);
	} else {
		for (uint32_t i = 0; i < count; i++)
			sum[i] += scale *
				  ((int8_t)low[i] - (int8_t)middle[i] * 256 - high[i] * 65536);
	}
}
