// SPDX-License-Identifier: MIT
/*
 * CPU backend: row-major matrices in memory of the host, and matmuls that are done when submit
 * returns; so there is nothing to wait for anywhere.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpu_buffer.h"
#include "cpu_kernels.h"

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

static void cpu_weights_form(const struct npu_device *dev, char form[NPU_PACKED_FORM])
{
	(void)dev;
	strcpy(form, "cpu int8 rows");
}

static int cpu_weights_init(struct npu_weights *weights, struct npu_error *err)
{
	if (weights->count)
		return npu_fail(err, -EINVAL, "rows of weights need no numbers");
	if (__builtin_mul_overflow((size_t)weights->n, weights->k, &weights->bytes))
		return npu_fail(err, -ENOMEM, "no memory for weights of %u x %u", weights->n,
				weights->k);
	return 0;
}

static void cpu_weights_pack(const struct npu_weights *weights, int8_t *packed, const int8_t *data,
			     size_t row_stride)
{
	for (uint32_t row = 0; row < weights->n; row++)
		memcpy(packed + (size_t)row * weights->k, data + row * row_stride, weights->k);
}

static int8_t *elements(const struct npu_tensor *tensor)
{
	return (int8_t *)tensor->buf->map + tensor->offset;
}

static int begin_tensor(const struct npu_tensor *tensor, unsigned int access, struct npu_error *err)
{
	return cpu_buffer_begin(tensor->buf, access, tensor->offset, npu_tensor_span(tensor), -1,
				err);
}

static int end_tensor(const struct npu_tensor *tensor, unsigned int access, struct npu_error *err)
{
	return cpu_buffer_end(tensor->buf, access, tensor->offset, npu_tensor_span(tensor), err);
}

/* Multiplies what is open for the CPU already. */
static void multiply(const struct npu_matmul *mm, const void *weights)
{
	npu_cpu_matmul_run(&(struct npu_cpu_matmul){
		.m = mm->a->rows,
		.n = mm->c->cols,
		.k = mm->a->cols,
		.a = elements(mm->a),
		.w = (const int8_t *)weights + mm->weights->offset,
		.c = elements(mm->c),
		.requant = &mm->epilogue->requant,
	});
}

/* Any of the operands may be memory of a device, which has to be done with it first. */
static int cpu_run(const struct npu_matmul *mm, struct npu_error *err)
{
	const void *weights;
	int ret, end;

	ret = npu_slice_begin_read(&mm->weights->memory, &weights, err);
	if (ret)
		return ret;
	ret = begin_tensor(mm->a, NPU_ACCESS_READ, err);
	if (ret)
		goto end_weights;
	ret = begin_tensor(mm->c, NPU_ACCESS_WRITE, err);
	if (ret)
		goto end_a;
	multiply(mm, weights);
	ret = end_tensor(mm->c, NPU_ACCESS_WRITE, err);
end_a:
	end = end_tensor(mm->a, NPU_ACCESS_READ, ret ? NULL : err);
	ret = ret ? ret : end;
end_weights:
	end = npu_slice_end_read(&mm->weights->memory, ret ? NULL : err);
	return ret ? ret : end;
}

static int cpu_queue_submit(struct npu_queue *queue, struct npu_matmul *const *matmuls,
			    size_t count, uint64_t ticket, struct npu_error *err)
{
	int ret = 0;

	(void)queue;
	(void)ticket;
	for (size_t i = 0; i < count && !ret; i++)
		ret = cpu_run(matmuls[i], err);
	return ret;
}

static const struct npu_backend cpu_backend = {
	.device_close = cpu_device_close,
	.tensor_layout = cpu_tensor_layout,
	.buffer_size = sizeof(struct cpu_buffer),
	.buffer_init = cpu_buffer_init,
	.buffer_fini = cpu_buffer_fini,
	.buffer_begin = cpu_buffer_begin,
	.buffer_end = cpu_buffer_end,
	.buffer_export = cpu_buffer_export,
	.buffer_import = cpu_buffer_import,
	.buffer_adopt = cpu_buffer_adopt,
	.weights_size = sizeof(struct npu_weights),
	.weights_form = cpu_weights_form,
	.weights_init = cpu_weights_init,
	.weights_pack = cpu_weights_pack,
	.epilogue_size = sizeof(struct npu_epilogue),
	.matmul_size = sizeof(struct npu_matmul),
	.queue_size = sizeof(struct npu_queue),
	.queue_submit = cpu_queue_submit,
};

int npu_cpu_open(struct npu_device **out, struct npu_error *err)
{
	struct npu_device *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return npu_fail(err, -ENOMEM, "no memory for a device object");
	dev->refs = 1;
	npu_arena_init(&dev->arena);
	dev->ops = &cpu_backend;
	dev->info = (struct npu_device_info){
		.size = sizeof(dev->info),
		.backend = "cpu",
		.name = "generic",
	};
	*out = dev;
	return 0;
}
