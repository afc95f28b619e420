// SPDX-License-Identifier: MIT
/*
 * CPU backend: row-major matrices in memory of the host, and matmuls that are done when a queue's
 * submit() returns, so there is nothing to settle.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpu_buffer.h"
#include "cpu_kernels.h"

struct cpu_matmul {
	struct npu_matmul base;
	int64_t *sum;	/* of a strip, [groups][NPU_STRIP] */
	int64_t *a_sum; /* of a row, [groups] */
};

static void cpu_device_close(struct npu_device *dev)
{
	free(dev);
}

static bool cpu_tensor_layout(const struct npu_device *dev, enum npu_type type, uint32_t rows,
			      uint32_t cols, struct npu_layout *layout)
{
	(void)dev;
	return npu_layout_rows(layout, rows, cols, npu_type_size(type));
}

static void cpu_weights_form(const struct npu_device *dev, char form[NPU_PACKED_FORM])
{
	(void)dev;
	strcpy(form, "cpu int8 rows");
}

static int cpu_weights_init(struct npu_weights *weights, struct npu_error *err)
{
	size_t rows = (size_t)weights->batch * weights->n;

	if (weights->count)
		return npu_fail(err, -EINVAL, "rows of weights need no numbers");
	if (__builtin_mul_overflow(rows, weights->k, &weights->bytes))
		return npu_fail(err, -ENOMEM, "no memory for weights of %u x %u", weights->n,
				weights->k);
	return 0;
}

static int cpu_weights_pack(const struct npu_weights *weights, int8_t *packed,
			    const struct npu_weight_source *source, struct npu_error *err)
{
	(void)err;
	for (uint32_t matrix = 0; matrix < weights->batch; matrix++) {
		for (uint32_t row = 0; row < weights->n; row++, packed += weights->k) {
			size_t stride;

			memcpy(packed, npu_weight_source_rows(source, matrix, row, 1, &stride),
			       weights->k);
		}
	}
	return 0;
}

static int cpu_matmul_init(struct npu_matmul *matmul, struct npu_error *err)
{
	struct cpu_matmul *cm = (struct cpu_matmul *)matmul;
	size_t groups = matmul->weights->groups;

	cm->sum = calloc(groups * (NPU_STRIP + 1), sizeof(*cm->sum));
	if (!cm->sum)
		return npu_fail(err, -ENOMEM, "no memory for a matmul object");
	cm->a_sum = cm->sum + groups * NPU_STRIP;
	return 0;
}

static void cpu_matmul_fini(struct npu_matmul *matmul)
{
	free(((struct cpu_matmul *)matmul)->sum);
}

static void *element(const struct npu_tensor *tensor, uint32_t row, uint32_t col)
{
	return tensor->buf->map + tensor->offset +
	       npu_layout_offset(&tensor->layout, tensor->first_row + row,
				 tensor->first_col + col);
}

/* One matrix of the batch; its first row in A and C. */
struct cpu_part {
	struct cpu_matmul *matmul;
	uint32_t matrix;
	uint32_t row;
};

static const int64_t *row_sums(const struct cpu_matmul *cm, uint32_t row)
{
	const struct npu_requant *rq = &cm->base.requant;
	const struct npu_tensor *a = cm->base.a;

	for (uint32_t g = 0, k = 0; g < rq->groups; g++, k += rq->group_size) {
		uint32_t length = rq->k - k < rq->group_size ? rq->k - k : rq->group_size;

		cm->a_sum[g] = npu_cpu_row_sum(a->type, element(a, row, k), length);
	}
	return cm->a_sum;
}

static void store(void *context, uint32_t row, uint32_t first, uint32_t count, const int64_t *sum)
{
	const struct cpu_part *part = context;
	const struct npu_matmul *mm = &part->matmul->base;
	const struct npu_weights *w = mm->weights;
	const struct npu_strip strip = {
		.first = first,
		.count = count,
		.sum = sum,
		.w_sum = w->sum + (size_t)part->matrix * w->n * w->groups,
		.a_sum = w->zero_point ? row_sums(part->matmul, part->row + row) : NULL,
		.residual = mm->residual ? element(mm->residual, part->row + row, first) : NULL,
	};

	npu_requant_strip(&mm->requant, &strip, element(mm->c, part->row + row, first));
}

static void multiply(struct cpu_matmul *cm, const int8_t *weights)
{
	const struct npu_matmul *mm = &cm->base;
	const struct npu_weights *w = mm->weights;
	uint32_t m = mm->a->rows / w->batch;

	for (uint32_t matrix = 0; matrix < w->batch; matrix++) {
		struct cpu_part part = { .matmul = cm, .matrix = matrix, .row = matrix * m };

		npu_cpu_matmul_run(&(struct npu_cpu_matmul){
			.m = m,
			.n = w->n,
			.k = w->k,
			.group_size = w->group_size,
			.a_type = mm->a->type,
			.a = element(mm->a, part.row, 0),
			.a_stride = mm->a->layout.row_stride,
			.w = weights + (size_t)matrix * w->n * w->k,
			.sum = cm->sum,
			.store = store,
			.context = &part,
		});
	}
}

/* Any of the operands may be memory of a device, which has to be done with it first. */
static int begin_tensor(const struct npu_tensor *tensor, unsigned int access, struct npu_error *err)
{
	if (!tensor)
		return 0;
	return cpu_buffer_begin(tensor->buf, access, tensor->offset, npu_tensor_span(tensor),
				NPU_NEVER, err);
}

/* After @ret, which goes before what may fail here. */
static int end_tensor(const struct npu_tensor *tensor, unsigned int access, int ret,
		      struct npu_error *err)
{
	int end = 0;

	if (tensor)
		end = cpu_buffer_end(tensor->buf, access, tensor->offset, npu_tensor_span(tensor),
				     ret ? NULL : err);
	return ret ? ret : end;
}

static int run_with_weights(struct cpu_matmul *cm, const int8_t *weights, struct npu_error *err)
{
	const struct npu_matmul *mm = &cm->base;
	int ret = begin_tensor(mm->a, NPU_ACCESS_READ, err);

	if (ret)
		return ret;
	ret = begin_tensor(mm->residual, NPU_ACCESS_READ, err);
	if (ret)
		return end_tensor(mm->a, NPU_ACCESS_READ, ret, err);
	ret = begin_tensor(mm->c, NPU_ACCESS_WRITE, err);
	if (!ret) {
		multiply(cm, weights);
		ret = end_tensor(mm->c, NPU_ACCESS_WRITE, ret, err);
	}
	ret = end_tensor(mm->residual, NPU_ACCESS_READ, ret, err);
	return end_tensor(mm->a, NPU_ACCESS_READ, ret, err);
}

static int run(struct cpu_matmul *cm, struct npu_error *err)
{
	const struct npu_weights *w = cm->base.weights;
	const void *image;
	int ret, end;

	ret = npu_slice_begin_read(&w->memory, &image, err);
	if (ret)
		return ret;
	ret = run_with_weights(cm, (const int8_t *)image + w->offset, err);
	end = npu_slice_end_read(&w->memory, ret ? NULL : err);
	return ret ? ret : end;
}

static int cpu_queue_submit(struct npu_queue *queue, const struct npu_submission *submission,
			    struct npu_error *err)
{
	int ret = 0;

	(void)queue;
	for (size_t i = 0; i < submission->count && !ret; i++)
		ret = run((struct cpu_matmul *)submission->matmuls[i], err);
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
	.matmul_size = sizeof(struct cpu_matmul),
	.matmul_init = cpu_matmul_init,
	.matmul_fini = cpu_matmul_fini,
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
	npu_arena_init(&dev->arena);
	dev->ops = &cpu_backend;
	dev->info = (struct npu_device_info){
		.size = sizeof(dev->info),
		.backend = "cpu",
		.name = "generic",
		.column_align = 1,
	};
	*out = dev;
	return 0;
}
