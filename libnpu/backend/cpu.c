// SPDX-License-Identifier: MIT
/*
 * CPU backend: row-major matrices in anonymous memory, and matmuls that are done when a queue's
 * submit() returns, so there is nothing to settle.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "backend.h"
#include "cpu_kernels.h"

struct cpu_weights {
	struct npu_weights base;
	int8_t *data;
};

static void cpu_device_close(struct npu_device *dev)
{
	free(dev);
}

static bool cpu_tensor_layout(const struct npu_device *dev, uint32_t rows, uint32_t cols,
			      struct npu_layout *layout)
{
	(void)dev;
	/* One plane of all columns: row-major. */
	return npu_layout_planes(layout, rows, cols, cols, SIZE_MAX);
}

/* Mapped, not allocated: page aligned, zero, and touched only where it is used. */
static int cpu_buffer_init(struct npu_buffer *buf, struct npu_error *err)
{
	void *map =
		mmap(NULL, buf->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return npu_fail(err, -ENOMEM, "no memory for a buffer of %zu bytes", buf->bytes);
	buf->map = map;
	return 0;
}

static void cpu_buffer_fini(struct npu_buffer *buf)
{
	munmap(buf->map, buf->bytes);
}

static int cpu_weights_init(struct npu_weights *weights, const int8_t *data, size_t row_stride,
			    struct npu_error *err)
{
	struct cpu_weights *cw = (struct cpu_weights *)weights;

	cw->data = malloc((size_t)weights->n * weights->k);
	if (!cw->data)
		return npu_fail(err, -ENOMEM, "no memory for weights of %u x %u", weights->n,
				weights->k);
	for (uint32_t row = 0; row < weights->n; row++)
		memcpy(cw->data + (size_t)row * weights->k, data + row * row_stride, weights->k);
	return 0;
}

static void cpu_weights_fini(struct npu_weights *weights)
{
	free(((struct cpu_weights *)weights)->data);
}

static int8_t *elements(const struct npu_tensor *tensor)
{
	return (int8_t *)tensor->buf->map + tensor->offset;
}

static int cpu_queue_submit(struct npu_queue *queue, const struct npu_submission *submission,
			    struct npu_error *err)
{
	(void)queue;
	(void)err;
	for (size_t i = 0; i < submission->count; i++) {
		const struct npu_matmul *mm = submission->matmuls[i];

		npu_cpu_matmul_run(&(struct npu_cpu_matmul){
			.m = mm->a->rows,
			.n = mm->c->cols,
			.k = mm->a->cols,
			.a = elements(mm->a),
			.w = ((struct cpu_weights *)mm->weights)->data,
			.c = elements(mm->c),
			.requant = &mm->epilogue->requant,
		});
	}
	return 0;
}

static const struct npu_backend cpu_backend = {
	.device_close = cpu_device_close,
	.tensor_layout = cpu_tensor_layout,
	.buffer_size = sizeof(struct npu_buffer),
	.buffer_init = cpu_buffer_init,
	.buffer_fini = cpu_buffer_fini,
	.weights_size = sizeof(struct cpu_weights),
	.weights_init = cpu_weights_init,
	.weights_fini = cpu_weights_fini,
	.epilogue_size = sizeof(struct npu_epilogue),
	.matmul_size = sizeof(struct npu_matmul),
	.queue_size = sizeof(struct npu_queue),
	.submit_computes = true,
	.queue_submit = cpu_queue_submit,
};

int npu_cpu_open(struct npu_device **out, struct npu_error *err)
{
	struct npu_device *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return npu_fail(err, -ENOMEM, "no memory for a device object");
	dev->refs = 1;
	dev->ops = &cpu_backend;
	dev->info = (struct npu_device_info){
		.size = sizeof(dev->info),
		.backend = "cpu",
		.name = "generic",
	};
	*out = dev;
	return 0;
}
