// SPDX-License-Identifier: MIT
/* Which bytes of memory an op reads and writes; see the header. */
#include <stdlib.h>
#include <string.h>

#include "extents.h"

static int add(struct extents *e, uint64_t addr, size_t len)
{
	struct extent *last = e->count ? &e->list[e->count - 1] : NULL;

	if (last && last->addr + last->len == addr) {
		last->len += len;
		return 0;
	}
	if (e->count == e->room) {
		size_t room = e->room ? 2 * e->room : 16;
		struct extent *list = realloc(e->list, room * sizeof(*list));

		if (!list)
			return -1;
		e->list = list;
		e->room = room;
	}
	e->list[e->count++] = (struct extent){ addr, len };
	return 0;
}

/* CDMA fetches up to @grain lines as one run, whatever the stride between them is. */
static int add_features(struct extents *e, const struct op *op, const struct npu_config *cfg)
{
	size_t line = (size_t)op->width * cfg->atom_bytes;
	int err = 0;

	for (uint32_t s = 0; s < op->surfaces; s++) {
		for (uint32_t h = 0; h < op->height && !err; h++) {
			uint32_t start = h - h % op->grain;
			uint64_t addr = op->data_addr + (uint64_t)s * op->surf_stride +
					(uint64_t)start * op->line_stride + (h - start) * line;

			err = add(e, addr & cfg->address_mask, line);
		}
	}
	return err;
}

static int add_operands(struct extents *e, const struct op *op, const struct op_stage *stage,
			const struct npu_config *cfg)
{
	const struct op_operand *o = &stage->operand;
	uint32_t atom = cfg->mac_kernels * o->bytes * (o->both ? 2 : 1);
	bool flat = !o->per_element || op->positions == 1;
	int err = 0;

	if (!stage->alu_memory && !stage->mul_memory)
		return 0;
	if (flat)
		return add(e, o->base & cfg->address_mask, (size_t)op->groups * atom);
	for (uint32_t g = 0; g < op->groups; g++) {
		for (uint32_t h = 0; h < op->height && !err; h++) {
			uint64_t addr = o->base + (uint64_t)g * o->surf_stride +
					(uint64_t)h * o->line_stride;

			err = add(e, addr & cfg->address_mask, (size_t)op->width * atom);
		}
	}
	return err;
}

int extents_of_inputs(struct extents *e, const struct op *op, const struct npu_config *cfg)
{
	int err = add_features(e, op, cfg);

	if (!err)
		err = add(e, op->weight_addr & cfg->address_mask, op->weight_bytes);
	for (int i = 0; i < 2 && !err; i++)
		err = add_operands(e, op, &op->stage[i], cfg);
	return err;
}

int extents_of_output(struct extents *e, const struct op *op, const struct npu_config *cfg)
{
	int err = 0;

	for (uint32_t g = 0; g < op->groups; g++) {
		for (uint32_t h = 0; h < op->height && !err; h++) {
			uint64_t addr = op->out_addr + (uint64_t)g * op->out_surf_stride +
					(uint64_t)h * op->out_line_stride;

			err = add(e, addr & cfg->address_mask, (size_t)op->width * cfg->atom_bytes);
		}
	}
	return err;
}

void extents_free(struct extents *e)
{
	free(e->list);
	memset(e, 0, sizeof(*e));
}
