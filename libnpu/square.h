/* SPDX-License-Identifier: MIT */
/*
 * Squares of 8 x 8 atoms of 8 bytes. Such atoms are too short to be moved one by one; a square of
 * them is 8 whole cache lines on either side, which a transposition turns into each other.
 */
#ifndef LIBNPU_SQUARE_H
#define LIBNPU_SQUARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes of an atom, lines of a square, and bytes of a line. */
#define NPU_SQUARE_ATOM 8
#define NPU_SQUARE_SIDE 8
#define NPU_SQUARE_BYTES (NPU_SQUARE_SIDE * NPU_SQUARE_ATOM)

/**
 * struct npu_squares - where the lines of some squares are
 * @stride: From a line to the next.
 * @step: From a square to the next.
 */
struct npu_squares {
	size_t stride;
	size_t step;
};

/**
 * Atom i of line j of each square becomes atom j of its line i.
 * @stream: Writes past the caches, for which @dst and what is in @to are multiples of the size of a
 *	line. The caller ends with npu_squares_end_stream().
 */
void npu_squares_turn(uint8_t *dst, const struct npu_squares *to, const uint8_t *src,
		      const struct npu_squares *from, size_t count, bool stream);

/** What this thread has streamed is seen by all after this. */
void npu_squares_end_stream(void);

#endif /* LIBNPU_SQUARE_H */
