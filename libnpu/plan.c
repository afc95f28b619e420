// SPDX-License-Identifier: MIT
/*
 * Plans. C is divided into tiles, a job each, and the CBUF into banks for A and banks for W. The
 * planner tries the divisions that differ in what cost.c knows about, and takes the cheapest.
 *
 * DOC: A stream of jobs, and a single call
 *
 * A stream wants few large jobs, because each change of jobs costs cycles in which nothing is
 * multiplied. A call on an idle engine wants a small first job: nothing is multiplied until all of
 * that job's A is there. Nobody knows when a matmul is made which of the two it will be, so the
 * plan is the one with the shortest call among those that a stream does not notice: at most one
 * cycle in 128 more than the best one takes. That usually buys a lead, a first tile of a few rows
 * during which A of the second tile is fetched. Where the matmul is too short for the price of
 * one more job, it is one job.
 *
 * DOC: The order of jobs
 *
 * Tiles of N are inside those of M: A is fetched once for each tile of M, and what follows in the
 * same rows takes it over. W comes once for each tile of M, unless all of it fits into its banks:
 * then it is fetched once. The other order would keep W and fetch A again. It would gain little:
 * there is more than one tile of N only beyond the limits of a job, and multiplying as many rows as
 * the banks of A hold takes about as long as fetching W for them again, or longer.
 */
#include <stddef.h>

#include "arith.h"
#include "cost.h"
#include "plan.h"

/* A stream may take one cycle in so many more, if a single call gains. */
#define STREAM_SHARE 128

/* Other banks than halves have to save at least one cycle in so many. */
#define BANKS_SHARE 32

/*
 * Rows a job has at least, unless M is smaller. The engine ignores plane strides where M is 1, so
 * a single row cannot be cut out of a matrix; with 3 or more a division without one exists.
 */
#define MIN_ROWS 3

/* Leads that are tried: so many times the kernels of the MAC array, up to which rows cost alike. */
#define MAX_LEAD 8

struct shape {
	uint32_t m, k, n;
};

static uint64_t bank_bytes(const struct drm_npu_matmul_limits *limits)
{
	return (uint64_t)limits->cbuf_bank_entries * limits->cbuf_entry_bytes;
}

/* Bytes of CBUF that a row of A takes. */
static uint64_t row_bytes(const struct drm_npu_matmul_limits *limits, uint32_t k)
{
	return npu_div_up(k, limits->atom_bytes) * limits->atom_bytes;
}

/* Bytes of CBUF that a full group of kernels takes. */
static uint64_t group_bytes(const struct drm_npu_matmul_limits *limits, const struct shape *s)
{
	uint64_t kernels = npu_min(s->n, limits->mac_kernels);

	return npu_div_up(kernels * s->k, limits->cbuf_entry_bytes) * limits->cbuf_entry_bytes;
}

uint32_t npu_plan_k_unit(const struct drm_npu_matmul_limits *limits)
{
	return npu_max(limits->atom_bytes, limits->mac_channels);
}

uint32_t npu_plan_n_unit(const struct drm_npu_matmul_limits *limits)
{
	return npu_max(limits->atom_bytes, limits->mac_kernels);
}

/* True if one group of kernels and the fewest rows a job can have fit into the CBUF together. */
static bool k_fits(const struct drm_npu_matmul_limits *limits, uint32_t k)
{
	const struct shape s = { .m = MIN_ROWS, .k = k, .n = limits->mac_kernels };
	uint64_t macs = (uint64_t)MIN_ROWS * npu_plan_n_unit(limits) * k;

	return npu_div_up(group_bytes(limits, &s), bank_bytes(limits)) +
			       npu_div_up(MIN_ROWS * row_bytes(limits, k), bank_bytes(limits)) <=
		       limits->cbuf_banks &&
	       macs <= limits->max_job_macs;
}

uint32_t npu_plan_max_k(const struct drm_npu_matmul_limits *limits)
{
	/* Up to this K the sum and the largest bias stay within int32 in the output stage. */
	uint32_t k = npu_min(limits->max_k, UINT16_MAX);
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
	uint64_t units = npu_div_up(total, unit);
	uint64_t first = units * index / parts * unit;
	uint64_t end = npu_min(units * (index + 1) / parts * unit, total);

	return (struct npu_part){ .first = first, .count = end - first };
}

uint32_t npu_plan_even(uint32_t total, uint32_t unit, uint32_t parts)
{
	return npu_div_up(npu_div_up(total, unit), parts) * unit;
}

struct npu_part npu_plan_rows(const struct npu_tiles *tiles, uint32_t m, uint32_t index)
{
	struct npu_part part;

	if (!tiles->lead)
		return npu_plan_part(m, 1, tiles->m_tiles, index);
	if (!index)
		return (struct npu_part){ .count = tiles->lead };
	part = npu_plan_part(m - tiles->lead, 1, tiles->m_tiles - 1, index - 1);
	part.first += tiles->lead;
	return part;
}

/* ---- Prices ---------------------------------------------------------------------------- */

/*
 * struct row_tile - the jobs of one tile of M
 * @first: The first of them.
 * @last: The last one.
 * @inside: Cycles from the start of the first to that of the last.
 */
struct row_tile {
	struct npu_cost first;
	struct npu_cost last;
	uint64_t inside;
};

/* Cycles from the start of the first pass to that of the @last. */
static uint64_t price_passes(const struct npu_cost *first, uint32_t passes, struct npu_cost *last)
{
	struct npu_cost pass = *first;

	*last = *first;
	if (passes == 1)
		return 0;
	npu_cost_reuse(&pass, true, true);
	*last = pass;
	return npu_cost_next(first, &pass) + (passes - 2) * npu_cost_next(&pass, &pass);
}

/* @same_weights: the tile before has the same W. */
static void price_rows(const struct drm_npu_matmul_limits *limits, const struct shape *job,
		       const struct npu_tiles *tiles, bool same_weights, struct row_tile *tile)
{
	struct npu_cost column;

	npu_cost_of(&column, limits, job->m, job->k, job->n, tiles->data_banks);
	tile->first = column;
	npu_cost_reuse(&tile->first, false, same_weights && tiles->n_tiles == 1);
	npu_cost_reuse(&column, true, false);

	tile->inside = price_passes(&tile->first, tiles->passes, &tile->last);
	if (tiles->n_tiles > 1) {
		uint64_t turn = npu_cost_next(&tile->last, &column);

		turn += price_passes(&column, tiles->passes, &tile->last);
		tile->inside += (tiles->n_tiles - 1) * turn;
	}
}

/* Cycles from the start of @before to that of the last job of @count tiles behind it. */
static uint64_t price_run(const struct row_tile *before, const struct row_tile *tile,
			  uint32_t count)
{
	if (!count)
		return 0;
	return npu_cost_next(&before->last, &tile->first) + count * tile->inside +
	       (count - 1) * npu_cost_next(&tile->last, &tile->first);
}

/* Sets the cycles of @tiles. The first one stands alone; the others differ by a row at most. */
static void price(const struct drm_npu_matmul_limits *limits, const struct shape *s, uint32_t cols,
		  struct npu_tiles *tiles)
{
	struct shape job = { .m = npu_plan_rows(tiles, s->m, 0).count, .k = s->k, .n = cols };
	struct row_tile first, small, large;
	const struct row_tile *last = &first;
	uint32_t others = tiles->m_tiles - 1, left = s->m - job.m, larger;
	uint64_t alone;

	price_rows(limits, &job, tiles, false, &first);
	tiles->cycles = first.inside;
	if (others) {
		larger = left % others;
		job.m = left / others;
		price_rows(limits, &job, tiles, true, &small);
		job.m++;
		price_rows(limits, &job, tiles, true, &large);
		tiles->cycles += price_run(&first, &large, larger);
		tiles->cycles += price_run(larger ? &large : &first, &small, others - larger);
		last = &small;
	}
	alone = npu_cost_start(&first.first) + tiles->cycles + npu_cost_end(&last->last);
	tiles->cycles += npu_cost_next(&last->last, &first.first);
	tiles->start = alone > tiles->cycles ? alone - tiles->cycles : 0;
}

static uint64_t call_cycles(const struct npu_tiles *tiles)
{
	return tiles->start + tiles->cycles;
}

/* Takes @try if it serves single calls better and streams no worse than @most cycles. */
static void take_better(struct npu_tiles *best, const struct npu_tiles *try, uint64_t most)
{
	bool fits = try->cycles <= most;

	if (!best->m_tiles || (best->cycles > most ? try->cycles < best->cycles
						   : fits && call_cycles(try) < call_cycles(best)))
		*best = *try;
}

/* ---- Divisions ------------------------------------------------------------------------- */

/* Fewest tiles of N there can be, and their width; 0 if not even the fewest rows allow any. */
static uint32_t divide_cols(const struct drm_npu_matmul_limits *limits, const struct shape *s,
			    uint32_t *cols)
{
	uint64_t unit = npu_plan_n_unit(limits), units = npu_div_up(s->n, unit);
	uint64_t macs = npu_min(s->m, MIN_ROWS) * s->k;
	uint64_t most = npu_min(limits->max_n, limits->max_job_macs / macs) / unit;
	uint64_t tiles = most ? npu_div_up(units, most) : 0;

	*cols = tiles ? npu_min(npu_div_up(units, tiles) * unit, s->n) : 0;
	return tiles;
}

/* Divides M into tiles of at most @rows behind a lead; false if that gives none of its own. */
static bool divide_rows(const struct shape *s, uint32_t lead, uint64_t rows,
			struct npu_tiles *tiles)
{
	if (lead && (lead > rows || lead + MIN_ROWS > s->m))
		return false;
	tiles->lead = lead;
	tiles->m_tiles = !!lead + npu_div_up(s->m - lead, rows);
	return true;
}

/*
 * Tries tiles with the banks and the columns of @try: such that fill the banks of A, and such that
 * fill half of them, so that the next one is fetched meanwhile.
 */
static void try_rows(const struct drm_npu_matmul_limits *limits, const struct shape *s,
		     uint32_t cols, struct npu_tiles *try, uint64_t most, struct npu_tiles *best)
{
	uint64_t hold = try->data_banks * bank_bytes(limits) / row_bytes(limits, s->k);
	uint64_t max_rows =
		npu_min(limits->max_width, limits->max_job_macs / ((uint64_t)cols * s->k));

	for (uint32_t share = 1; share <= 2; share++) {
		uint64_t rows = npu_min(hold / share, max_rows);

		if (rows < npu_min(s->m, MIN_ROWS))
			return;
		for (uint32_t lead = 0; lead <= MAX_LEAD; lead++) {
			if (!divide_rows(s, lead * limits->mac_kernels, rows, try))
				continue;
			price(limits, s, cols, try);
			take_better(best, try, most);
		}
	}
}

/* Tries all tiles with @first_banks to @last_banks banks for A. */
static void try_banks(const struct drm_npu_matmul_limits *limits, const struct shape *s,
		      uint32_t passes, uint32_t first_banks, uint32_t last_banks, uint64_t most,
		      struct npu_tiles *best)
{
	struct npu_tiles try = { .passes = passes };
	uint32_t cols;

	try.n_tiles = divide_cols(limits, s, &cols);
	for (uint32_t banks = first_banks; cols && banks <= last_banks; banks++) {
		try.data_banks = banks;
		try.weight_banks = limits->cbuf_banks - banks;
		if (group_bytes(limits, s) <= try.weight_banks * bank_bytes(limits))
			try_rows(limits, s, cols, &try, most, best);
	}
}

/* Cheapest tiles with @first_banks to @last_banks banks for A; @best->m_tiles is 0 without any. */
static void plan_banks(const struct drm_npu_matmul_limits *limits, const struct shape *s,
		       uint32_t passes, uint32_t first_banks, uint32_t last_banks,
		       struct npu_tiles *best)
{
	uint64_t most;

	*best = (struct npu_tiles){ 0 };
	try_banks(limits, s, passes, first_banks, last_banks, 0, best);
	most = best->cycles + best->cycles / STREAM_SHARE;
	try_banks(limits, s, passes, first_banks, last_banks, most, best);
}

/* How often W comes over the bus: the tiles of M and the passes over them share it if it stays. */
static uint32_t weight_fetches(const struct drm_npu_matmul_limits *limits, const struct shape *s,
			       const struct npu_tiles *tiles)
{
	uint32_t cols = npu_plan_part(s->n, npu_plan_n_unit(limits), tiles->n_tiles, 0).count;
	struct npu_cost job;

	npu_cost_of(&job, limits, 1, s->k, cols, tiles->data_banks);
	if (!npu_cost_keeps_weights(&job))
		return tiles->m_tiles * tiles->passes;
	return tiles->n_tiles > 1 ? tiles->m_tiles : 1;
}

void npu_plan_tiles(const struct drm_npu_matmul_limits *limits, uint32_t m, uint32_t k, uint32_t n,
		    uint32_t passes, struct npu_tiles *tiles)
{
	const struct shape s = { .m = m, .k = k, .n = n };
	uint64_t limit = (uint64_t)m * k * n * passes / limits->mac_channels / limits->mac_kernels;
	uint32_t half = limits->cbuf_banks / 2;
	struct npu_tiles best;

	/*
	 * The engine drains when one job divides the CBUF in another way than the one before, which
	 * costs a start, here and in whatever comes next. So all matmuls use halves, unless another
	 * division gains clearly more than that.
	 */
	plan_banks(limits, &s, passes, half, half, tiles);
	if (!tiles->m_tiles || tiles->cycles > limit + tiles->start) {
		plan_banks(limits, &s, passes, 1, limits->cbuf_banks - 1, &best);
		if (!tiles->m_tiles ||
		    tiles->cycles > best.cycles + tiles->start + best.cycles / BANKS_SHARE)
			*tiles = best;
	}
	tiles->weight_fetches = weight_fetches(limits, &s, tiles);
}
