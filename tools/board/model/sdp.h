/* SPDX-License-Identifier: MIT */
/*
 * The epilogue: accumulators of one kernel group through X1, X2 and the output converter to the
 * bytes of one surface.
 */
#ifndef NPU_MODEL_SDP_H
#define NPU_MODEL_SDP_H

#include <stdint.h>

#include "config.h"
#include "npu_model.h"
#include "op.h"

struct sdp {
	const struct npu_config *cfg;
	const struct npu_model_bus *bus;
	uint8_t *bytes;	 /* operands as they lie in memory */
	int16_t *alu[2]; /* per stage, one for every element of a surface */
	int16_t *mul[2];
	uint32_t clipped; /* elements that the converter clipped to 17 bits; the caller clears it */
};

int sdp_init(struct sdp *s, const struct npu_config *cfg, const struct npu_model_bus *bus);
void sdp_fini(struct sdp *s);

/*
 * Computes the surface of kernel group @group, op->positions atoms, from @acc, which is used up,
 * into
 * @out. Returns NULL, or why
 * the op cannot go on.
 */
const char *sdp_group(struct sdp *s, const struct op *op, uint32_t group, int32_t *acc,
		      uint8_t *out);

#endif /* NPU_MODEL_SDP_H */
