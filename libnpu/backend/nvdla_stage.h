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
 * struct nvdla_stage - one of the two stages
 * @desc: As the kernel wants it, but for where the operands lie.
 * @channel_bytes: Bytes of operands in memory for each channel, 0 with none in memory.
 */
struct nvdla_stage {
	struct drm_npu_stage desc;
	uint32_t channel_bytes;
};

/* Makes both stages for @n channels. */
void nvdla_stages(struct nvdla_stage stage[2], const struct npu_requant *rq, uint32_t n);

/* Writes the operands that stage @index reads from memory, @channel_bytes * @n in all. */
void nvdla_stage_operands(const struct nvdla_stage *stage, unsigned int index,
			  const struct npu_requant *rq, uint32_t n, int16_t *dst);

#endif /* LIBNPU_NVDLA_STAGE_H */
