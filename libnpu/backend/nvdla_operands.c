// SPDX-License-Identifier: MIT
/*
 * NVDLA operands: what the output stage reads from memory, written once.
 */
#include <errno.h>

#include "nvdla.h"

/* Operands of a stage start at multiples of this, enough for every configuration's atom. */
#define ALIGN NVDLA_MAX_ATOM

static size_t align(size_t bytes)
{
	return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static int fill(const struct nvdla_epilogue *ne, struct npu_error *err)
{
	void *base;
	int ret = npu_slice_begin_fill(&ne->memory, &base, err);

	if (ret)
		return ret;
	for (int i = 0; i < 2; i++)
		nvdla_stage_operands(&ne->stage[i], i, &ne->base.requant, ne->base.n,
				     (int16_t *)((char *)base + ne->offset[i]));
	return npu_slice_end_fill(&ne->memory, err);
}

int nvdla_epilogue_init(struct npu_epilogue *epilogue, struct npu_error *err)
{
	struct nvdla_epilogue *ne = (struct nvdla_epilogue *)epilogue;
	size_t atom = to_nvdla(epilogue->dev)->limits.atom_bytes;
	/* The engine reads operands of whole atoms of channels. */
	size_t channels = (epilogue->n + atom - 1) / atom * atom;
	size_t bytes = 0;
	int ret;

	nvdla_stages(ne->stage, &epilogue->requant, epilogue->n);
	for (int i = 0; i < 2; i++) {
		ne->offset[i] = bytes;
		bytes += align(channels * ne->stage[i].channel_bytes);
	}
	if (!bytes)
		return 0;

	ret = npu_slice_alloc(epilogue->dev, bytes, &ne->memory, err);
	if (ret)
		return ret;
	ret = fill(ne, err);
	if (ret)
		npu_slice_free(epilogue->dev, &ne->memory);
	return ret;
}

void nvdla_epilogue_fini(struct npu_epilogue *epilogue)
{
	npu_slice_free(epilogue->dev, &((struct nvdla_epilogue *)epilogue)->memory);
}
