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

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "arena.h"
#include "layout.h"
#include "requant.h"

struct npu_backend;

struct npu_device {
	atomic_uint refs;
	const struct npu_backend *ops;
	uint32_t max_waits;	     /* that a submission can hand to the device, see backend.h */
	pthread_mutex_t claims_lock; /* taken before any queue's lock */
	pthread_cond_t claims_left;  /* struct npu_buffer.passing is 0 for some buffers */
	struct npu_device_info info;
	struct npu_arena arena;
};

struct npu_buffer {
	atomic_uint refs;
	struct npu_device *dev;
	size_t bytes;
	uint8_t *map;		    /* set by the backend */
	struct npu_queue *claimant; /* see claim.h; all that follows is under claims_lock */
	uint64_t claim;
	unsigned int writers; /* write accesses of the CPU that are open, or wait to be */
	unsigned int passing; /* submissions that go to the device past all backlogs, this moment */
};

/* A window of a matrix that has @layout and is at @offset of the buffer; mostly all of it. */
struct npu_tensor {
	atomic_uint refs;
	struct npu_buffer *buf;
	size_t offset;
	enum npu_type type;
	uint32_t rows;
	uint32_t cols;
	uint32_t first_row;
	uint32_t first_col;
	uint32_t matrix_cols; /* of the whole matrix */
	struct npu_layout layout;
};

/*
 * Weights. @memory holds an image of them (see packed.h): what the device reads are @bytes at
 * @offset of it. What @numbers mean is the backend's affair. A device multiplies with int8, zero
 * points taken off where the difference fits; what is left of them, and the sums of each group of
 * columns, are for the CPU's part of zero points, see struct npu_requant.
 */
struct npu_weights {
	atomic_uint refs;
	struct npu_device *dev;
	uint32_t n;
	uint32_t k;
	uint32_t batch;
	uint32_t group_size; /* k where there is one group */
	uint32_t groups;
	int64_t *sum;	     /* [batch][n][groups] */
	int16_t *zero_point; /* [n][groups] of what is left, NULL where all are 0 */
	uint32_t *numbers;
	uint32_t count;
	size_t bytes; /* set by the backend */
	size_t offset;
	struct npu_slice memory;
};

struct npu_epilogue {
	atomic_uint refs;
	struct npu_device *dev;
	struct npu_epilogue_desc desc; /* arrays are the epilogue's own */
};

/* Copies @desc with nothing left at 0 that means something else. Errors: -EINVAL. */
int npu_epilogue_check(const struct npu_epilogue_desc *desc, struct npu_epilogue_desc *full,
		       struct npu_error *err);

struct npu_matmul {
	atomic_uint refs;
	struct npu_device *dev;
	struct npu_tensor *a;
	struct npu_weights *weights;
	struct npu_epilogue *epilogue;
	struct npu_tensor *c;
	struct npu_tensor *residual; /* or NULL */
	int32_t a_zero_point;
	struct npu_requant requant;
	struct npu_plan plan; /* shape set by matmul.c, the rest by the backend */
};

/* Begins a plan: the shape, and what it takes on any device. Nothing in @desc is left at 0. */
void npu_plan_shape(struct npu_plan *plan, const struct npu_plan_desc *desc);

/* Submissions that a queue can have under way, and whose outcome it remembers. */
#define NPU_QUEUE_DEPTH 64

/*
 * Submissions have the tickets 1, 2, 3... Those up to @handed are either with the device or done;
 * the others are in the backlog. After its destruction a queue lives on as the memory of how its
 * submissions ended, for those who wait for one of them.
 */
struct npu_queue {
	atomic_uint refs;
	struct npu_device *dev;
	enum npu_priority priority;
	pthread_mutex_t submit_lock; /* one submit at a time; taken before @lock */
	struct npu_backlog *backlog; /* NULL until it is needed */
	pthread_mutex_t lock;	     /* for all that follows; nobody sleeps with it */
	pthread_cond_t progress;     /* @handed or the backlog has changed */
	uint64_t last_ticket;
	uint64_t handed;
	int outcome[NPU_QUEUE_DEPTH]; /* of ticket % NPU_QUEUE_DEPTH */
	uint64_t newest_failure;
	struct npu_error why; /* details of a failure on the CPU's side, that of @why_ticket */
	uint64_t why_ticket;
	struct {
		_Atomic uint64_t matmuls;
		_Atomic uint64_t host_steps;
	} stats; /* what the library counts; the backend adds the engine's */
};

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

/* Bytes in its buffer of the whole matrix that @tensor is or looks into. */
static inline size_t npu_tensor_span(const struct npu_tensor *tensor)
{
	return (tensor->layout.bytes + NPU_TENSOR_ALIGN - 1) & ~(size_t)(NPU_TENSOR_ALIGN - 1);
}

/* Rows @row... of @tensor as a window of that matrix. */
static inline struct npu_window npu_tensor_window(const struct npu_tensor *tensor, uint32_t row,
						  uint32_t rows, uint32_t col, uint32_t cols)
{
	return (struct npu_window){
		.row = tensor->first_row + row,
		.rows = rows,
		.col = tensor->first_col + col,
		.cols = cols,
	};
}

/* Opens and closes the whole matrix for the CPU: rows lie scattered over it. */
int npu_tensor_begin(struct npu_tensor *tensor, unsigned int access, uint8_t **base,
		     struct npu_error *err);
int npu_tensor_end(struct npu_tensor *tensor, unsigned int access, struct npu_error *err);
/* For steps of a submission, see npu_buffer_begin_step(). */
int npu_tensor_begin_step(struct npu_tensor *tensor, unsigned int access, uint8_t **base,
			  struct npu_error *err);
int npu_tensor_end_step(struct npu_tensor *tensor, unsigned int access, struct npu_error *err);

#endif /* LIBNPU_OBJECT_H */
