// SPDX-License-Identifier: MIT
/*
 * Weights of the CPU: in the order in which the kernel of this processor reads them, see packed.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../arith.h"
#include "cpu.h"

/* Bytes at the end of a matrix that packing may leave as they were. */
#define TAIL ((size_t)NPU_PACKED_ALIGN + NPU_TILE_SLACK)

void cpu_weights_form(const struct npu_device *dev, char form[NPU_PACKED_FORM])
{
	const struct npu_gemm_kernel *kernel = to_cpu((struct npu_device *)dev)->kernel;

	/* Where A's units are longer there is something behind the last panel. */
	snprintf(form, NPU_PACKED_FORM, "cpu int8 %ux%u%s%s", kernel->cols, kernel->depth,
		 kernel->w_flip ? "+128" : "", kernel->a_depth > kernel->depth ? " long" : "");
}

static struct npu_gemm_pack pack_of(const struct npu_weights *weights)
{
	return (struct npu_gemm_pack){
		.kernel = to_cpu(weights->dev)->kernel,
		.n = weights->n,
		.k = weights->k,
		.group_size = weights->group_size,
	};
}

size_t cpu_weights_matrix_bytes(const struct npu_weights *weights)
{
	const struct npu_gemm_pack pack = pack_of(weights);
	size_t bytes = npu_gemm_pack_bytes(&pack);

	if (bytes > PTRDIFF_MAX - NPU_PACKED_ALIGN)
		return 0;
	return npu_round_up(bytes, NPU_PACKED_ALIGN);
}

int cpu_weights_init(struct npu_weights *weights, struct npu_error *err)
{
	size_t matrix = cpu_weights_matrix_bytes(weights);

	if (weights->count)
		return npu_fail(err, -EINVAL, "weights of the CPU need no numbers");
	if (!matrix || __builtin_mul_overflow(matrix, weights->batch, &weights->bytes))
		return npu_fail(err, -ENOMEM, "no memory for weights of %u x %u", weights->n,
				weights->k);
	return 0;
}

int cpu_weights_pack(const struct npu_weights *weights, int8_t *packed,
		     const struct npu_weight_source *source, struct npu_error *err)
{
	const size_t matrix_bytes = cpu_weights_matrix_bytes(weights);
	const size_t tail = matrix_bytes < TAIL ? matrix_bytes : TAIL;
	struct npu_gemm_pack pack = pack_of(weights);
	uint32_t rows;

	(void)err;
	for (uint32_t matrix = 0; matrix < weights->batch; matrix++, packed += matrix_bytes) {
		memset(packed + matrix_bytes - tail, 0, tail);
		for (uint32_t first = 0; first < weights->n; first += rows) {
			rows = weights->n - first < NPU_WEIGHT_ROWS ? weights->n - first
								    : NPU_WEIGHT_ROWS;
			pack.w = npu_weight_source_rows(source, matrix, first, rows, &pack.stride);
			npu_gemm_pack(&pack, first, rows, packed);
		}
	}
	return 0;
}
