/* SPDX-License-Identifier: MIT */
/*
 * What a backend provides. The files above check arguments, count references and allocate; a
 * backend is called with valid arguments only and fills in its part of an object.
 */
#ifndef LIBNPU_BACKEND_H
#define LIBNPU_BACKEND_H

#include "../deadline.h"
#include "../error.h"
#include "../object.h"
#include "../packed.h"
#include "../weight_source.h"

/**
 * struct npu_submission - matmuls for a queue
 * @ticket: Ticket of the submission.
 * @matmuls: What to run, in this order.
 * @count: Their number.
 * @wait_fds: sync_files that the device has to wait for, only during the call. None where matmuls
 *	have host steps.
 * @wait_fd_count: Their number, at most npu_device.max_waits.
 */
struct npu_submission {
	uint64_t ticket;
	struct npu_matmul *const *matmuls;
	size_t count;
	const int *wait_fds;
	size_t wait_fd_count;
};

/**
 * struct npu_backend - operations on objects
 *
 * The sizes are those of the backend's own structures, which begin with the common one. An init
 * finds zeroed memory behind the common part, and leaves nothing behind when it fails; a fini
 * undoes an init that succeeded. Functions marked optional are NULL where a backend has nothing
 * to do.
 */
struct npu_backend {
	void (*device_close)(struct npu_device *dev);

	/* False when there can be no matrix of that shape. */
	bool (*tensor_layout)(const struct npu_device *dev, enum npu_type type, uint32_t rows,
			      uint32_t cols, struct npu_layout *layout);

	size_t buffer_size;
	int (*buffer_init)(struct npu_buffer *buf, struct npu_error *err);
	void (*buffer_fini)(struct npu_buffer *buf);
	/* Optional. The caller has words for -ETIME. */
	int (*buffer_begin)(struct npu_buffer *buf, unsigned int access, size_t offset,
			    size_t bytes, int64_t deadline, struct npu_error *err);
	int (*buffer_end)(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
			  struct npu_error *err);
	/* A new file descriptor for a buffer, and the init of a buffer that is the memory behind
	 * one, which sets its size too. */
	int (*buffer_export)(struct npu_buffer *buf, int *fd, struct npu_error *err);
	int (*buffer_import)(struct npu_buffer *buf, int fd, struct npu_error *err);
	/* Optional: the init of a buffer whose size and mapping are given, of a file for example,
	 * which fini unmaps. NULL where the device cannot use memory of the host. */
	void (*buffer_adopt)(struct npu_buffer *buf);

	/*
	 * Weights: the name of the form they are packed in (see packed.h); optionally, the choice
	 * of the numbers that go with the form; from the numbers, the size of the packed weights;
	 * and packing. Init finds @n, @k and @numbers, which may come from a file: -EINVAL where
	 * they make no sense. Fini, optional too, is called for every one, whether it came to an
	 * init or not.
	 */
	size_t weights_size;
	void (*weights_form)(const struct npu_device *dev, char form[NPU_PACKED_FORM]);
	int (*weights_choose)(struct npu_weights *weights, const struct npu_weight_source *source,
			      struct npu_error *err);
	int (*weights_init)(struct npu_weights *weights, struct npu_error *err);
	int (*weights_pack)(const struct npu_weights *weights, int8_t *packed,
			    const struct npu_weight_source *source, struct npu_error *err);
	void (*weights_fini)(struct npu_weights *weights);

	/* Init and fini are optional. */
	size_t matmul_size;
	int (*matmul_init)(struct npu_matmul *matmul, struct npu_error *err);
	void (*matmul_fini)(struct npu_matmul *matmul);

	/*
	 * Fills in a plan whose shape is set; nothing in @desc is left at 0 that means something
	 * else. @rq is its epilogue, NULL without; of zero points of weights only @desc knows.
	 * Optional: without it nothing is planned.
	 */
	int (*plan)(const struct npu_device *dev, const struct npu_plan_desc *desc,
		    const struct npu_requant *rq, struct npu_plan *plan, struct npu_error *err);

	/*
	 * One thread at a time calls submit(), in the order of tickets; any number of others may
	 * call settle(), fence(), fences() and stats() meanwhile. All but submit() are optional.
	 *
	 * submit() returns when the device can do the rest alone; it computes, or waits for parts
	 * that the device does, if @submit_computes or a matmul has host steps, and is then called
	 * where it may take its time. It and settle() tell failures to npu_queue_note(). settle()
	 * waits until @ticket and all before it have ended: 0, -ETIME, or why that cannot be
	 * learned. fence() makes a sync_file of @ticket, or gives -1 where that is settled.
	 * fences() makes that and one of each fence that @ticket has to wait for, and returns how
	 * many; 0 where @ticket is settled, -E2BIG where they are more than @max.
	 *
	 * After fini everything is settled, and settle(), fence() and fences() still say so.
	 */
	size_t queue_size;
	bool submit_computes;
	int (*queue_init)(struct npu_queue *queue, struct npu_error *err);
	void (*queue_fini)(struct npu_queue *queue);
	int (*queue_submit)(struct npu_queue *queue, const struct npu_submission *submission,
			    struct npu_error *err);
	int (*queue_settle)(struct npu_queue *queue, uint64_t ticket, int64_t deadline);
	int (*queue_fence)(struct npu_queue *queue, uint64_t ticket, int *fd);
	int (*queue_fences)(struct npu_queue *queue, uint64_t ticket, int *fds, size_t max);
	int (*queue_stats)(struct npu_queue *queue, struct npu_queue_stats *stats,
			   struct npu_error *err);
};

/* The CPU backend, which is always there: @name is "cpu", "cpu:THREADS" or "cpu:all". */
int npu_cpu_open(const char *name, struct npu_device **dev, struct npu_error *err);

/* NVDLA behind npu.ko: the node @path, or the first one there is when NULL. */
int npu_nvdla_open(const char *path, struct npu_device **dev, struct npu_error *err);

/* struct npu_backend.plan for an NVDLA that need not be there. */
int npu_nvdla_plan(const char *config, const struct npu_plan_desc *desc,
		   const struct npu_requant *rq, struct npu_plan *plan, struct npu_error *err);

#endif /* LIBNPU_BACKEND_H */
