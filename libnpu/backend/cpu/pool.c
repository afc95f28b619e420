// SPDX-License-Identifier: MIT
/*
 * A job is opened, and threads that are awake enter it; when the caller has nothing left to do it
 * closes the job and waits for those inside, so that threads that sleep never delay it. Between
 * jobs a thread looks out for the next one for some microseconds before it sleeps, because matmuls
 * come one after the other and waking up takes longer than a small one.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "gemm.h"

/* Turns of looking before sleeping, some 50 us. */
#define SPINS 2000

/* More than any kernel can be built for. */
#define MOST_PROCESSORS (1u << 20)

/* A job's state: open, and twice the number of threads inside. */
#define OPEN 1u
#define INSIDE 2u

struct worker {
	struct npu_pool *pool;
	pthread_t thread;
	unsigned int index;
	struct npu_gemm_scratch *scratch;
};

struct npu_pool {
	unsigned int threads;
	unsigned int started; /* of workers */
	unsigned int spins;
	atomic_flag busy;

	npu_pool_work work;
	void *ctx;
	atomic_uint state;
	atomic_uint jobs; /* that were opened, a number that sleepers compare */

	pthread_mutex_t lock; /* for sleeping only */
	pthread_cond_t opened;
	pthread_cond_t emptied;
	unsigned int sleepers;
	bool stop;

	struct worker workers[];
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* ---- Workers ----------------------------------------------------------------------------- */

/* Until a job was opened after the @seen one; false when the pool ends. */
static bool next_job(struct npu_pool *pool, unsigned int *seen)
{
	bool stop;

	for (unsigned int i = 0; i < pool->spins; i++) {
		if (atomic_load_explicit(&pool->jobs, memory_order_acquire) != *seen)
			break;
		relax();
	}
	if (atomic_load_explicit(&pool->jobs, memory_order_acquire) == *seen) {
		pthread_mutex_lock(&pool->lock);
		pool->sleepers++;
		while (!pool->stop && atomic_load(&pool->jobs) == *seen)
			pthread_cond_wait(&pool->opened, &pool->lock);
		pool->sleepers--;
		stop = pool->stop;
		pthread_mutex_unlock(&pool->lock);
		if (stop)
			return false;
	}
	*seen = atomic_load_explicit(&pool->jobs, memory_order_acquire);
	return true;
}

static bool enter(struct npu_pool *pool)
{
	unsigned int state = atomic_load(&pool->state);

	while (state & OPEN)
		if (atomic_compare_exchange_weak(&pool->state, &state, state + INSIDE))
			return true;
	return false;
}

static void leave(struct npu_pool *pool)
{
	/* The last one out of a closed job: the caller may be asleep. */
	if (atomic_fetch_sub(&pool->state, INSIDE) == INSIDE) {
		pthread_mutex_lock(&pool->lock);
		pthread_cond_signal(&pool->emptied);
		pthread_mutex_unlock(&pool->lock);
	}
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct npu_pool *pool = worker->pool;
	unsigned int seen = 0;

	while (next_job(pool, &seen))
		if (enter(pool)) {
			pool->work(pool->ctx, worker->index, worker->scratch);
			leave(pool);
		}
	return NULL;
}

/* ---- Caller ------------------------------------------------------------------------------ */

static void open_job(struct npu_pool *pool)
{
	atomic_store(&pool->state, OPEN);
	pthread_mutex_lock(&pool->lock);
	atomic_fetch_add(&pool->jobs, 1);
	if (pool->sleepers)
		pthread_cond_broadcast(&pool->opened);
	pthread_mutex_unlock(&pool->lock);
}

static void close_job(struct npu_pool *pool)
{
	atomic_fetch_and(&pool->state, ~OPEN);
	for (unsigned int i = 0; i < pool->spins; i++) {
		if (!atomic_load(&pool->state))
			return;
		relax();
	}
	pthread_mutex_lock(&pool->lock);
	while (atomic_load(&pool->state))
		pthread_cond_wait(&pool->emptied, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
}

bool npu_pool_run(struct npu_pool *pool, npu_pool_work work, void *ctx,
		  struct npu_gemm_scratch *scratch)
{
	if (atomic_flag_test_and_set(&pool->busy))
		return false;
	pool->work = work;
	pool->ctx = ctx;
	open_job(pool);
	work(ctx, 0, scratch);
	close_job(pool);
	atomic_flag_clear(&pool->busy);
	return true;
}

/* ---- Life -------------------------------------------------------------------------------- */

/* Those of a kernel that can have up to @room of them; -1 and EINVAL if it can have more. */
static int count_processors(unsigned int room)
{
	const size_t bytes = CPU_ALLOC_SIZE(room);
	cpu_set_t *set = CPU_ALLOC(room);
	int count = -1;

	if (!set)
		return -1;
	if (!sched_getaffinity(0, bytes, set))
		count = CPU_COUNT_S(bytes, set);
	CPU_FREE(set);
	return count;
}

unsigned int npu_pool_processors(void)
{
	int count = -1;

	errno = EINVAL;
	for (unsigned int room = CPU_SETSIZE;
	     count < 0 && errno == EINVAL && room <= MOST_PROCESSORS; room *= 4)
		count = count_processors(room);
	return count > 0 ? (unsigned int)count : 0;
}

/* Looking out makes sense only for threads that have a processor each. */
static unsigned int spins_for(unsigned int threads)
{
	return threads <= npu_pool_processors() ? SPINS : 0;
}

/* Signals are the application's, so they go to the application's threads. */
static int start(struct worker *worker)
{
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&worker->thread, NULL, worker_main, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -ret;
}

static int start_all(struct npu_pool *pool)
{
	for (unsigned int i = 0; i < pool->threads - 1; i++) {
		struct worker *worker = &pool->workers[i];
		int ret;

		*worker = (struct worker){
			.pool = pool,
			.index = i + 1,
			.scratch = npu_gemm_scratch_create(),
		};
		if (!worker->scratch)
			return -ENOMEM;
		ret = start(worker);
		if (ret) {
			npu_gemm_scratch_destroy(worker->scratch);
			return ret;
		}
		pool->started++;
	}
	return 0;
}

int npu_pool_create(unsigned int threads, struct npu_pool **out)
{
	struct npu_pool *pool = calloc(1, sizeof(*pool) + (threads - 1) * sizeof(pool->workers[0]));
	int ret;

	if (!pool)
		return -ENOMEM;
	pool->threads = threads;
	pool->spins = spins_for(threads);
	atomic_flag_clear(&pool->busy);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->opened, NULL);
	pthread_cond_init(&pool->emptied, NULL);
	ret = start_all(pool);
	if (ret) {
		npu_pool_destroy(pool);
		return ret;
	}
	*out = pool;
	return 0;
}

void npu_pool_destroy(struct npu_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	pthread_cond_broadcast(&pool->opened);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->started; i++) {
		pthread_join(pool->workers[i].thread, NULL);
		npu_gemm_scratch_destroy(pool->workers[i].scratch);
	}
	pthread_cond_destroy(&pool->emptied);
	pthread_cond_destroy(&pool->opened);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

unsigned int npu_pool_threads(const struct npu_pool *pool)
{
	return pool->threads;
}
