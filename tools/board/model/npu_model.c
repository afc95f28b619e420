// SPDX-License-Identifier: MIT
/*
 * The model as a whole: registers in front, ops in flight, a clock.
 *
 * An op starts when the last of its units is enabled. From then on all its times are known
 * (timing.c), for nothing that comes later can delay it. All its inputs are read at once when CDMA
 * would send the first request for it: after the op before has been fetched, not after it is done.
 * Its results are written at once when it is done, together with the interrupt. So an op that
 * reads what the op just before it writes sees the old bytes when both are in flight, as on the
 * hardware.
 *
 * An op that cannot complete leaves memory and interrupts alone and the engine stuck: whatever is
 * enabled behind it waits until reset.
 */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "conv.h"
#include "fault.h"
#include "intr.h"
#include "npu_fault.h"
#include "npu_model.h"
#include "op.h"
#include "regfile.h"
#include "regs.h"
#include "sdp.h"
#include "timing.h"

#define NEVER UINT64_MAX

/* How long the line stays up without a reason */
#define SPURIOUS_CYCLES 1000

/* Two register groups: one op that runs, one behind it */
#define MAX_FLIGHTS 2

struct flight {
	struct op op;
	struct timeline line;
	unsigned int passed; /* bit per enum op_event */
	struct fault fault;
	uint32_t clipped;
	uint8_t *out; /* surfaces of the result, packed; kept for the next op */
	size_t out_size;
};

struct npu_model {
	struct npu_model_bus bus;
	struct npu_config cfg;
	struct regfile regs;
	struct intr intr;
	struct conv conv;
	struct sdp sdp;
	struct timing timing;
	struct faults faults;
	uint64_t now;
	uint64_t flushed_at;
	const char *stuck;
	uint32_t data_stall, weight_stall, clipped; /* of the last op that had counting enabled */
	bool spurious;
	bool no_flush;
	struct flight flight[MAX_FLIGHTS];
	unsigned int first; /* oldest flight */
	unsigned int count; /* flights that will complete */
};

unsigned int npu_model_abi(void)
{
	return NPU_MODEL_ABI;
}

struct npu_model *npu_model_new(const char *config, const struct npu_model_bus *bus)
{
	struct npu_model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	if (npu_config_parse(&m->cfg, config)) {
		free(m);
		return NULL;
	}
	m->bus = *bus;
	m->intr.bus = &m->bus;
	m->intr.bits = m->cfg.interrupts;
	if (conv_init(&m->conv, &m->cfg, &m->bus) || sdp_init(&m->sdp, &m->cfg, &m->bus)) {
		npu_model_free(m);
		return NULL;
	}
	npu_model_reset(m);
	return m;
}

void npu_model_free(struct npu_model *m)
{
	if (!m)
		return;
	conv_fini(&m->conv);
	sdp_fini(&m->sdp);
	for (int i = 0; i < MAX_FLIGHTS; i++)
		free(m->flight[i].out);
	free(m);
}

void npu_model_reset(struct npu_model *m)
{
	m->now = 0;
	m->flushed_at = m->no_flush ? NEVER : m->cfg.flush_cycles;
	m->stuck = NULL;
	m->first = 0;
	m->count = 0;
	regfile_reset(&m->regs);
	m->data_stall = 0;
	m->weight_stall = 0;
	m->clipped = 0;
	conv_reset(&m->conv);
	timing_reset(&m->timing, &m->cfg);
	intr_reset(&m->intr);
}

/* ---- ops --------------------------------------------------------------------------------- */

static void start_op(struct npu_model *m)
{
	struct flight *f = &m->flight[(m->first + m->count) % MAX_FLIGHTS];
	const char *why;

	f->passed = 0;
	op_take(&f->op, &m->regs);
	f->fault = fault_next_op(&m->faults);
	why = op_decode(&f->op, &m->regs, &m->cfg);
	if (!why && f->fault.kind == FAULT_HANG)
		why = "a hang was asked for";
	if (!why)
		why = timing_plan(&m->timing, &f->op, m->now, &f->line);
	if (why)
		m->stuck = why;
	else
		m->count++;
}

static void start_ops(struct npu_model *m)
{
	while (!m->stuck && op_ready(&m->regs))
		start_op(m);
}

static const char *make_room(struct flight *f, size_t size)
{
	uint8_t *out;

	if (size <= f->out_size)
		return NULL;
	out = realloc(f->out, size);
	if (!out)
		return "the host has no memory for the result";
	f->out = out;
	f->out_size = size;
	return NULL;
}

static const char *compute(struct npu_model *m, struct flight *f)
{
	const struct op *op = &f->op;
	size_t surface = (size_t)op->positions * m->cfg.atom_bytes;
	const char *why;

	if (f->fault.kind == FAULT_BUS_ERROR)
		return "a bus error was asked for";
	m->sdp.clipped = 0;
	why = make_room(f, surface * op->groups);
	if (!why)
		why = conv_begin(&m->conv, op);
	for (uint32_t g = 0; g < op->groups && !why; g++) {
		why = conv_group(&m->conv, op, g);
		if (!why)
			why = sdp_group(&m->sdp, op, g, m->conv.acc, f->out + g * surface);
	}
	conv_end(&m->conv, op);
	f->clipped = m->sdp.clipped;
	return why;
}

static const char *write_result(struct npu_model *m, const struct flight *f)
{
	const struct op *op = &f->op;
	size_t line = (size_t)op->width * m->cfg.atom_bytes;
	const uint8_t *from = f->out;

	for (uint32_t g = 0; g < op->groups; g++) {
		for (uint32_t h = 0; h < op->height; h++) {
			uint64_t addr = op->out_addr + (uint64_t)g * op->out_surf_stride +
					(uint64_t)h * op->out_line_stride;

			if (m->bus.write(m->bus.opaque, addr & m->cfg.address_mask, from, line))
				return "bus error while SDP wrote the result";
			from += line;
		}
	}
	return NULL;
}

/*
 * A unit that is done leaves its counters in the group of the op, enabled or not: without, they are
 * those of an older op. SDP_D_PERF_WDMA_WRITE_STALL stays 0, as in a clock without writes.
 */
static void latch_stalls(struct npu_model *m, const struct flight *f)
{
	unsigned int group = f->op.group[UNIT_CDMA];

	if (regfile_get(&m->regs, CDMA_D_PERF_ENABLE, group) & CDMA_PERF_DMA) {
		m->data_stall = f->line.data_stall;
		m->weight_stall = f->line.weight_stall;
	}
	regfile_set(&m->regs, CDMA_D_PERF_DAT_READ_STALL, group, m->data_stall);
	regfile_set(&m->regs, CDMA_D_PERF_WT_READ_STALL, group, m->weight_stall);
}

static void latch_saturation(struct npu_model *m, const struct flight *f)
{
	unsigned int group = f->op.group[UNIT_SDP];

	if (regfile_get(&m->regs, SDP_D_PERF_ENABLE, group) & SDP_PERF_SATURATION)
		m->clipped = f->clipped;
	regfile_set(&m->regs, SDP_D_PERF_OUT_SATURATION, group, m->clipped);
}

static void complete(struct npu_model *m, struct flight *f)
{
	uint64_t quiet = 0;

	if (f->fault.kind == FAULT_LOST_IRQ)
		quiet = INTR_LOST;
	else if (f->fault.kind == FAULT_LATE_IRQ)
		quiet = m->now + f->fault.cycles;
	latch_saturation(m, f);
	regfile_done(&m->regs, UNIT_SDP);
	if (f->op.rdma)
		regfile_done(&m->regs, UNIT_SDP_RDMA);
	intr_raise(&m->intr, GLB_INTR_SDP + f->op.group[UNIT_SDP], quiet);
	m->first = (m->first + 1) % MAX_FLIGHTS;
	m->count--;
}

/* ---- clock ------------------------------------------------------------------------------- */

static void pass_event(struct npu_model *m, struct flight *f, enum op_event event)
{
	const unsigned int *group = f->op.group;
	const char *why = NULL;

	f->passed |= 1u << event;
	if (event == OP_FETCH) {
		why = compute(m, f);
	} else if (event == OP_DATA_DONE) {
		intr_raise(&m->intr, GLB_INTR_CDMA_DAT + group[UNIT_CDMA], 0);
	} else if (event == OP_WEIGHT_DONE) {
		intr_raise(&m->intr, GLB_INTR_CDMA_WT + group[UNIT_CDMA], 0);
	} else if (event == OP_CDMA_DONE) {
		latch_stalls(m, f);
		regfile_done(&m->regs, UNIT_CDMA);
	} else if (event == OP_CSC_DONE) {
		regfile_done(&m->regs, UNIT_CSC);
		regfile_done(&m->regs, UNIT_CMAC_A);
		regfile_done(&m->regs, UNIT_CMAC_B);
	} else if (event == OP_CACC_DONE) {
		regfile_done(&m->regs, UNIT_CACC);
		intr_raise(&m->intr, GLB_INTR_CACC + group[UNIT_CACC], 0);
	} else {
		why = write_result(m, f);
		if (!why)
			complete(m, f);
	}
	if (!why)
		return;
	/* This op and what is behind it never complete. */
	m->stuck = why;
	m->count = (f - m->flight + MAX_FLIGHTS - m->first) % MAX_FLIGHTS;
}

/* The op to which something happens next, and what; NULL when nothing will. */
static struct flight *next_flight(struct npu_model *m, enum op_event *event)
{
	struct flight *next = NULL;

	for (unsigned int i = 0; i < m->count; i++) {
		struct flight *f = &m->flight[(m->first + i) % MAX_FLIGHTS];

		for (unsigned int e = 0; e < OP_EVENTS; e++) {
			if ((f->passed >> e & 1) ||
			    (next && f->line.at[e] >= next->line.at[*event]))
				continue;
			next = f;
			*event = e;
		}
	}
	return next;
}

/* When anything changes; NEVER for not at all. */
static uint64_t next_change(struct npu_model *m)
{
	enum op_event event;
	struct flight *f = next_flight(m, &event);
	uint64_t next = intr_next(&m->intr, m->now);

	if (m->spurious)
		return m->now;
	if (f && f->line.at[event] < next)
		next = f->line.at[event];
	if (m->flushed_at > m->now && m->flushed_at < next)
		next = m->flushed_at;
	return next;
}

/* Everything that happens in this cycle; true when the interrupt line went up. */
static bool tick(struct npu_model *m)
{
	enum op_event event;
	struct flight *f;

	while ((f = next_flight(m, &event)) && f->line.at[event] <= m->now)
		pass_event(m, f, event);
	start_ops(m);
	if (m->spurious) {
		m->spurious = false;
		m->intr.pulse_until = m->now + SPURIOUS_CYCLES;
	}
	return intr_update(&m->intr, m->now);
}

uint64_t npu_model_run(struct npu_model *m, uint64_t max_cycles)
{
	uint64_t start = m->now;
	uint64_t end = max_cycles > UINT64_MAX - start ? UINT64_MAX : start + max_cycles;

	for (;;) {
		uint64_t next = next_change(m);

		if (next > end || next == NEVER) {
			m->now = end;
			break;
		}
		m->now = next > m->now ? next : m->now;
		if (tick(m))
			break;
	}
	return m->now - start;
}

int npu_model_busy(struct npu_model *m)
{
	return next_change(m) != NEVER;
}

/* ---- registers --------------------------------------------------------------------------- */

/* A power-up can take two resets, one by the loss of power, so what is not seen does not count. */
static uint32_t read_flush_status(struct npu_model *m)
{
	if (m->flushed_at == NEVER)
		m->no_flush = false;
	return m->now >= m->flushed_at;
}

uint32_t npu_model_read(struct npu_model *m, uint32_t offset)
{
	switch (offset) {
	case CFGROM_HW_VERSION:
		return m->cfg.rom_version;
	case GLB_S_NVDLA_HW_VERSION:
		return m->cfg.hw_version;
	case GLB_S_INTR_MASK:
	case GLB_S_INTR_SET:
	case GLB_S_INTR_STATUS:
		return intr_read(&m->intr, offset);
	case CDMA_S_CBUF_FLUSH_STATUS:
		return read_flush_status(m);
	default:
		return regfile_read(&m->regs, offset);
	}
}

void npu_model_write(struct npu_model *m, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case GLB_S_INTR_MASK:
	case GLB_S_INTR_SET:
	case GLB_S_INTR_STATUS:
		intr_write(&m->intr, offset, value, m->now);
		break;
	default:
		regfile_write(&m->regs, offset, value);
		start_ops(m);
	}
}

/* ---- faults ------------------------------------------------------------------------------ */

int npu_model_inject(struct npu_model *m, const char *text)
{
	struct fault fault;

	if (fault_parse(text, &fault))
		return -1;
	if (fault.kind == FAULT_SPURIOUS_IRQ)
		m->spurious = true;
	else if (fault.kind == FAULT_NO_FLUSH)
		m->no_flush = true;
	else
		return fault_add(&m->faults, &fault);
	return 0;
}

const char *npu_model_stuck(const struct npu_model *m)
{
	return m->stuck;
}
