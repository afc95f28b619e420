/* SPDX-License-Identifier: MIT */
/*
 * Chunks: how K is cut where it cannot be multiplied in one go, so that every sum over a part can
 * be reconstructed (nvdla_split.c).
 */
#ifndef LIBNPU_NVDLA_CHUNKS_H
#define LIBNPU_NVDLA_CHUNKS_H

#include "nvdla.h"

/**
 * struct nvdla_reach - where a chunk can end, in units of K, if it begins at a unit
 * @k: Columns.
 * @unit: Columns of a unit.
 * @units: Their number.
 * @end: The least of what all rows allow, for each unit.
 * @magnitude: Of a row's units, added up.
 */
struct nvdla_reach {
	uint32_t k;
	uint32_t unit;
	uint32_t units;
	uint32_t *end;
	uint32_t *magnitude;
};

/* Begins without any row; -ENOMEM. */
int nvdla_reach_init(struct nvdla_reach *reach, const struct nvdla_weights *nw);
void nvdla_reach_fini(struct nvdla_reach *reach);

/* Takes in a row of weights. */
void nvdla_reach_row(struct nvdla_reach *reach, const int8_t *w);

/*
 * Lengths of the chunks, for the caller to free, or NULL without memory. None of them crosses a
 * group of K; nvdla_divide() says how many there are in each.
 */
uint32_t *nvdla_reach_cut(const struct nvdla_reach *reach, const struct nvdla_weights *nw,
			  uint32_t *count);

#endif /* LIBNPU_NVDLA_CHUNKS_H */
