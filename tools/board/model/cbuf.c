// SPDX-License-Identifier: MIT
/* Contents of the convolution buffer, and the rules by which ops inherit it from each other. */
#include <stdlib.h>
#include <string.h>

#include "cbuf.h"

int cbuf_init(struct cbuf *c, const struct npu_config *cfg)
{
	c->entries = cfg->cbuf_banks * cfg->bank_entries;
	c->bank_entries = cfg->bank_entries;
	c->entry_bytes = cfg->entry_bytes;
	c->mem = malloc((size_t)c->entries * c->entry_bytes);
	if (!c->mem)
		return -1;
	cbuf_reset(c);
	return 0;
}

void cbuf_fini(struct cbuf *c)
{
	free(c->mem);
}

void cbuf_reset(struct cbuf *c)
{
	memset(c->mem, 0, (size_t)c->entries * c->entry_bytes);
	c->ring_base = 0;
	c->ring_entries = c->entries;
	c->write = 0;
	c->read = 0;
	c->held_entries = 0;
	/* No op has used zero banks, so the first one finds them changed. */
	memset(&c->last, 0, sizeof(c->last));
}

struct cbuf_seen cbuf_seen(const struct op *op)
{
	return (struct cbuf_seen){
		.data_banks = op->data_banks,
		.weight_banks = op->weight_banks,
		.height = op->height,
		.kernels = op->kernels,
		.skip_data = op->skip_data_release,
		.skip_weights = op->skip_weight_release,
	};
}

struct cbuf_plan cbuf_plan(const struct cbuf_seen *last, const struct op *op)
{
	bool data = last->data_banks != op->data_banks;
	bool weights = data || last->weight_banks != op->weight_banks;
	struct cbuf_plan plan = { .flush_data = data, .flush_weights = weights };

	/* Reuse is a wish: it is granted when the op before has kept what is asked for. */
	plan.fetch_data = data || !op->data_reuse || !last->skip_data;
	plan.fetch_weights = weights || !op->weight_reuse || !last->skip_weights;
	plan.drop_data = last->skip_data && !op->data_reuse;
	plan.drop_weights = last->skip_weights && !op->weight_reuse;
	return plan;
}

void cbuf_begin(struct cbuf *c, const struct op *op, const struct cbuf_plan *plan)
{
	if (plan->flush_weights) {
		c->ring_base = op->data_banks * c->bank_entries;
		c->ring_entries = op->weight_banks * c->bank_entries;
		c->write = 0;
		c->read = 0;
	}
	if (plan->drop_weights && !plan->flush_weights)
		c->read = (c->read + c->held_entries) % c->ring_entries;
	c->last = cbuf_seen(op);
}

static uint8_t *ring(const struct cbuf *c, uint32_t index)
{
	return c->mem + (size_t)(c->ring_base + index) * c->entry_bytes;
}

void cbuf_push(struct cbuf *c, const uint8_t *bytes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		memcpy(ring(c, c->write), bytes + (size_t)i * c->entry_bytes, c->entry_bytes);
		if (++c->write == c->ring_entries)
			c->write = 0;
	}
}

void cbuf_peek(const struct cbuf *c, uint32_t first, uint8_t *bytes, uint32_t count)
{
	uint32_t at = (c->read + (uint64_t)first) % c->ring_entries;

	for (uint32_t i = 0; i < count; i++) {
		memcpy(bytes + (size_t)i * c->entry_bytes, ring(c, at), c->entry_bytes);
		if (++at == c->ring_entries)
			at = 0;
	}
}

void cbuf_end(struct cbuf *c, const struct op *op, uint32_t used, const struct npu_config *cfg)
{
	if (op->skip_weight_release)
		c->held_entries = op->weight_bytes / cfg->entry_bytes;
	else
		c->read = (c->read + (uint64_t)used) % c->ring_entries;
}

uint8_t *cbuf_data(struct cbuf *c, size_t offset)
{
	return c->mem + offset;
}
