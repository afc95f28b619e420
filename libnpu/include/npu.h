/* SPDX-License-Identifier: MIT */
/*
 * libnpu - integer matrix multiplication on neural processing units.
 *
 *	C[M,N] = epilogue(A[M,K] x W[N,K]^T)
 *
 * An application opens a device, makes tensors (activations in the device's own layout), packs
 * weights once, describes the output stage as an epilogue, binds the four into a matmul, and
 * submits matmuls to a queue. The same program gives the same bits on every device, the CPU
 * included: all arithmetic is written out at struct npu_epilogue_desc.
 *
 * Each kind of object has a header of its own, and this one includes them all. What is said here
 * holds for every one of them.
 *
 * Errors: a function that can fail returns 0 or a negative errno value, and fills the struct
 * npu_error it was given (NULL is allowed) with a sentence a person can act on. Out parameters
 * are written on success only.
 *
 * Ownership: what a create function returns is the caller's, until the matching destroy, which
 * accepts NULL. An object that is still in use by another (tensors by a matmul, a device by
 * everything) lives on until that one is destroyed too, so the order does not matter.
 *
 * Threads: a device, a queue, and objects that are only read (weights, epilogues, matmuls), may be
 * used from any number of threads. A tensor or a buffer may be accessed by one thread at a time;
 * submissions that use it may be under way, the access waits for them. There is no global state,
 * and the library prints nothing.
 *
 * Growth: structures that a caller passes begin with their size; set it to sizeof. Fields that a
 * later library adds are then taken as zero.
 */
#ifndef NPU_H
#define NPU_H

#include "npu_buffer.h"
#include "npu_device.h"
#include "npu_epilogue.h"
#include "npu_error.h"
#include "npu_matmul.h"
#include "npu_queue.h"
#include "npu_tensor.h"
#include "npu_weights.h"

#if defined(__cplusplus)
extern "C" {
#endif

#define NPU_VERSION_MAJOR 0
#define NPU_VERSION_MINOR 1
#define NPU_VERSION_PATCH 0

/** Version of the library that is running, for example "0.1.0". For people, not for checks. */
const char *npu_version(void);

#if defined(__cplusplus)
}
#endif

#endif /* NPU_H */
