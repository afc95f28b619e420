// SPDX-License-Identifier: MIT
/* Measures one multiplication on one device. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "error.h"
#include "interrupt.h"

/* Calls of one measurement, where their number follows from the time. */
#define CALLS_MIN 10
#define CALLS_MAX 10000

/* Matmuls under way at a time: the engine takes two, and the processor prepares the others. */
#define DEPTH 8

/* Inputs and results that take turns, so that neighbours have nothing to wait for. */
#define SETS 2

/* Everything the library needs. */
struct objects {
	struct npu_weights *weights;
	struct npu_epilogue *epilogue;
	struct npu_tensor *a[SETS];
	struct npu_tensor *c[SETS];
	struct npu_matmul *matmul[SETS];
	struct npu_queue *queue;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The same bytes every time, so that devices can be compared. */
static void fill(int8_t *data, size_t count, uint32_t seed)
{
	for (size_t i = 0; i < count; i++) {
		seed = seed * 1664525 + 1013904223;
		data[i] = (int8_t)(seed >> 24);
	}
}

/* Room for a matrix of bytes; NULL if there is none, on machines of 32 bits too. */
static void *matrix(uint32_t rows, uint32_t cols, struct npu_error *err)
{
	uint64_t bytes = (uint64_t)rows * cols;
	void *data = bytes <= SIZE_MAX / 2 ? malloc((size_t)bytes) : NULL;

	if (!data)
		error_set(err, -ENOMEM, "out of memory for a matrix of %u x %u", rows, cols);
	return data;
}

/* ---- Objects --------------------------------------------------------------------------- */

static int make_weights(struct npu_device *dev, const struct shape *s, struct objects *o,
			struct npu_error *err)
{
	struct npu_weights_desc desc = { .size = sizeof(desc), .n = s->n, .k = s->k };
	int8_t *data = matrix(s->n, s->k, err);
	int ret;

	if (!data)
		return -ENOMEM;
	fill(data, (size_t)s->n * s->k, 1);
	desc.data = data;
	ret = npu_weights_create(dev, &desc, &o->weights, err);
	free(data);
	return ret;
}

static int make_epilogue(struct npu_device *dev, const struct shape *s, struct objects *o,
			 struct npu_error *err)
{
	const int16_t multiplier = 1;
	struct npu_epilogue_desc desc = {
		.size = sizeof(desc),
		.n = s->n,
		.scale_count = 1,
		.multiplier = &multiplier,
	};
	uint32_t k;

	/* Random sums grow with the root of K: most results are then within int8. */
	for (desc.shift = 7, k = s->k; k > 1; k /= 4)
		desc.shift++;
	return npu_epilogue_create(dev, &desc, &o->epilogue, err);
}

static int make_set(struct npu_device *dev, const struct shape *s, int i, struct objects *o,
		    struct npu_error *err)
{
	struct npu_matmul_desc desc = { .size = sizeof(desc) };
	int8_t *data = matrix(s->m, s->k, err);
	int ret;

	if (!data)
		return -ENOMEM;
	fill(data, (size_t)s->m * s->k, 2);
	ret = npu_tensor_create(dev, NPU_TYPE_INT8, s->m, s->k, &o->a[i], err);
	if (!ret)
		ret = npu_tensor_create(dev, NPU_TYPE_INT8, s->m, s->n, &o->c[i], err);
	if (!ret)
		ret = npu_tensor_write(o->a[i], 0, s->m, data, 0, err);
	free(data);
	if (ret)
		return ret;
	desc.a = o->a[i];
	desc.weights = o->weights;
	desc.epilogue = o->epilogue;
	desc.c = o->c[i];
	return npu_matmul_create(dev, &desc, &o->matmul[i], err);
}

static int create(struct npu_device *dev, const struct shape *s, struct objects *o,
		  struct npu_error *err)
{
	int ret = make_weights(dev, s, o, err);

	if (!ret)
		ret = make_epilogue(dev, s, o, err);
	for (int i = 0; i < SETS && !ret; i++)
		ret = make_set(dev, s, i, o, err);
	if (!ret)
		ret = npu_queue_create(dev, NULL, &o->queue, err);
	return ret;
}

static void destroy(struct objects *o)
{
	npu_queue_destroy(o->queue);
	for (int i = 0; i < SETS; i++) {
		npu_matmul_destroy(o->matmul[i]);
		npu_tensor_destroy(o->c[i]);
		npu_tensor_destroy(o->a[i]);
	}
	npu_epilogue_destroy(o->epilogue);
	npu_weights_destroy(o->weights);
}

/* ---- Measurements ---------------------------------------------------------------------- */

static int call(struct objects *o, uint32_t i, uint64_t *ns, struct npu_error *err)
{
	uint64_t start = now_ns();
	int ret;

	if (interrupted())
		return error_set(err, -EINTR, "interrupted");
	ret = npu_queue_run(o->queue, &o->matmul[i % SETS], 1, err);
	*ns = now_ns() - start;
	return ret;
}

/* Warms up, and chooses how many calls are measured. */
static int prepare(struct objects *o, const struct effort *effort, uint32_t *count,
		   struct npu_error *err)
{
	uint64_t ns = 0, least = UINT64_MAX;
	double fit;

	for (uint32_t i = 0; i < effort->warm_up + 1; i++) {
		int ret = call(o, i, &ns, err);

		if (ret)
			return ret;
		least = ns < least ? ns : least;
	}
	*count = effort->count;
	if (*count)
		return 0;
	fit = effort->seconds * 1e9 / (double)(least + 1);
	*count = fit < CALLS_MIN ? CALLS_MIN : fit > CALLS_MAX ? CALLS_MAX : (uint32_t)fit;
	return 0;
}

static int measure_latency(struct objects *o, uint32_t count, struct measurement *result,
			   struct npu_error *err)
{
	uint64_t *ns = malloc(count * sizeof(*ns));
	int ret = 0;

	if (!ns)
		return error_set(err, -ENOMEM, "out of memory for %u measurements", count);
	for (uint32_t i = 0; i < count && !ret; i++)
		ret = call(o, i, &ns[i], err);
	if (!ret) {
		result->calls = count;
		distribution_of(ns, count, &result->latency);
	}
	free(ns);
	return ret;
}

static int stream(struct objects *o, uint32_t count, struct npu_error *err)
{
	uint64_t ticket[DEPTH];
	int ret = 0;

	for (uint32_t i = 0; i < count + DEPTH && !ret; i++) {
		struct npu_submit_desc desc = { .size = sizeof(desc), .count = 1 };

		if (interrupted())
			return error_set(err, -EINTR, "interrupted");
		if (i >= DEPTH && i - DEPTH < count)
			ret = npu_queue_wait(o->queue, ticket[i % DEPTH], -1, err);
		desc.matmuls = &o->matmul[i % SETS];
		if (!ret && i < count)
			ret = npu_queue_submit(o->queue, &desc, &ticket[i % DEPTH], err);
	}
	return ret;
}

static int measure_stream(struct objects *o, uint32_t count, struct measurement *result,
			  struct npu_error *err)
{
	struct npu_queue_stats before = { .size = sizeof(before) };
	struct npu_queue_stats after = { .size = sizeof(after) };
	uint64_t start;
	int ret;

	ret = npu_queue_get_stats(o->queue, &before, err);
	if (ret)
		return ret;
	start = now_ns();
	ret = stream(o, count, err);
	result->seconds = (double)(now_ns() - start) * 1e-9;
	if (!ret)
		ret = npu_queue_get_stats(o->queue, &after, err);
	result->streamed = count;
	result->engine_ns = after.engine_ns - before.engine_ns;
	return ret;
}

static int take_checksum(struct objects *o, const struct shape *s, struct measurement *result,
			 struct npu_error *err)
{
	size_t count = (size_t)s->m * s->n;
	uint8_t *data = matrix(s->m, s->n, err);
	int ret;

	if (!data)
		return -ENOMEM;
	ret = npu_tensor_read(o->c[0], 0, s->m, data, 0, err);
	result->checksum = 0xcbf29ce484222325;
	for (size_t i = 0; i < count && !ret; i++)
		result->checksum = (result->checksum ^ data[i]) * 0x100000001b3;
	free(data);
	return ret;
}

int bench_measure(struct npu_device *dev, const struct shape *shape, const struct effort *effort,
		  struct measurement *measurement, struct npu_error *err)
{
	struct objects objects = { 0 };
	uint32_t count;
	int ret;

	*measurement = (struct measurement){ .plan.size = sizeof(measurement->plan) };
	ret = create(dev, shape, &objects, err);
	if (!ret)
		ret = npu_matmul_get_plan(objects.matmul[0], &measurement->plan, err);
	if (!ret)
		ret = prepare(&objects, effort, &count, err);
	if (!ret)
		ret = measure_latency(&objects, count, measurement, err);
	if (!ret)
		ret = measure_stream(&objects, count, measurement, err);
	if (!ret)
		ret = take_checksum(&objects, shape, measurement, err);
	destroy(&objects);
	return ret;
}

/* ---- What follows from them ------------------------------------------------------------ */

double bench_gops(const struct measurement *m)
{
	return 2e-9 * (double)m->plan.macs * m->streamed / m->seconds;
}

double bench_gbytes(const struct measurement *m)
{
	return 1e-9 * (double)m->plan.bytes * m->streamed / m->seconds;
}

double bench_intensity(const struct measurement *m)
{
	return 2 * (double)m->plan.macs / (double)m->plan.bytes;
}

double bench_cycles(const struct measurement *m, uint64_t clock_hz)
{
	return (double)m->engine_ns * 1e-9 * (double)clock_hz / m->streamed;
}

double bench_busy(const struct measurement *m)
{
	return (double)m->engine_ns * 1e-9 / m->seconds;
}
