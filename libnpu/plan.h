/* SPDX-License-Identifier: MIT */
/*
 * Plans: how a multiplication is cut to an engine's limits, and what it will cost.
 */
#ifndef LIBNPU_PLAN_H
#define LIBNPU_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include <drm/npu_accel.h>

/**
 * struct npu_tiles - a division of C into jobs
 * @m_tiles: Tiles along M.
 * @n_tiles: Tiles along N.
 * @passes: Jobs for each tile, one after the other.
 * @lead: Rows of the first tile of M, the others sharing the rest evenly; 0: all are even.
 * @data_banks: CBUF banks for A in each job.
 * @weight_banks: CBUF banks for W in each job.
 * @weight_fetches: How often each element of W is fetched. A is fetched once.
 * @start: Predicted cycles that it takes longer where no other job runs before.
 * @cycles: Predicted cycles among many of the kind.
 */
struct npu_tiles {
	uint32_t m_tiles;
	uint32_t n_tiles;
	uint32_t passes;
	uint32_t lead;
	uint32_t data_banks;
	uint32_t weight_banks;
	uint32_t weight_fetches;
	uint64_t start;
	uint64_t cycles;
};

/* A part of something that is divided evenly. */
struct npu_part {
	uint32_t first;
	uint32_t count;
};

/* Longest K a job can have, whatever M and N; 0 for limits no engine can have. */
uint32_t npu_plan_max_k(const struct drm_npu_matmul_limits *limits);

/* Multiples at which K may be cut between jobs, and N between tiles. */
uint32_t npu_plan_k_unit(const struct drm_npu_matmul_limits *limits);
uint32_t npu_plan_n_unit(const struct drm_npu_matmul_limits *limits);

/*
 * Cheapest tiles for a shape of which each tile is computed @passes times; @k is at most
 * npu_plan_max_k().
 */
void npu_plan_tiles(const struct drm_npu_matmul_limits *limits, uint32_t m, uint32_t k, uint32_t n,
		    uint32_t passes, struct npu_tiles *tiles);

/* Rows of tile @index of the @m rows. */
struct npu_part npu_plan_rows(const struct npu_tiles *tiles, uint32_t m, uint32_t index);

/* Part @index of @total divided into @parts whose borders are multiples of @unit. */
struct npu_part npu_plan_part(uint32_t total, uint32_t unit, uint32_t parts, uint32_t index);

/* Multiple of @unit, @parts of which cover @total, and less would not. */
uint32_t npu_plan_even(uint32_t total, uint32_t unit, uint32_t parts);

#endif /* LIBNPU_PLAN_H */
