// SPDX-License-Identifier: MIT
/*
 * Plans. A job fetches, multiplies and hands out results at the same time, so it takes the longest
 * of these, as long as the convolution buffer (CBUF) has room for what comes next: a second tile of
 * A, a second group of kernels. The planner tries every division of the CBUF and every size of
 * tile, and takes the cheapest.
 *
 * Weights are fetched once for each tile of M, straight through their banks. A is fetched once for
 * each tile of N, of which there is one as long as N is within the limits.
 */
#include <stddef.h>

#include "plan.h"

/* Cycles from one job to the next when all is fetched ahead, measured on the RTL. */
#define JOB_GAP 65

/* Cycles of latency from the start of the first fetch to the last write. */
#define START_LATENCY 280

/*
 * Rows a job has at least, unless M is smaller. The engine ignores plane strides where M is 1, so
 * a single row cannot be cut out of a matrix; with 3 or more a division without one exists.
 */
#define MIN_ROWS 3

struct shape {
	uint32_t m, k, n;
};

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t div_up(uint64_t a, uint64_t b)
{
	return a / b + !!(a % b);
}

static uint64_t bank_bytes(const struct drm_npu_matmul_limits *limits)
{
	return (uint64_t)limits->cbuf_bank_entries * limits->cbuf_entry_bytes;
}

/* Bytes of CBUF that a row of A takes. */
static uint64_t row_bytes(const struct drm_npu_matmul_limits *limits, uint32_t k)
{
	return div_up(k, limits->atom_bytes) * limits->atom_bytes;
}

/* Bytes of CBUF that a full group of kernels takes. */
static uint64_t group_bytes(const struct drm_npu_matmul_limits *limits, const struct shape *s)
{
	uint64_t kernels = min_u64(s->n, limits->mac_kernels);

	return div_up(kernels * s->k, limits->cbuf_entry_bytes) * limits->cbuf_entry_bytes;
}

uint32_t npu_plan_k_unit(const struct drm_npu_matmul_limits *limits)
{
	return max_u64(limits->atom_bytes, limits->mac_channels);
}

uint32_t npu_plan_n_unit(const struct drm_npu_matmul_limits *limits)
{
	return max_u64(limits->atom_bytes, limits->mac_kernels);
}

/* True if one group of kernels and the fewest rows a job can have fit into the CBUF together. */
static bool k_fits(const struct drm_npu_matmul_limits *limits, uint32_t k)
{
	const struct shape s = { .m = MIN_ROWS, .k = k, .n = limits->mac_kernels };
	uint64_t macs = (uint64_t)MIN_ROWS * npu_plan_n_unit(limits) * k;

	return div_up(group_bytes(limits, &s), bank_bytes(limits)) +
			       div_up(MIN_ROWS * row_bytes(limits, k), bank_bytes(limits)) <=
		       limits->cbuf_banks &&
	       macs <= limits->max_job_macs;
}

uint32_t npu_plan_max_k(const struct drm_npu_matmul_limits *limits)
{
	/* Up to this K the sum and the largest bias stay within int32 in the output stage. */
	uint32_t k = min_u64(limits->max_k, UINT16_MAX);
	uint32_t unit;

	if (!limits->atom_bytes || !limits->mac_channels || !limits->mac_kernels ||
	    !limits->cbuf_entry_bytes || !limits->cbuf_bank_entries || !limits->bus_bytes ||
	    limits->max_width < MIN_ROWS || limits->max_n < npu_plan_n_unit(limits))
		return 0;

	unit = npu_plan_k_unit(limits);
	while (k && !k_fits(limits, k))
		k = k % unit ? k - k % unit : k - unit;
	return k;
}

struct npu_part npu_plan_part(uint32_t total, uint32_t unit, uint32_t parts, uint32_t index)
{
	uint64_t units = div_up(total, unit);
	uint64_t first = units * index / parts * unit;
	uint64_t end = min_u64(units * (index + 1) / parts * unit, total);

	return (struct npu_part){ .first = first, .count = end - first };
}

/*
 * Cycles that a job computes; tails take as long as whole blocks. The MAC array holds the sums of a
 * group of kernels until the output stage takes them, so the slower of the two sets the pace.
 */
static uint64_t mac_cycles(const struct drm_npu_matmul_limits *limits, const struct shape *job)
{
	return job->m * div_up(job->n, limits->mac_kernels) *
	       max_u64(div_up(job->k, limits->mac_channels), limits->epilogue_cycles);
}

/* Cycles that the memory port is busy with a job. */
static uint64_t bus_cycles(const struct drm_npu_matmul_limits *limits, const struct shape *job)
{
	return div_up(job->m * row_bytes(limits, job->k) + (uint64_t)job->n * job->k +
			      (uint64_t)job->m * job->n,
		      limits->bus_bytes);
}

/* Cycles of a job that follows another one. */
static uint64_t job_cycles(const struct drm_npu_matmul_limits *limits, const struct shape *job,
			   const struct npu_tiles *tiles)
{
	uint64_t data = job->m * row_bytes(limits, job->k);
	uint64_t weights = (uint64_t)job->n * job->k;
	uint64_t macs = mac_cycles(limits, job), bus = bus_cycles(limits, job);
	uint64_t cycles = max_u64(macs, bus);

	/* No room for the next group of kernels: fetching and multiplying take turns. */
	if (min_u64(weights, 2 * group_bytes(limits, job)) >
	    tiles->weight_banks * bank_bytes(limits))
		cycles = macs + bus;
	/* No room for the next rows: they come afterwards, and weights compete with them. */
	if (2 * data > tiles->data_banks * bank_bytes(limits))
		cycles += data * 3 / 2 / limits->bus_bytes;
	return cycles + JOB_GAP;
}

/* Cycles that the first job takes longer, because all of A has to be there before it multiplies. */
static uint64_t start_cycles(const struct drm_npu_matmul_limits *limits, const struct shape *job,
			     const struct npu_tiles *tiles)
{
	uint64_t data = job->m * row_bytes(limits, job->k);
	uint64_t weights =
		min_u64((uint64_t)job->n * job->k, tiles->weight_banks * bank_bytes(limits));
	/* The weights get as much of the bus meanwhile as A does, as long as they have room. */
	uint64_t fetch =
		(data + min_u64(weights, data + group_bytes(limits, job))) / limits->bus_bytes;
	uint64_t macs = mac_cycles(limits, job), bus = bus_cycles(limits, job);

	return max_u64(macs + fetch, bus) - max_u64(macs, bus) + START_LATENCY;
}

/* Divides @s into tiles of at most @max_rows rows; false where that is not possible. */
static bool divide(const struct drm_npu_matmul_limits *limits, const struct shape *s,
		   uint64_t max_rows, struct npu_tiles *tiles, struct shape *job)
{
	uint32_t unit = npu_plan_n_unit(limits);
	uint64_t min_rows = min_u64(s->m, MIN_ROWS);
	uint64_t max_cols = min_u64(limits->max_n, limits->max_job_macs / (min_rows * s->k));

	tiles->n_tiles = div_up(div_up(s->n, unit), max_cols / unit);
	job->n = min_u64(div_up(div_up(s->n, unit), tiles->n_tiles) * unit, s->n);

	max_rows = min_u64(max_rows, limits->max_width);
	max_rows = min_u64(max_rows, limits->max_job_macs / ((uint64_t)job->n * s->k));
	if (max_rows < min_rows)
		return false;
	tiles->m_tiles = div_up(s->m, max_rows);
	job->m = div_up(s->m, tiles->m_tiles);
	job->k = s->k;
	return true;
}

/* Whether another job runs before is not known here; if so, the start costs nothing. */
static uint64_t price(const struct npu_tiles *tiles)
{
	return tiles->cycles + tiles->start / 2;
}

/* Cheapest tiles with @tiles->data_banks given; false if none are possible. */
static bool plan_banks(const struct drm_npu_matmul_limits *limits, const struct shape *s,
		       struct npu_tiles *tiles)
{
	struct npu_tiles try = *tiles;
	bool found = false;
	struct shape job;

	try.weight_banks = limits->cbuf_banks - try.data_banks;
	if (group_bytes(limits, s) > try.weight_banks * bank_bytes(limits))
		return false;

	for (uint32_t banks = 1; banks <= try.data_banks; banks++) {
		uint64_t rows = banks * bank_bytes(limits) / row_bytes(limits, s->k);

		if (!divide(limits, s, rows, &try, &job))
			continue;
		try.start = start_cycles(limits, &job, &try);
		try.cycles = (uint64_t)try.m_tiles * try.n_tiles * job_cycles(limits, &job, &try);
		if (!found || price(&try) < price(tiles)) {
			*tiles = try;
			found = true;
		}
		if (rows >= s->m)
			break;
	}
	return found;
}

void npu_plan_tiles(const struct drm_npu_matmul_limits *limits, uint32_t m, uint32_t k, uint32_t n,
		    struct npu_tiles *tiles)
{
	const struct shape s = { .m = m, .k = k, .n = n };
	struct npu_tiles half = { .data_banks = limits->cbuf_banks / 2 };
	bool found = false;

	for (uint32_t banks = 1; banks < limits->cbuf_banks; banks++) {
		struct npu_tiles try = { .data_banks = banks };

		if (plan_banks(limits, &s, &try) && (!found || price(&try) < price(tiles))) {
			*tiles = try;
			found = true;
		}
	}

	/*
	 * The engine drains when one job divides the CBUF in another way than the one before, which
	 * costs a start. So all matmuls use halves, unless another division gains more than that.
	 */
	if (plan_banks(limits, &s, &half) && price(&half) <= price(tiles) + half.start)
		*tiles = half;
}
