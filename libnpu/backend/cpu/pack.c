// SPDX-License-Identifier: MIT
#include "../../arith.h"
#include "interleave.h"
#include "pack.h"

/* Packed weights that may be in a cache still when they are first used. */
#define CACHED ((size_t)4 << 20)

uint64_t npu_gemm_padded(const struct npu_gemm_kernel *kernel, uint32_t k, uint32_t group_size)
{
	const uint64_t group = (uint64_t)npu_div_up32(group_size, kernel->depth) * kernel->depth;
	const uint64_t rest = (uint64_t)npu_div_up32(k % group_size, kernel->depth) * kernel->depth;

	return k / group_size * group + rest;
}

uint64_t npu_gemm_a_padded(const struct npu_gemm_kernel *kernel, uint32_t k)
{
	return (uint64_t)npu_div_up32(k, kernel->a_depth) * kernel->a_depth;
}

/* Bytes behind the last panel that are read where A's last group is longer than W's. */
static uint64_t slack(const struct npu_gemm_pack *pack)
{
	const uint32_t last = (pack->k - 1) % pack->group_size + 1;

	return (npu_gemm_a_padded(pack->kernel, last) - npu_gemm_padded(pack->kernel, last, last)) *
	       pack->kernel->cols;
}

size_t npu_gemm_pack_bytes(const struct npu_gemm_pack *pack)
{
	const struct npu_gemm_kernel *kernel = pack->kernel;
	uint64_t bytes;

	if (__builtin_mul_overflow(npu_gemm_padded(kernel, pack->k, pack->group_size) *
					   kernel->cols,
				   npu_div_up32(pack->n, kernel->cols), &bytes) ||
	    __builtin_add_overflow(bytes, slack(pack), &bytes) || bytes > PTRDIFF_MAX)
		return 0;
	return bytes;
}

void npu_gemm_pack(const struct npu_gemm_pack *pack, uint32_t first, uint32_t count, void *packed)
{
	const struct npu_gemm_kernel *kernel = pack->kernel;
	const size_t bytes = npu_gemm_pack_bytes(pack);
	int8_t *dst = (int8_t *)packed + npu_gemm_padded(kernel, pack->k, pack->group_size) * first;
	uint32_t rows, length;

	for (uint32_t row = 0; row < count; row += rows) {
		rows = npu_min32(kernel->cols, count - row);
		for (uint32_t k = 0; k < pack->k; k += length) {
			length = npu_min32(pack->group_size, pack->k - k);
			npu_interleave(
				&(struct npu_interleave){
					.src = pack->w + row * pack->stride + k,
					.stride = pack->stride,
					.rows = rows,
					.lanes = kernel->cols,
					.k = length,
					.depth = kernel->depth,
					.flip = kernel->w_flip,
					.stream = bytes > CACHED,
				},
				dst);
			dst += npu_gemm_padded(kernel, length, length) * kernel->cols;
		}
	}
}
