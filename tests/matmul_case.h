/* SPDX-License-Identifier: MIT */
/*
 * Random multiplications with a plain reference, and their way through libnpu.
 */
#ifndef TESTS_MATMUL_CASE_H
#define TESTS_MATMUL_CASE_H

#include <npu.h>

/* A repeatable stream of numbers. */
struct rng {
	uint64_t state;
};

uint32_t rng_next(struct rng *rng);
uint32_t rng_range(struct rng *rng, uint32_t low, uint32_t high); /* both included */
int8_t *rng_int8(struct rng *rng, size_t count);		  /* to be freed */

/**
 * struct matmul_case - operands and parameters of one multiplication, all row-major
 * @m, @k, @n: Shape.
 * @a: m x k.
 * @w: n x k.
 * @epilogue: Its arrays belong to the case.
 */
struct matmul_case {
	uint32_t m, k, n;
	int8_t *a;
	int8_t *w;
	int32_t *bias;
	int16_t *multiplier;
	struct npu_epilogue_desc epilogue;
};

/* Packs plain int8 weights of @n x @k. */
int case_weights(struct npu_device *dev, uint32_t n, uint32_t k, const int8_t *data,
		 struct npu_weights **weights, struct npu_error *err);

/* What an epilogue of a case has. */
#define CASE_BIAS (1u << 0)
#define CASE_PER_CHANNEL (1u << 1)
#define CASE_RELU (1u << 2)
#define CASE_ZERO_POINT (1u << 3)
#define CASE_SMALL_BIAS (1u << 4) /* 16 bits of it are enough */
#define CASE_EXTREME (1u << 5)	  /* every value at one of its limits */
#define CASE_FORMS (1u << 6)

/* Results of a random case use all of int8: neither all saturated nor all zero. */
void case_init(struct matmul_case *c, struct rng *rng, uint32_t m, uint32_t k, uint32_t n,
	       unsigned int form);
void case_free(struct matmul_case *c);

/* The definition in npu_epilogue.h, one element at a time. To be freed. */
int8_t *case_reference(const struct matmul_case *c);

/* Runs a case on a device; fails the test where a call fails. To be freed. */
int8_t *case_run(struct npu_device *dev, struct npu_queue *queue, const struct matmul_case *c);

/* The same with weights that are there already, from a file for example. */
int8_t *case_run_with(struct npu_device *dev, struct npu_queue *queue, const struct matmul_case *c,
		      struct npu_weights *weights);

/* Fails the test, naming shape and element, where @got is not @expected. */
void case_compare(const struct matmul_case *c, const int8_t *got, const int8_t *expected);

/* Runs a case and compares it with the reference. */
void case_check(struct npu_device *dev, struct npu_queue *queue, const struct matmul_case *c);

#endif /* TESTS_MATMUL_CASE_H */
