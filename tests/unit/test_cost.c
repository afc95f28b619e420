// SPDX-License-Identifier: MIT
/*
 * Predicted cycles against the device model's: the jobs of a plan are run on it, once on an idle
 * engine, and again and again in a stream. The model's clock is held to the RTL elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../kmod/nvdla/nvdla_limits.h"
#include "../../libnpu/plan.h"
#include "../matmul_case.h"
#include "test_model_rig.h"

/* Repetitions in a stream. */
#define TIMES 3

/* The exact method's: high, middle and low bits of a sum. */
#define EXACT_PASSES 3

struct shape {
	uint32_t m, k, n, passes;
};

struct cycles {
	double alone;
	double stream;
};

static bool weights_stay(const struct npu_tiles *tiles, const struct rig_op *op)
{
	return op->weight_bytes <= tiles->weight_banks * 4096;
}

/* Job @index of the plan, operands taken over as the kernel driver does it. */
static struct rig_op job(const struct shape *s, const struct npu_tiles *tiles, uint32_t index)
{
	uint32_t pass = index % s->passes, tile = index / s->passes;
	uint32_t row = tile / tiles->n_tiles, col = tile % tiles->n_tiles;
	struct rig_op op;

	rig_op_init(&op, &rig_small, npu_plan_rows(tiles, s->m, row).count, s->k,
		    npu_plan_part(s->n, 8, tiles->n_tiles, col).count);
	op.data_banks = tiles->data_banks;
	op.weight_banks = tiles->weight_banks;
	if (pass || col)
		op.misc |= MISC_CFG_DATA_REUSE;
	if ((pass || (row && tiles->n_tiles == 1)) && weights_stay(tiles, &op))
		op.misc |= MISC_CFG_WEIGHT_REUSE;
	return op;
}

static void submit(struct rig *r, const struct shape *s, const struct npu_tiles *tiles,
		   uint32_t index)
{
	uint32_t jobs = tiles->m_tiles * tiles->n_tiles * s->passes;
	struct rig_op op = job(s, tiles, index % jobs);

	/* What the next one takes over is not released. */
	if ((index + 1) % jobs)
		op.misc |= (job(s, tiles, (index + 1) % jobs).misc & MISC_CFG_CBUF) << 8;
	rig_submit(r, &op);
}

static struct cycles measure(const struct shape *s, const struct npu_tiles *tiles)
{
	uint32_t jobs = tiles->m_tiles * tiles->n_tiles * s->passes, queued = 0;
	struct cycles cycles = { 0 };
	uint64_t begin;
	struct rig r;

	rig_init(&r, "nv_small");
	rig_start(&r);
	begin = r.now;
	for (uint32_t done = 0; done < TIMES * jobs; done++) {
		while (queued < TIMES * jobs && queued < done + 2)
			submit(&r, s, tiles, queued++);
		assert_true(rig_wait(&r, 1u << (done & 1), 100000000));
		if (done + 1 == jobs)
			cycles.alone = r.now - begin;
	}
	cycles.stream = (r.now - begin - cycles.alone) / (TIMES - 1);
	rig_fini(&r);
	return cycles;
}

static double percent(double predicted, double measured)
{
	return 100 * (predicted - measured) / measured;
}

/* The larger error, alone or in a stream. */
static double error_of(const struct shape *s)
{
	struct npu_tiles tiles;
	struct cycles cycles;
	double alone, stream;

	npu_plan_tiles(&nvdla_small_limits, s->m, s->k, s->n, s->passes, &tiles);
	cycles = measure(s, &tiles);
	alone = percent(tiles.start + tiles.cycles, cycles.alone);
	stream = percent(tiles.cycles, cycles.stream);
	if (getenv("NPU_TEST_VERBOSE"))
		printf("%4u x %4u x %4u, %u passes: alone %8.0f %+5.1f %%, in a stream %8.0f "
		       "%+5.1f %%\n",
		       s->m, s->k, s->n, s->passes, cycles.alone, alone, cycles.stream, stream);
	alone = alone < 0 ? -alone : alone;
	stream = stream < 0 ? -stream : stream;
	return alone > stream ? alone : stream;
}

static void usual_shapes_are_predicted(void **state)
{
	static const struct shape shapes[] = {
		{ 64, 256, 64, 1 },    { 64, 512, 64, 1 },   { 64, 256, 1024, 1 },
		{ 16, 1024, 256, 1 },  { 1, 1024, 512, 1 },  { 32, 2048, 64, 1 },
		{ 1, 1024, 1024, 1 },  { 100, 784, 128, 1 }, { 4, 4096, 512, 1 },
		{ 16, 8192, 64, 1 },   { 1024, 16, 64, 1 },  { 300, 40, 300, 1 },
		{ 64, 256, 64, 3 },    { 8, 8192, 8, 3 },    { 1, 1024, 512, 3 },
		{ 32, 2048, 64, 3 },   { 100, 784, 128, 3 }, { 9, 3000, 77, 3 },
		{ 128, 1024, 256, 1 }, { 500, 32, 128, 1 },  { 4096, 64, 16, 1 },
		{ 8192, 9, 12, 1 },    { 64, 8, 64, 1 },     { 1024, 16, 64, 3 },
		{ 16, 8000, 64, 3 },   { 16, 2000, 64, 3 },  { 1, 4000, 64, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		assert_true(error_of(&shapes[i]) < 2);
}

/* Small and large sizes alike: the number of digits is random too. */
static uint32_t random_size(struct rng *rng, uint32_t low, uint32_t high)
{
	uint32_t most = 1u << rng_range(rng, low, high);

	return rng_range(rng, most / 2 + 1, most);
}

/* Errors of more than a few percent are of jobs that take a few hundred cycles. */
static void random_shapes_are_predicted(void **state)
{
	const int count = 60;
	struct rng rng = { 11 };
	double sum = 0, worst = 0;

	(void)state;
	for (int i = 0; i < count; i++) {
		const struct shape s = {
			.m = random_size(&rng, 0, 8),
			.k = random_size(&rng, 6, 12),
			.n = random_size(&rng, 5, 9),
			.passes = rng_range(&rng, 0, 3) ? 1 : EXACT_PASSES,
		};
		double error = error_of(&s);

		sum += error;
		worst = error > worst ? error : worst;
	}
	if (getenv("NPU_TEST_VERBOSE"))
		printf("mean error %.2f %%, largest %.1f %%\n", sum / count, worst);
	assert_true(sum / count < 2);
	assert_true(worst < 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_shapes_are_predicted),
		cmocka_unit_test(random_shapes_are_predicted),
	};

	return cmocka_run_group_tests_name("cost", tests, NULL, NULL);
}
