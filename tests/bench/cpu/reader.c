// SPDX-License-Identifier: MIT
/*
 * Reads W from end to end and adds it up: as fast as this machine's memory, or cache, can deliver.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../../../libnpu/backend/cpu/pool.h"
#include "contender.h"

/* Bytes that a thread takes at a time. */
#define PIECE ((size_t)1 << 20)

/* Sums that do not wait for each other: more than a processor can load at a time. */
#define LANES 16

struct reader {
	struct npu_pool *pool;
	uint64_t *data;
	size_t bytes;
	atomic_size_t next;
	_Atomic uint64_t sum; /* so that nothing is optimised away */
};

static void *create(const struct problem *p)
{
	struct reader *self = calloc(1, sizeof(*self));

	must(self, "reader: no memory");
	self->bytes = (size_t)p->n * p->k / PIECE * PIECE;
	self->data = big_alloc(self->bytes);
	memcpy(self->data, p->w, self->bytes);
	if (p->threads > 1)
		must(!npu_pool_create(p->threads, &self->pool), "reader: no threads");
	return self;
}

static void read_pieces(void *ctx, unsigned int index, struct npu_gemm_scratch *scratch)
{
	struct reader *self = ctx;
	uint64_t sum[LANES] = { 0 };
	size_t at;

	(void)index;
	(void)scratch;
	while ((at = atomic_fetch_add(&self->next, PIECE)) < self->bytes) {
		const size_t end = at + PIECE;

		for (size_t i = at / 8; i < end / 8; i += LANES)
			for (size_t lane = 0; lane < LANES; lane++)
				sum[lane] += self->data[i + lane];
	}
	for (size_t lane = 0; lane < LANES; lane++)
		atomic_fetch_add(&self->sum, sum[lane]);
}

static void run(void *ctx)
{
	struct reader *self = ctx;

	atomic_store(&self->next, 0);
	if (!self->pool || !npu_pool_run(self->pool, read_pieces, self, NULL))
		read_pieces(self, 0, NULL);
}

static const void *output(const void *ctx)
{
	(void)ctx;
	return NULL;
}

static void destroy(void *ctx)
{
	struct reader *self = ctx;

	npu_pool_destroy(self->pool);
	free(self->data);
	free(self);
}

const struct contender contender_reader = {
	.name = "reading",
	.create = create,
	.run = run,
	.output = output,
	.destroy = destroy,
};
