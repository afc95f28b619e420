// SPDX-License-Identifier: MIT
/* The choice of a kernel, made by what the processor says it can do. */
#include "kernels.h"

/* The fastest first. */
static const struct npu_gemm_kernel *const kernels[] = {
#if defined(__x86_64__)
	&npu_gemm_amx,
	&npu_gemm_avx512_vnni,
	&npu_gemm_avx2,
#elif defined(__aarch64__)
	&npu_gemm_neon_i8mm,
	&npu_gemm_neon_dot,
	&npu_gemm_neon,
#endif
	&npu_gemm_portable,
};

const struct npu_gemm_kernel *npu_gemm_kernel_get(size_t index)
{
	for (size_t i = 0; i < sizeof(kernels) / sizeof(*kernels); i++)
		if (kernels[i]->usable() && !index--)
			return kernels[i];
	return NULL;
}
