/* SPDX-License-Identifier: MIT */
/*
 * Split matmuls: those that the engine cannot do whole.
 */
#ifndef LIBNPU_NVDLA_SPLIT_H
#define LIBNPU_NVDLA_SPLIT_H

#include "nvdla.h"

/* Blocks of rows that are added up one after the other, each with @parts parts of K. */
uint32_t nvdla_split_blocks(uint32_t m, uint32_t n, uint32_t parts);

/*
 * Plans and prepares a matmul. What fails on the way is given back by nvdla_split_fini(), if
 * @matmul has a split.
 */
int nvdla_split_init(struct nvdla_matmul *matmul, struct npu_error *err);
void nvdla_split_fini(struct nvdla_matmul *matmul);

/*
 * Carries one out, for the submission @ticket. Fails where it cannot be submitted; where the engine
 * fails, that is the outcome of the submission.
 */
int nvdla_split_run(struct nvdla_queue *queue, struct nvdla_matmul *matmul, uint64_t ticket,
		    struct npu_error *err);

#endif /* LIBNPU_NVDLA_SPLIT_H */
