// SPDX-License-Identifier: MIT
/*
 * CPU backend: row-major matrices in anonymous memory, and matmuls that are done when submit
 * returns; so there is nothing to wait for anywhere.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "backend.h"
#include "cpu/fixed16.h"
#include "cpu/gemm.h"

/* What Linux maps with one entry, where it may. */
#define HUGE_PAGE ((size_t)2 << 20)

struct cpu_device {
	struct npu_device base;
	const struct npu_gemm_kernel *kernel;
	struct npu_pool *pool; /* NULL for one thread */
};

struct cpu_weights {
	struct npu_weights base;
	void *packed;
};

struct cpu_queue {
	struct npu_queue base;
	struct npu_gemm_scratch *scratch;
};

static struct cpu_device *to_cpu(struct npu_device *dev)
{
	return (struct cpu_device *)dev;
}

static void cpu_device_close(struct npu_device *dev)
{
	npu_pool_destroy(to_cpu(dev)->pool);
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

/* In huge pages if there is enough for one: weights are read from end to end. */
static int cpu_weights_init(struct npu_weights *weights, const int8_t *data, size_t row_stride,
			    struct npu_error *err)
{
	const struct npu_gemm_pack pack = {
		.kernel = to_cpu(weights->dev)->kernel,
		.n = weights->n,
		.k = weights->k,
		.group_size = weights->k,
		.w = data,
		.stride = row_stride,
	};
	const size_t bytes = npu_gemm_pack_bytes(&pack);
	const size_t align = bytes < HUGE_PAGE ? NPU_GEMM_ALIGN : HUGE_PAGE;
	void *packed = NULL;

	if (bytes)
		packed = aligned_alloc(align, (bytes + align - 1) / align * align);
	if (!packed)
		return npu_fail(err, -ENOMEM, "no memory for weights of %u x %u", weights->n,
				weights->k);
	if (align == HUGE_PAGE)
		madvise(packed, bytes, MADV_HUGEPAGE);
	npu_gemm_pack(&pack, packed);
	((struct cpu_weights *)weights)->packed = packed;
	return 0;
}

static void cpu_weights_fini(struct npu_weights *weights)
{
	free(((struct cpu_weights *)weights)->packed);
}

static int cpu_queue_init(struct npu_queue *queue, struct npu_error *err)
{
	struct cpu_queue *cq = (struct cpu_queue *)queue;

	cq->scratch = npu_gemm_scratch_create();
	if (!cq->scratch)
		return npu_fail(err, -ENOMEM, "no memory for a queue object");
	return 0;
}

static void cpu_queue_fini(struct npu_queue *queue)
{
	npu_gemm_scratch_destroy(((struct cpu_queue *)queue)->scratch);
}

static int8_t *elements(const struct npu_tensor *tensor)
{
	return (int8_t *)tensor->buf->map + tensor->offset;
}

static void requantize(void *ctx, const struct npu_gemm_strip *strip)
{
	const struct npu_matmul *mm = ctx;
	const struct npu_requant *rq = &mm->epilogue->requant;
	int8_t *dst = elements(mm->c) + (size_t)strip->row * mm->c->cols + strip->first;

	if (strip->sum32)
		npu_fixed16_row(
			&(struct npu_fixed16){
				.bias = rq->bias,
				.multiplier = rq->multiplier,
				.per_channel = rq->per_channel,
				.shift = rq->shift,
				.zero_point = rq->zero_point,
				.low = rq->relu ? rq->zero_point : INT8_MIN,
				.high = INT8_MAX,
			},
			strip->first, strip->count, strip->sum32, dst);
	else
		npu_requant_row(rq, strip->first, strip->count, strip->sum64, dst);
}

static int cpu_queue_submit(struct npu_queue *queue, struct npu_matmul *const *matmuls,
			    size_t count, uint64_t ticket, struct npu_error *err)
{
	const struct cpu_device *cpu = to_cpu(queue->dev);

	(void)ticket;
	(void)err;
	for (size_t i = 0; i < count; i++) {
		struct npu_matmul *mm = matmuls[i];
		const struct npu_gemm gemm = {
			.kernel = cpu->kernel,
			.m = mm->a->rows,
			.n = mm->c->cols,
			.k = mm->a->cols,
			.group_size = mm->a->cols,
			.a_type = NPU_GEMM_INT8,
			.a = elements(mm->a),
			.a_stride = mm->a->cols,
			.w = ((struct cpu_weights *)mm->weights)->packed,
			.sink = requantize,
			.ctx = mm,
		};

		npu_gemm_run(&gemm, ((struct cpu_queue *)queue)->scratch, cpu->pool);
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
	.queue_size = sizeof(struct cpu_queue),
	.queue_init = cpu_queue_init,
	.queue_fini = cpu_queue_fini,
	.queue_submit = cpu_queue_submit,
};

/* Processors that this process may run on. */
static unsigned int processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) < 1)
		return 1;
	return CPU_COUNT(&set) < NPU_POOL_THREADS ? CPU_COUNT(&set) : NPU_POOL_THREADS;
}

/* 0 where @name does not say how many. */
static unsigned int threads_of(const char *name)
{
	unsigned long threads;
	char *end;

	if (!strcmp(name, "cpu"))
		return 1;
	if (!strcmp(name, "cpu:all"))
		return processors();
	name += strlen("cpu:");
	if (*name < '1' || *name > '9')
		return 0;
	threads = strtoul(name, &end, 10);
	return *end || threads > NPU_POOL_THREADS ? 0 : threads;
}

int npu_cpu_open(const char *name, struct npu_device **out, struct npu_error *err)
{
	const unsigned int threads = threads_of(name);
	struct cpu_device *cpu;
	int ret;

	if (!threads)
		return npu_fail(err, -EINVAL,
				"no device is called '%s'; the CPU is cpu, cpu:THREADS (1 to %d) "
				"or cpu:all",
				name, NPU_POOL_THREADS);
	cpu = calloc(1, sizeof(*cpu));
	if (!cpu)
		return npu_fail(err, -ENOMEM, "no memory for a device object");
	if (threads > 1) {
		ret = npu_pool_create(threads, &cpu->pool);
		if (ret) {
			free(cpu);
			return npu_fail(err, ret, "%s: cannot start %u threads", name, threads - 1);
		}
	}
	cpu->kernel = npu_gemm_kernel_get(0);
	cpu->base.refs = 1;
	cpu->base.ops = &cpu_backend;
	cpu->base.info = (struct npu_device_info){
		.size = sizeof(cpu->base.info),
		.backend = "cpu",
	};
	strcpy(cpu->base.info.name, cpu->kernel->name);
	*out = &cpu->base;
	return 0;
}
