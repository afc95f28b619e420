/* SPDX-License-Identifier: MIT */
/* The kernels there are; which of them are built depends on the machine, see libnpu/build.mk. */
#ifndef LIBNPU_CPU_KERNELS_H
#define LIBNPU_CPU_KERNELS_H

#include "kernel.h"

extern const struct npu_gemm_kernel npu_gemm_portable;
extern const struct npu_gemm_kernel npu_gemm_avx2;
extern const struct npu_gemm_kernel npu_gemm_avx512_vnni;
extern const struct npu_gemm_kernel npu_gemm_amx;
extern const struct npu_gemm_kernel npu_gemm_neon;
extern const struct npu_gemm_kernel npu_gemm_neon_dot;
extern const struct npu_gemm_kernel npu_gemm_neon_i8mm;

#endif /* LIBNPU_CPU_KERNELS_H */
