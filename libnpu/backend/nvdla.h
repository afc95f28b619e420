/* SPDX-License-Identifier: MIT */
/*
 * NVDLA backend: engines behind npu.ko whose family is NVDLA. Nothing here is hard-coded for one
 * configuration; the sizes that layouts and tiles depend on come from the kernel.
 */
#ifndef LIBNPU_NVDLA_H
#define LIBNPU_NVDLA_H

#include <pthread.h>

#include <drm/npu_accel.h>

#include "../plan.h"
#include "backend.h"
#include "nvdla_stage.h"

/* Submissions to the kernel that a queue can have outstanding. */
#define NVDLA_PARTS 64

struct nvdla_device {
	struct npu_device base;
	int fd;
	uint32_t max_batch; /* jobs of one SUBMIT */
	uint32_t max_k;
	uint64_t max_bo_bytes;
	struct drm_npu_matmul_limits limits;
};

struct nvdla_buffer {
	struct npu_buffer base;
	uint32_t handle;
};

/* Columns @k0 to @k0 + @k - 1 of the weights, packed at @offset. */
struct nvdla_chunk {
	uint32_t k0;
	uint32_t k;
	uint64_t offset;
};

/**
 * struct nvdla_packing - weights in device memory
 * @buf: NULL where there is none.
 * @chunks: Divisions of K; a whole group of K begins with one.
 * @count: Their number.
 * @matrix_bytes: From a matrix of a batch to the next.
 */
struct nvdla_packing {
	struct npu_buffer *buf;
	struct nvdla_chunk *chunks;
	uint32_t count;
	uint64_t matrix_bytes;
};

/**
 * struct nvdla_weights - weights
 * @rows: Rows that are packed: N, and one of all ones where zero points are left, whose product
 *	with A is what they are multiplied with.
 * @packing: In one chunk where K has one group and is within the engine's limits, so that the
 *	engine can do everything; otherwise in chunks for exact sums.
 * @exact: In chunks for exact sums, where @packing is not and somebody has asked for it.
 * @lock: Held while @exact is made.
 */
struct nvdla_weights {
	struct npu_weights base;
	uint32_t rows;
	struct nvdla_packing packing;
	struct nvdla_packing exact;
	pthread_mutex_t lock;
};

struct nvdla_split;

struct nvdla_matmul {
	struct npu_matmul base;
	struct drm_npu_job_matmul *jobs;
	uint32_t count;
	struct npu_buffer *operands; /* of output stages, NULL with none in memory */
	struct nvdla_split *split;   /* NULL where the jobs alone do it */
};

/* A SUBMIT that is under way, for the submission @ticket of the queue. */
struct nvdla_part {
	uint64_t ticket;
	uint32_t syncobj;
};

/*
 * Queue: a kernel context, and a ring of parts. Parts @tail to @head - 1 are under way; everything
 * before is settled: its outcome is in @outcome, one for each of the last submissions.
 */
struct nvdla_queue {
	struct npu_queue base;
	uint32_t ctx;
	uint32_t staged;
	struct drm_npu_job_matmul *jobs; /* of the SUBMIT being put together */
	uint64_t head;
	uint64_t tail;
	uint64_t failures; /* failed parts that have been settled */
	struct nvdla_part part[NVDLA_PARTS];
	int outcome[NPU_QUEUE_DEPTH];
};

static inline struct nvdla_device *to_nvdla(const struct npu_device *dev)
{
	return (struct nvdla_device *)dev;
}

static inline uint32_t nvdla_handle(const struct npu_buffer *buf)
{
	return ((const struct nvdla_buffer *)buf)->handle;
}

/* ioctl() on the device's node; 0 or a negative errno. */
int nvdla_ioctl(const struct nvdla_device *dev, unsigned long request, void *arg);

/* Now plus @timeout_ns on CLOCK_MONOTONIC; for ever where that is negative. */
int64_t nvdla_deadline(int64_t timeout_ns);

/* nvdla_buffer.c */
int nvdla_buffer_init(struct npu_buffer *buf, struct npu_error *err);
void nvdla_buffer_fini(struct npu_buffer *buf);
int nvdla_buffer_begin(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
		       int64_t timeout_ns, struct npu_error *err);
int nvdla_buffer_end(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
		     struct npu_error *err);

/* nvdla_weights.c */
int nvdla_weights_init(struct npu_weights *weights, const struct npu_weight_source *source,
		       struct npu_error *err);
void nvdla_weights_fini(struct npu_weights *weights);

/*
 * The packing whose chunks are so short that every sum over one can be reconstructed, see
 * nvdla_split.c; made when it is first asked for. It belongs to the weights.
 */
int nvdla_weights_exact(struct nvdla_weights *nw, const struct nvdla_packing **packing,
			struct npu_error *err);

/* nvdla_matmul.c */
int nvdla_matmul_init(struct npu_matmul *matmul, struct npu_error *err);
void nvdla_matmul_fini(struct npu_matmul *matmul);

/* nvdla_queue.c */
int nvdla_queue_init(struct npu_queue *queue, struct npu_error *err);
void nvdla_queue_fini(struct npu_queue *queue);
int nvdla_queue_submit(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count,
		       uint64_t ticket, struct npu_error *err);
int nvdla_queue_wait(struct npu_queue *queue, uint64_t ticket, int64_t timeout_ns,
		     struct npu_error *err);
int nvdla_queue_stats(struct npu_queue *queue, struct npu_queue_stats *stats,
		      struct npu_error *err);

/*
 * For submission @ticket: put jobs behind those staged, handing full SUBMITs to the kernel; hand
 * over the rest; wait for what had been handed over when the queue's head was @end; ask if a part
 * of it has failed.
 */
int nvdla_queue_stage(struct nvdla_queue *queue, const struct drm_npu_job_matmul *jobs,
		      uint32_t count, uint64_t ticket, struct npu_error *err);
int nvdla_queue_flush(struct nvdla_queue *queue, uint64_t ticket, struct npu_error *err);
int nvdla_queue_reach(struct nvdla_queue *queue, uint64_t end, struct npu_error *err);
bool nvdla_queue_failed(struct nvdla_queue *queue, uint64_t ticket);

#endif /* LIBNPU_NVDLA_H */
