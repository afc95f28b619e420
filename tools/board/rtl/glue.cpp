// SPDX-License-Identifier: MIT
/*
 * A Verilated NPU as a device model: the functions of npu_model.h on one side, the ports of NVDLA's
 * top on the other. CSB carries the registers, an AXI port the memory; both clocks are one.
 *
 * The two things to adapt to another design are the port names, in connect() and below, and
 * MEMORY_LATENCY.
 */
#include <cstdlib>
#include <cstring>
#include <deque>
#include <new>

#include "Vnpu.h"
#include "verilated.h"

extern "C" {
#include "npu_model.h"
#include "npu_fault.h"
}

#ifndef RTL_CONFIG
#define RTL_CONFIG "nv_small"
#endif

/* Cycles from a read request to its first beat; the recordings in tests/vectors had 32. */
#ifndef MEMORY_LATENCY
#define MEMORY_LATENCY 32
#endif

/*
 * RTL has no pin that says whether it has work. It counts as idle when this long nothing happened
 * on its ports; longer than the flush of the convolution buffer, during which there is nothing to
 * see.
 */
#define QUIET_CYCLES 20000

/* A register access that takes longer means a design without clock or in reset. */
#define CSB_CYCLES 10000

#define BEAT 8		/* bytes of the AXI port */
#define MAX_BEATS 16	/* of a burst */
#define RESET_CYCLES 40 /* the longest synchroniser has a few */

struct read_burst {
	uint64_t due; /* cycle of the first beat */
	unsigned int id, beats, next;
	uint64_t data[MAX_BEATS];
};

struct write_burst {
	uint64_t addr;
	unsigned int id, beats;
};

struct npu_model {
	struct npu_model_bus bus;
	VerilatedContext context;
	Vnpu *top;
	uint64_t now;
	uint64_t active_at; /* last time something happened on a port */
	int level;	    /* of the interrupt line, as the board knows it */
	const char *stuck;
	std::deque<read_burst> reads;
	std::deque<write_burst> writes;
	std::deque<unsigned int> written; /* ids to answer on the B channel */
};

/* ---- memory ------------------------------------------------------------------------------ */

/* The port has no wire for an error: an access that fails is never answered. */
static void take_read(npu_model *m)
{
	Vnpu *t = m->top;
	read_burst burst = {};

	burst.due = m->now + MEMORY_LATENCY;
	burst.id = t->nvdla_core2dbb_ar_arid;
	burst.beats = t->nvdla_core2dbb_ar_arlen + 1u;
	if (m->bus.read(m->bus.opaque, t->nvdla_core2dbb_ar_araddr, burst.data, burst.beats * BEAT))
		m->stuck = "bus error on a read";
	else
		m->reads.push_back(burst);
}

static void take_write_beat(npu_model *m)
{
	Vnpu *t = m->top;
	write_burst &burst = m->writes.front();
	uint64_t data = t->nvdla_core2dbb_w_wdata;

	for (unsigned int i = 0; i < BEAT; i++) {
		uint8_t byte = data >> 8 * i;

		if ((t->nvdla_core2dbb_w_wstrb >> i & 1) &&
		    m->bus.write(m->bus.opaque, burst.addr + i, &byte, 1))
			m->stuck = "bus error on a write";
	}
	burst.addr += BEAT;
	if (--burst.beats)
		return;
	m->written.push_back(burst.id);
	m->writes.pop_front();
}

/* What memory drives before the clock edge. Without @memory it is not there for this cycle. */
static void drive_memory(npu_model *m, bool memory)
{
	Vnpu *t = m->top;
	bool beat = memory && !m->reads.empty() && m->reads.front().due <= m->now;

	t->nvdla_core2dbb_ar_arready = memory;
	t->nvdla_core2dbb_aw_awready = memory;
	t->nvdla_core2dbb_w_wready = memory && !m->writes.empty();
	t->nvdla_core2dbb_r_rvalid = beat;
	if (beat) {
		const read_burst &burst = m->reads.front();

		t->nvdla_core2dbb_r_rid = burst.id;
		t->nvdla_core2dbb_r_rdata = burst.data[burst.next];
		t->nvdla_core2dbb_r_rlast = burst.next + 1 == burst.beats;
	}
	t->nvdla_core2dbb_b_bvalid = memory && !m->written.empty();
	if (t->nvdla_core2dbb_b_bvalid)
		t->nvdla_core2dbb_b_bid = m->written.front();
}

/* What passes between memory and the design at this clock edge. */
static void pass_memory(npu_model *m)
{
	Vnpu *t = m->top;
	bool ar = t->nvdla_core2dbb_ar_arvalid && t->nvdla_core2dbb_ar_arready;
	bool aw = t->nvdla_core2dbb_aw_awvalid && t->nvdla_core2dbb_aw_awready;
	bool w = t->nvdla_core2dbb_w_wvalid && t->nvdla_core2dbb_w_wready;
	bool r = t->nvdla_core2dbb_r_rvalid && t->nvdla_core2dbb_r_rready;
	bool b = t->nvdla_core2dbb_b_bvalid && t->nvdla_core2dbb_b_bready;

	if (r && ++m->reads.front().next == m->reads.front().beats)
		m->reads.pop_front();
	if (b)
		m->written.pop_front();
	if (w)
		take_write_beat(m);
	if (ar)
		take_read(m);
	if (aw)
		m->writes.push_back({ t->nvdla_core2dbb_aw_awaddr, t->nvdla_core2dbb_aw_awid,
				      t->nvdla_core2dbb_aw_awlen + 1u });
	if (ar || aw || w || r || b)
		m->active_at = m->now;
}

/* ---- clock ------------------------------------------------------------------------------- */

static void set_clock(npu_model *m, int level)
{
	m->top->dla_core_clk = level;
	m->top->dla_csb_clk = level;
	m->top->eval();
}

static void tick(npu_model *m, bool memory)
{
	drive_memory(m, memory);
	set_clock(m, 0);
	pass_memory(m);
	set_clock(m, 1);
	m->now++;
}

/* True when the line went up. */
static bool pass_interrupt(npu_model *m)
{
	int level = m->top->dla_intr;

	if (level == m->level)
		return false;
	m->level = level;
	m->active_at = m->now;
	m->bus.irq(m->bus.opaque, level);
	return level;
}

/* ---- registers --------------------------------------------------------------------------- */

/*
 * One access; -1 when the design does not answer. The cycles it takes are not those of run(): for
 * the board an access takes no time. During a read memory stands still, as the interface wants no
 * bus access in there.
 */
static int access(npu_model *m, uint32_t offset, bool write, uint32_t value)
{
	Vnpu *t = m->top;
	uint64_t begin = m->now;
	bool taken = false;

	t->csb2nvdla_valid = 1;
	t->csb2nvdla_addr = offset >> 2;
	t->csb2nvdla_wdat = value;
	t->csb2nvdla_write = write;
	t->csb2nvdla_nposted = 0;
	while (!taken && m->now - begin < CSB_CYCLES) {
		set_clock(m, 0);
		taken = t->csb2nvdla_ready;
		tick(m, write);
	}
	t->csb2nvdla_valid = 0;
	while (!write && !t->nvdla2csb_valid && m->now - begin < CSB_CYCLES)
		tick(m, false);
	return taken && m->now - begin < CSB_CYCLES ? 0 : -1;
}

/* ---- the interface ----------------------------------------------------------------------- */

static void connect(Vnpu *t)
{
	/* Gated clocks lose buffer releases: docs/boards.md. */
	t->global_clk_ovr_on = 1;
	t->tmc2slcg_disable_clock_gating = 1;
	t->test_mode = 0;
	t->nvdla_pwrbus_ram_c_pd = 0;
	t->nvdla_pwrbus_ram_ma_pd = 0;
	t->nvdla_pwrbus_ram_mb_pd = 0;
	t->nvdla_pwrbus_ram_p_pd = 0;
	t->nvdla_pwrbus_ram_o_pd = 0;
	t->nvdla_pwrbus_ram_a_pd = 0;
	t->csb2nvdla_valid = 0;
}

static void hold_reset(npu_model *m, int line)
{
	m->top->dla_reset_rstn = line;
	m->top->direct_reset_ = line;
	for (int i = 0; i < RESET_CYCLES; i++)
		tick(m, false);
}

unsigned int npu_model_abi(void)
{
	return NPU_MODEL_ABI;
}

struct npu_model *npu_model_new(const char *config, const struct npu_model_bus *bus)
{
	const char *no_arguments = "npu";
	npu_model *m;

	if (strcmp(config, RTL_CONFIG))
		return nullptr;
	m = new (std::nothrow) npu_model();
	if (!m)
		return nullptr;
	m->bus = *bus;
	/* Designs ask for $plusargs and stop where there can be none. */
	m->context.commandArgs(1, &no_arguments);
	m->top = new (std::nothrow) Vnpu(&m->context);
	if (!m->top) {
		delete m;
		return nullptr;
	}
	connect(m->top);
	npu_model_reset(m);
	return m;
}

void npu_model_free(struct npu_model *m)
{
	if (!m)
		return;
	m->top->final();
	delete m->top;
	delete m;
}

void npu_model_reset(struct npu_model *m)
{
	m->reads.clear();
	m->writes.clear();
	m->written.clear();
	m->stuck = nullptr;
	m->level = 0;
	hold_reset(m, 1);
	hold_reset(m, 0);
	hold_reset(m, 1);
	m->active_at = m->now;
}

uint32_t npu_model_read(struct npu_model *m, uint32_t offset)
{
	return access(m, offset, false, 0) ? UINT32_MAX : m->top->nvdla2csb_data;
}

void npu_model_write(struct npu_model *m, uint32_t offset, uint32_t value)
{
	if (access(m, offset, true, value))
		m->stuck = "a register write was not taken";
	m->active_at = m->now;
}

int npu_model_busy(struct npu_model *m)
{
	return m->now - m->active_at < QUIET_CYCLES || m->level != m->top->dla_intr;
}

uint64_t npu_model_run(struct npu_model *m, uint64_t max_cycles)
{
	uint64_t done = 0;

	while (!pass_interrupt(m) && done < max_cycles && npu_model_busy(m)) {
		tick(m, true);
		done++;
	}
	return done;
}

const char *npu_model_stuck(const struct npu_model *m)
{
	return m->stuck;
}

/* RTL breaks by itself, not on request; a model without this function would do as well. */
int npu_model_inject(struct npu_model *, const char *)
{
	return -1;
}
