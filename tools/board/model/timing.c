// SPDX-License-Identifier: MIT
/*
 * DOC: cost model
 *
 * An op passes through three stages that overlap with each other and with those of its
 * neighbours:
 *
 * - CDMA fetches features and weights, one op after the other. A request moves one atom. Both
 *   streams share the memory port turn by turn; alone, weights move at the full rate and features
 *   at four fifths of it. Features need room for whole slices, weights go on as long as there is
 *   any. Room comes back when CSC is done with the features (at the end of the op) or with a kernel
 *   group (at its end); what an op keeps by skipping its release comes back when an op that
 *   does not reuse it starts in CSC. Other bank counts than those of the op before drain the
 *   buffer first.
 *
 * - CSC waits for all features, and for one kernel group at a time. It feeds the MAC array with
 *   stripes of half to one full length (16 positions on nv_small): a position a cycle for each
 *   block of mac_channels, but no stripe in less than the mac_kernels cycles that loading its
 *   weights takes.
 *
 * - CACC has room for the results of one full stripe. The last block of a stripe starts when there
 *   is room for all its results. They leave through SDP: on nv_small at 9 cycles a position, an
 *   element a cycle and one to move on. The epilogue and its operands keep up with that.
 *
 * So an op is bound by the MACs when K is above some 90, by SDP below, and by memory when M is
 * small. An op that waits for itself in this model (weights that do not fit, say) waits forever
 * in the hardware too, and that is how hangs are found.
 *
 * The constants in struct npu_costs contain the read latency of 32 cycles. Not counted: the share
 * of SDP in the memory port, and register accesses: programming an op takes the RTL some 190
 * cycles, so a row of ops shorter than that runs at its pace, and here at that of the caller's
 * clock. On 1,300 random ops and rows of ops the model was on average 1 % off the RTL, 2 % at most
 * for whatever takes more than 10,000 cycles; it is too fast by up to a sixth for short ops with
 * operands of 4 bytes an element. The stall counters were within a sixth, or a hundred cycles, of
 * the RTL on fourteen ops.
 */
#include <float.h>
#include <string.h>

#include "timing.h"

#define NEVER DBL_MAX
#define CLOCK_LAG 3 /* cycles from CDMA's op to its gated clock and back */
#define TINY 1e-6   /* of an atom: what rounding may leave of a finished stream */

/* The op being planned */
struct run {
	struct timing *t;
	const struct op *op;
	const struct npu_costs *c;
	struct cbuf_plan plan;

	/* CDMA */
	double now;
	double first; /* start of the first stream that is fetched */
	double data_from, data_left, data_early, data_cost, data_end;
	double weight_from, weight_left, weight_end;
	double resident; /* weight entries in the ring */
	uint32_t groups_fetched;
	double data_stall, weight_stall;

	/* CSC */
	double csc;
	double data_ready, weight_ready[MAX_GROUPS];
	uint32_t groups_computed;
};

void timing_reset(struct timing *t, const struct npu_config *cfg)
{
	memset(t, 0, sizeof(*t));
	t->cfg = cfg;
}

static double later(double a, double b)
{
	return a > b ? a : b;
}

static double sooner(double a, double b)
{
	return a < b ? a : b;
}

/* ---- CSC, CMAC, CACC --------------------------------------------------------------------- */

/* Full stripes, then two halves or less, so that a short rest never stands alone. */
static uint32_t stripe_length(const struct run *r, uint32_t left)
{
	uint32_t full = r->t->cfg->stripe;

	if (left >= 2 * full)
		return full;
	return left > full ? full / 2 : left;
}

static void compute_stripe(struct run *r, uint32_t length)
{
	const struct npu_config *cfg = r->t->cfg;
	double block = length > cfg->mac_kernels ? length : cfg->mac_kernels;
	uint32_t blocks = (r->op->channels + cfg->mac_channels - 1) / cfg->mac_channels;
	double room = r->t->drained - r->c->drain * (cfg->stripe - length) + r->c->credit;
	double last = later(r->csc + block * (blocks - 1), room);

	r->csc = last + block;
	r->t->drained = later(r->t->drained, last + r->c->mac_to_drain) + r->c->drain * length;
}

static void compute_group(struct run *r)
{
	struct timing *t = r->t;
	uint32_t group = r->groups_computed++;
	double ready = later(r->data_ready, r->weight_ready[group]);
	uint32_t used = op_weight_entries(r->op, t->cfg, group + 1) -
			op_weight_entries(r->op, t->cfg, group);

	r->csc = later(r->csc, ready + r->c->csc_start);
	for (uint32_t left = r->op->positions; left;) {
		uint32_t length = stripe_length(r, left);

		compute_stripe(r, length);
		left -= length;
	}
	if (r->op->skip_weight_release)
		return;
	t->releases[t->release_count++] =
		(struct release){ .at = r->csc + r->c->weight_release, .entries = used };
	t->weight_entries -= used;
}

/* ---- CDMA -------------------------------------------------------------------------------- */

/* Entries of the ring that CDMA has fetched when it hands over @group. */
static uint32_t entries_wanted(const struct run *r, uint32_t group)
{
	if (group + 1 == r->op->groups)
		return r->op->weight_bytes / r->t->cfg->entry_bytes;
	return op_weight_entries(r->op, r->t->cfg, group + 1);
}

/* All of a small group may lie in the last entry of the one before. */
static bool comes_with_last(const struct run *r, uint32_t group)
{
	return group && op_weight_entries(r->op, r->t->cfg, group + 1) ==
				op_weight_entries(r->op, r->t->cfg, group);
}

static void next_group(struct run *r)
{
	uint32_t before = r->groups_fetched ? entries_wanted(r, r->groups_fetched - 1) : 0;

	while (r->groups_fetched < r->op->groups && comes_with_last(r, r->groups_fetched)) {
		r->weight_ready[r->groups_fetched] = r->weight_ready[r->groups_fetched - 1];
		r->groups_fetched++;
	}
	if (r->groups_fetched < r->op->groups)
		r->weight_left = (double)entries_wanted(r, r->groups_fetched) - before;
}

/* Counts the entries as free whose time has come. */
static void collect_releases(struct run *r)
{
	struct timing *t = r->t;
	uint32_t n = 0;

	while (n < t->release_count && t->releases[n].at <= r->now)
		r->resident -= t->releases[n++].entries;
	t->release_count -= n;
	memmove(t->releases, t->releases + n, t->release_count * sizeof(*t->releases));
}

/* Atoms that the streams could fetch from now on without waiting for anything. */
static double data_run(const struct run *r)
{
	if (r->now < r->data_from)
		return 0;
	return r->now < r->t->data_release ? r->data_early : r->data_left;
}

static double weight_run(const struct run *r)
{
	double capacity = (double)r->op->weight_banks * r->t->cfg->bank_entries;

	if (r->groups_fetched == r->op->groups || r->now < r->weight_from)
		return 0;
	return later(0, sooner(r->weight_left, capacity - r->resident));
}

/* When something that a stream may be waiting for happens next. */
static double next_event(const struct run *r)
{
	double next = NEVER;

	if (r->data_left > 0 && r->data_from > r->now)
		next = r->data_from;
	if (r->data_left > 0 && r->t->data_release > r->now)
		next = sooner(next, r->t->data_release);
	if (r->groups_fetched < r->op->groups && r->weight_from > r->now)
		next = sooner(next, r->weight_from);
	if (r->t->release_count)
		next = sooner(next, r->t->releases[0].at);
	return next;
}

static double atoms_per_entry(const struct run *r)
{
	return r->t->cfg->entry_bytes / r->t->cfg->atom_bytes;
}

static void fetch_data(struct run *r, double atoms)
{
	r->data_left -= atoms;
	r->data_early -= atoms;
	if (r->data_left > TINY || r->data_ready < NEVER)
		return;
	r->data_left = 0;
	r->data_end = r->now;
	r->data_ready = r->now + r->c->data_visible;
}

static void fetch_weights(struct run *r, double entries)
{
	r->weight_left -= entries;
	r->resident += entries;
	if (r->weight_left > TINY || r->groups_fetched == r->op->groups)
		return;
	r->weight_end = r->now;
	r->weight_ready[r->groups_fetched++] = r->now + r->c->weight_visible;
	next_group(r);
}

/*
 * A request of up to 8 atoms is accepted in one cycle, and the next one waits while its atoms come.
 * What a stream of features loses between its requests is no stall.
 */
static void count_stalls(struct run *r, double step, double data, double weights)
{
	double requests = (r->op->width + 7) / 8;

	if (data > 0)
		r->data_stall +=
			step - data * (r->data_cost - r->c->atom_alone + requests / r->op->width);
	if (weights > 0)
		r->weight_stall += step - weights * atoms_per_entry(r) / 8;
}

/* Lets the fetch run to its next turning point; false when it waits for nothing. */
static bool fetch_step(struct run *r)
{
	double data, weights, data_cost, weight_cost, step;

	collect_releases(r);
	data = data_run(r);
	weights = weight_run(r);
	data_cost = r->data_cost;
	weight_cost = r->c->atom_alone * atoms_per_entry(r);
	if (data > TINY && weights > TINY) {
		data_cost = later(data_cost, 2 * r->c->atom_alone);
		weight_cost *= data_cost / (data_cost - r->c->atom_alone);
	}
	step = next_event(r) - r->now;
	if (data > TINY)
		step = sooner(step, data * data_cost);
	if (weights > TINY)
		step = sooner(step, weights * weight_cost);
	if (step > NEVER / 2)
		return false;
	r->now += step;
	data = data > TINY ? step / data_cost : 0;
	weights = weights > TINY ? step / weight_cost : 0;
	count_stalls(r, step, data, weights);
	fetch_data(r, data);
	fetch_weights(r, weights);
	return true;
}

/* ---- one op ------------------------------------------------------------------------------ */

/*
 * A change of banks rewinds the ring, but one of CDMA's two counts of what is in it goes on:
 * requests are sent as if it were empty, their data is taken as if it were not. When it is refused,
 * it blocks the features behind it, and CSC, which would make room, waits for those.
 */
static void count_lost(struct run *r)
{
	struct timing *t = r->t;

	if (!r->plan.flush_weights)
		return;
	t->lost_entries = t->weight_entries;
	if (r->plan.drop_weights)
		t->lost_entries -= t->held_entries;
}

/*
 * The erratum of builds with clock gating: the same count has a clock only while CDMA has an op,
 * and some cycles on. It never hears of kernel groups released in between, and only a reset makes
 * up for that.
 */
static void count_leaked(struct timing *t)
{
	if (!t->cfg->clock_gating)
		return;
	for (uint32_t i = 0; i < t->release_count; i++)
		if (t->releases[i].at >= t->cdma_done + CLOCK_LAG && t->releases[i].at < CLOCK_LAG)
			t->leaked_entries += t->releases[i].entries;
}

/* What cannot work whatever the timing. */
static const char *check_fit(const struct run *r)
{
	const struct op *op = r->op;
	const struct timing *t = r->t;
	int64_t ring = (int64_t)op->weight_banks * t->cfg->bank_entries;
	int64_t lost = t->lost_entries + t->leaked_entries;
	uint64_t data = (uint64_t)op->slice_entries * op->height;

	if (op->data_banks + op->weight_banks > t->cfg->cbuf_banks)
		return "data and weight banks are more than the CBUF has";
	if (data > (uint64_t)op->data_banks * t->cfg->bank_entries)
		return "the features do not fit their CBUF banks";
	if (!r->plan.fetch_data && op->height != t->last.height)
		return "the features to reuse have another height";
	if (!r->plan.fetch_weights && op->kernels != t->last.kernels)
		return "the weights to reuse have another number of kernels";
	if (!r->plan.fetch_weights)
		return NULL;
	if (op->weight_bytes % t->cfg->entry_bytes)
		return "WEIGHT_BYTES is not a multiple of a CBUF entry";
	if (op->groups > 1 &&
	    entries_wanted(r, op->groups - 1) < op_weight_entries(op, t->cfg, op->groups - 1))
		return "WEIGHT_BYTES is less than the weights of all full kernel groups";
	if (t->leaked_entries && lost + entries_wanted(r, op->groups - 1) > ring)
		return "CBUF entries were released while CDMA had no clock and block the fetch";
	if (t->lost_entries > 0 && r->plan.fetch_data &&
	    lost + entries_wanted(r, op->groups - 1) > ring)
		return "CBUF entries were lost in a change of banks and block the fetch";
	if (t->weight_entries < 0)
		return "an op before had less WEIGHT_BYTES than weights, and CDMA lost count";
	return NULL;
}

static void begin_data(struct run *r, double origin)
{
	const struct op *op = r->op;
	struct timing *t = r->t;
	double requests = (op->width + 7) / 8 + 1; /* of 8 atoms, and a turn to the next surface */
	double lines = sooner(op->grain, op->height);
	double grain = op->slice_entries * lines;
	double atoms = op->surfaces * op->width * lines;
	double room = (double)op->data_banks * t->cfg->bank_entries;

	if (r->plan.flush_data) {
		origin = later(origin, t->csc_free + r->c->pend);
		t->data_entries = 0;
	}
	if (r->plan.drop_data && !r->plan.flush_data)
		t->data_release = later(t->csc_free, origin + r->c->csc_enable);
	if (!r->plan.fetch_data) {
		r->data_end = origin;
		r->data_ready = origin + r->c->csc_enable;
		return;
	}
	r->first = sooner(r->first, origin);
	r->data_from = origin + r->c->data_start;
	r->data_left = (double)op->surfaces * op->positions;
	r->data_cost = later(r->c->data_alone, requests / op->width) + r->c->slice / atoms;
	r->data_ready = NEVER;
	room -= t->data_entries;
	r->data_early = sooner(r->data_left, atoms * (uint32_t)(later(room, 0) / grain));
}

static void begin_weights(struct run *r, double origin)
{
	struct timing *t = r->t;

	if (r->plan.flush_weights)
		origin = later(origin, t->csc_free + r->c->pend);
	if (r->plan.drop_weights) {
		t->releases[t->release_count++] = (struct release){
			.at = later(t->csc_free, r->now + r->c->csc_enable),
			.entries = t->held_entries,
		};
		t->weight_entries -= t->held_entries;
	}
	r->resident = t->weight_entries + t->leaked_entries;
	for (uint32_t i = 0; i < t->release_count; i++)
		r->resident += t->releases[i].entries;
	if (r->plan.fetch_weights) {
		r->first = sooner(r->first, origin);
		r->weight_from = origin + r->c->weight_start;
		next_group(r);
		t->weight_entries += entries_wanted(r, r->op->groups - 1);
		return;
	}
	r->weight_end = origin;
	r->groups_fetched = r->op->groups;
	for (uint32_t i = 0; i < r->op->groups; i++)
		r->weight_ready[i] = origin + r->c->csc_enable;
}

/*
 * The clock may have run for years, but all that counts is how ops follow each other: the state of
 * the timing is kept relative to the start of the op that was planned last.
 */
static void rebase(struct timing *t, uint64_t now)
{
	double passed = now - t->base;

	t->base = now;
	t->cdma_free -= passed;
	t->cdma_done -= passed;
	t->csc_free -= passed;
	t->drained -= passed;
	if (t->data_release < NEVER)
		t->data_release -= passed;
	for (uint32_t i = 0; i < t->release_count; i++)
		t->releases[i].at -= passed;
}

static void finish(struct run *r, double origin, struct timeline *line)
{
	const struct npu_costs *c = r->c;
	struct timing *t = r->t;
	double data_done = r->data_end + (r->plan.fetch_data ? c->data_done : 0);
	double weight_done = r->weight_end + (r->plan.fetch_weights ? c->weight_done : 0);
	double at[OP_EVENTS] = {
		[OP_FETCH] = r->first < NEVER ? r->first : origin,
		[OP_DATA_DONE] = data_done,
		[OP_WEIGHT_DONE] = weight_done,
		[OP_CDMA_DONE] = later(data_done, weight_done),
		/* Not behind the results, which the shortest ops have first. */
		[OP_CSC_DONE] = sooner(r->csc + c->csc_restart - c->csc_start, t->drained),
		[OP_CACC_DONE] = t->drained,
		[OP_DONE] = t->drained + c->sdp_tail,
	};

	for (int e = 0; e < OP_EVENTS; e++)
		line->at[e] = t->base + (uint64_t)at[e];
	line->data_stall = (uint32_t)later(r->data_stall, 0);
	line->weight_stall = (uint32_t)later(r->weight_stall, 0);
	t->last = cbuf_seen(r->op);
	t->cdma_free = at[OP_CDMA_DONE] + c->cdma_restart;
	t->cdma_done = at[OP_CDMA_DONE];
	t->csc_free = r->csc + c->csc_restart;
	t->data_entries = r->op->slice_entries * r->op->height;
	t->data_release = r->op->skip_data_release ? NEVER : r->csc + c->data_release;
	if (r->op->skip_weight_release)
		t->held_entries = r->op->weight_bytes / t->cfg->entry_bytes;
}

const char *timing_plan(struct timing *t, const struct op *op, uint64_t now, struct timeline *line)
{
	struct run r = { .t = t, .op = op, .c = &t->cfg->costs, .plan = cbuf_plan(&t->last, op) };
	double origin;
	const char *why;

	rebase(t, now);
	origin = later(0, t->cdma_free);
	count_leaked(t);
	count_lost(&r);
	why = check_fit(&r);
	if (why)
		return why;
	r.now = origin;
	r.first = NEVER;
	r.csc = t->csc_free;
	collect_releases(&r);
	begin_data(&r, origin);
	begin_weights(&r, origin);
	while (r.groups_computed < op->groups || r.data_left > 0) {
		if (r.data_ready < NEVER && r.groups_computed < r.groups_fetched)
			compute_group(&r);
		else if (!fetch_step(&r))
			return "a kernel group does not fit the CBUF weight banks";
	}
	finish(&r, origin, line);
	return NULL;
}
