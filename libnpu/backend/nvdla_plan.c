// SPDX-License-Identifier: MIT
/*
 * NVDLA plans: what applications are told of how a matmul is carried out, made or not.
 */
#include <errno.h>

#include "nvdla.h"
#include "nvdla_plan.h"
#include "nvdla_split.h"

static uint64_t div_up(uint64_t a, uint64_t b)
{
	return a / b + !!(a % b);
}

void nvdla_plan_limit(struct npu_plan *plan, const struct drm_npu_matmul_limits *limits)
{
	plan->mac_cycles = div_up(plan->macs, (uint64_t)limits->mac_channels * limits->mac_kernels);
	plan->bus_cycles = div_up(plan->bytes, limits->bus_bytes);
	plan->limit_cycles =
		plan->mac_cycles > plan->bus_cycles ? plan->mac_cycles : plan->bus_cycles;
}

void nvdla_plan_blocks(struct npu_plan *plan, const struct npu_tiles *tiles, uint32_t blocks)
{
	if (!plan->m_tiles) {
		plan->n_tiles = tiles->n_tiles;
		plan->lead_rows = tiles->lead;
		plan->passes = tiles->passes;
		plan->data_banks = tiles->data_banks;
		plan->weight_banks = tiles->weight_banks;
		plan->a_fetches = 1;
	}
	plan->m_tiles += blocks * tiles->m_tiles;
	plan->weight_fetches += blocks * tiles->weight_fetches;
	plan->cycles += blocks * tiles->start;
}

void nvdla_plan_parts(struct npu_plan *plan, const struct npu_tiles *tiles, uint64_t times)
{
	plan->jobs += times * tiles->m_tiles * tiles->n_tiles * tiles->passes;
	plan->cycles += times * tiles->cycles;
	plan->stream_cycles += times * tiles->cycles;
}

/* K in parts that are even but for the last one, for weights of any value. */
struct division {
	uint32_t parts;
	uint32_t k;
	uint32_t last;
};

static struct division divide(const struct drm_npu_matmul_limits *limits, uint32_t k, bool exact)
{
	struct division d = { .parts = 1, .k = k, .last = k };
	uint32_t unit = npu_plan_k_unit(limits);
	uint32_t most = NVDLA_EXACT_WEIGHT_SUM / 128 / unit * unit;

	if (k > npu_plan_max_k(limits) || (exact && k > most)) {
		d.k = npu_plan_even(k, unit, div_up(k, most));
		d.parts = div_up(k, d.k);
		d.last = k - (d.parts - 1) * d.k;
	}
	return d;
}

/* Adds @blocks blocks of @rows rows. */
static void add_blocks(struct npu_plan *plan, const struct drm_npu_matmul_limits *limits,
		       const struct division *d, uint32_t passes, uint32_t rows, uint32_t blocks)
{
	struct npu_tiles tiles;

	if (!blocks)
		return;
	npu_plan_tiles(limits, rows, d->k, plan->n, passes, &tiles);
	nvdla_plan_blocks(plan, &tiles, blocks);
	nvdla_plan_parts(plan, &tiles, (uint64_t)blocks * (d->parts - 1));
	npu_plan_tiles(limits, rows, d->last, plan->n, passes, &tiles);
	nvdla_plan_parts(plan, &tiles, blocks);
}

static int fill(struct npu_plan *plan, const struct drm_npu_matmul_limits *limits, bool exact,
		struct npu_error *err)
{
	struct division d = divide(limits, plan->k, exact);
	struct npu_layout layout;
	uint32_t blocks = 1;

	if (!npu_layout_planes(&layout, plan->m, plan->k, limits->atom_bytes, UINT32_MAX) ||
	    !npu_layout_planes(&layout, plan->m, plan->n, limits->atom_bytes, UINT32_MAX))
		return npu_fail(err, -EINVAL, "%u rows are more than the device can address",
				plan->m);
	exact = exact || d.parts > 1;
	if (exact)
		blocks = plan->host_steps = nvdla_split_blocks(plan->m, plan->n, d.parts);
	plan->k_parts = d.parts;
	nvdla_plan_limit(plan, limits);
	add_blocks(plan, limits, &d, exact ? NVDLA_EXACT_PASSES : 1, plan->m / blocks + 1,
		   plan->m % blocks);
	add_blocks(plan, limits, &d, exact ? NVDLA_EXACT_PASSES : 1, plan->m / blocks,
		   blocks - plan->m % blocks);
	if (exact)
		plan->stream_cycles = plan->cycles;
	return 0;
}

int nvdla_plan(const struct npu_device *dev, bool exact, struct npu_plan *plan,
	       struct npu_error *err)
{
	return fill(plan, &to_nvdla(dev)->limits, exact, err);
}

int npu_nvdla_plan(const char *config, bool exact, struct npu_plan *plan, struct npu_error *err)
{
	const struct drm_npu_matmul_limits *limits = nvdla_config_find(config);

	if (!limits)
		return npu_fail(err, -ENOENT,
				"there is no configuration '%s': those known are nv_small and "
				"nv_large",
				config);
	return fill(plan, limits, exact, err);
}
