// SPDX-License-Identifier: MIT
/* The convolution path; see the header. Everything is unpacked once into rows of int16 for mac.c.
 */
#include <stdlib.h>
#include <string.h>

#include "arith.h"
#include "conv.h"

#define MAX_CHANNELS 8192
#define CACC_BITS 34

int conv_init(struct conv *c, const struct npu_config *cfg, const struct npu_model_bus *bus)
{
	size_t entries = (size_t)cfg->cbuf_banks * cfg->bank_entries;

	c->cfg = cfg;
	c->bus = bus;
	c->features = malloc(entries * cfg->entry_bytes * sizeof(*c->features));
	c->weights = malloc((size_t)cfg->mac_kernels * MAX_CHANNELS * sizeof(*c->weights));
	/* A group may begin and end within an entry. */
	c->bytes = malloc((size_t)cfg->mac_kernels * MAX_CHANNELS + 2 * cfg->entry_bytes);
	/* Where an entry is two atoms, it may hold two positions. */
	c->acc = malloc(entries * cfg->entry_bytes / cfg->atom_bytes * cfg->mac_kernels *
			sizeof(*c->acc));
	if (cbuf_init(&c->cbuf, cfg) || !c->features || !c->weights || !c->bytes || !c->acc)
		return -1;
	return 0;
}

void conv_fini(struct conv *c)
{
	cbuf_fini(&c->cbuf);
	free(c->features);
	free(c->weights);
	free(c->bytes);
	free(c->acc);
}

void conv_reset(struct conv *c)
{
	cbuf_reset(&c->cbuf);
}

static const char *read_run(struct conv *c, uint64_t addr, size_t offset, uint32_t atoms)
{
	void *to = cbuf_data(&c->cbuf, offset);

	if (c->bus->read(c->bus->opaque, addr & c->cfg->address_mask, to,
			 (size_t)atoms * c->cfg->atom_bytes))
		return "bus error while CDMA read the features";
	return NULL;
}

static size_t slice_offset(const struct conv *c, const struct op *op, uint32_t h)
{
	return (size_t)h * op->slice_entries * c->cfg->entry_bytes;
}

static const char *fetch_line(struct conv *c, const struct op *op, uint32_t h)
{
	uint32_t line = op->width * c->cfg->atom_bytes;
	uint32_t start = h - h % op->grain;
	uint64_t addr = op->data_addr + (uint64_t)start * op->line_stride + (h - start) * line;
	const char *why = NULL;

	for (uint32_t s = 0; s < op->surfaces && !why; s++)
		why = read_run(c, addr + (uint64_t)s * op->surf_stride,
			       slice_offset(c, op, h) + (size_t)s * line, op->width);
	return why;
}

static const char *fetch_features(struct conv *c, const struct op *op)
{
	const char *why = NULL;

	if (op->height == 1 && op->surf_stride == op->width * c->cfg->atom_bytes)
		return read_run(c, op->data_addr, 0, op->width * op->surfaces);
	for (uint32_t h = 0; h < op->height && !why; h++)
		why = fetch_line(c, op, h);
	return why;
}

/* Atoms [h][surface][w] of the CBUF to rows [position][channel]. */
static void unpack_features(struct conv *c, const struct op *op)
{
	uint32_t atom = c->cfg->atom_bytes;
	size_t depth = (size_t)op->surfaces * atom;

	for (uint32_t h = 0; h < op->height; h++) {
		for (uint32_t i = 0; i < op->width * op->surfaces; i++) {
			uint32_t s = i / op->width, w = i % op->width;
			const int8_t *from = (const int8_t *)cbuf_data(
				&c->cbuf, slice_offset(c, op, h) + (size_t)i * atom);
			int16_t *to = c->features + (h * op->width + w) * depth + s * atom;

			for (uint32_t b = 0; b < atom; b++)
				to[b] = from[b];
		}
	}
}

const char *conv_begin(struct conv *c, const struct op *op)
{
	const char *why = NULL;

	c->plan = cbuf_plan(&c->cbuf.last, op);
	cbuf_begin(&c->cbuf, op, &c->plan);
	c->fetched = 0;
	if (c->plan.fetch_data)
		why = fetch_features(c, op);
	if (!why)
		unpack_features(c, op);
	return why;
}

/* CDMA hands a group to CSC when it has fetched so much; the last one is whatever is left. */
static uint32_t entries_wanted(const struct conv *c, const struct op *op, uint32_t group)
{
	if (group + 1 == op->groups)
		return op->weight_bytes / c->cfg->entry_bytes;
	return op_weight_entries(op, c->cfg, group + 1);
}

static const char *fetch_weights(struct conv *c, const struct op *op, uint32_t group)
{
	uint32_t entry = c->cfg->entry_bytes;
	uint32_t room = c->cfg->mac_kernels * MAX_CHANNELS / entry;
	uint32_t wanted = entries_wanted(c, op, group);

	while (c->fetched < wanted) {
		uint32_t count = wanted - c->fetched < room ? wanted - c->fetched : room;
		uint64_t addr = op->weight_addr + (uint64_t)c->fetched * entry;

		if (c->bus->read(c->bus->opaque, addr & c->cfg->address_mask, c->bytes,
				 (size_t)count * entry))
			return "bus error while CDMA read the weights";
		cbuf_push(&c->cbuf, c->bytes, count);
		c->fetched += count;
	}
	return NULL;
}

/* Blocks of channels, kernels inside a block, tight tails, to rows [kernel][channel]. */
static void unpack_weights(struct conv *c, const struct op *op, uint32_t kernels, size_t skip)
{
	const int8_t *from = (const int8_t *)c->bytes + skip;
	uint32_t block = c->cfg->mac_channels;
	size_t depth = (size_t)op->surfaces * c->cfg->atom_bytes;

	memset(c->weights, 0, c->cfg->mac_kernels * depth * sizeof(*c->weights));
	for (uint32_t b = 0; b < op->channels; b += block) {
		uint32_t size = op->channels - b < block ? op->channels - b : block;

		for (uint32_t n = 0; n < kernels; n++) {
			int16_t *to = c->weights + n * depth + b;

			for (uint32_t i = 0; i < size; i++)
				to[i] = *from++;
		}
	}
}

static void clip(struct conv *c, const struct op *op)
{
	if (!op->clip)
		return;
	for (size_t i = 0; i < (size_t)op->positions * c->cfg->mac_kernels; i++)
		c->acc[i] = round_shift(c->acc[i], op->clip, CACC_BITS);
}

const char *conv_group(struct conv *c, const struct op *op, uint32_t group)
{
	const uint32_t most = c->cfg->mac_kernels;
	size_t before = (size_t)group * most * op->channels;
	uint32_t first = before / c->cfg->entry_bytes;
	uint32_t last = op_weight_entries(op, c->cfg, group + 1);
	uint32_t kernels = op->kernels - group * most;
	const char *why = NULL;

	if (c->plan.fetch_weights)
		why = fetch_weights(c, op, group);
	if (why)
		return why;
	cbuf_peek(&c->cbuf, first, c->bytes, last - first);
	unpack_weights(c, op, kernels < most ? kernels : most, before % c->cfg->entry_bytes);
	mac_group(c->features, op->positions, c->weights, most,
		  (size_t)op->surfaces * c->cfg->atom_bytes, c->acc);
	clip(c, op);
	return NULL;
}

void conv_end(struct conv *c, const struct op *op)
{
	cbuf_end(&c->cbuf, op, op_weight_entries(op, c->cfg, op->groups), c->cfg);
}
