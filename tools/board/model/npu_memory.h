/* SPDX-License-Identifier: MIT */
/*
 * Memory that belongs to the model. Optional: most models reach memory through their bus. What
 * stands for real silicon cannot, for the engine there has memory of its own; with these functions
 * npu-replay fills it and compares it.
 */
#ifndef NPU_MEMORY_H
#define NPU_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct npu_model;

/**
 * Copies @len bytes from @data to bus address @addr, where the engine will read them.
 *
 * Returns 0, or -1 when there is no memory for them.
 */
int npu_model_load(struct npu_model *m, uint64_t addr, const void *data, size_t len);

/**
 * Copies @len bytes from bus address @addr, as the engine has left them, to @data.
 *
 * Returns 0, or -1 when there is no memory.
 */
int npu_model_store(struct npu_model *m, uint64_t addr, void *data, size_t len);

#endif /* NPU_MEMORY_H */
