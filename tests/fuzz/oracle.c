// SPDX-License-Identifier: MIT
/* Jobs in flight, their memory and their time; see the header. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/board/model/npu_fault.h"
#include "../reference.h"
#include "driver.h"
#include "oracle.h"

#define FLIGHTS 2

/*
 * Nobody fills gigabytes for a test: memory holds the same noise again and again. An operand that
 * is not larger than NOISE_TAIL can be seen in one piece.
 */
#define NOISE_PERIOD (1u << 20)
#define NOISE_TAIL (1u << 18)
#define CANARY 0xc5

/* Half of the bus addresses for each flight. Between operands is room for missing the goal. */
#define FLIGHT_SPACE (1ull << 31)
#define GAP (1u << 20)
#define ALIGN 64u

/* As long as the driver waits before it calls a job hung, without its floor of a second. */
#define SLACK 16
#define START_CYCLES 1000

/* Work of the reference, which is slow */
#define MAX_COMPARED_MACS (1u << 14)

struct flight {
	bool busy;
	unsigned int group;
	struct drm_npu_job_matmul job;
	struct npu_matmul_plan plan;
	uint64_t addr[NPU_OPERANDS];
	uint64_t started;
	bool compared;
	uint8_t *c;	 /* contents of C, when it is compared */
	uint8_t *claims; /* how many atoms lie on a byte of C */
};

struct oracle {
	const struct drm_npu_matmul_limits *lim;
	uint64_t max_macs;
	struct npu_model *model;
	struct driver *driver;
	uint8_t *noise;
	struct flight flight[FLIGHTS];
	unsigned int first; /* oldest flight */
	uint64_t now, last_done;
	uint32_t jobs;
	int level; /* of the interrupt line */
	struct oracle_count count;
	bool wrong;
	unsigned int guilty; /* flight */
	char text[256];
};

/* The first complaint is the one that counts. */
__attribute__((format(printf, 3, 4))) static const char *
complain(struct oracle *o, unsigned int guilty, const char *format, ...)
{
	va_list args;

	if (!o->wrong) {
		va_start(args, format);
		vsnprintf(o->text, sizeof(o->text), format, args);
		va_end(args);
		o->guilty = guilty;
		o->wrong = true;
	}
	return o->text;
}

/* ---- memory ------------------------------------------------------------------------------ */

/* The flight one of whose operands holds the whole range; NULL when none does. */
static struct flight *find_operand(struct oracle *o, uint64_t addr, size_t len, bool write)
{
	for (unsigned int i = 0; i < FLIGHTS; i++) {
		struct flight *f = &o->flight[i];

		for (unsigned int n = 0; f->busy && n < NPU_OPERANDS; n++) {
			uint64_t bytes = f->plan.extent[n].bytes;

			if ((n == NPU_OPERAND_C) == write && addr >= f->addr[n] && len <= bytes &&
			    addr - f->addr[n] <= bytes - len)
				return f;
		}
	}
	return NULL;
}

static int outside(struct oracle *o, uint64_t addr, size_t len, bool write)
{
	static const char *const names[] = { "A", "W", "C", "X1", "X2" };
	const unsigned int index = addr / FLIGHT_SPACE % FLIGHTS;
	const struct flight *near = &o->flight[index];
	unsigned int best = 0;

	/* The operand that starts last below the address is the one that was meant. */
	for (unsigned int n = 0; n < NPU_OPERANDS; n++)
		if (near->plan.extent[n].bytes && near->addr[n] <= addr &&
		    near->addr[n] >= near->addr[best])
			best = n;
	complain(o, index, "%s of %zu bytes at offset %lld of %s, which has %llu",
		 write ? "write" : "read", len, (long long)(addr - near->addr[best]), names[best],
		 (unsigned long long)near->plan.extent[best].bytes);
	return -1;
}

static int bus_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	struct oracle *o = opaque;
	uint8_t *to = buf;

	if (!find_operand(o, addr, len, false))
		return outside(o, addr, len, false);
	o->count.bytes += len;
	while (len) {
		size_t run = len < NOISE_TAIL ? len : NOISE_TAIL;

		memcpy(to, o->noise + addr % NOISE_PERIOD, run);
		addr += run;
		to += run;
		len -= run;
	}
	return 0;
}

static int bus_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	struct oracle *o = opaque;
	struct flight *f = find_operand(o, addr, len, true);

	if (!f)
		return outside(o, addr, len, true);
	o->count.bytes += len;
	if (f->compared)
		memcpy(f->c + (addr - f->addr[NPU_OPERAND_C]), buf, len);
	return 0;
}

static void bus_irq(void *opaque, int level)
{
	struct oracle *o = opaque;

	o->level = level;
}

/* Finds addresses for the operands; false when a machine would have no memory for them. */
static bool place(struct oracle *o, struct flight *f)
{
	const uint64_t base = FLIGHT_SPACE * (f - o->flight);
	uint64_t at = base + GAP;

	/* Moving, so that jobs of one shape do not all see the same noise. */
	at += o->jobs * 2654435761u % (NOISE_PERIOD / 16) * ALIGN;
	for (unsigned int n = 0; n < NPU_OPERANDS; n++) {
		uint64_t bytes = f->plan.extent[n].bytes;

		if (bytes > FLIGHT_SPACE || at + bytes > base + FLIGHT_SPACE - GAP)
			return false;
		f->addr[n] = at;
		at += (bytes + ALIGN - 1) / ALIGN * ALIGN + GAP + ALIGN * n;
	}
	return true;
}

/* ---- results ----------------------------------------------------------------------------- */

static bool worth_comparing(const struct flight *f)
{
	if (f->plan.macs > MAX_COMPARED_MACS)
		return false;
	for (unsigned int n = 0; n < NPU_OPERANDS; n++)
		if (f->plan.extent[n].bytes > NOISE_TAIL)
			return false;
	return true;
}

static const uint8_t *operand(const struct oracle *o, const struct flight *f, enum npu_operand n)
{
	return o->noise + f->addr[n] % NOISE_PERIOD;
}

/* Counts the atoms on each byte of C: none on gaps, several where strides let lines overlap. */
static void claim_atoms(const struct oracle *o, struct flight *f)
{
	const uint32_t atom = o->lim->atom_bytes;

	memset(f->claims, 0, f->plan.extent[NPU_OPERAND_C].bytes);
	for (uint32_t n = 0; n < f->job.n; n += atom) {
		for (uint32_t row = 0; row < f->job.m; row++) {
			uint64_t at = reference_offset(o->lim, &f->job, &f->job.c, row, n, 1);

			for (uint32_t i = 0; i < atom; i++)
				f->claims[at + i] += f->claims[at + i] < 2;
		}
	}
}

static const char *compare(struct oracle *o, struct flight *f)
{
	const struct reference_memory mem = {
		.a = operand(o, f, NPU_OPERAND_A),
		.w = operand(o, f, NPU_OPERAND_W),
		.x1 = operand(o, f, NPU_OPERAND_X1),
		.x2 = operand(o, f, NPU_OPERAND_X2),
	};

	claim_atoms(o, f);
	for (uint64_t at = 0; at < f->plan.extent[NPU_OPERAND_C].bytes; at++)
		if (!f->claims[at] && f->c[at] != CANARY)
			return complain(o, o->first,
					"a write between the atoms of C, at offset %llu",
					(unsigned long long)at);
	for (uint32_t row = 0; row < f->job.m; row++) {
		for (uint32_t n = 0; n < f->job.n; n++) {
			uint64_t at = reference_offset(o->lim, &f->job, &f->job.c, row, n, 1);
			int8_t want = reference_element(o->lim, &f->job, &mem, row, n);

			if (f->claims[at] == 1 && (int8_t)f->c[at] != want)
				return complain(o, o->first, "C[%u,%u] is %d and not %d", row, n,
						(int8_t)f->c[at], want);
		}
	}
	o->count.compared++;
	return NULL;
}

/* ---- time -------------------------------------------------------------------------------- */

/* Cycles that the MACs or the bus need if neither ever waits. */
static uint64_t ideal_cycles(const struct oracle *o, const struct npu_matmul_plan *plan)
{
	uint64_t macs = plan->macs / (o->lim->mac_channels * o->lim->mac_kernels);
	uint64_t bytes = plan->bytes / o->lim->bus_bytes;

	return macs > bytes ? macs : bytes;
}

static const char *finish(struct oracle *o, struct flight *f)
{
	uint64_t from = f->started > o->last_done ? f->started : o->last_done;
	double share = (double)(o->now - from) / (ideal_cycles(o, &f->plan) + START_CYCLES);

	if (share > o->count.slowest)
		o->count.slowest = share;
	o->last_done = o->now;
	o->count.ran++;
	if (f->compared && compare(o, f))
		return o->text;
	f->busy = false;
	o->first = (o->first + 1) % FLIGHTS;
	return NULL;
}

/* Lets the oldest job come to its end. */
static const char *wait_oldest(struct oracle *o)
{
	struct flight *f = &o->flight[o->first];
	uint64_t from = f->started > o->last_done ? f->started : o->last_done;
	uint64_t end = from + SLACK * (ideal_cycles(o, &f->plan) + START_CYCLES);
	unsigned int done;

	while (!o->level) {
		if (o->now >= end)
			return complain(o, o->first,
					"the engine takes longer than the driver waits");
		if (!npu_model_busy(o->model))
			return complain(o, o->first, "the engine hangs: %s",
					npu_model_stuck(o->model));
		o->now += npu_model_run(o->model, end - o->now);
		if (o->wrong)
			return o->text;
	}
	done = driver_irq(o->driver);
	if (done != 1u << f->group)
		return complain(o, o->first, "groups %#x are done while group %u runs", done,
				f->group);
	return finish(o, f);
}

/* ---- jobs -------------------------------------------------------------------------------- */

const char *oracle_submit_plan(struct oracle *o, const struct drm_npu_job_matmul *job,
			       const struct npu_matmul_plan *plan)
{
	struct flight *f = &o->flight[(o->first + o->flight[o->first].busy) % FLIGHTS];

	if (f->busy && wait_oldest(o))
		return o->text;
	f = &o->flight[(o->first + o->flight[o->first].busy) % FLIGHTS];
	f->job = *job;
	f->plan = *plan;
	if (plan->macs > o->max_macs || !place(o, f)) {
		o->count.too_big++;
		return NULL;
	}
	f->compared = worth_comparing(f);
	if (f->compared)
		memset(f->c, CANARY, plan->extent[NPU_OPERAND_C].bytes);
	f->busy = true;
	f->started = o->now;
	f->group = driver_start(o->driver, &f->job, &f->plan, f->addr);
	o->jobs++;
	return NULL;
}

const char *oracle_submit(struct oracle *o, const struct drm_npu_job_matmul *job)
{
	struct npu_matmul_plan plan;

	if (npu_validate_matmul(o->lim, job, &plan)) {
		o->count.refused++;
		return NULL;
	}
	return oracle_submit_plan(o, job, &plan);
}

const char *oracle_drain(struct oracle *o)
{
	while (o->flight[o->first].busy)
		if (wait_oldest(o))
			return o->text;
	return NULL;
}

const char *oracle_run(struct oracle *o, const struct drm_npu_job_matmul *job)
{
	const char *why = oracle_submit(o, job);

	return why ? why : oracle_drain(o);
}

const struct drm_npu_job_matmul *oracle_guilty(const struct oracle *o)
{
	return &o->flight[o->guilty].job;
}

const struct oracle_count *oracle_count(const struct oracle *o)
{
	return &o->count;
}

void oracle_reset(struct oracle *o)
{
	for (unsigned int i = 0; i < FLIGHTS; i++)
		o->flight[i].busy = false;
	o->first = 0;
	o->jobs = 0;
	o->now = 0;
	o->last_done = 0;
	o->wrong = false;
	driver_reset(o->driver);
}

static bool fill_noise(struct oracle *o)
{
	uint32_t state = 1;

	o->noise = malloc(NOISE_PERIOD + NOISE_TAIL);
	if (!o->noise)
		return false;
	for (unsigned int i = 0; i < NOISE_PERIOD; i++) {
		state = state * 1664525 + 1013904223;
		o->noise[i] = state >> 24;
	}
	memcpy(o->noise + NOISE_PERIOD, o->noise, NOISE_TAIL);
	return true;
}

static bool init_flights(struct oracle *o)
{
	for (unsigned int i = 0; i < FLIGHTS; i++) {
		o->flight[i].c = malloc(NOISE_TAIL);
		o->flight[i].claims = malloc(NOISE_TAIL);
		if (!o->flight[i].c || !o->flight[i].claims)
			return false;
	}
	return true;
}

struct oracle *oracle_new(const char *config, const struct drm_npu_matmul_limits *lim,
			  uint64_t max_macs)
{
	struct oracle *o = calloc(1, sizeof(*o));
	struct npu_model_bus bus = {
		.opaque = o, .read = bus_read, .write = bus_write, .irq = bus_irq
	};

	if (!o)
		return NULL;
	o->lim = lim;
	o->max_macs = max_macs;
	o->model = npu_model_new(config, &bus);
	if (o->model)
		o->driver = driver_new(o->model);
	if (o->driver && fill_noise(o) && init_flights(o))
		return o;
	oracle_free(o);
	return NULL;
}

void oracle_free(struct oracle *o)
{
	if (!o)
		return;
	for (unsigned int i = 0; i < FLIGHTS; i++) {
		free(o->flight[i].c);
		free(o->flight[i].claims);
	}
	free(o->noise);
	driver_free(o->driver);
	npu_model_free(o->model);
	free(o);
}
