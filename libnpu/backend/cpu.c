// SPDX-License-Identifier: MIT
/*
 * CPU devices, and queues whose matmuls are done when submit() returns, so that there is nothing to
 * settle.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpu.h"
#include "cpu_buffer.h"

static void cpu_device_close(struct npu_device *dev)
{
	npu_pool_destroy(to_cpu(dev)->pool);
	free(dev);
}

static bool cpu_tensor_layout(const struct npu_device *dev, enum npu_type type, uint32_t rows,
			      uint32_t cols, struct npu_layout *layout)
{
	(void)dev;
	return npu_layout_rows(layout, rows, cols, npu_type_size(type));
}

/* ---- Queues ---------------------------------------------------------------------------- */

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

static int cpu_queue_submit(struct npu_queue *queue, const struct npu_submission *submission,
			    struct npu_error *err)
{
	struct npu_gemm_scratch *scratch = ((struct cpu_queue *)queue)->scratch;
	int ret = 0;

	for (size_t i = 0; i < submission->count && !ret; i++)
		ret = cpu_matmul_run((struct cpu_matmul *)submission->matmuls[i], scratch, err);
	return ret;
}

/* ---- Devices --------------------------------------------------------------------------- */

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
	.queue_size = sizeof(struct cpu_queue),
	.submit_computes = true,
	.queue_init = cpu_queue_init,
	.queue_fini = cpu_queue_fini,
	.queue_submit = cpu_queue_submit,
};

/* One thread for each processor, as many as there may be. */
static unsigned int threads_for_all(void)
{
	const unsigned int processors = npu_pool_processors();

	if (!processors)
		return 1;
	return processors < NPU_POOL_THREADS ? processors : NPU_POOL_THREADS;
}

/* 0 where @name does not say how many. */
static unsigned int threads_of(const char *name)
{
	unsigned long threads;
	char *end;

	if (!strcmp(name, "cpu"))
		return 1;
	if (!strcmp(name, "cpu:all"))
		return threads_for_all();
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
	npu_arena_init(&cpu->base.arena);
	cpu->base.ops = &cpu_backend;
	cpu->base.info = (struct npu_device_info){
		.size = sizeof(cpu->base.info),
		.backend = "cpu",
		.column_align = 1,
		.threads = threads,
	};
	strcpy(cpu->base.info.name, cpu->kernel->name);
	*out = &cpu->base;
	return 0;
}
