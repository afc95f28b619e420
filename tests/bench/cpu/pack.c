// SPDX-License-Identifier: MIT
/* Packing weights, and copying them, which is as fast as packing could ever be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../libnpu/backend/cpu/gemm.h"
#include "contender.h"

struct pack {
	struct npu_gemm_pack pack;
	size_t bytes;
	void *packed;
};

static void *create(const struct problem *p)
{
	struct pack *self = calloc(1, sizeof(*self));

	must(self, "packing: no memory");
	self->pack = (struct npu_gemm_pack){
		.kernel = npu_gemm_kernel_get(0),
		.n = p->n,
		.k = p->k,
		.group_size = p->k,
		.w = p->w,
		.stride = p->k,
	};
	self->bytes = (size_t)p->n * p->k;
	self->packed = big_alloc(npu_gemm_pack_bytes(&self->pack));
	return self;
}

static void run_pack(void *ctx)
{
	const struct pack *self = ctx;

	npu_gemm_pack(&self->pack, 0, self->pack.n, self->packed);
}

static void run_copy(void *ctx)
{
	const struct pack *self = ctx;

	memcpy(self->packed, self->pack.w, self->bytes);
}

static const void *output(const void *ctx)
{
	(void)ctx;
	return NULL;
}

static void destroy(void *ctx)
{
	struct pack *self = ctx;

	free(self->packed);
	free(self);
}

const struct contender contender_pack = {
	.name = "packing",
	.create = create,
	.run = run_pack,
	.output = output,
	.destroy = destroy,
};

const struct contender contender_copy = {
	.name = "memcpy",
	.create = create,
	.run = run_copy,
	.output = output,
	.destroy = destroy,
};
