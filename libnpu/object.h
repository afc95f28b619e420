/* SPDX-License-Identifier: MIT */
/*
 * What every object of the library has in common on all backends. A backend extends a structure by
 * embedding it as the first member of its own.
 *
 * Lifetimes: an object holds a reference to each object it uses, and the public destroy function
 * gives one up; the last one frees. So applications may destroy in any order.
 */
#ifndef LIBNPU_OBJECT_H
#define LIBNPU_OBJECT_H

/* Everything is hidden from applications except what the public header declares. */
#pragma GCC visibility push(default)
#include <npu.h>
#pragma GCC visibility pop

#include <stdatomic.h>
#include <stdbool.h>

#include "arena.h"
#include "layout.h"
#include "requant.h"

struct npu_backend;

struct npu_device {
	atomic_uint refs;
	const struct npu_backend *ops;
	struct npu_device_info info;
	struct npu_arena arena;
};

struct npu_buffer {
	atomic_uint refs;
	struct npu_device *dev;
	size_t bytes;
	uint8_t *map; /* set by the backend */
};

struct npu_tensor {
	atomic_uint refs;
	struct npu_buffer *buf;
	size_t offset;
	uint32_t rows;
	uint32_t cols;
	struct npu_layout layout;
};

/*
 * Weights. @memory holds an image of them (see packed.h): what the device reads are @bytes at
 * @offset of it. What @numbers mean is the backend's affair.
 */
struct npu_weights {
	atomic_uint refs;
	struct npu_device *dev;
	uint32_t n;
	uint32_t k;
	uint32_t *numbers;
	uint32_t count;
	size_t bytes; /* set by the backend */
	size_t offset;
	struct npu_slice memory;
};

struct npu_epilogue {
	atomic_uint refs;
	struct npu_device *dev;
	uint32_t n;
	struct npu_requant requant;
};

struct npu_matmul {
	atomic_uint refs;
	struct npu_device *dev;
	struct npu_tensor *a;
	struct npu_weights *weights;
	struct npu_epilogue *epilogue;
	struct npu_tensor *c;
	struct npu_plan plan; /* shape set by matmul.c, the rest by the backend */
};

struct npu_queue {
	struct npu_device *dev;
	uint64_t last_ticket;
	struct npu_queue_stats stats; /* what the library counts; the backend adds the engine's */
};

/* Outcomes that a queue remembers, see npu_queue_wait(). */
#define NPU_QUEUE_DEPTH 64

/* Tensors start at multiples of this and are as many bytes long: no shared cache lines. */
#define NPU_TENSOR_ALIGN 64

static inline void npu_ref(atomic_uint *refs)
{
	atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
}

/* True for the caller who gave up the last reference and has to free the object. */
static inline bool npu_unref(atomic_uint *refs)
{
	return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

/* Size of @tensor's bytes in its buffer. */
static inline size_t npu_tensor_span(const struct npu_tensor *tensor)
{
	return (tensor->layout.bytes + NPU_TENSOR_ALIGN - 1) & ~(size_t)(NPU_TENSOR_ALIGN - 1);
}

#endif /* LIBNPU_OBJECT_H */
