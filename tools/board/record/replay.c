// SPDX-License-Identifier: MIT
/* Plays a recording to a device model; see the header. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "replay.h"
#include "../model/regfile.h"
#include "../model/regs.h"

/* Between two looks at the interrupts of a model that does not stop at them. */
#define SLICE 4096

#define SDP_DONE (3u << GLB_INTR_SDP)

struct replay {
	struct replay_result *result;
	const struct replay_options *options;
	const struct library *library;
	struct npu_model *npu;
	const struct vector_step *step;
	struct image memory;
	struct image results; /* where the recording has results; what they are does not matter */
	bool has_faults;
	int level; /* of the interrupt line */
	uint32_t intr_mask;
	unsigned int pending[32]; /* how often an interrupt was seen and not yet waited for */
	uint64_t enabled_at;
	uint64_t waited; /* cycles from there to the interrupt that ended the last wait */
};

const char *replay_kind_name(enum replay_kind kind)
{
	static const char *const names[] = {
		[REPLAY_EQUAL] = "equal",	  [REPLAY_REGISTER] = "register",
		[REPLAY_INTERRUPT] = "interrupt", [REPLAY_MEMORY] = "memory",
		[REPLAY_STRAY] = "stray-write",	  [REPLAY_CYCLES] = "cycles",
	};

	return names[kind];
}

/* Keeps the first difference. */
static __attribute__((format(printf, 3, 4))) void differ(struct replay *p, enum replay_kind kind,
							 const char *format, ...)
{
	struct replay_result *r = p->result;
	va_list args;

	if (r->kind != REPLAY_EQUAL)
		return;
	r->kind = kind;
	r->line = p->step ? p->step->line : 0;
	va_start(args, format);
	vsnprintf(r->text, sizeof(r->text), format, args);
	va_end(args);
}

static void differ_at(struct replay *p, uint64_t address, uint32_t got, uint32_t wanted)
{
	if (p->result->kind != REPLAY_EQUAL)
		return;
	p->result->address = address;
	p->result->got = got;
	p->result->wanted = wanted;
}

/* ---- bus --------------------------------------------------------------------------------- */

static int bus_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	struct replay *p = opaque;

	p->result->bytes_unknown += image_read(&p->memory, addr, buf, len);
	return 0;
}

static int bus_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	struct replay *p = opaque;
	const uint8_t *byte = buf;
	uint8_t any;

	for (size_t i = 0; i < len; i++) {
		if (!image_read(&p->results, addr + i, &any, 1))
			continue;
		differ_at(p, addr + i, byte[i], 0);
		differ(p, REPLAY_STRAY,
		       "the engine writes 0x%02x to 0x%08" PRIx64 ", where no op has its result",
		       byte[i], addr + i);
		break;
	}
	return image_write(&p->memory, addr, buf, len);
}

static void bus_irq(void *opaque, int level)
{
	struct replay *p = opaque;

	p->level = level;
}

/* ---- steps ------------------------------------------------------------------------------- */

static uint32_t read_register(struct replay *p, uint32_t offset)
{
	p->result->accesses++;
	return p->library->read(p->npu, offset);
}

static void write_register(struct replay *p, uint32_t offset, uint32_t value)
{
	p->result->accesses++;
	p->library->write(p->npu, offset, value);
	if (offset == GLB_S_INTR_MASK)
		p->intr_mask = value;
}

/* The recording's times are from the last unit that is enabled. */
static bool is_op_enable(uint32_t offset)
{
	return offset == CDMA_D_OP_ENABLE || offset == CSC_D_OP_ENABLE ||
	       offset == CMAC_A_D_OP_ENABLE || offset == CMAC_B_D_OP_ENABLE ||
	       offset == CACC_D_OP_ENABLE || offset == SDP_RDMA_D_OP_ENABLE ||
	       offset == SDP_D_OP_ENABLE;
}

/* False when the engine has nothing to do any more, or @end is reached. */
static bool let_run(struct replay *p, uint64_t end)
{
	uint64_t left = end - p->result->cycle;

	if (!left || !p->library->busy(p->npu))
		return false;
	p->result->cycle += p->library->run(p->npu, left < SLICE ? left : SLICE);
	return true;
}

static const char *why_not(const struct replay *p)
{
	const char *stuck = p->library->stuck ? p->library->stuck(p->npu) : NULL;

	if (stuck)
		return stuck;
	return p->library->busy(p->npu) ? "the engine is still busy" : "the engine is idle";
}

static void poll_register(struct replay *p)
{
	const struct vector_step *s = p->step;
	uint64_t end = p->result->cycle + p->options->limit;
	uint32_t value;

	while (((value = read_register(p, s->addr)) & s->mask) != s->value) {
		if (let_run(p, end))
			continue;
		differ_at(p, s->addr, value, s->value);
		differ(p, REPLAY_REGISTER, "%s is 0x%08x and never has 0x%08x in 0x%08x: %s",
		       regmap_name(s->addr), value, s->value, s->mask, why_not(p));
		return;
	}
}

/* Reads the interrupts, clears what it reads, and counts them. */
static void take_interrupts(struct replay *p, uint32_t wanted)
{
	uint32_t status = read_register(p, GLB_S_INTR_STATUS);

	if (!status)
		return;
	if ((status & wanted & ~p->intr_mask) && !p->level && !p->has_faults) {
		differ_at(p, GLB_S_INTR_STATUS, status, wanted);
		differ(p, REPLAY_INTERRUPT,
		       "GLB_S_INTR_STATUS is 0x%08x, mask 0x%08x, and the interrupt line is low",
		       status, p->intr_mask);
	}
	write_register(p, GLB_S_INTR_STATUS, status);
	for (int i = 0; i < 32; i++)
		p->pending[i] += status >> i & 1;
}

static uint32_t not_pending(const struct replay *p, uint32_t wanted)
{
	for (int i = 0; i < 32; i++)
		if (p->pending[i])
			wanted &= ~(1u << i);
	return wanted;
}

static void wait_interrupts(struct replay *p)
{
	uint32_t wanted = p->step->mask, missing;
	uint64_t end = p->result->cycle + p->options->limit;

	while ((missing = not_pending(p, wanted))) {
		take_interrupts(p, missing);
		missing = not_pending(p, wanted);
		if (!missing || let_run(p, end))
			continue;
		differ_at(p, GLB_S_INTR_STATUS, wanted & ~missing, wanted);
		differ(p, REPLAY_INTERRUPT, "GLB_S_INTR_STATUS never shows 0x%08x of 0x%08x: %s",
		       missing, wanted, why_not(p));
		return;
	}
	p->waited = p->result->cycle - p->enabled_at;
	for (int i = 0; i < 32; i++)
		p->pending[i] -= wanted >> i & 1;
	p->result->ops += __builtin_popcount(wanted & SDP_DONE);
}

static void check_cycles(struct replay *p)
{
	uint32_t recorded = p->step->value;
	double off = 100.0 * ((double)p->waited - recorded) / (recorded ? recorded : 1);

	p->result->timed += p->waited;
	p->result->timed_recorded += recorded;
	if (p->options->cycles_off < 0 ||
	    (off <= p->options->cycles_off && off >= -p->options->cycles_off))
		return;
	differ_at(p, 0, p->waited, recorded);
	differ(p, REPLAY_CYCLES, "the op takes %" PRIu64 " cycles, recorded %u (%+.1f %%)",
	       p->waited, recorded, off);
}

static void check_register(struct replay *p)
{
	const struct vector_step *s = p->step;
	uint32_t value = read_register(p, s->addr);

	if (value == s->value)
		return;
	if (s->kind == VECTOR_PEEK) {
		p->result->peeks_off++;
		return;
	}
	differ_at(p, s->addr, value, s->value);
	differ(p, REPLAY_REGISTER, "%s (0x%04x) is 0x%08x, recorded 0x%08x", regmap_name(s->addr),
	       (uint32_t)s->addr, value, s->value);
}

static int store(struct replay *p, uint8_t *data)
{
	const struct vector_step *s = p->step;

	if (p->library->store)
		return p->library->store(p->npu, s->addr, data, s->len);
	image_read(&p->memory, s->addr, data, s->len);
	return 0;
}

static int check_memory(struct replay *p)
{
	const struct vector_step *s = p->step;
	size_t first = 0, off = 0;
	uint8_t *data = malloc(s->len ? s->len : 1);

	if (!data || store(p, data)) {
		free(data);
		return -1;
	}
	for (size_t i = s->len; i-- > 0;) {
		if (data[i] == s->data[i])
			continue;
		first = i;
		off++;
	}
	p->result->bytes += s->len;
	if (off) {
		differ_at(p, s->addr + first, data[first], s->data[first]);
		differ(p, REPLAY_MEMORY,
		       "memory at 0x%08" PRIx64 " is 0x%02x, recorded 0x%02x; "
		       "%zu of %zu bytes of this result differ",
		       s->addr + first, data[first], s->data[first], off, s->len);
	}
	free(data);
	return 0;
}

static int load(struct replay *p)
{
	const struct vector_step *s = p->step;

	if (p->library->load)
		return p->library->load(p->npu, s->addr, s->data, s->len);
	return image_write(&p->memory, s->addr, s->data, s->len);
}

static int inject(struct replay *p)
{
	const char *fault = (const char *)p->step->data;

	return p->library->inject ? p->library->inject(p->npu, fault) : -1;
}

/* The line falls, whether or not the model says so. */
static void reset(struct replay *p)
{
	p->level = 0;
	p->library->reset(p->npu);
	p->intr_mask = 0;
	memset(p->pending, 0, sizeof(p->pending));
}

static int play_step(struct replay *p)
{
	const struct vector_step *s = p->step;

	switch (s->kind) {
	case VECTOR_MEM:
		return load(p);
	case VECTOR_WRITE:
		write_register(p, s->addr, s->value);
		if (is_op_enable(s->addr))
			p->enabled_at = p->result->cycle;
		return 0;
	case VECTOR_POLL:
		poll_register(p);
		return 0;
	case VECTOR_WAIT:
		wait_interrupts(p);
		return 0;
	case VECTOR_CYCLES:
		check_cycles(p);
		return 0;
	case VECTOR_OUT:
		return check_memory(p);
	case VECTOR_READ:
	case VECTOR_PEEK:
		check_register(p);
		return 0;
	case VECTOR_RESET:
		reset(p);
		return 0;
	case VECTOR_FAULT:
		return inject(p);
	}
	return -1;
}

/* Where results may be, before anything runs. */
static int mark_results(struct replay *p, const struct vector *v)
{
	int err = 0;

	for (size_t i = 0; i < v->count && !err; i++) {
		const struct vector_step *s = &v->steps[i];

		if (s->kind == VECTOR_OUT)
			err = image_write(&p->results, s->addr, s->data, s->len);
		if (s->kind == VECTOR_FAULT)
			p->has_faults = true;
	}
	return err;
}

static int play(struct replay *p, const struct vector *v)
{
	for (size_t i = 0; i < v->count && p->result->kind == REPLAY_EQUAL; i++) {
		p->step = &v->steps[i];
		if (!play_step(p))
			continue;
		snprintf(p->result->text, sizeof(p->result->text), "line %u: %s", p->step->line,
			 p->step->kind == VECTOR_FAULT ? "the model does not take this fault"
						       : "there is no memory for this");
		return -1;
	}
	return 0;
}

int replay_run(struct replay_result *result, const struct vector *v, const struct library *library,
	       const struct replay_options *options)
{
	struct replay p = { .result = result, .options = options, .library = library };
	const struct npu_model_bus bus = {
		.opaque = &p, .read = bus_read, .write = bus_write, .irq = bus_irq
	};
	int err = -1;

	memset(result, 0, sizeof(*result));
	p.npu = library->new (v->config, &bus);
	if (!p.npu)
		snprintf(result->text, sizeof(result->text),
			 "the model does not know the configuration %s", v->config);
	else if (mark_results(&p, v))
		snprintf(result->text, sizeof(result->text), "out of memory");
	else
		err = play(&p, v);
	if (p.npu)
		library->free(p.npu);
	image_free(&p.memory);
	image_free(&p.results);
	return err;
}
