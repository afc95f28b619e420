/* SPDX-License-Identifier: MIT */
/*
 * Divisions: into how many parts a run of K is cut for exact sums.
 */
#ifndef LIBNPU_NVDLA_DIVISION_H
#define LIBNPU_NVDLA_DIVISION_H

#include <stdint.h>

#include <drm/npu_accel.h>

/**
 * struct nvdla_division - a run of K in parts that are even but for the last one
 * @parts: Their number.
 * @k: Columns of a part, a multiple of npu_plan_k_unit() if there are several.
 * @last: Columns of the last one.
 */
struct nvdla_division {
	uint32_t parts;
	uint32_t k;
	uint32_t last;
};

/* Divisions there are to choose from, at most. */
#define NVDLA_DIVISIONS 6

/*
 * Lists the divisions of @k columns into @least parts and more that are worth a look, fewest parts
 * first; returns their number, at least 1.
 */
uint32_t nvdla_divisions(const struct drm_npu_matmul_limits *limits, uint32_t k, uint32_t least,
			 struct nvdla_division division[NVDLA_DIVISIONS]);

/* Predicted cycles of @m rows by @n rows of weights over @runs runs of K that are divided so. */
uint64_t nvdla_division_cycles(const struct drm_npu_matmul_limits *limits, uint32_t m, uint32_t n,
			       uint32_t runs, const struct nvdla_division *division);

/* The best of them for any number of rows. */
struct nvdla_division nvdla_divide(const struct drm_npu_matmul_limits *limits, uint32_t k,
				   uint32_t n, uint32_t runs, uint32_t least);

#endif /* LIBNPU_NVDLA_DIVISION_H */
