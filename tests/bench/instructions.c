// SPDX-License-Identifier: MIT
/*
 * Instructions per job. On a board whose clock counts instructions (board run --icount: one is one
 * ns) and whose engine is so fast that its time vanishes, time is instructions. Whether it is so is
 * measured first, with a loop of known length; elsewhere the figures are plain nanoseconds.
 *
 * The parts are differences of experiments, so they can be had on real hardware, too: a SUBMIT that
 * is refused at its last job has copied and checked all of them and done nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <sys/random.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "../device/drm_node.h"
#include "bench.h"

#define BATCH 64
#define ROUNDS 64

struct rig {
	struct node node;
	struct node_bo a, w, c;
	struct drm_npu_job_matmul job[BATCH];
};

uint64_t bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Nanoseconds an instruction takes: the compiler cannot touch this loop of two. */
static double time_loop(void)
{
	const uint64_t turns = 100000;
	uint64_t n = turns, begin = bench_now();

#if defined(__aarch64__)
	__asm__ volatile("1: subs %0, %0, #1\n b.ne 1b" : "+r"(n) : : "cc");
#elif defined(__arm__)
	uint32_t half = (uint32_t)n;

	__asm__ volatile("1: subs %0, %0, #1\n bne 1b" : "+r"(half) : : "cc");
#elif defined(__x86_64__) || defined(__i386__)
	uint32_t half = (uint32_t)n;

	__asm__ volatile("1: subl $1, %0\n jnz 1b" : "+r"(half) : : "cc");
#elif defined(__riscv)
	__asm__ volatile("1: addi %0, %0, -1\n bnez %0, 1b" : "+r"(n));
#else
	return 0;
#endif
	return (double)(bench_now() - begin) / (2.0 * (double)turns);
}

/* The least of some: an interrupt may fall into one. */
static double calibrate(void)
{
	double least = time_loop();

	for (unsigned int i = 0; i < 8; i++) {
		double ns = time_loop();

		least = ns < least ? ns : least;
	}
	return least;
}

static void submit(struct rig *rig, uint32_t jobs)
{
	struct drm_npu_submit args = {
		.jobs = { sizeof(*rig->job), jobs, (uintptr_t)rig->job },
	};

	assert_int_equal(node_ioctl(&rig->node, DRM_IOCTL_NPU_SUBMIT, &args), 0);
}

static void prep_result(struct rig *rig)
{
	struct drm_npu_bo_prep prep = {
		.handle = rig->c.handle,
		.flags = DRM_NPU_ACCESS_READ,
		.deadline_ns = INT64_MAX,
	};

	assert_int_equal(node_ioctl(&rig->node, DRM_IOCTL_NPU_BO_PREP, &prep), 0);
}

/* ---- Experiments: each returns the time of one ------------------------------------------- */

static uint64_t whole(struct rig *rig, uint32_t jobs)
{
	uint64_t begin = bench_now();

	submit(rig, jobs);
	prep_result(rig);
	return bench_now() - begin;
}

static uint64_t smallest_call(struct rig *rig, uint32_t jobs)
{
	struct drm_npu_dev_query query = { .type = DRM_NPU_QUERY_DEVICE };
	uint64_t begin = bench_now();

	(void)jobs;
	assert_int_equal(node_ioctl(&rig->node, DRM_IOCTL_NPU_DEV_QUERY, &query), 0);
	return bench_now() - begin;
}

static uint64_t refused_at_the_last(struct rig *rig, uint32_t jobs)
{
	const uint64_t offset = rig->job[jobs - 1].c.offset;
	uint64_t begin, end;

	rig->job[jobs - 1].c.offset = rig->c.size;
	begin = bench_now();
	assert_int_not_equal(node_submit(&rig->node, 0, rig->job, jobs, NULL), 0);
	end = bench_now();
	rig->job[jobs - 1].c.offset = offset;
	return end - begin;
}

static uint64_t prep_of_what_is_over(struct rig *rig, uint32_t jobs)
{
	uint64_t begin;

	submit(rig, jobs);
	prep_result(rig);
	begin = bench_now();
	prep_result(rig);
	return bench_now() - begin;
}

/* The mean of many, after some that fill the caches of allocators. */
static double mean(struct rig *rig, uint64_t (*experiment)(struct rig *, uint32_t), uint32_t jobs)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < ROUNDS / 4; i++)
		experiment(rig, jobs);
	for (unsigned int i = 0; i < ROUNDS; i++)
		sum += experiment(rig, jobs);
	return (double)sum / ROUNDS;
}

/* ---- Report ------------------------------------------------------------------------------ */

/*
 * Kernels that move their stack at each system call need a random number for it, which costs ten
 * thousand instructions until the generator has its seed. No machine is in that state for long.
 */
static void wait_for_random_numbers(void)
{
	char byte;

	assert_int_equal(getrandom(&byte, 1, 0), 1);
}

static void rig_init(struct rig *rig)
{
	wait_for_random_numbers();
	node_open(&rig->node);
	node_bo_create(&rig->node, &rig->a, 4096);
	node_bo_create(&rig->node, &rig->w, 4096);
	node_bo_create(&rig->node, &rig->c, BATCH * 64);
	for (unsigned int i = 0; i < BATCH; i++) {
		rig->job[i] = node_job(&rig->node, 8, 8, 8, &rig->a, &rig->w, &rig->c);
		rig->job[i].c.offset = i * 64;
	}
}

static void rig_fini(struct rig *rig)
{
	node_bo_destroy(&rig->node, &rig->c);
	node_bo_destroy(&rig->node, &rig->w);
	node_bo_destroy(&rig->node, &rig->a);
	node_close(&rig->node);
}

void bench_instructions(struct report *report)
{
	const double ns = calibrate();
	const bool counts = ns > 0.99 && ns < 1.01;
	struct rig rig;
	double one, batch, smallest, check_one, check_batch, over;

	rig_init(&rig);
	one = mean(&rig, whole, 1);
	batch = mean(&rig, whole, BATCH);
	smallest = mean(&rig, smallest_call, 0);
	check_one = mean(&rig, refused_at_the_last, 1);
	check_batch = mean(&rig, refused_at_the_last, BATCH);
	over = mean(&rig, prep_of_what_is_over, 1);

	report->title = "processor";
	report->unit = counts ? "instructions" : "ns";
	report->clock_hz = rig.node.info.clock_hz;
	report_add(report, "one_job", "SUBMIT of one job, BO_PREP of its result", one,
		   counts ? 15000 : 0);
	report_add(report, "one_call", "  any ioctl", smallest, 0);
	report_add(report, "one_check", "  copy, check, look up", check_one - smallest, 0);
	report_add(report, "one_wait", "  BO_PREP of what is over", over, 0);
	report_add(report, "one_rest", "  queue, run, signal, wake up", one - check_one - over, 0);
	report_add(report, "batch_job", "one of 64 jobs of a SUBMIT", batch / BATCH,
		   counts ? 3000 : 0);
	report_add(report, "batch_check", "  copy, check, look up",
		   (check_batch - check_one) / (BATCH - 1), 0);
	report_add(report, "batch_feed", "  program, interrupt, account",
		   (batch - one - check_batch + check_one) / (BATCH - 1), 0);
	report_add(report, "batch_share", "  share of what SUBMIT costs once",
		   (batch - (batch - one) / (BATCH - 1) * BATCH) / BATCH, 0);
	rig_fini(&rig);
}
