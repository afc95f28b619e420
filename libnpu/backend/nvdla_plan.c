// SPDX-License-Identifier: MIT
/*
 * NVDLA plans: what applications are told of how a matmul is carried out, made or not.
 */
#include <errno.h>

#include "../arith.h"
#include "../output.h"
#include "nvdla.h"
#include "nvdla_division.h"
#include "nvdla_passes.h"
#include "nvdla_plan.h"
#include "nvdla_split.h"
#include "nvdla_stage.h"

void nvdla_plan_limit(struct npu_plan *plan, const struct drm_npu_matmul_limits *limits)
{
	plan->mac_cycles =
		npu_div_up(plan->macs, (uint64_t)limits->mac_channels * limits->mac_kernels);
	plan->bus_cycles = npu_div_up(plan->bytes, limits->bus_bytes);
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
		/* The blocks follow each other without a pause. */
		plan->cycles += tiles->start;
	}
	plan->m_tiles += blocks * tiles->m_tiles;
	plan->weight_fetches += blocks * tiles->weight_fetches;
}

void nvdla_plan_parts(struct npu_plan *plan, const struct npu_tiles *tiles, uint64_t times)
{
	uint64_t jobs = plan->jobs + times * tiles->m_tiles * tiles->n_tiles * tiles->passes;

	plan->jobs = (uint32_t)npu_min(jobs, UINT32_MAX);
	plan->cycles += times * tiles->cycles;
	plan->stream_cycles += times * tiles->cycles;
}

void nvdla_plan_exact(struct npu_plan *plan, uint32_t digits, uint32_t batch)
{
	plan->passes *= digits;
	plan->weight_fetches = plan->weight_fetches * digits / batch;
	/* The next matmul begins when the CPU has ended this one. */
	plan->stream_cycles = plan->cycles;
}

/* ---- Queries --------------------------------------------------------------------------- */

/**
 * struct query - what a plan is made of
 * @limits: Of the engine.
 * @n: Columns of C.
 * @passes: Over each part.
 * @digits: Of A.
 * @group, @groups: Whole groups of K, and their number.
 * @rest, @rests: What is left of K, and if anything is.
 */
struct query {
	const struct drm_npu_matmul_limits *limits;
	uint32_t n;
	uint32_t passes;
	uint32_t digits;
	struct nvdla_division group;
	uint32_t groups;
	struct nvdla_division rest;
	uint32_t rests;
};

/* A run of K: for exact sums with weights up to @magnitude, or in one part if that is 0. */
static struct nvdla_division divide(const struct query *q, uint32_t k, uint32_t magnitude)
{
	const uint32_t unit = npu_plan_k_unit(q->limits);
	uint32_t most;

	if (!magnitude || !k)
		return (struct nvdla_division){ .parts = 1, .k = k, .last = k };
	most = npu_min(NVDLA_EXACT_WEIGHT_SUM / magnitude, npu_plan_max_k(q->limits)) / unit * unit;
	return nvdla_divide(q->limits, k, q->n, q->groups + q->rests, npu_div_up(k, most));
}

/* Adds @times runs of K for @rows rows. */
static void add_runs(struct npu_plan *plan, const struct query *q, const struct nvdla_division *d,
		     uint32_t rows, uint64_t times)
{
	struct npu_tiles tiles;

	if (!times)
		return;
	npu_plan_tiles(q->limits, rows, d->k, q->n, q->passes, &tiles);
	nvdla_plan_parts(plan, &tiles, times * (d->parts - 1));
	npu_plan_tiles(q->limits, rows, d->last, q->n, q->passes, &tiles);
	nvdla_plan_parts(plan, &tiles, times);
}

/* Adds @blocks blocks of @rows rows. */
static void add_blocks(struct npu_plan *plan, const struct query *q, uint32_t rows, uint32_t blocks)
{
	uint64_t times = (uint64_t)blocks * q->digits;
	struct npu_tiles tiles;

	if (!blocks)
		return;
	npu_plan_tiles(q->limits, rows, q->group.k, q->n, q->passes, &tiles);
	nvdla_plan_blocks(plan, &tiles, blocks);
	add_runs(plan, q, &q->group, rows, times * q->groups);
	add_runs(plan, q, &q->rest, rows, times * q->rests);
}

/* What the engine does alone. */
static void fill_fused(struct npu_plan *plan, const struct query *q, uint32_t batch)
{
	add_blocks(plan, q, plan->m / batch, 1);
	add_runs(plan, q, &q->group, plan->m / batch, batch - 1);
	plan->m_tiles *= batch;
}

/* What the CPU ends. */
static void fill_exact(struct npu_plan *plan, const struct query *q, uint32_t batch)
{
	uint32_t m = plan->m / batch;
	uint32_t blocks = nvdla_split_blocks(m, plan->n, q->digits * plan->k_parts);

	plan->host_steps = blocks * batch;
	/* The first one is one of the smaller ones. */
	add_blocks(plan, q, m / blocks, (blocks - m % blocks) * batch);
	add_blocks(plan, q, m / blocks + 1, m % blocks * batch);
	nvdla_plan_exact(plan, q->digits, batch);
}

/* Planes of A and of C have M rows, whatever else; their strides have 32 bits in jobs. */
static bool is_addressable(const struct npu_plan_desc *desc,
			   const struct drm_npu_matmul_limits *limits)
{
	return (uint64_t)desc->m * limits->atom_bytes <= UINT32_MAX;
}

/* Zero points that packing cannot take off weights of any value. */
static bool has_w_zero_points(const struct npu_plan_desc *desc)
{
	return desc->w_zero_points && desc->w_type != NPU_WEIGHTS_INT4;
}

/* The largest magnitude of weights as they are multiplied. */
static uint32_t w_magnitude(const struct npu_plan_desc *desc)
{
	if (desc->w_type != NPU_WEIGHTS_INT4)
		return 128;
	return desc->w_zero_points ? 15 : 8;
}

/*
 * True if the engine can do the output stage for weights of any value. With a zero point of A the
 * bias is theirs too, and then any; an odd one is the worst.
 */
static bool is_output_fusable(const struct npu_requant *rq)
{
	const int64_t most = nvdla_stage_most_bias(rq->k);
	const int32_t zero_point = rq->a_zero_point < 0 ? -rq->a_zero_point : rq->a_zero_point;
	const int64_t any =
		(rq->epilogue.bias ? NPU_BIAS_MAX : 0) + (int64_t)zero_point * 128 * rq->k;
	const int32_t odd = any <= most ? any | 1 : 0;
	struct nvdla_output output;

	if (any > most)
		return false;
	if (!rq->epilogue.bias || zero_point)
		return nvdla_output_make(&output, rq, zero_point ? &odd : &(int32_t){ 0 }, 1);
	return nvdla_output_make(&output, rq, rq->epilogue.bias, rq->epilogue.n);
}

static bool is_fused(const struct drm_npu_matmul_limits *limits, const struct npu_plan_desc *desc,
		     const struct npu_requant *rq)
{
	return !desc->exact && desc->a_type != NPU_TYPE_INT16 && npu_type_size(desc->c_type) == 1 &&
	       desc->group_size == desc->k && desc->k <= npu_plan_max_k(limits) &&
	       !has_w_zero_points(desc) && (!rq || is_output_fusable(rq));
}

static void fill_stages(struct npu_plan *plan, const struct npu_plan_desc *desc,
			const struct npu_requant *rq, bool fused)
{
	const uint32_t stages =
		npu_output_stages(rq) | (has_w_zero_points(desc) ? NPU_STAGE_ZERO_POINTS : 0);

	plan->engine_stages = fused ? stages : 0;
	plan->host_stages = fused ? 0 : stages | NPU_STAGE_SUMS;
}

static int fill(struct npu_plan *plan, const struct drm_npu_matmul_limits *limits,
		const struct npu_plan_desc *desc, const struct npu_requant *given,
		struct npu_error *err)
{
	struct npu_requant rq = given ? *given : (struct npu_requant){ 0 };
	bool fused;
	struct query q = {
		.limits = limits,
		.n = desc->n + has_w_zero_points(desc),
		.digits = desc->a_type == NPU_TYPE_INT16 ? 2 : 1,
		.groups = desc->k / desc->group_size,
		.rests = !!(desc->k % desc->group_size),
	};

	if (!is_addressable(desc, limits))
		return npu_fail(err, -EINVAL, "%u rows are more than the device can address",
				plan->m);
	/* As it is stored. */
	if (desc->a_type != NPU_TYPE_INT8)
		rq.a_zero_point -= 128;
	fused = is_fused(limits, desc, given ? &rq : NULL);
	q.passes = fused ? 1 : NVDLA_EXACT_PASSES;
	q.group = divide(&q, desc->group_size, fused ? 0 : w_magnitude(desc));
	q.rest = divide(&q, desc->k % desc->group_size, fused ? 0 : w_magnitude(desc));
	plan->k_parts = q.groups * q.group.parts + q.rests * q.rest.parts;
	nvdla_plan_limit(plan, limits);
	if (fused)
		fill_fused(plan, &q, desc->batch);
	else
		fill_exact(plan, &q, desc->batch);
	if (plan->jobs == UINT32_MAX)
		return npu_fail(err, -EINVAL,
				"a matmul of %u x %u x %u takes more jobs than can be counted",
				plan->m, plan->k, plan->n);
	if (given)
		fill_stages(plan, desc, &rq, fused);
	return 0;
}

int nvdla_plan(const struct npu_device *dev, const struct npu_plan_desc *desc,
	       const struct npu_requant *rq, struct npu_plan *plan, struct npu_error *err)
{
	return fill(plan, &to_nvdla(dev)->limits, desc, rq, err);
}

int npu_nvdla_plan(const char *config, const struct npu_plan_desc *desc,
		   const struct npu_requant *rq, struct npu_plan *plan, struct npu_error *err)
{
	const struct drm_npu_matmul_limits *limits = nvdla_config_find(config);

	if (!limits)
		return npu_fail(err, -ENOENT,
				"there is no configuration '%s': those known are nv_small and "
				"nv_large",
				config);
	return fill(plan, limits, desc, rq, err);
}
