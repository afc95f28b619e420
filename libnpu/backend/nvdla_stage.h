/* SPDX-License-Identifier: MIT */
/*
 * Output stages: an epilogue in the terms of NVDLA's output unit (SDP).
 */
#ifndef LIBNPU_NVDLA_STAGE_H
#define LIBNPU_NVDLA_STAGE_H

#include <stddef.h>
#include <stdint.h>

#include <drm/npu_accel.h>

#include "../requant.h"

/**
 * enum nvdla_addend - what of a bias a stage adds
 * @NVDLA_ADDEND_LOW: Its low 16 bits, as a signed number.
 * @NVDLA_ADDEND_HIGH: What is left then, in units of 2^16.
 * @NVDLA_ADDEND_WHOLE: All of it, in units that divide every bias.
 */
enum nvdla_addend {
	NVDLA_ADDEND_LOW,
	NVDLA_ADDEND_HIGH,
	NVDLA_ADDEND_WHOLE,
};

/**
 * struct nvdla_stage - one of the two stages
 * @desc: As the kernel wants it, but for where the operands lie.
 * @addend: What operands of the addition are made of.
 * @channel_bytes: Bytes of operands in memory for each channel, 0 with none in memory.
 */
struct nvdla_stage {
	struct drm_npu_stage desc;
	enum nvdla_addend addend;
	uint32_t channel_bytes;
};

/**
 * struct nvdla_output - the way of a sum through the output unit
 * @stage: x1 and x2. With an operand for each element it is a residual's bytes, in x2.
 * @cvt_offset: What the converter takes away; it then saturates to int8.
 */
struct nvdla_output {
	struct nvdla_stage stage[2];
	int32_t cvt_offset;
};

/*
 * The largest magnitude of a bias with which a sum of @k products stays within int32, and so does
 * what the bias is without its low half.
 */
static inline int64_t nvdla_stage_most_bias(uint32_t k)
{
	return INT32_MAX - 32768 - ((int64_t)k << 14);
}

/*
 * The output unit for @n channels. @bias has n values, zero points of A included; uint8 results
 * come out as the int8 that stands for them. False where the engine cannot do it.
 */
bool nvdla_output_make(struct nvdla_output *out, const struct npu_requant *rq, const int32_t *bias,
		       uint32_t n);

/* Writes the operands that @stage reads from memory, @channel_bytes * @n in all. */
void nvdla_stage_operands(const struct nvdla_stage *stage, const struct npu_requant *rq,
			  const int32_t *bias, uint32_t n, int16_t *dst);

#endif /* LIBNPU_NVDLA_STAGE_H */
