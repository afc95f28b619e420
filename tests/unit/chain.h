/* SPDX-License-Identifier: MIT */
/*
 * Two square matmuls, one of which reads what the other wrote.
 */
#ifndef TESTS_CHAIN_H
#define TESTS_CHAIN_H

#include <npu.h>

/**
 * struct chain - b = a x w, c = b x w, all of @size x @size and of ones
 * @size: Rows and columns.
 * @a, @b, @c, @w, @e: Operands; @a is written.
 * @matmul: The two.
 * @queue: A queue of its own.
 */
struct chain {
	uint32_t size;
	struct npu_tensor *a, *b, *c;
	struct npu_weights *w;
	struct npu_epilogue *e;
	struct npu_matmul *matmul[2];
	struct npu_queue *queue;
};

#define CHAIN_MAX 64
extern const int8_t chain_ones[CHAIN_MAX * CHAIN_MAX];

/* Results are divided by 2^@shift each time. */
void chain_create(struct chain *chain, struct npu_device *dev, uint32_t size, uint32_t shift);
void chain_destroy(struct chain *chain);

/* What matmul @which is made of. */
struct npu_matmul_desc chain_desc(const struct chain *chain, int which);

/* Reads a tensor of the chain's size; fails the test where an element is not @value. */
void chain_expect(const struct chain *chain, struct npu_tensor *tensor, int value);

/*
 * Submits the first @count matmuls of a chain to a queue, behind a fence (-1: none), or after a
 * ticket of another queue; fails the test where that fails. Returns the ticket.
 */
uint64_t chain_submit(struct npu_queue *queue, const struct chain *chain, size_t count, int wait_fd,
		      int *fence_fd);
uint64_t chain_submit_after(struct npu_queue *queue, const struct chain *chain, size_t count,
			    struct npu_queue *first, uint64_t ticket);

#endif /* TESTS_CHAIN_H */
