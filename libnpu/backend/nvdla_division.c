// SPDX-License-Identifier: MIT
/*
 * Divisions. The bound of the exact method says how few parts K can have, but few are not always
 * fast: where two groups of kernels of a long part do not fit into the CBUF together, the engine
 * waits for each, and where all of W does not, each of the passes fetches it again. On the other
 * hand every part is more sums for the CPU, and fewer rows of them fit into scratch memory, so that
 * W is fetched for more blocks.
 *
 * DOC: Weights do not know how many rows they will meet
 *
 * K is cut when weights are packed, once for all matmuls: they are too large to be there in several
 * cuts. What is best depends on M. So each division is priced for one row, for some and for many;
 * what it loses, at most, to the best one for as many rows is what counts. The plan of a given M is
 * then not always the shortest: on nv_small by a percent or two, on nv_large by up to a half where
 * few rows gain from short parts what many rows lose.
 */
#include "../arith.h"
#include "../plan.h"
#include "nvdla_division.h"
#include "nvdla_passes.h"
#include "nvdla_split.h"

/* Shorter parts gain nothing: what a job begins and ends with is then a good part of it. */
#define SHORTEST 512

/* Losses are told apart in steps of one in so many; of those that are alike, few parts win. */
#define STEPS 32

static const uint32_t usual_rows[] = { 1, 8, 16, 32, 64, 256 };

static struct nvdla_division divide_evenly(const struct drm_npu_matmul_limits *limits, uint32_t k,
					   uint32_t parts)
{
	struct nvdla_division d = { .parts = 1, .k = k, .last = k };

	if (parts > 1) {
		d.k = npu_plan_even(k, npu_plan_k_unit(limits), parts);
		d.parts = npu_div_up(k, d.k);
		d.last = k - (d.parts - 1) * d.k;
	}
	return d;
}

uint32_t nvdla_divisions(const struct drm_npu_matmul_limits *limits, uint32_t k, uint32_t least,
			 struct nvdla_division division[NVDLA_DIVISIONS])
{
	uint32_t count = 1;

	division[0] = divide_evenly(limits, k, least);
	while (count < NVDLA_DIVISIONS) {
		division[count] = divide_evenly(limits, k, least * (count + 1));
		if (division[count].k < SHORTEST)
			break;
		count++;
	}
	return count;
}

uint64_t nvdla_division_cycles(const struct drm_npu_matmul_limits *limits, uint32_t m, uint32_t n,
			       uint32_t runs, const struct nvdla_division *division)
{
	uint32_t blocks = nvdla_split_blocks(m, n, runs * division->parts);
	uint32_t rows = npu_div_up(m, blocks);
	struct npu_tiles tiles;
	uint64_t cycles;

	npu_plan_tiles(limits, rows, division->last, n, NVDLA_EXACT_PASSES, &tiles);
	cycles = tiles.cycles;
	if (division->parts > 1) {
		npu_plan_tiles(limits, rows, division->k, n, NVDLA_EXACT_PASSES, &tiles);
		cycles += (division->parts - 1) * tiles.cycles;
	}
	return (uint64_t)runs * blocks * cycles;
}

struct nvdla_division nvdla_divide(const struct drm_npu_matmul_limits *limits, uint32_t k,
				   uint32_t n, uint32_t runs, uint32_t least)
{
	struct nvdla_division division[NVDLA_DIVISIONS];
	uint32_t count = nvdla_divisions(limits, k, least, division), best = 0;
	uint64_t cycles[NVDLA_DIVISIONS], loss[NVDLA_DIVISIONS] = { 0 };

	if (count == 1)
		return division[0];
	for (uint32_t r = 0; r < sizeof(usual_rows) / sizeof(usual_rows[0]); r++) {
		uint64_t fewest = UINT64_MAX;

		for (uint32_t i = 0; i < count; i++) {
			cycles[i] =
				nvdla_division_cycles(limits, usual_rows[r], n, runs, &division[i]);
			fewest = npu_min(fewest, cycles[i]);
		}
		for (uint32_t i = 0; i < count; i++)
			loss[i] = npu_max(loss[i], cycles[i] / npu_max(fewest / STEPS, 1));
	}
	for (uint32_t i = 1; i < count; i++)
		if (loss[i] < loss[best])
			best = i;
	return division[best];
}
