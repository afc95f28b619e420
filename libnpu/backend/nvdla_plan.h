/* SPDX-License-Identifier: MIT */
/*
 * NVDLA plans: what applications are told of how a matmul is carried out.
 */
#ifndef LIBNPU_NVDLA_PLAN_H
#define LIBNPU_NVDLA_PLAN_H

#include "../plan.h"
#include "backend.h"

/* Limits of a configuration that need not be there; NULL if there is none of that name. */
const struct drm_npu_matmul_limits *nvdla_config_find(const char *name);

/* Sets the physical limit of a plan whose shape is set. */
void nvdla_plan_limit(struct npu_plan *plan, const struct drm_npu_matmul_limits *limits);

/*
 * Adds @blocks blocks of rows, the first part of K of each divided into @tiles. The first call
 * gives the plan its banks and what it takes to start.
 */
void nvdla_plan_blocks(struct npu_plan *plan, const struct npu_tiles *tiles, uint32_t blocks);

/* Adds @times parts of K of a block, each divided into @tiles. */
void nvdla_plan_parts(struct npu_plan *plan, const struct npu_tiles *tiles, uint64_t times);

/*
 * Ends a plan of exact sums whose blocks and parts are all added: what is multiplied for each digit
 * of A and for each matrix of a batch.
 */
void nvdla_plan_exact(struct npu_plan *plan, uint32_t digits, uint32_t batch);

/* struct npu_backend.plan */
int nvdla_plan(const struct npu_device *dev, const struct npu_plan_desc *desc,
	       const struct npu_requant *rq, struct npu_plan *plan, struct npu_error *err);

#endif /* LIBNPU_NVDLA_PLAN_H */
