// SPDX-License-Identifier: MIT
/*
 * How much of the engine's physical limit arrives through library, driver and engine: operations of
 * the same shape, back to back, from the first submission to the end of the last. The limit is the
 * longer of all multiplications and of every operand once over the bus. A K beyond the engine's
 * exact range takes three passes over the same operands, so three times the limit is what to
 * expect.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "../device/workbench.h"
#include "../expect.h"
#include "bench.h"

/* Cycles of limit that a measurement lasts, so that start and end do not show. */
#define SPAN 2000000
#define MOST 64

static const struct shape {
	const char *key;
	uint32_t m, k, n;
} shapes[] = {
	{ "64x256x64", 64, 256, 64 },	  { "64x512x64", 64, 512, 64 },
	{ "64x256x1024", 64, 256, 1024 }, { "16x1024x256", 16, 1024, 256 },
	{ "1x1024x512", 1, 1024, 512 },	  { "32x2048x64", 32, 2048, 64 },
	{ "8x16384x8", 8, 16384, 8 },	  { "1x16384x512", 1, 16384, 512 },
	{ "64x16384x64", 64, 16384, 64 },
};

static struct npu_plan plan_of(const struct bench *b)
{
	struct npu_plan plan = { .size = sizeof(plan) };

	expect_ok(npu_matmul_get_plan(b->matmul, &plan, &err));
	return plan;
}

static uint64_t engine_ns(struct npu_queue *queue)
{
	struct npu_queue_stats stats = { .size = sizeof(stats) };

	expect_ok(npu_queue_get_stats(queue, &stats, &err));
	return stats.engine_ns;
}

/* A long K is summed up on the CPU, whose time is not the engine's. */
static uint64_t run(struct npu_queue *queue, const struct bench *b, size_t count, bool engine_only)
{
	struct npu_matmul *matmuls[MOST];
	uint64_t ns, engine = engine_ns(queue);

	for (size_t i = 0; i < count; i++)
		matmuls[i] = b->matmul;
	ns = bench_now();
	expect_ok(npu_queue_run(queue, matmuls, count, &err));
	ns = bench_now() - ns;
	engine = engine_ns(queue) - engine;
	return engine_only ? engine : ns;
}

static void measure(struct report *report, struct npu_device *dev, struct npu_queue *queue,
		    const struct shape *shape)
{
	struct npu_plan plan;
	struct bench b;
	size_t count;
	uint64_t ns;

	bench_init(&b, dev, 1, shape->m, shape->k, shape->n);
	plan = plan_of(&b);
	count = SPAN / plan.limit_cycles + 1;
	if (count > MOST)
		count = MOST;
	/* The first time has page faults of its own. */
	run(queue, &b, count, plan.host_steps);
	ns = run(queue, &b, count, plan.host_steps);
	report_add(report, shape->key, shape->key,
		   (double)ns * (double)report->clock_hz / 1e9 / (double)count,
		   (double)plan.limit_cycles);
	bench_free(&b);
}

void bench_engine(struct report *report)
{
	struct npu_device_info info = { .size = sizeof(info) };
	struct npu_device *dev = NULL;
	struct npu_queue *queue = NULL;

	expect_ok(npu_device_open(NULL, &dev, &err));
	expect_ok(npu_device_get_info(dev, &info, &err));
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
	report->title = "engine";
	report->unit = "cycles";
	report->clock_hz = info.clock_hz;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		measure(report, dev, queue, &shapes[i]);
	npu_queue_destroy(queue);
	npu_device_close(dev);
}
