// SPDX-License-Identifier: MIT
/*
 * A device model that is another one, and writes down what is done to it. It stands between the
 * board and the model, so it records any model, a simulated RTL too.
 *
 *   NPU_RECORD_MODEL   the model that does the work
 *   NPU_RECORD_FILE    where to write the recording: docs/cosim.md has the format
 *
 * What is recorded must hold on an engine that is slower or faster: so the memory that an op reads
 * is written down before the op is enabled, its results after the driver was told of them, and
 * reading the status of an interrupt becomes waiting for it. The file begins with "begin" and has
 * "end" as its last line, without which it is not whole.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extents.h"
#include "image.h"
#include "library.h"
#include "../model/npu_fault.h"
#include "../model/regs.h"

/* Two register groups, and room for ops whose end the driver does not look at */
#define MAX_FLIGHTS 8

struct npu_model {
	struct library library;
	struct npu_model *inner;
	struct npu_model_bus bus;
	struct npu_config cfg;
	FILE *file;
	struct image known; /* memory, as far as the recording has told it */
	bool out_of_memory;
	bool used; /* since the last reset */

	struct regfile regs;
	uint32_t intr_mask;
	struct op flight[MAX_FLIGHTS]; /* enabled, oldest first */
	unsigned int flights;
	unsigned int ops;

	uint64_t now;
	uint64_t enabled_at; /* the last enabling of an op, if it found the engine idle */
	uint64_t irq_at;
	bool alone; /* nothing else ran since then */
	int level;

	uint32_t status; /* read and not yet written down; 0 for nothing */
};

/* For the destructor, which is all that runs when QEMU ends: the board has one recorder. */
static struct npu_model *open_recorder;

unsigned int npu_model_abi(void)
{
	return NPU_MODEL_ABI;
}

static __attribute__((format(printf, 1, 2))) void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("recorder: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

/* ---- writing ----------------------------------------------------------------------------- */

static void put_register(struct npu_model *m, const char *what, uint32_t offset, uint32_t value)
{
	fprintf(m->file, "%s 0x%04x 0x%08x # %s\n", what, offset, value, regmap_name(offset));
}

static void put_bytes(struct npu_model *m, const char *what, uint64_t addr, const uint8_t *data,
		      size_t len)
{
	static const char digits[] = "0123456789abcdef";

	fprintf(m->file, "%s 0x%08" PRIx64 " %zu\n", what, addr, len);
	for (size_t i = 0; i < len; i += 32) {
		char line[2 + 64 + 2] = "  ";
		size_t n = 2;

		for (size_t k = i; k < len && k < i + 32; k++) {
			line[n++] = digits[data[k] >> 4];
			line[n++] = digits[data[k] & 15];
		}
		line[n++] = '\n';
		fwrite(line, 1, n, m->file);
	}
}

/* What the recording has already said of memory need not be said again; results always are. */
static void put_extents(struct npu_model *m, const char *what, const struct extents *e, bool always)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct extent *x = &e->list[i];
		uint8_t *data = malloc(x->len ? x->len : 1);

		if (!data) {
			m->out_of_memory = true;
			return;
		}
		if (m->bus.read(m->bus.opaque, x->addr, data, x->len)) {
			fprintf(m->file, "# %s 0x%08" PRIx64 " %zu: bus error\n", what, x->addr,
				x->len);
		} else if (always || !image_equal(&m->known, x->addr, data, x->len)) {
			put_bytes(m, what, x->addr, data, x->len);
			if (image_write(&m->known, x->addr, data, x->len))
				m->out_of_memory = true;
		}
		free(data);
	}
}

/* ---- ops --------------------------------------------------------------------------------- */

static void begin_op(struct npu_model *m)
{
	struct op *op = &m->flight[m->flights];
	struct extents e = { 0 };
	const char *why;

	op_take(op, &m->regs);
	m->ops++;
	why = op_decode(op, &m->regs, &m->cfg);
	/* The engine's own front does this when a unit is done; here the driver is believed. */
	for (unsigned int u = 0; u < UNITS; u++)
		if (u != UNIT_SDP_RDMA || op->rdma)
			regfile_done(&m->regs, u);
	if (why) {
		fprintf(m->file, "# op %u, whose memory is not recorded: %s\n", m->ops, why);
		return;
	}
	fprintf(m->file, "# op %u: %ux%u positions, %u channels, %u kernels\n", m->ops, op->width,
		op->height, op->channels, op->kernels);
	if (extents_of_inputs(&e, op, &m->cfg))
		m->out_of_memory = true;
	put_extents(m, "mem", &e, false);
	extents_free(&e);
	m->alone = m->flights == 0;
	if (m->flights + 1 < MAX_FLIGHTS)
		m->flights++;
}

static void end_op(struct npu_model *m, unsigned int group)
{
	struct extents e = { 0 };
	unsigned int i = 0;

	while (i < m->flights && m->flight[i].group[UNIT_SDP] != group)
		i++;
	if (i == m->flights)
		return;
	if (extents_of_output(&e, &m->flight[i], &m->cfg))
		m->out_of_memory = true;
	put_extents(m, "out", &e, true);
	extents_free(&e);
	m->flights--;
	memmove(&m->flight[i], &m->flight[i + 1], (m->flights - i) * sizeof(m->flight[0]));
}

/*
 * The driver has read a status with something to do in it. If it writes back what it read, that is
 * waiting for an interrupt.
 */
static void settle_status(struct npu_model *m, bool acknowledged)
{
	uint32_t wanted = m->status & ~m->intr_mask;

	if (!m->status)
		return;
	if (!acknowledged || !wanted) {
		put_register(m, "peek", GLB_S_INTR_STATUS, m->status);
		if (acknowledged)
			put_register(m, "w", GLB_S_INTR_STATUS, m->status);
		m->status = 0;
		return;
	}
	fprintf(m->file, "wait 0x%08x\n", wanted);
	if (m->alone && m->flights == 1 && m->irq_at > m->enabled_at)
		fprintf(m->file, "cycles %" PRIu64 "\n", m->irq_at - m->enabled_at);
	for (unsigned int group = 0; group < 2; group++)
		if (wanted >> (GLB_INTR_SDP + group) & 1)
			end_op(m, group);
	m->status = 0;
}

/* Reads until the buffer is flushed are one line: how many there were is a matter of time. */
static void put_flush(struct npu_model *m, uint32_t value)
{
	if (value & 1)
		fprintf(m->file, "poll 0x%04x 0x00000001 0x00000001 # %s\n",
			CDMA_S_CBUF_FLUSH_STATUS, regmap_name(CDMA_S_CBUF_FLUSH_STATUS));
}

/* ---- the interface ----------------------------------------------------------------------- */

/* Registers whose value is a matter of time, or of what ran before */
static bool is_of_the_moment(uint32_t offset)
{
	switch (offset) {
	case GLB_S_INTR_STATUS:
	case CDMA_D_OP_ENABLE:
	case CDMA_D_PERF_DAT_READ_STALL:
	case CDMA_D_PERF_WT_READ_STALL:
	case CSC_D_OP_ENABLE:
	case CMAC_A_D_OP_ENABLE:
	case CMAC_B_D_OP_ENABLE:
	case CACC_D_OP_ENABLE:
	case SDP_RDMA_D_OP_ENABLE:
	case SDP_D_OP_ENABLE:
	case SDP_D_PERF_WDMA_WRITE_STALL:
	case SDP_D_PERF_OUT_SATURATION:
		return true;
	}
	return offset >= CDMA_S_STATUS &&
	       ((offset & 0xfff) == UNIT_S_STATUS || (offset & 0xfff) == UNIT_S_POINTER);
}

static void rise(void *opaque, int level)
{
	struct npu_model *m = opaque;

	/* Models stop at an interrupt, so run() knows when it was. */
	if (level && !m->level)
		m->irq_at = UINT64_MAX;
	m->level = level;
	m->bus.irq(m->bus.opaque, level);
}

static int pass_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	struct npu_model *m = opaque;

	return m->bus.read(m->bus.opaque, addr, buf, len);
}

static int pass_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	struct npu_model *m = opaque;

	return m->bus.write(m->bus.opaque, addr, buf, len);
}

static bool open_all(struct npu_model *m, const char *config)
{
	const struct npu_model_bus bus = {
		.opaque = m, .read = pass_read, .write = pass_write, .irq = rise
	};
	const char *model = getenv("NPU_RECORD_MODEL"), *path = getenv("NPU_RECORD_FILE");
	char error[LIBRARY_ERROR_MAX];

	if (!model || !path) {
		complain("NPU_RECORD_MODEL and NPU_RECORD_FILE are not both set");
		return false;
	}
	if (open_recorder) {
		complain("a recording is of one NPU");
		return false;
	}
	if (npu_config_parse(&m->cfg, config)) {
		complain("the ops of configuration '%s' are not known", config);
		return false;
	}
	if (!library_open(&m->library, model, error)) {
		complain("%s", error);
		return false;
	}
	m->inner = m->library.new(config, &bus);
	if (!m->inner) {
		complain("model %s does not know the configuration %s", model, config);
		return false;
	}
	m->file = fopen(path, "w");
	if (!m->file)
		complain("%s cannot be written", path);
	return m->file;
}

struct npu_model *npu_model_new(const char *config, const struct npu_model_bus *bus)
{
	struct npu_model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->bus = *bus;
	if (!open_all(m, config)) {
		npu_model_free(m);
		return NULL;
	}
	open_recorder = m;
	regfile_reset(&m->regs);
	fprintf(m->file,
		"# SPDX-License-Identifier: MIT\n# A run of the virtual board\nbegin\nconfig %s\n",
		config);
	return m;
}

static void close_file(struct npu_model *m)
{
	bool good;

	if (!m->file)
		return;
	settle_status(m, false);
	if (!m->out_of_memory)
		fputs("end\n", m->file);
	good = !ferror(m->file) && !m->out_of_memory;
	if (fclose(m->file) || !good)
		complain("no room for the recording: it is not whole");
	m->file = NULL;
	open_recorder = NULL;
}

void npu_model_free(struct npu_model *m)
{
	if (!m)
		return;
	close_file(m);
	if (m->inner)
		m->library.free(m->inner);
	library_close(&m->library);
	image_free(&m->known);
	free(m);
}

static __attribute__((destructor)) void close_at_exit(void)
{
	if (open_recorder)
		close_file(open_recorder);
}

void npu_model_reset(struct npu_model *m)
{
	settle_status(m, false);
	if (m->used)
		fputs("reset\n", m->file);
	m->used = false;
	regfile_reset(&m->regs);
	m->intr_mask = 0;
	m->flights = 0;
	m->library.reset(m->inner);
}

uint32_t npu_model_read(struct npu_model *m, uint32_t offset)
{
	uint32_t value = m->library.read(m->inner, offset);

	settle_status(m, false);
	m->used = true;
	if (offset == GLB_S_INTR_STATUS && value)
		m->status = value;
	else if (offset == CDMA_S_CBUF_FLUSH_STATUS)
		put_flush(m, value);
	else
		put_register(m, is_of_the_moment(offset) ? "peek" : "r", offset, value);
	return value;
}

void npu_model_write(struct npu_model *m, uint32_t offset, uint32_t value)
{
	bool acknowledges = offset == GLB_S_INTR_STATUS && m->status && value == m->status;

	settle_status(m, acknowledges);
	m->used = true;
	regfile_write(&m->regs, offset, value);
	if (offset == GLB_S_INTR_MASK)
		m->intr_mask = value;
	if (op_ready(&m->regs)) {
		begin_op(m);
		m->enabled_at = m->now;
	}
	if (!acknowledges)
		put_register(m, "w", offset, value);
	m->library.write(m->inner, offset, value);
}

int npu_model_busy(struct npu_model *m)
{
	return m->library.busy(m->inner);
}

uint64_t npu_model_run(struct npu_model *m, uint64_t max_cycles)
{
	uint64_t cycles = m->library.run(m->inner, max_cycles);

	m->now += cycles;
	if (m->irq_at == UINT64_MAX)
		m->irq_at = m->now;
	return cycles;
}

int npu_model_inject(struct npu_model *m, const char *fault)
{
	int err = m->library.inject ? m->library.inject(m->inner, fault) : -1;

	settle_status(m, false);
	if (!err)
		fprintf(m->file, "fault %s\n", fault);
	return err;
}

const char *npu_model_stuck(const struct npu_model *m)
{
	return m->library.stuck ? m->library.stuck(m->inner) : NULL;
}
