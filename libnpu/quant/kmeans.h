/* SPDX-License-Identifier: MIT */
/*
 * Lloyd's algorithm on a line.
 */
#ifndef LIBNPU_QUANT_KMEANS_H
#define LIBNPU_QUANT_KMEANS_H

#include <stddef.h>
#include <stdint.h>

/* Most centres there are. */
#define NPU_KMEANS_MOST 256

/*
 * Finds @clusters centres, in ascending order.
 * @x: @count finite values, at least one; put in ascending order.
 * @sum: Room for @count + 1.
 */
void npu_kmeans(float *x, size_t count, double *sum, uint32_t clusters, double *centre);

#endif /* LIBNPU_QUANT_KMEANS_H */
