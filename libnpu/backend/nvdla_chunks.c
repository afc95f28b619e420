// SPDX-License-Identifier: MIT
/*
 * Chunks. A part of K is within the bound of the exact method where the magnitudes of each row's
 * weights in it add up to no more; so how far a chunk reaches depends on where it begins.
 */
#include <errno.h>
#include <stdlib.h>

#include "../arith.h"
#include "nvdla_chunks.h"
#include "nvdla_division.h"
#include "nvdla_passes.h"

int nvdla_reach_init(struct nvdla_reach *reach, const struct nvdla_weights *nw)
{
	/* K may be cut where both a plane of A and a block of weights end. */
	uint32_t unit = npu_plan_k_unit(&to_nvdla(nw->base.dev)->limits);
	uint32_t units = (nw->base.k - 1) / unit + 1;

	*reach = (struct nvdla_reach){ .k = nw->base.k, .unit = unit, .units = units };
	reach->end = calloc((size_t)units * 2, sizeof(*reach->end));
	if (!reach->end)
		return -ENOMEM;
	reach->magnitude = reach->end + units;
	for (uint32_t i = 0; i < units; i++)
		reach->end[i] = units;
	return 0;
}

void nvdla_reach_fini(struct nvdla_reach *reach)
{
	free(reach->end);
}

void nvdla_reach_row(struct nvdla_reach *reach, const int8_t *w)
{
	uint32_t end = 0, sum = 0;

	for (uint32_t i = 0; i < reach->units; i++) {
		uint32_t first = i * reach->unit, left = reach->k - first;
		uint32_t width = left < reach->unit ? left : reach->unit;
		uint32_t magnitude = 0;

		for (uint32_t c = 0; c < width; c++)
			magnitude += abs(w[first + c]);
		reach->magnitude[i] = magnitude;
	}
	for (uint32_t i = 0; i < reach->units; i++) {
		while (end < reach->units && sum + reach->magnitude[end] <= NVDLA_EXACT_WEIGHT_SUM)
			sum += reach->magnitude[end++];
		if (end < reach->end[i])
			reach->end[i] = end;
		sum -= reach->magnitude[i];
	}
}

/* Cuts a group into chunks that reach and are at most @most long; returns their number. */
static uint32_t cut_group(const struct nvdla_reach *reach, struct npu_part group, uint32_t most,
			  uint32_t *lengths)
{
	const uint64_t last = (uint64_t)group.first + group.count;
	uint32_t count = 0;

	for (uint64_t k0 = group.first, end; k0 < last; k0 = end) {
		end = (uint64_t)reach->end[k0 / reach->unit] * reach->unit;
		end = end < k0 + most ? end : k0 + most;
		end = end < last ? end : last;
		lengths[count++] = end - k0;
	}
	return count;
}

/*
 * As many chunks of a group as are fast, and even ones: a short rest would take as long as a whole
 * one. Where that takes more of them, because some do not reach as far, as few as there can be.
 */
static uint32_t cut_evenly(const struct nvdla_reach *reach, const struct nvdla_weights *nw,
			   struct npu_part group, uint32_t *lengths)
{
	const struct nvdla_device *dev = to_nvdla(nw->base.dev);
	const uint32_t most = dev->max_k - dev->max_k % reach->unit;
	const uint32_t rows = nw->base.n + !!nw->base.zero_point;
	const uint32_t least = cut_group(reach, group, most, lengths);
	const struct nvdla_division d =
		nvdla_divide(&dev->limits, group.count, rows, nw->base.groups, least);
	const uint32_t count = d.k < most ? cut_group(reach, group, d.k, lengths) : least;

	return count > npu_max(d.parts, least) ? cut_group(reach, group, most, lengths) : count;
}

uint32_t *nvdla_reach_cut(const struct nvdla_reach *reach, const struct nvdla_weights *nw,
			  uint32_t *count)
{
	const uint32_t size = nw->base.group_size;
	/* A group may end inside a unit. */
	uint32_t *lengths = calloc((size_t)reach->units + nw->base.groups, sizeof(*lengths));

	*count = 0;
	for (uint32_t g = 0; lengths && g < nw->base.groups; g++) {
		uint32_t first = g * size, left = reach->k - first;
		struct npu_part group = { .first = first, .count = left < size ? left : size };

		*count += cut_evenly(reach, nw, group, lengths + *count);
	}
	return lengths;
}
