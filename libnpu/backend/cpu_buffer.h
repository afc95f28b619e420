/* SPDX-License-Identifier: MIT */
/*
 * Buffers of the CPU.
 */
#ifndef LIBNPU_CPU_BUFFER_H
#define LIBNPU_CPU_BUFFER_H

#include "backend.h"

/**
 * struct cpu_buffer - memory of the host
 * @base: Mapped for as long as the buffer lives.
 * @fd: The file behind the memory; -1 where nobody shares it.
 * @dma_buf: It is a dma-buf, and a device may be at work on it.
 */
struct cpu_buffer {
	struct npu_buffer base;
	atomic_int fd;
	bool dma_buf;
};

int cpu_buffer_init(struct npu_buffer *buf, struct npu_error *err);
void cpu_buffer_fini(struct npu_buffer *buf);
void cpu_buffer_adopt(struct npu_buffer *buf);
int cpu_buffer_export(struct npu_buffer *buf, int *fd, struct npu_error *err);
int cpu_buffer_import(struct npu_buffer *buf, int fd, struct npu_error *err);

/* Brackets of any thread around the use of a buffer, by an application or by a matmul. */
int cpu_buffer_begin(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
		     int64_t deadline, struct npu_error *err);
int cpu_buffer_end(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
		   struct npu_error *err);

#endif /* LIBNPU_CPU_BUFFER_H */
