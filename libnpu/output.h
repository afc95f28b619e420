/* SPDX-License-Identifier: MIT */
/*
 * Outputs: an epilogue together with the types it meets in a matmul.
 */
#ifndef LIBNPU_OUTPUT_H
#define LIBNPU_OUTPUT_H

#include "object.h"

/*
 * Fills @rq for a matmul whose operands have the shapes of each other. Errors: -EINVAL types,
 * scaling and zero points do not go together.
 */
int npu_output_resolve(const struct npu_matmul_desc *desc, struct npu_requant *rq,
		       struct npu_error *err);

/* NPU_STAGE_* bits of what there is to do besides sums. */
uint32_t npu_output_stages(const struct npu_requant *rq);

#endif /* LIBNPU_OUTPUT_H */
