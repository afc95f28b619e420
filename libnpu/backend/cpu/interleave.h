/* SPDX-License-Identifier: MIT */
/*
 * Interleaving: row-major matrices into the order in which kernels read them.
 */
#ifndef LIBNPU_CPU_INTERLEAVE_H
#define LIBNPU_CPU_INTERLEAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most lanes. */
#define NPU_INTERLEAVE_LANES 32

/**
 * struct npu_interleave - rows that are to lie between each other
 * @src: Element (row, k) is at src[row * stride + k].
 * @stride: Bytes.
 * @rows: Rows there are, at least 1.
 * @lanes: Rows there shall be, @rows to NPU_INTERLEAVE_LANES.
 * @k: Columns, at least 1.
 * @depth: Columns of a row that stay together: 4, 8, 16 or 64.
 * @flip: XORed into each element, those that fill up included.
 * @stream: The result is large and not needed soon: it is written past the caches where the
 *	processor can, which saves reading it first.
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
	bool stream;
};

void npu_interleave(const struct npu_interleave *il, int8_t *dst);

#endif /* LIBNPU_CPU_INTERLEAVE_H */
