// SPDX-License-Identifier: MIT
/*
 * libnpu: int8 results through its public interface, sums from the part inside that makes them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <npu.h>

#include "../../../libnpu/backend/cpu/gemm.h"
#include "contender.h"

struct libnpu {
	struct problem problem;
	void *c;
	/* For sums. */
	struct npu_gemm gemm;
	struct npu_gemm_scratch *scratch;
	struct npu_pool *pool;
	void *packed;
	/* For int8. */
	struct npu_device *dev;
	struct npu_queue *queue;
	struct npu_matmul *matmul;
	struct npu_tensor *result;
};

static void describe(char *text, size_t size)
{
	snprintf(text, size, "libnpu %s, kernel %s", npu_version(), npu_gemm_kernel_get(0)->name);
}

static void create_sums(struct libnpu *self)
{
	const struct problem *p = &self->problem;
	const struct npu_gemm_pack pack = {
		.kernel = npu_gemm_kernel_get(0),
		.n = p->n,
		.k = p->k,
		.group_size = p->k,
		.w = p->w,
		.stride = p->k,
	};

	must(p->k <= NPU_GEMM_K_INT32, "libnpu: sums of this K are not int32");
	self->packed = big_alloc(npu_gemm_pack_bytes(&pack));
	npu_gemm_pack(&pack, 0, pack.n, self->packed);
	self->scratch = npu_gemm_scratch_create();
	must(self->scratch, "libnpu: no memory");
	if (p->threads > 1)
		must(!npu_pool_create(p->threads, &self->pool), "libnpu: no threads");
	self->gemm = (struct npu_gemm){
		.kernel = pack.kernel,
		.m = p->m,
		.n = p->n,
		.k = p->k,
		.group_size = p->k,
		.a_type = NPU_GEMM_INT8,
		.a = p->a,
		.a_stride = p->k,
		.w = self->packed,
		.c = self->c,
		.c_stride = p->n,
	};
}

static void ok(int ret, const struct npu_error *err)
{
	must(!ret, err->text);
}

static void create_int8(struct libnpu *self)
{
	const struct problem *p = &self->problem;
	const int16_t one = 1;
	const struct npu_epilogue_desc epilogue = {
		.size = sizeof(epilogue),
		.n = p->n,
		.multiplier = &one,
		.scale_count = 1,
		.shift = p->shift,
	};
	const struct npu_weights_desc weights = {
		.size = sizeof(weights),
		.n = p->n,
		.k = p->k,
		.data = p->w,
	};
	struct npu_matmul_desc desc = { .size = sizeof(desc) };
	struct npu_error err = { 0 };
	char name[16];

	snprintf(name, sizeof(name), "cpu:%u", p->threads);
	ok(npu_device_open(name, &self->dev, &err), &err);
	ok(npu_queue_create(self->dev, NULL, &self->queue, &err), &err);
	ok(npu_tensor_create(self->dev, NPU_TYPE_INT8, p->m, p->k, &desc.a, &err), &err);
	ok(npu_tensor_create(self->dev, NPU_TYPE_INT8, p->m, p->n, &desc.c, &err), &err);
	ok(npu_weights_create(self->dev, &weights, &desc.weights, &err), &err);
	ok(npu_epilogue_create(self->dev, &epilogue, &desc.epilogue, &err), &err);
	ok(npu_matmul_create(self->dev, &desc, &self->matmul, &err), &err);
	ok(npu_tensor_write(desc.a, 0, p->m, p->a, 0, &err), &err);
	self->result = desc.c;
	npu_epilogue_destroy(desc.epilogue);
	npu_weights_destroy(desc.weights);
	npu_tensor_destroy(desc.a);
}

static void *create(const struct problem *problem)
{
	struct libnpu *self = calloc(1, sizeof(*self));

	must(self, "libnpu: no memory");
	self->problem = *problem;
	self->c = big_alloc((size_t)problem->m * problem->n * sizeof(int32_t));
	if (problem->result == RESULT_SUMS)
		create_sums(self);
	else
		create_int8(self);
	return self;
}

static void run(void *ctx)
{
	struct libnpu *self = ctx;
	struct npu_error err = { 0 };

	if (self->problem.result == RESULT_SUMS)
		npu_gemm_run(&self->gemm, self->scratch, self->pool);
	else
		ok(npu_queue_run(self->queue, &self->matmul, 1, &err), &err);
}

static const void *output(const void *ctx)
{
	const struct libnpu *self = ctx;
	struct npu_error err = { 0 };

	if (self->problem.result == RESULT_INT8)
		ok(npu_tensor_read(self->result, 0, self->problem.m, self->c, 0, &err), &err);
	return self->c;
}

static void destroy(void *ctx)
{
	struct libnpu *self = ctx;

	npu_matmul_destroy(self->matmul);
	npu_tensor_destroy(self->result);
	npu_queue_destroy(self->queue);
	npu_device_close(self->dev);
	npu_pool_destroy(self->pool);
	npu_gemm_scratch_destroy(self->scratch);
	free(self->packed);
	free(self->c);
	free(self);
}

const struct contender contender_libnpu = {
	.name = "libnpu",
	.describe = describe,
	.create = create,
	.run = run,
	.output = output,
	.destroy = destroy,
};
