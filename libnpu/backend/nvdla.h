/* SPDX-License-Identifier: MIT */
/*
 * NVDLA backend: engines behind npu.ko whose family is NVDLA. Nothing here is hard-coded for one
 * configuration; the sizes that layouts and tiles depend on come from the kernel.
 */
#ifndef LIBNPU_NVDLA_H
#define LIBNPU_NVDLA_H

#include <drm/npu_accel.h>

#include "../plan.h"
#include "../queue.h"
#include "backend.h"
#include "nvdla_stage.h"

/* Submissions to the kernel that a queue can have outstanding. */
#define NVDLA_PARTS 64

/* Largest atom of any configuration. */
#define NVDLA_MAX_ATOM 64

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

/*
 * Weights. One chunk where K is within the engine's limits; otherwise several, each so short that
 * its sums stay below the bound of the exact method (see nvdla_split.c).
 */
struct nvdla_weights {
	struct npu_weights base;
	struct npu_buffer *buf;
	struct nvdla_chunk *chunks;
	uint32_t count;
};

struct nvdla_epilogue {
	struct npu_epilogue base;
	struct npu_buffer *buf; /* NULL if no operand is in memory */
	struct nvdla_stage stage[2];
	uint64_t offset[2];
};

struct nvdla_split;

struct nvdla_matmul {
	struct npu_matmul base;
	struct drm_npu_job_matmul *jobs;
	uint32_t count;
	struct nvdla_split *split; /* NULL where the jobs alone do it */
};

/*
 * A SUBMIT that is under way, for the submission @ticket of the queue. Syncobjs for what it waits
 * for are made when they are first needed, and stay.
 */
struct nvdla_part {
	uint64_t ticket;
	uint32_t syncobj;
	uint32_t waits;
	uint32_t wait[NPU_MAX_WAITS];
};

/*
 * Queue: a kernel context, and a ring of parts. Parts @tail to @head - 1 are under way; everything
 * before is settled. What the ring says is guarded by the queue's lock, its head moves in submit().
 */
struct nvdla_queue {
	struct npu_queue base;
	uint32_t ctx;
	uint32_t staged;
	struct drm_npu_job_matmul *jobs; /* of the SUBMIT being put together */
	const int *wait_fds;		 /* that it has to wait for */
	size_t wait_fd_count;
	uint64_t head;
	uint64_t tail;
	uint64_t failures; /* failed parts that have been settled */
	struct nvdla_part part[NVDLA_PARTS];
};

static inline struct nvdla_device *to_nvdla(const struct npu_device *dev)
{
	return (struct nvdla_device *)dev;
}

static inline struct nvdla_part *nvdla_part_at(struct nvdla_queue *queue, uint64_t index)
{
	return &queue->part[index % NVDLA_PARTS];
}

static inline uint32_t nvdla_handle(const struct npu_buffer *buf)
{
	return ((const struct nvdla_buffer *)buf)->handle;
}

/* ioctl() on the device's node; 0 or a negative errno. */
int nvdla_ioctl(const struct nvdla_device *dev, unsigned long request, void *arg);

/* nvdla_buffer.c */
int nvdla_buffer_init(struct npu_buffer *buf, struct npu_error *err);
void nvdla_buffer_fini(struct npu_buffer *buf);
int nvdla_buffer_begin(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
		       int64_t deadline, struct npu_error *err);
int nvdla_buffer_end(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
		     struct npu_error *err);

/* nvdla_operands.c */
int nvdla_weights_init(struct npu_weights *weights, const int8_t *data, size_t row_stride,
		       struct npu_error *err);
void nvdla_weights_fini(struct npu_weights *weights);
int nvdla_epilogue_init(struct npu_epilogue *epilogue, struct npu_error *err);
void nvdla_epilogue_fini(struct npu_epilogue *epilogue);

/* nvdla_matmul.c */
int nvdla_matmul_init(struct npu_matmul *matmul, struct npu_error *err);
void nvdla_matmul_fini(struct npu_matmul *matmul);

/* nvdla_fence.c */
int nvdla_queue_fence(struct npu_queue *queue, uint64_t ticket, int *fd);
int nvdla_queue_fences(struct npu_queue *queue, uint64_t ticket, int *fds, size_t max);

/* nvdla_queue.c */
int nvdla_queue_init(struct npu_queue *queue, struct npu_error *err);
void nvdla_queue_fini(struct npu_queue *queue);
int nvdla_queue_submit(struct npu_queue *queue, const struct npu_submission *submission,
		       struct npu_error *err);
int nvdla_queue_settle(struct npu_queue *queue, uint64_t ticket, int64_t deadline);
int nvdla_queue_stats(struct npu_queue *queue, struct npu_queue_stats *stats,
		      struct npu_error *err);

/*
 * For submission @ticket: put jobs behind those staged, handing full SUBMITs to the kernel; hand
 * over the rest; do that and wait for all of it, after which npu_queue_failed() knows how it ended.
 */
int nvdla_queue_stage(struct nvdla_queue *queue, const struct drm_npu_job_matmul *jobs,
		      uint32_t count, uint64_t ticket, struct npu_error *err);
int nvdla_queue_flush(struct nvdla_queue *queue, uint64_t ticket, struct npu_error *err);
int nvdla_queue_drain(struct nvdla_queue *queue, uint64_t ticket, struct npu_error *err);

#endif /* LIBNPU_NVDLA_H */
