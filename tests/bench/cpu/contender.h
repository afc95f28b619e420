/* SPDX-License-Identifier: MIT */
/*
 * Whoever multiplies int8 matrices on the CPU, libnpu or another library, as the measurement sees
 * it: weights are prepared once, then the same product is computed again and again.
 */
#ifndef TESTS_BENCH_CPU_CONTENDER_H
#define TESTS_BENCH_CPU_CONTENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** enum result - what is asked for */
enum result {
	RESULT_SUMS, /* exact int32 */
	RESULT_INT8, /* sums / 2^shift, to nearest, halves as the contender likes */
};

/**
 * struct problem - C[M,N] = A[M,K] x W[N,K]^T, all row-major and packed
 * @result: Type of C.
 * @shift: For RESULT_INT8.
 * @threads: That may work on it.
 */
struct problem {
	uint32_t m, n, k;
	const int8_t *a;
	const int8_t *w;
	enum result result;
	unsigned int shift;
	unsigned int threads;
};

struct contender {
	const char *name;
	/* Version and instructions, one line. NULL for one that is never asked. */
	void (*describe)(char *text, size_t size);
	/* NULL when it cannot solve this problem. */
	void *(*create)(const struct problem *problem);
	void (*run)(void *self);
	/* C as the last run left it: int32_t or int8_t; NULL for none. */
	const void *(*output)(const void *self);
	void (*destroy)(void *self);
};

extern const struct contender contender_libnpu;
extern const struct contender contender_onednn;
extern const struct contender contender_xnnpack;
/* Those have no output: one reads W, one packs it, one copies it. */
extern const struct contender contender_reader;
extern const struct contender contender_pack;
extern const struct contender contender_copy;
/* libnpu with results of all kinds, without output too; groups are float32 of 128 columns each. */
extern const struct contender contender_int32, contender_int8, contender_int16, contender_tflite,
	contender_onnx, contender_float32, contender_float16, contender_grouped;

/* Memory in huge pages where the kernel has them, at a multiple of 64; ends the program without. */
void *big_alloc(size_t bytes);

/* Ends the program with a message when @ok is false. */
void must(bool ok, const char *what);

#endif /* TESTS_BENCH_CPU_CONTENDER_H */
