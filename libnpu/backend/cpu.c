// SPDX-License-Identifier: MIT
/*
 * CPU backend: row-major matrices in anonymous memory, and matmuls that are done when submit
 * returns; so there is nothing to wait for anywhere.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "backend.h"
#include "cpu_kernels.h"

struct cpu_weights {
	struct npu_weights base;
	int8_t *data; /* [batch][n][k] */
};

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

static int cpu_weights_init(struct npu_weights *weights, const struct npu_weight_source *source,
			    struct npu_error *err)
{
	struct cpu_weights *cw = (struct cpu_weights *)weights;
	int8_t *dst;

	cw->data = malloc((size_t)weights->batch * weights->n * weights->k);
	if (!cw->data)
		return npu_fail(err, -ENOMEM, "no memory for weights of %u x %u", weights->n,
				weights->k);
	dst = cw->data;
	for (uint32_t matrix = 0; matrix < weights->batch; matrix++) {
		for (uint32_t row = 0; row < weights->n; row++, dst += weights->k) {
			size_t stride;

			memcpy(dst, npu_weight_source_rows(source, matrix, row, 1, &stride),
			       weights->k);
		}
	}
	return 0;
}

static void cpu_weights_fini(struct npu_weights *weights)
{
	free(((struct cpu_weights *)weights)->data);
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
	       npu_layout_offset(&tensor->layout, tensor->first_row + row, tensor->first_col + col);
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

static void run(struct cpu_matmul *cm)
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
			.w = ((const struct cpu_weights *)w)->data + (size_t)matrix * w->n * w->k,
			.sum = cm->sum,
			.store = store,
			.context = &part,
		});
	}
}

static int cpu_queue_submit(struct npu_queue *queue, struct npu_matmul *const *matmuls,
			    size_t count, uint64_t ticket, struct npu_error *err)
{
	(void)queue;
	(void)ticket;
	(void)err;
	for (size_t i = 0; i < count; i++)
		run((struct cpu_matmul *)matmuls[i]);
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
	.matmul_size = sizeof(struct cpu_matmul),
	.matmul_init = cpu_matmul_init,
	.matmul_fini = cpu_matmul_fini,
	.queue_size = sizeof(struct npu_queue),
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
		.column_align = 1,
	};
	*out = dev;
	return 0;
}
