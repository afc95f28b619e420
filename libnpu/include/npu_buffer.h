/* SPDX-License-Identifier: MIT */
/*
 * Buffers: memory of a device, which others can share.
 */
#ifndef NPU_BUFFER_H
#define NPU_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "npu_error.h"

#if defined(__cplusplus)
extern "C" {
#endif

struct npu_device;
struct npu_buffer;

/** The CPU is going to read the range. */
#define NPU_ACCESS_READ 1u
/** The CPU is going to write the range. */
#define NPU_ACCESS_WRITE 2u

/**
 * Allocates zeroed device memory. Many tensors can share one buffer, see npu_tensor_create_in();
 * but jobs that write a buffer are put in order with all others that use it, whichever part of it
 * that is. Tensors that different queues write should be in different buffers.
 * @bytes: Above 0; rounded up to whole pages.
 *
 * Errors: -EINVAL; -ENOMEM; -EDQUOT more than the open device, or all that this user has open, may
 * have.
 */
int npu_buffer_create(struct npu_device *dev, size_t bytes, struct npu_buffer **buf,
		      struct npu_error *err);

/**
 * Makes a file descriptor for the memory of a buffer: for another device of this process, another
 * process, another driver. An NPU gives a dma-buf, the CPU a memory file that is sealed against
 * changes of its size. Whoever has it can read and write all of the buffer.
 * @fd: The caller's to close, with FD_CLOEXEC set. The memory lives for as long as it is open, or
 *	imported, or the buffer lives.
 *
 * The receiver has to know what is in the memory: a tensor in it is the same to all devices whose
 * npu_device_info has the same backend and name.
 *
 * Submissions may use the buffer meanwhile. On the CPU the first export moves its memory: it waits
 * for the submissions that use it, as npu_buffer_begin_access() does, and later ones wait for it.
 * No write access may be open then, of this thread or another.
 *
 * A dma-buf knows who is at work on it, a memory file does not: CPU devices that share one, in this
 * process or several, are put in order by waiting for a submission before the other device gets the
 * next one.
 *
 * Errors: -EINVAL, -EMFILE, -ENOMEM; -EBUSY a write access is open; -ENODEV the device is lost.
 */
int npu_buffer_export(struct npu_buffer *buf, int *fd, struct npu_error *err);

/**
 * Makes a buffer of memory that another device, process or driver shares: what npu_buffer_export()
 * gave, or any dma-buf. Nothing is copied. Jobs of an NPU wait for other drivers that use a dma-buf
 * and make them wait, where those have fences.
 * @fd: Stays the caller's, who may close it after the call.
 *
 * Without an IOMMU the engine needs a dma-buf of contiguous memory, such as those of cameras,
 * displays and /dev/dma_heap/linux,cma. The CPU takes every dma-buf that can be mapped, but of
 * other files only memory files that are sealed against shrinking and can be written.
 *
 * Submissions are put in order by buffer objects, and on an NPU by what the kernel knows of the
 * memory behind them. Two objects of the same memory on one device are two buffers to what the CPU
 * has a part in: use one of them, or tell the submissions to wait for each other.
 *
 * Errors: -EBADF not an open file descriptor; -EINVAL not a memory that the device can use (the
 * text says why); -ENOMEM; -EIO, -ENODEV the device is lost.
 */
int npu_buffer_import(struct npu_device *dev, int fd, struct npu_buffer **buf,
		      struct npu_error *err);

/** Gives up the caller's hold on a buffer. */
void npu_buffer_destroy(struct npu_buffer *buf);

/** Size in bytes. */
size_t npu_buffer_size(const struct npu_buffer *buf);

/**
 * Begins a CPU access: waits until the device no longer needs the buffer, at most @timeout_ns
 * (negative: for ever), and makes the range coherent.
 * @access: NPU_ACCESS_READ, NPU_ACCESS_WRITE or both.
 * @offset, @bytes: The range.
 * @data: The first byte of the range, valid until npu_buffer_end_access().
 *
 * Errors: -EINVAL the range is not inside the buffer; -ETIME; -EIO, -ENODEV the device is lost.
 */
int npu_buffer_begin_access(struct npu_buffer *buf, unsigned int access, size_t offset,
			    size_t bytes, int64_t timeout_ns, void **data, struct npu_error *err);

/** Ends the CPU access that began with the same arguments. */
int npu_buffer_end_access(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
			  struct npu_error *err);

#if defined(__cplusplus)
}
#endif

#endif /* NPU_BUFFER_H */
