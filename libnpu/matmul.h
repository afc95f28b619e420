/* SPDX-License-Identifier: MIT */
/*
 * Matmuls as the rest of the library sees them.
 */
#ifndef LIBNPU_MATMUL_H
#define LIBNPU_MATMUL_H

#include "object.h"

/* Most buffers a matmul reads or writes. */
#define NPU_MATMUL_BUFFERS 3

/* Buffers that the matmul reads or writes and others may too; returns their number. */
size_t npu_matmul_buffers(const struct npu_matmul *matmul, struct npu_buffer **bufs);

#endif /* LIBNPU_MATMUL_H */
