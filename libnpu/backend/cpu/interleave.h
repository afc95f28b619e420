/* SPDX-License-Identifier: MIT */
/*
 * Interleaving: row-major matrices into the order in which kernels read them.
 */
#ifndef LIBNPU_CPU_INTERLEAVE_H
#define LIBNPU_CPU_INTERLEAVE_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct npu_interleave - rows that are to lie between each other
 * @src: Element (row, k) is at src[row * stride + k].
 * @stride: Bytes.
 * @rows: Rows there are, at least 1.
 * @lanes: Rows there shall be, at least @rows.
 * @k: Columns, at least 1.
 * @depth: Columns of a row that stay together: 4, 8, 16 or 64.
 * @flip: XORed into each element, those that fill up included.
 *
 * Element (row, k) goes to dst[(k / depth * lanes + row) * depth + k % depth]. Rows up to @lanes,
 * and columns up to a multiple of @depth, are filled up with zeros.
 */
struct npu_interleave {
	const int8_t *src;
	size_t stride;
	uint32_t rows;
	uint32_t lanes;
	uint32_t k;
	uint32_t depth;
	uint8_t flip;
};

void npu_interleave(const struct npu_interleave *il, int8_t *dst);

#endif /* LIBNPU_CPU_INTERLEAVE_H */
