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
#include "../queue.h"
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
	pthread_mutex_t share_lock;
	struct nvdla_buffer *shared; /* exported or imported */
	pthread_mutex_t exact_lock;  /* held while weights are cut for exact sums */
};

/*
 * A buffer. A file has one handle for a BO, however often it imports it, so buffers that others can
 * have too are in a list of the device: the last one of a handle closes it.
 */
struct nvdla_buffer {
	struct npu_buffer base;
	uint32_t handle;
	bool is_shared;
	struct nvdla_buffer *next;
};

/* Columns @k0 to @k0 + @k - 1 of the weights, at @offset of what is packed. */
struct nvdla_chunk {
	uint32_t k0;
	uint32_t k;
	uint64_t offset;
};

/**
 * struct nvdla_packing - how weights lie in device memory
 * @chunks: Divisions of K; a whole group of K begins with one.
 * @count: Their number.
 * @matrix_bytes: From a matrix of a batch to the next.
 */
struct nvdla_packing {
	struct nvdla_chunk *chunks;
	uint32_t count;
	uint64_t matrix_bytes;
};

/**
 * struct nvdla_weights - weights
 * @rows: Rows that are packed: N, and one of all ones where zero points are left, whose product
 *	with A is what they are multiplied with.
 * @packing: That of the weights' own memory, see nvdla_weights.c.
 * @exact: In chunks for exact sums, where @packing is not and somebody has asked for it.
 * @exact_memory: Of @exact; none where @packing serves for it.
 */
struct nvdla_weights {
	struct npu_weights base;
	uint32_t rows;
	struct nvdla_packing packing;
	struct nvdla_packing exact;
	struct npu_slice exact_memory;
};

struct nvdla_split;

struct nvdla_matmul {
	struct npu_matmul base;
	struct drm_npu_job_matmul *jobs;
	uint32_t count;
	struct npu_slice operands; /* of output stages; none where no operand is in memory */
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
int nvdla_buffer_export(struct npu_buffer *buf, int *fd, struct npu_error *err);
int nvdla_buffer_import(struct npu_buffer *buf, int fd, struct npu_error *err);

/* nvdla_weights.c */
void nvdla_weights_form(const struct npu_device *dev, char form[NPU_PACKED_FORM]);
int nvdla_weights_choose(struct npu_weights *weights, const struct npu_weight_source *source,
			 struct npu_error *err);
int nvdla_weights_init(struct npu_weights *weights, struct npu_error *err);
int nvdla_weights_pack(const struct npu_weights *weights, int8_t *packed,
		       const struct npu_weight_source *source, struct npu_error *err);
void nvdla_weights_fini(struct npu_weights *weights);

/* Fills in a zeroed packing; -EINVAL where there cannot be chunks of these lengths, -ENOMEM. */
int nvdla_packing_init(struct nvdla_packing *packing, const struct nvdla_weights *nw,
		       const uint32_t *lengths, uint32_t count);

/* Where the engine finds a chunk of a matrix. */
struct drm_npu_tensor nvdla_weights_at(const struct nvdla_weights *nw,
				       const struct nvdla_packing *packing, uint32_t matrix,
				       uint32_t chunk);

/*
 * nvdla_exact.c: the packing whose chunks are so short that every sum over one can be
 * reconstructed, see nvdla_split.c; made when it is first asked for. It belongs to the weights.
 */
int nvdla_weights_exact(struct nvdla_weights *nw, const struct nvdla_packing **packing,
			struct npu_error *err);
void nvdla_exact_fini(struct nvdla_weights *nw);

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
 * over the rest; wait for what had been handed over when the queue's head was @end, after which
 * npu_queue_failed() knows how it ended.
 */
int nvdla_queue_stage(struct nvdla_queue *queue, const struct drm_npu_job_matmul *jobs,
		      uint32_t count, uint64_t ticket, struct npu_error *err);
int nvdla_queue_flush(struct nvdla_queue *queue, uint64_t ticket, struct npu_error *err);
int nvdla_queue_reach(struct nvdla_queue *queue, uint64_t end, struct npu_error *err);

#endif /* LIBNPU_NVDLA_H */
