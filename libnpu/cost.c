// SPDX-License-Identifier: MIT
/*
 * Cost model. An engine fetches, multiplies and hands out results at the same time, one job behind
 * the other in each of its units:
 *
 * - The fetch of a job begins when that of the job before has ended. A and W share the bus turn by
 *   turn. A has to be there as a whole before the job multiplies; of W one group of kernels has.
 *
 * - A takes its place in the CBUF as a whole, and gives it back at the end of its job. W goes
 *   through its banks as through a ring, a group at a time.
 *
 * - The MAC array holds the sums of one stripe of rows until the output stage takes them. A stripe
 *   has as many rows as the array has kernels, up to twice as many; with fewer, loading weights
 *   into the array takes the time that more rows would.
 *
 * Results have a bus channel of their own. The constants were measured on the RTL of nv_small with
 * a memory that answers after 32 cycles.
 */
#include "arith.h"
#include "cost.h"

/* From the last multiplication of a job to the first one of the next, when all is fetched ahead. */
#define JOB_GAP 65

/* From the start of a fetch to the first multiplication, beyond the time the bus is busy. */
#define FETCH_LATENCY 94

/* The same, when all is in the CBUF already. */
#define START_LATENCY 24

/* From the end of a group of kernels to the use of what is fetched in its place, beyond that. */
#define GROUP_LATENCY 64

/* From the last multiplication to the end of the job, beyond the time the output stage is busy. */
#define END_LATENCY 66

/* The output stage's wait after a stripe that fills its buffer. */
#define STRIPE_WAIT 40

/* From the end of a job to the start of the job after next, which the interrupt handler writes. */
#define REFILL 100

/* Cycles that the output stage works on @rows rows; the limit holds a quarter of waiting. */
static uint64_t output_cycles(const struct drm_npu_matmul_limits *limits, uint64_t rows)
{
	return rows * limits->epilogue_cycles * 3 / 4;
}

/* Cycles of one stripe. While it is short, the next one need not wait for its end. */
static uint64_t stripe_cycles(const struct drm_npu_matmul_limits *limits, uint64_t rows,
			      uint64_t blocks)
{
	uint64_t missing = output_cycles(limits, 2 * limits->mac_kernels - rows);
	uint64_t wait =
		limits->epilogue_cycles && missing < STRIPE_WAIT ? STRIPE_WAIT - missing : 0;

	return npu_max(npu_max(rows, limits->mac_kernels) * blocks,
		       output_cycles(limits, rows) + wait);
}

/*
 * Cycles that a group of kernels is multiplied with. The engine takes full stripes as long as there
 * are rows for two, then halves until one stripe is left.
 */
static uint64_t group_cycles(const struct drm_npu_matmul_limits *limits, uint64_t m,
			     uint64_t blocks)
{
	uint64_t full = 2 * limits->mac_kernels;
	uint64_t stripes = m >= 2 * full ? m / full - 1 : 0;
	uint64_t rest = m - stripes * full;
	uint64_t halves = rest > full ? npu_div_up(rest - full, full / 2) : 0;

	return stripes * stripe_cycles(limits, full, blocks) +
	       halves * stripe_cycles(limits, full / 2, blocks) +
	       stripe_cycles(limits, rest - halves * (full / 2), blocks);
}

/*
 * Cycles of all groups, each multiplied with for @macs, as they come in. With room for n of them, a
 * place is empty for as long as it takes to fill it and in use for as long as it takes to multiply
 * with it: n places give n groups in that time. A single place gets its next group in two parts,
 * the first of which goes where there is room for it already.
 */
static uint64_t paced_cycles(const struct npu_cost *cost, uint64_t groups, uint64_t macs)
{
	uint64_t bus = cost->weights / groups, fetch = bus + GROUP_LATENCY;
	uint64_t places = cost->weight_room / cost->group;

	if (places > 1)
		return groups * npu_max(npu_max(macs, bus), (macs + fetch) / places);
	fetch -= npu_min(bus, npu_min(cost->weight_room - cost->group, macs));
	return groups * macs + (groups - 1) * fetch;
}

void npu_cost_of(struct npu_cost *cost, const struct drm_npu_matmul_limits *limits, uint32_t m,
		 uint32_t k, uint32_t n, uint32_t data_banks)
{
	uint64_t bank = (uint64_t)limits->cbuf_bank_entries * limits->cbuf_entry_bytes;
	uint64_t row = npu_div_up(k, limits->atom_bytes) * limits->atom_bytes;
	uint64_t groups = npu_div_up(n, limits->mac_kernels),
		 blocks = npu_div_up(k, limits->mac_channels);
	uint64_t macs = group_cycles(limits, m, blocks);

	*cost = (struct npu_cost){
		.held = npu_div_up(m * row, limits->bus_bytes),
		.weights = npu_div_up((uint64_t)n * k, limits->bus_bytes),
		.group = npu_div_up(npu_min(n, limits->mac_kernels) * (uint64_t)k,
				    limits->bus_bytes),
		.macs = groups * macs,
		.data_room = data_banks * bank / limits->bus_bytes,
		.weight_room = (limits->cbuf_banks - data_banks) * bank / limits->bus_bytes,
		.array = groups * npu_max(m, limits->mac_kernels) * blocks,
		.end = output_cycles(limits, npu_min(m, 2 * limits->mac_kernels)),
	};
	cost->data = cost->held;
	cost->paced = paced_cycles(cost, groups, macs);
}

bool npu_cost_keeps_weights(const struct npu_cost *cost)
{
	return cost->weights <= cost->weight_room;
}

void npu_cost_reuse(struct npu_cost *cost, bool data, bool weights)
{
	if (data)
		cost->data = 0;
	if (weights && npu_cost_keeps_weights(cost)) {
		cost->weights = 0;
		cost->paced = cost->macs;
	}
}

/*
 * Cycles until A is there and a group of W, while @room is free for W. Alone, A uses four fifths of
 * the bus; otherwise the two take turns.
 */
static uint64_t fetch_cycles(const struct npu_cost *cost, uint64_t room)
{
	uint64_t weights = npu_min(cost->weights, room);

	return npu_max(cost->data + npu_min(weights, cost->group),
		       (cost->data * 5 + npu_min(cost->data, weights) * 3) / 4);
}

uint64_t npu_cost_start(const struct npu_cost *cost)
{
	if (!cost->data && !cost->weights)
		return START_LATENCY;
	return fetch_cycles(cost, cost->weight_room) + FETCH_LATENCY;
}

/* Cycles of a job until the next one may multiply, if that one has its operands. */
static uint64_t busy_cycles(const struct npu_cost *cost)
{
	uint64_t array = cost->paced == cost->macs ? cost->array : cost->paced;

	return npu_max(cost->paced, array + JOB_GAP);
}

uint64_t npu_cost_end(const struct npu_cost *cost)
{
	return npu_max(cost->paced, busy_cycles(cost) - JOB_GAP + cost->end) + END_LATENCY;
}

/* Cycles that the @next job waits for A. */
static uint64_t data_wait(const struct npu_cost *cost, const struct npu_cost *next)
{
	uint64_t used = npu_min(cost->weights, cost->weight_room);
	/* Of the multiplying this much is left when all of W has been fetched. */
	uint64_t ahead = used < cost->weights ? cost->paced * used / cost->weights : cost->paced;
	uint64_t fetch;

	if (!next->data)
		return 0;
	/* No room before the end, when the weights that had room are there. */
	if (cost->held + next->held > cost->data_room)
		return fetch_cycles(next, cost->group) + FETCH_LATENCY;
	fetch = fetch_cycles(next, cost->weight_room - used) + FETCH_LATENCY;
	return fetch > ahead ? fetch - ahead : 0;
}

/* Cycles that the @next job waits for its first weights. */
static uint64_t weight_wait(const struct npu_cost *cost, const struct npu_cost *next)
{
	uint64_t last = cost->weights % cost->group;
	uint64_t free = cost->weight_room - (last ? last : npu_min(cost->weights, cost->group));

	return next->weights && next->group > free ? next->group - free + GROUP_LATENCY : 0;
}

/*
 * Two jobs are on the engine: the next but one is written when a job has ended, and then has a
 * start of its own. In all that time the engine begins two jobs.
 */
static uint64_t refill_cycles(const struct npu_cost *cost, const struct npu_cost *next)
{
	return (npu_cost_end(cost) + REFILL + npu_cost_start(next)) / 2;
}

uint64_t npu_cost_next(const struct npu_cost *cost, const struct npu_cost *next)
{
	uint64_t wait = npu_max(data_wait(cost, next), weight_wait(cost, next));
	uint64_t cycles = npu_max(busy_cycles(cost) + wait, refill_cycles(cost, next));

	return npu_max(cycles, cost->weights + next->data);
}
