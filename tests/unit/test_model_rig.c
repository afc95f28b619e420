// SPDX-License-Identifier: MIT
/* The rig under the model's tests; see the header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_model_rig.h"

const struct rig_shape rig_small = { .atom = 8, .channels = 8, .banks = 32 };
const struct rig_shape rig_large = { .atom = 32, .channels = 64, .banks = 16 };

static bool outside(uint64_t addr, size_t len)
{
	return addr < RIG_BASE || len > RIG_SIZE || addr - RIG_BASE > RIG_SIZE - len;
}

static bool hits(uint64_t fail, uint64_t addr, size_t len)
{
	return fail && addr <= fail && fail - addr < len;
}

static int bus_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	struct rig *r = opaque;

	if (outside(addr, len) || hits(r->fail_read, addr, len))
		return -1;
	memcpy(buf, r->mem + (addr - RIG_BASE), len);
	return 0;
}

static int bus_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	struct rig *r = opaque;

	if (outside(addr, len) || hits(r->fail_write, addr, len))
		return -1;
	memcpy(r->mem + (addr - RIG_BASE), buf, len);
	return 0;
}

static void bus_irq(void *opaque, int level)
{
	struct rig *r = opaque;

	if (level && !r->level)
		r->rises++;
	r->level = level;
}

void rig_init(struct rig *r, const char *config)
{
	struct npu_model_bus bus = {
		.opaque = r, .read = bus_read, .write = bus_write, .irq = bus_irq
	};

	memset(r, 0, sizeof(*r));
	r->mem = calloc(1, RIG_SIZE);
	assert_non_null(r->mem);
	r->model = npu_model_new(config, &bus);
	assert_non_null(r->model);
}

void rig_fini(struct rig *r)
{
	npu_model_free(r->model);
	free(r->mem);
}

uint32_t rig_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

void rig_noise(struct rig *r, uint32_t addr, size_t len, uint32_t seed)
{
	uint8_t *p = rig_mem(r, addr);

	seed = seed * 2654435761u | 1;
	for (size_t i = 0; i < len; i++)
		p[i] = rig_random(&seed) >> 11;
}

bool rig_run_to_irq(struct rig *r, uint64_t limit)
{
	uint64_t end = r->now + limit;

	while (!r->level && r->now < end) {
		if (!npu_model_busy(r->model))
			return false;
		r->now += npu_model_run(r->model, end - r->now);
	}
	return r->level;
}

bool rig_wait(struct rig *r, uint32_t mask, uint64_t limit)
{
	uint64_t end = r->now + limit;
	uint32_t seen = 0;

	while ((seen & mask) != mask) {
		uint32_t status;

		if (r->now >= end || !rig_run_to_irq(r, end - r->now))
			return false;
		status = npu_model_read(r->model, GLB_S_INTR_STATUS);
		npu_model_write(r->model, GLB_S_INTR_STATUS, status);
		seen |= status;
	}
	return true;
}

void rig_start(struct rig *r)
{
	int tries = 1000;

	npu_model_write(r->model, GLB_S_INTR_MASK, 0x003f03fc);
	npu_model_write(r->model, CDMA_S_ARBITER, 0x000f000f);
	while (!(npu_model_read(r->model, CDMA_S_CBUF_FLUSH_STATUS) & 1) && tries--)
		r->now += npu_model_run(r->model, 100);
	assert_true(tries > 0);
}

/* A last half block of channels lets two positions share an entry. */
uint32_t rig_slice_entries(const struct rig_op *op)
{
	const struct rig_shape *s = op->shape;
	uint32_t atoms = (op->k + s->atom - 1) / s->atom;
	uint32_t per_entry = s->channels / s->atom;

	return atoms / per_entry * op->w + (atoms % per_entry * op->w + per_entry - 1) / per_entry;
}

void rig_op_init(struct rig_op *op, const struct rig_shape *shape, uint32_t m, uint32_t k,
		 uint32_t n)
{
	uint32_t bank = 512 * shape->channels;

	memset(op, 0, sizeof(*op));
	op->shape = shape;
	op->w = m;
	op->h = 1;
	op->k = k;
	op->n = n;
	op->a = RIG_A;
	op->wt = RIG_W;
	op->c = RIG_C;
	op->data_banks = (rig_slice_entries(op) + 511) / 512;
	op->weight_bytes = (n * k + shape->channels - 1) / shape->channels * shape->channels;
	op->weight_banks = (op->weight_bytes + bank - 1) / bank;
	if (op->weight_banks > shape->banks - op->data_banks)
		op->weight_banks = shape->banks - op->data_banks;
	for (int i = 0; i < 2; i++) {
		op->x[i].cfg =
			DP_CFG_BYPASS | DP_CFG_ALU_BYPASS | DP_CFG_MUL_BYPASS | DP_CFG_RELU_BYPASS;
		op->x[i].rdma_cfg = RDMA_CFG_DISABLE;
		op->x[i].base = i ? RIG_X2 : RIG_X1;
	}
	op->cvt_scale = 1;
}

static void write_conv(struct npu_model *m, const struct rig_op *op)
{
	uint32_t size = (op->h - 1) << 16 | (op->w - 1);
	uint32_t entries = rig_slice_entries(op) - 1;
	uint32_t bank = (op->weight_banks - 1) << 16 | (op->data_banks - 1);

	npu_model_write(m, CACC_D_MISC_CFG, 0);
	npu_model_write(m, CACC_D_DATAOUT_SIZE_0, size);
	npu_model_write(m, CACC_D_DATAOUT_SIZE_1, op->n - 1);
	npu_model_write(m, CACC_D_DATAOUT_ADDR, op->c);
	npu_model_write(m, CACC_D_LINE_STRIDE, rig_line(op, 0));
	npu_model_write(m, CACC_D_SURF_STRIDE, rig_surf(op, 0));
	npu_model_write(m, CACC_D_DATAOUT_MAP, op->w * op->h == 1 ? 0x10001 : 0);
	npu_model_write(m, CACC_D_CLIP_CFG, op->clip);
	npu_model_write(m, CMAC_A_D_MISC_CFG, 0);
	npu_model_write(m, CMAC_B_D_MISC_CFG, 0);
	npu_model_write(m, CSC_D_MISC_CFG, op->misc);
	npu_model_write(m, CSC_D_DATAIN_SIZE_EXT_0, size);
	npu_model_write(m, CSC_D_DATAIN_SIZE_EXT_1, op->k - 1);
	npu_model_write(m, CSC_D_ENTRY_PER_SLICE, entries);
	npu_model_write(m, CSC_D_WEIGHT_SIZE_EXT_1, (op->n - 1) << 16 | (op->k - 1));
	npu_model_write(m, CSC_D_WEIGHT_BYTES, op->weight_bytes);
	npu_model_write(m, CSC_D_DATAOUT_SIZE_0, size);
	npu_model_write(m, CSC_D_DATAOUT_SIZE_1, op->n - 1);
	npu_model_write(m, CSC_D_ATOMICS, op->w * op->h - 1);
	npu_model_write(m, CSC_D_RELEASE, op->h - 1);
	npu_model_write(m, CSC_D_BANK, bank);
	npu_model_write(m, CDMA_D_MISC_CFG, op->misc);
	npu_model_write(m, CDMA_D_DATAIN_SIZE_0, size);
	npu_model_write(m, CDMA_D_DATAIN_SIZE_1, op->k - 1);
	npu_model_write(m, CDMA_D_DATAIN_SIZE_EXT_0, size);
	npu_model_write(m, CDMA_D_DAIN_RAM_TYPE, 1);
	npu_model_write(m, CDMA_D_DAIN_ADDR_LOW_0, op->a);
	npu_model_write(m, CDMA_D_LINE_STRIDE, rig_line(op, op->a_line));
	npu_model_write(m, CDMA_D_SURF_STRIDE, rig_surf(op, op->a_surf));
	npu_model_write(m, CDMA_D_DAIN_MAP, DAIN_MAP_LINE_PACKED | DAIN_MAP_SURF_PACKED);
	npu_model_write(m, CDMA_D_ENTRY_PER_SLICE, entries);
	npu_model_write(m, CDMA_D_FETCH_GRAIN, 0);
	npu_model_write(m, CDMA_D_WEIGHT_SIZE_0, op->k - 1);
	npu_model_write(m, CDMA_D_WEIGHT_SIZE_1, op->n - 1);
	npu_model_write(m, CDMA_D_WEIGHT_RAM_TYPE, 1);
	npu_model_write(m, CDMA_D_WEIGHT_ADDR_LOW, op->wt);
	npu_model_write(m, CDMA_D_WEIGHT_BYTES, op->weight_bytes);
	npu_model_write(m, CDMA_D_CVT_SCALE, 1);
	npu_model_write(m, CDMA_D_BANK, bank);
}

static void write_rdma(struct npu_model *m, const struct rig_op *op)
{
	static const uint32_t cfg[2] = { SDP_RDMA_D_BRDMA_CFG, SDP_RDMA_D_NRDMA_CFG };

	npu_model_write(m, SDP_RDMA_D_DATA_CUBE_WIDTH, op->w - 1);
	npu_model_write(m, SDP_RDMA_D_DATA_CUBE_HEIGHT, op->h - 1);
	npu_model_write(m, SDP_RDMA_D_DATA_CUBE_CHANNEL, op->n - 1);
	npu_model_write(m, SDP_RDMA_D_FEATURE_MODE_CFG, 1);
	for (int i = 0; i < 2; i++) {
		const struct rig_stage *x = &op->x[i];

		npu_model_write(m, cfg[i], x->rdma_cfg);
		npu_model_write(m, cfg[i] + 0x04, x->base);
		npu_model_write(m, cfg[i] + 0x08, 0);
		npu_model_write(m, cfg[i] + 0x0c, x->line);
		npu_model_write(m, cfg[i] + 0x10, x->surf);
	}
	npu_model_write(m, SDP_RDMA_D_ERDMA_CFG, RDMA_CFG_DISABLE);
}

static void write_sdp(struct npu_model *m, const struct rig_op *op)
{
	static const uint32_t cfg[2] = { SDP_D_DP_BS_CFG, SDP_D_DP_BN_CFG };

	npu_model_write(m, SDP_D_DATA_CUBE_WIDTH, op->w - 1);
	npu_model_write(m, SDP_D_DATA_CUBE_HEIGHT, op->h - 1);
	npu_model_write(m, SDP_D_DATA_CUBE_CHANNEL, op->n - 1);
	npu_model_write(m, SDP_D_DST_BASE_ADDR_HIGH, 0);
	npu_model_write(m, SDP_D_DST_BASE_ADDR_LOW, op->c);
	npu_model_write(m, SDP_D_DST_LINE_STRIDE, rig_line(op, op->c_line));
	npu_model_write(m, SDP_D_DST_SURFACE_STRIDE, rig_surf(op, op->c_surf));
	for (int i = 0; i < 2; i++) {
		const struct rig_stage *x = &op->x[i];

		npu_model_write(m, cfg[i] + 0x00, x->cfg);
		npu_model_write(m, cfg[i] + 0x04, x->alu_cfg);
		npu_model_write(m, cfg[i] + 0x08, x->alu_value);
		npu_model_write(m, cfg[i] + 0x0c, x->mul_cfg);
		npu_model_write(m, cfg[i] + 0x10, x->mul_value);
	}
	npu_model_write(m, SDP_D_DP_EW_CFG, 0x53);
	npu_model_write(m, SDP_D_FEATURE_MODE_CFG, 1);
	npu_model_write(m, SDP_D_DST_DMA_CFG, 1);
	npu_model_write(m, SDP_D_DATA_FORMAT, op->format);
	npu_model_write(m, SDP_D_CVT_OFFSET, op->cvt_offset);
	npu_model_write(m, SDP_D_CVT_SCALE, op->cvt_scale);
	npu_model_write(m, SDP_D_CVT_SHIFT, op->cvt_shift);
	npu_model_write(m, SDP_D_PERF_ENABLE, 0xd);
}

uint32_t rig_submit(struct rig *r, const struct rig_op *op)
{
	static const uint32_t pointers[] = { CACC_S_POINTER, CMAC_A_S_POINTER, CMAC_B_S_POINTER,
					     CSC_S_POINTER,  CDMA_S_POINTER,   SDP_S_POINTER };
	static const uint32_t enables[] = { SDP_D_OP_ENABLE,	CACC_D_OP_ENABLE,
					    CMAC_A_D_OP_ENABLE, CMAC_B_D_OP_ENABLE,
					    CSC_D_OP_ENABLE,	CDMA_D_OP_ENABLE };
	bool rdma = !(op->x[0].rdma_cfg & op->x[1].rdma_cfg & RDMA_CFG_DISABLE);
	uint32_t done = 1u << r->group;

	for (size_t i = 0; i < sizeof(pointers) / sizeof(*pointers); i++)
		npu_model_write(r->model, pointers[i], r->group);
	npu_model_write(r->model, SDP_RDMA_S_POINTER, r->rdma_group);
	write_conv(r->model, op);
	if (rdma)
		write_rdma(r->model, op);
	write_sdp(r->model, op);
	if (r->lie_reg)
		npu_model_write(r->model, r->lie_reg, r->lie_value);
	if (rdma) {
		npu_model_write(r->model, SDP_RDMA_D_OP_ENABLE, 1);
		r->rdma_group ^= 1;
	}
	for (size_t i = 0; i < sizeof(enables) / sizeof(*enables); i++)
		npu_model_write(r->model, enables[i], 1);
	r->group ^= 1;
	return done;
}
