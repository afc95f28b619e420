/* SPDX-License-Identifier: MIT */
/*
 * Weight sources: weights as an application describes them, read as rows of int8.
 */
#ifndef LIBNPU_WEIGHT_SOURCE_H
#define LIBNPU_WEIGHT_SOURCE_H

#include "object.h"

/* Most rows that can be read at once. */
#define NPU_WEIGHT_ROWS 64

/**
 * struct npu_weight_source - where rows come from
 * @desc: The description, with no stride left at 0.
 * @weights: Common part of the weights that are made of it.
 * @fold: [n][groups]: what is taken off each weight; NULL where that is nothing.
 * @row: Room for rows that do not lie in the application's memory as they are needed.
 */
struct npu_weight_source {
	struct npu_weights_desc desc;
	struct npu_weights *weights;
	int16_t *fold;
	int8_t *row;
};

/*
 * Opens a checked description, and fills in what is left of zero points in @weights, whose shape is
 * set. Errors: -EINVAL an index is not in the codebook; -ENOMEM.
 */
int npu_weight_source_init(struct npu_weight_source *source, const struct npu_weights_desc *desc,
			   struct npu_weights *weights, struct npu_error *err);
void npu_weight_source_fini(struct npu_weight_source *source);

/*
 * Rows @first to @first + @rows - 1 of a matrix, @stride bytes apart, until the next call. Each row
 * has to be read: its sums go into the weights on the way.
 */
const int8_t *npu_weight_source_rows(const struct npu_weight_source *source, uint32_t matrix,
				     uint32_t first, uint32_t rows, size_t *stride);

#endif /* LIBNPU_WEIGHT_SOURCE_H */
