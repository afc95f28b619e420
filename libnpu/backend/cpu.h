/* SPDX-License-Identifier: MIT */
/*
 * CPU backend: row-major matrices in memory of the host, multiplied by what is in cpu/.
 */
#ifndef LIBNPU_CPU_H
#define LIBNPU_CPU_H

#include "backend.h"
#include "cpu/gemm.h"

struct cpu_device {
	struct npu_device base;
	const struct npu_gemm_kernel *kernel;
	struct npu_pool *pool; /* NULL for one thread */
};

/**
 * struct cpu_matmul - a matmul
 * @base: Its zero point of A is that of what is multiplied: 128 less for uint8 and int16.
 * @bias: [batch][n] of what is added to sums before they are scaled, where cpu/fixed16.h does all
 *	that follows; otherwise NULL.
 */
struct cpu_matmul {
	struct npu_matmul base;
	int32_t *bias;
};

struct cpu_queue {
	struct npu_queue base;
	struct npu_gemm_scratch *scratch;
};

static inline struct cpu_device *to_cpu(struct npu_device *dev)
{
	return (struct cpu_device *)dev;
}

/* cpu_weights.c */
void cpu_weights_form(const struct npu_device *dev, char form[NPU_PACKED_FORM]);
int cpu_weights_init(struct npu_weights *weights, struct npu_error *err);
int cpu_weights_pack(const struct npu_weights *weights, int8_t *packed,
		     const struct npu_weight_source *source, struct npu_error *err);

/* Bytes from a matrix of a batch to the next, 0 where a size_t cannot count them. */
size_t cpu_weights_matrix_bytes(const struct npu_weights *weights);

/* cpu_matmul.c */
int cpu_matmul_init(struct npu_matmul *matmul, struct npu_error *err);
void cpu_matmul_fini(struct npu_matmul *matmul);

/* Computes. For one thread of a queue at a time, and one queue of a matmul. */
int cpu_matmul_run(struct cpu_matmul *cm, struct npu_gemm_scratch *scratch, struct npu_error *err);

#endif /* LIBNPU_CPU_H */
