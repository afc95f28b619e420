// SPDX-License-Identifier: MIT
/*
 * How much of the engine's physical limit arrives through library, driver and engine, and how near
 * the plan's prediction is. The limit is the longer of all multiplications and of every operand
 * once over the bus.
 *
 * In a stream, matmuls with operands of their own follow each other; the first submission is not
 * counted. A call finds an idle engine: its cycles on the engine, from the start of the first job
 * to the end of the last, are what the plan predicts, and what the processor does around them is
 * counted in the line below.
 *
 * A K beyond the engine's exact range takes three passes over the same operands, so three times the
 * limit is what to expect. The CPU adds the passes up, in time that is not the engine's.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "../device/workbench.h"
#include "../expect.h"
#include "../submit.h"
#include "bench.h"

/* Cycles of limit that a stream lasts, and matmuls it has. */
#define SPAN 2000000
#define FEWEST 4
#define MOST 64

/* Submissions of a stream. */
#define SUBMISSIONS 4

#define SHAPE(m, k, n)                                                                        \
	{                                                                                     \
#m "x" #k "x" #n, #m "x" #k "x" #n "_call", #m "x" #k "x" #n "_wall", m, k, n \
	}

static const struct shape {
	const char *stream;
	const char *call;
	const char *wall;
	uint32_t m, k, n;
} shapes[] = {
	SHAPE(64, 256, 64),   SHAPE(64, 512, 64),   SHAPE(64, 256, 1024), SHAPE(16, 1024, 256),
	SHAPE(32, 2048, 64),  SHAPE(100, 784, 128), SHAPE(300, 40, 300),  SHAPE(128, 1024, 1024),
	SHAPE(1, 1024, 512),  SHAPE(1, 1024, 1024), SHAPE(1, 4096, 4096), SHAPE(8, 16384, 8),
	SHAPE(1, 16384, 512), SHAPE(64, 16384, 64),
};

static struct npu_plan plan_of(const struct npu_matmul *matmul)
{
	struct npu_plan plan = { .size = sizeof(plan) };

	expect_ok(npu_matmul_get_plan(matmul, &plan, &err));
	return plan;
}

static uint64_t engine_ns(struct npu_queue *queue)
{
	struct npu_queue_stats stats = { .size = sizeof(stats) };

	expect_ok(npu_queue_get_stats(queue, &stats, &err));
	return stats.engine_ns;
}

/* Nanoseconds of one matmul in a stream of @count, which is a multiple of SUBMISSIONS. */
static double stream(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count)
{
	const size_t each = count / SUBMISSIONS;
	uint64_t ticket[SUBMISSIONS], begin;

	for (size_t i = 0; i < SUBMISSIONS; i++)
		expect_ok(submit_list(queue, matmuls + i * each, each, &ticket[i], &err));
	/* Otherwise there is no telling when it was over. */
	expect_error(npu_queue_wait(queue, ticket[0], 0, &err), -ETIME, "");
	expect_ok(npu_queue_wait(queue, ticket[0], -1, &err));
	begin = bench_now();
	expect_ok(npu_queue_wait(queue, ticket[SUBMISSIONS - 1], -1, &err));
	return (double)(bench_now() - begin) / (double)(count - each);
}

/* Nanoseconds of one call: on the engine, and altogether. */
static void call(struct npu_queue *queue, struct npu_matmul *matmul, double *engine, double *wall)
{
	uint64_t before = engine_ns(queue), begin = bench_now();

	expect_ok(npu_queue_run(queue, &matmul, 1, &err));
	*wall = (double)(bench_now() - begin);
	*engine = (double)(engine_ns(queue) - before);
}

static size_t stream_length(const struct npu_plan *plan)
{
	size_t count = SPAN / plan->limit_cycles;

	if (count < FEWEST)
		return FEWEST;
	return count > MOST ? MOST : count / SUBMISSIONS * SUBMISSIONS;
}

static void measure(struct report *report, struct npu_queue *queue, const struct shape *shape,
		    struct npu_matmul *const *matmuls)
{
	const double cycles = (double)report->clock_hz / 1e9;
	const struct npu_plan plan = plan_of(matmuls[0]);
	const double limit = (double)plan.limit_cycles;
	double engine, wall;

	/* The first time has page faults of its own. */
	call(queue, matmuls[0], &engine, &wall);
	call(queue, matmuls[1], &engine, &wall);
	call(queue, matmuls[0], &engine, &wall);
	if (!plan.host_steps)
		report_predicted(report, shape->stream, shape->stream,
				 stream(queue, matmuls, stream_length(&plan)) * cycles, limit,
				 (double)plan.stream_cycles);
	report_predicted(report, shape->call, plan.host_steps ? shape->stream : "  one call",
			 engine * cycles, limit, (double)plan.cycles);
	if (!plan.host_steps)
		report_add(report, shape->wall, "  with the processor", wall * cycles, limit);
}

static void measure_shape(struct report *report, struct npu_device *npu, struct npu_queue *queue,
			  const struct shape *shape)
{
	struct npu_matmul *matmuls[MOST];
	struct bench b[2];

	/* Neighbours that share operands would share a fetch. */
	for (uint32_t i = 0; i < 2; i++)
		bench_init(&b[i], npu, i + 1, shape->m, shape->k, shape->n);
	for (size_t i = 0; i < MOST; i++)
		matmuls[i] = b[i % 2].matmul;
	measure(report, queue, shape, matmuls);
	for (uint32_t i = 0; i < 2; i++)
		bench_free(&b[i]);
}

void bench_engine(struct report *report)
{
	struct npu_device_info about = { .size = sizeof(about) };
	struct npu_device *npu = NULL;
	struct npu_queue *queue = NULL;

	expect_ok(npu_device_open(NULL, &npu, &err));
	expect_ok(npu_device_get_info(npu, &about, &err));
	expect_ok(npu_queue_create(npu, NULL, &queue, &err));
	report->title = "engine";
	report->unit = "cycles";
	report->clock_hz = about.clock_hz;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		measure_shape(report, npu, queue, &shapes[i]);
	npu_queue_destroy(queue);
	npu_device_close(npu);
}
