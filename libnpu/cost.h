/* SPDX-License-Identifier: MIT */
/*
 * What jobs cost on an engine, in cycles of its clock.
 */
#ifndef LIBNPU_COST_H
#define LIBNPU_COST_H

#include <stdbool.h>
#include <stdint.h>

#include <drm/npu_accel.h>

/**
 * struct npu_cost - what a job asks of an engine
 * @data: Bus cycles of fetching A.
 * @weights: Bus cycles of fetching W.
 * @held: Room that A takes.
 * @group: Room that one group of kernels takes.
 * @data_room: Room in the banks for A.
 * @weight_room: Room in the banks for W.
 * @macs: Cycles of multiplying, when nothing has to be waited for.
 * @paced: Cycles of multiplying, groups of kernels coming in at the pace their banks allow.
 * @array: The same, if the output stage took no time.
 * @end: Cycles in which the output stage works after the last multiplication.
 *
 * Room is counted in bus cycles, too.
 */
struct npu_cost {
	uint64_t data;
	uint64_t weights;
	uint64_t held;
	uint64_t group;
	uint64_t data_room;
	uint64_t weight_room;
	uint64_t macs;
	uint64_t paced;
	uint64_t array;
	uint64_t end;
};

/* A job of @m x @k x @n with @data_banks of the CBUF for A and the others for W. */
void npu_cost_of(struct npu_cost *cost, const struct drm_npu_matmul_limits *limits, uint32_t m,
		 uint32_t k, uint32_t n, uint32_t data_banks);

/* True if all of W is still in the CBUF at the end of the job. */
bool npu_cost_keeps_weights(const struct npu_cost *cost);

/* The job before has the same A, the same W. What was streamed through its banks is gone. */
void npu_cost_reuse(struct npu_cost *cost, bool data, bool weights);

/* Cycles from an idle engine to the first multiplication. */
uint64_t npu_cost_start(const struct npu_cost *cost);

/* Cycles from the first multiplication to the end of the job. */
uint64_t npu_cost_end(const struct npu_cost *cost);

/* Cycles from the first multiplication of a job to that of the @next. */
uint64_t npu_cost_next(const struct npu_cost *cost, const struct npu_cost *next);

#endif /* LIBNPU_COST_H */
