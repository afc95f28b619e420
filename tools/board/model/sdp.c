// SPDX-License-Identifier: MIT
/* The arithmetic of SDP, bit for bit, and the operands that SDP_RDMA fetches for it. */
#include <stdlib.h>

#include "arith.h"
#include "sdp.h"

#define MUL_BITS 49
#define CVT_BITS 49

int sdp_init(struct sdp *s, const struct npu_config *cfg, const struct npu_model_bus *bus)
{
	/* Kernels of a group for every position that the CBUF has room for */
	size_t elements = (size_t)cfg->cbuf_banks * cfg->bank_entries * cfg->entry_bytes;

	s->cfg = cfg;
	s->bus = bus;
	/* ALU and MUL operands of two bytes each */
	s->bytes = malloc(elements * 4);
	for (int i = 0; i < 2; i++) {
		s->alu[i] = malloc(elements * sizeof(int16_t));
		s->mul[i] = malloc(elements * sizeof(int16_t));
		if (!s->alu[i] || !s->mul[i])
			return -1;
	}
	return s->bytes ? 0 : -1;
}

void sdp_fini(struct sdp *s)
{
	free(s->bytes);
	for (int i = 0; i < 2; i++) {
		free(s->alu[i]);
		free(s->mul[i]);
	}
}

/* Reads the operand bytes of a surface: those of a group, or of a group for every position. */
static const char *read_operands(struct sdp *s, const struct op *op, const struct op_operand *o,
				 uint32_t group)
{
	uint32_t element = o->bytes * (o->both ? 2 : 1);
	uint32_t atom = s->cfg->mac_kernels * element;
	bool flat = !o->per_element || op->positions == 1;
	uint64_t addr = o->base + (uint64_t)group * (flat ? atom : o->surf_stride);
	uint32_t lines = flat ? 1 : op->height;
	size_t line = flat ? atom : (size_t)op->width * atom;

	for (uint32_t h = 0; h < lines; h++)
		if (s->bus->read(s->bus->opaque,
				 (addr + (uint64_t)h * o->line_stride) & s->cfg->address_mask,
				 s->bytes + h * line, line))
			return "bus error while SDP_RDMA read operands";
	return NULL;
}

static int16_t operand_at(const struct sdp *s, unsigned int bytes, size_t index)
{
	const uint8_t *p = s->bytes + index * bytes;

	return bytes == 1 ? (int8_t)p[0] : (int16_t)(p[0] | p[1] << 8);
}

/* Spreads operands from memory, or the value of the register, over all elements of a surface. */
static const char *load_operands(struct sdp *s, const struct op *op, int index, uint32_t group)
{
	const struct op_stage *st = &op->stage[index];
	const struct op_operand *o = &st->operand;
	size_t elements = (size_t)op->positions * s->cfg->mac_kernels;
	const char *why = NULL;

	if (st->alu_memory || st->mul_memory)
		why = read_operands(s, op, o, group);
	if (why)
		return why;
	for (size_t i = 0; i < elements; i++) {
		size_t at = o->per_element ? i : i % s->cfg->mac_kernels;

		if (o->both)
			at *= 2;
		s->alu[index][i] = st->alu_memory ? operand_at(s, o->bytes, at) : st->alu_value;
		s->mul[index][i] =
			st->mul_memory ? operand_at(s, o->bytes, at + o->both) : st->mul_value;
	}
	return NULL;
}

static int64_t shift_operand(int16_t v, unsigned int shift)
{
	/* Beyond 31 every value but zero saturates, so wider shifts add nothing. */
	return saturate((int64_t)v * (INT64_C(1) << (shift < 32 ? shift : 32)), 32);
}

static int32_t run_stage(const struct op_stage *st, int32_t x, int16_t alu, int16_t mul)
{
	int64_t v = x;

	if (st->alu != OP_ALU_NONE) {
		int64_t operand = shift_operand(alu, st->alu_shift);

		if (st->alu == OP_ALU_MAX)
			v = v > operand ? v : operand;
		else if (st->alu == OP_ALU_MIN)
			v = v < operand ? v : operand;
		else
			v += operand;
	}
	/* A value that PReLU lets pass is cut to 32 bits, not saturated. */
	if (st->mul && st->prelu && v >= 0) {
		v = (int32_t)v;
	} else {
		if (st->mul)
			v *= mul;
		v = saturate(round_shift(v, st->mul_shift, MUL_BITS), 32);
	}
	if (st->relu && v < 0)
		v = 0;
	return v;
}

/*
 * Does the converter report that it clipped? Below zero it looks at the value before rounding,
 * which changes the report for what rounds to the smallest value, and never the result.
 */
static bool clips(int64_t v, unsigned int shift)
{
	const int64_t limit = INT64_C(1) << 16;

	if (shift >= CVT_BITS)
		return false;
	return v < 0 ? v >> shift < -limit : round_shift(v, shift, CVT_BITS) >= limit;
}

static int32_t convert(struct sdp *s, const struct op *op, int32_t x)
{
	int64_t v = ((int64_t)x - op->cvt_offset) * op->cvt_scale;

	s->clipped += clips(v, op->cvt_shift);
	v = saturate(round_shift(v, op->cvt_shift, CVT_BITS), 17);
	return op->out_int16 ? saturate(v, 16) : saturate(v, 8);
}

/*
 * The output path is as wide as int8 needs. Where SDP moves one element a cycle, a result of 16
 * bits is cut to 8; where it moves half an atom, the first half of those kernels comes through
 * whole and the other half is lost.
 */
static void store(const struct sdp *s, const struct op *op, int32_t x, size_t i, uint8_t *out)
{
	size_t beat = s->cfg->atom_bytes / 2, lane = i % beat;

	if (!op->out_int16 || !s->cfg->wide_sdp) {
		out[i] = x;
	} else if (lane < beat / 2) {
		out[i + lane] = x;
		out[i + lane + 1] = x >> 8;
	}
}

const char *sdp_group(struct sdp *s, const struct op *op, uint32_t group, int32_t *acc,
		      uint8_t *out)
{
	size_t elements = (size_t)op->positions * s->cfg->mac_kernels;
	const char *why;

	for (int stage = 0; stage < 2; stage++) {
		const struct op_stage *st = &op->stage[stage];

		if (st->bypass)
			continue;
		why = load_operands(s, op, stage, group);
		if (why)
			return why;
		for (size_t i = 0; i < elements; i++)
			acc[i] = run_stage(st, acc[i], s->alu[stage][i], s->mul[stage][i]);
	}
	for (size_t i = 0; i < elements; i++)
		store(s, op, convert(s, op, acc[i]), i, out);
	return NULL;
}
