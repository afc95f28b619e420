/* SPDX-License-Identifier: MIT */
/*
 * A few threads that wait for work to share.
 */
#ifndef LIBNPU_CPU_POOL_H
#define LIBNPU_CPU_POOL_H

#include <stdbool.h>

struct npu_pool;
struct npu_gemm_scratch;

/** Most threads of a pool. */
#define NPU_POOL_THREADS 256

/** One share of work. @index is below the pool's threads, and each has its own @scratch. */
typedef void (*npu_pool_work)(void *ctx, unsigned int index, struct npu_gemm_scratch *scratch);

/** Processors that this process may run on, 0 if that cannot be learned. */
unsigned int npu_pool_processors(void);

/**
 * Starts a pool.
 * @threads: 2 to NPU_POOL_THREADS; one of them is whoever calls npu_pool_run().
 *
 * Returns 0, or -ENOMEM or -EAGAIN.
 */
int npu_pool_create(unsigned int threads, struct npu_pool **pool);

/** Ends the threads. Nobody may be in npu_pool_run(). */
void npu_pool_destroy(struct npu_pool *pool);

unsigned int npu_pool_threads(const struct npu_pool *pool);

/**
 * Calls @work(@ctx, ...) in this thread as index 0, and at the same time in any number of the
 * pool's, none included: a thread that wakes up late takes no part, so @work must not count on
 * others. Returns when all calls have. False, and nothing done, when the pool is busy.
 */
bool npu_pool_run(struct npu_pool *pool, npu_pool_work work, void *ctx,
		  struct npu_gemm_scratch *scratch);

#endif /* LIBNPU_CPU_POOL_H */
