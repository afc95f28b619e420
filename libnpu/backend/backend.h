/* SPDX-License-Identifier: MIT */
/*
 * What a backend provides. The files above check arguments, count references and allocate; a
 * backend is called with valid arguments only and fills in its part of an object.
 */
#ifndef LIBNPU_BACKEND_H
#define LIBNPU_BACKEND_H

#include "../error.h"
#include "../object.h"

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
	bool (*tensor_layout)(const struct npu_device *dev, uint32_t rows, uint32_t cols,
			      struct npu_layout *layout);

	size_t buffer_size;
	int (*buffer_init)(struct npu_buffer *buf, struct npu_error *err);
	void (*buffer_fini)(struct npu_buffer *buf);
	/* Optional. */
	int (*buffer_begin)(struct npu_buffer *buf, unsigned int access, size_t offset,
			    size_t bytes, int64_t timeout_ns, struct npu_error *err);
	int (*buffer_end)(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
			  struct npu_error *err);

	size_t weights_size;
	int (*weights_init)(struct npu_weights *weights, const int8_t *data, size_t row_stride,
			    struct npu_error *err);
	void (*weights_fini)(struct npu_weights *weights);

	/* Init and fini are optional. */
	size_t epilogue_size;
	int (*epilogue_init)(struct npu_epilogue *epilogue, struct npu_error *err);
	void (*epilogue_fini)(struct npu_epilogue *epilogue);

	/* Init and fini are optional. */
	size_t matmul_size;
	int (*matmul_init)(struct npu_matmul *matmul, struct npu_error *err);
	void (*matmul_fini)(struct npu_matmul *matmul);

	/*
	 * Submissions have the tickets 1, 2, 3...; wait is asked about the last NPU_QUEUE_DEPTH
	 * of them only, those whose submit failed included. All but submit are optional.
	 */
	size_t queue_size;
	int (*queue_init)(struct npu_queue *queue, struct npu_error *err);
	void (*queue_fini)(struct npu_queue *queue);
	int (*queue_submit)(struct npu_queue *queue, struct npu_matmul *const *matmuls,
			    size_t count, uint64_t ticket, struct npu_error *err);
	int (*queue_wait)(struct npu_queue *queue, uint64_t ticket, int64_t timeout_ns,
			  struct npu_error *err);
	int (*queue_stats)(struct npu_queue *queue, struct npu_queue_stats *stats,
			   struct npu_error *err);
};

/* The CPU backend, which is always there: @name is "cpu", "cpu:THREADS" or "cpu:all". */
int npu_cpu_open(const char *name, struct npu_device **dev, struct npu_error *err);

/* NVDLA behind npu.ko: the node @path, or the first one there is when NULL. */
int npu_nvdla_open(const char *path, struct npu_device **dev, struct npu_error *err);

#endif /* LIBNPU_BACKEND_H */
