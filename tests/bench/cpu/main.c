// SPDX-License-Identifier: MIT
/*
 * Measures the CPU backend beside other libraries for the same work: exact sums, int8 results, and
 * one row with weights that no cache holds, which is a matter of the memory's bandwidth.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../../libnpu/backend/cpu/pool.h"
#include "table.h"

#define HUGE_PAGE ((size_t)2 << 20)

/* Weights that no cache of a few cores holds. */
#define UNCACHED ((size_t)256 << 20)

static const char usage[] =
	"Usage: npu-bench-cpu [--json] [--threads=N] [--rows=M]\n"
	"Measures libnpu's CPU backend beside oneDNN and XNNPACK, with one and\n"
	"with two threads or with N of them; with M rows only the products of M.\n";

struct options {
	bool json;
	unsigned int first_threads, last_threads;
	unsigned int rows; /* 0 for all there are */
};

static const struct contender *const contenders[] = {
	&contender_libnpu,
#ifdef HAVE_ONEDNN
	&contender_onednn,
#endif
#ifdef HAVE_XNNPACK
	&contender_xnnpack,
#endif
};

/* XNNPACK has no sums. The reader comes second where bandwidth is asked for. */
static const struct contender *const memory_contenders[] = {
	&contender_libnpu,
	&contender_reader,
#ifdef HAVE_ONEDNN
	&contender_onednn,
#endif
};

static const struct contender *const pack_contenders[] = { &contender_pack, &contender_copy };

static const struct contender *const integer_stages[] = { &contender_int32, &contender_int8,
							  &contender_int16, &contender_tflite };

static const struct contender *const float_stages[] = { &contender_int32, &contender_onnx,
							&contender_float32, &contender_float16,
							&contender_grouped };

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "npu-bench-cpu: %s: failed, or another result\n", what);
	exit(1);
}

void *big_alloc(size_t bytes)
{
	const size_t size = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	void *data = aligned_alloc(HUGE_PAGE, size);

	must(data, "memory");
	madvise(data, size, MADV_HUGEPAGE);
	memset(data, 0, size);
	return data;
}

static int8_t *random_matrix(size_t bytes)
{
	static uint64_t state = 1;
	int8_t *data = big_alloc(bytes);

	for (size_t i = 0; i < bytes; i++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		data[i] = (int8_t)(state >> 56);
	}
	return data;
}

/* Typical sums, sqrt(K) times 5461, divided by 2^shift shall be some 50. */
static unsigned int fitting_shift(uint32_t k)
{
	return k >= 4096 ? 13 : 12;
}

static void measure(const struct table *table, uint32_t m, uint32_t k, uint32_t n,
		    enum result result, unsigned int threads)
{
	int8_t *a = random_matrix((size_t)m * k), *w = random_matrix((size_t)n * k);
	const struct problem problem = {
		.m = m,
		.n = n,
		.k = k,
		.a = a,
		.w = w,
		.result = result,
		.shift = fitting_shift(k),
		.threads = threads,
	};
	struct timing timing[MATCH_CONTENDERS];

	match_run(&problem, table->contenders, table->count, timing);
	table_line(table, &problem, timing);
	free(a);
	free(w);
}

static void measure_all(const struct options *options, const struct table *table,
			enum result result)
{
	static const uint32_t rows[] = { 1, 16, 128, 1024 }, sizes[] = { 1024, 4096 };

	table_begin(table);
	for (unsigned int threads = options->first_threads; threads <= options->last_threads;
	     threads++)
		for (size_t m = 0; m < (options->rows ? 1 : COUNT(rows)); m++)
			for (size_t k = 0; k < COUNT(sizes); k++)
				for (size_t n = 0; n < COUNT(sizes); n++)
					measure(table, options->rows ? options->rows : rows[m],
						sizes[k], sizes[n], result, threads);
}

static void measure_memory(const struct options *options, const struct table *table)
{
	const uint32_t k = 4096;

	table_begin(table);
	for (unsigned int threads = options->first_threads; threads <= options->last_threads;
	     threads++)
		measure(table, 1, k, UNCACHED / k, RESULT_SUMS, threads);
}

static void measure_packing(const struct table *table)
{
	table_begin(table);
	measure(table, 1, 1024, 1024, RESULT_SUMS, 1);
	measure(table, 1, 4096, 4096, RESULT_SUMS, 1);
	measure(table, 1, 4096, UNCACHED / 4096, RESULT_SUMS, 1);
}

static void measure_stages(const struct table *table)
{
	table_begin(table);
	measure(table, 1, 4096, 4096, RESULT_SUMS, 1);
	measure(table, 16, 1024, 1024, RESULT_SUMS, 1);
	measure(table, 128, 1024, 1024, RESULT_SUMS, 1);
}

static void say_who_is_missing(void)
{
#ifndef HAVE_ONEDNN
	fputs("npu-bench-cpu: without oneDNN, which was not there at build time: install "
	      "libdnnl-dev\n",
	      stderr);
#endif
#ifndef HAVE_XNNPACK
	fputs("npu-bench-cpu: without XNNPACK, which was not there at build time: install "
	      "libxnnpack-dev and libpthreadpool-dev\n",
	      stderr);
#endif
}

static bool parse(int argc, char **argv, struct options *options)
{
	*options = (struct options){ .first_threads = 1, .last_threads = 2 };
	for (int i = 1; i < argc; i++) {
		unsigned int threads;
		char rest;

		if (!strcmp(argv[i], "--json"))
			options->json = true;
		else if (sscanf(argv[i], "--threads=%u%c", &threads, &rest) == 1 && threads &&
			 threads <= NPU_POOL_THREADS)
			options->first_threads = options->last_threads = threads;
		else if (sscanf(argv[i], "--rows=%u%c", &options->rows, &rest) == 1 &&
			 options->rows && options->rows <= 4096)
			continue;
		else
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct options options;
	struct table sums = { "sums", "int8 x int8 = int32", contenders, COUNT(contenders), false };
	struct table int8 = { "int8", "int8 x int8 = int8, one scale", contenders,
			      COUNT(contenders), false };
	struct table packing = { "packing", "weights into the kernel's order", pack_contenders,
				 COUNT(pack_contenders), false };
	struct table memory = { "memory", "int8 x int8 = int32, weights beyond the caches",
				memory_contenders, COUNT(memory_contenders), false };
	struct table integers = { "stages_integer", "integer results, each channel's own scale",
				  integer_stages, COUNT(integer_stages), false };
	struct table floats = { "stages_float",
				"float scales: int8 and float results, groups of 128", float_stages,
				COUNT(float_stages), false };

	if (!parse(argc, argv, &options))
		return fputs(usage, stderr), 2;
	integers.json = floats.json = options.json;
	sums.json = int8.json = memory.json = packing.json = options.json;
	say_who_is_missing();
	table_conditions(contenders, COUNT(contenders), options.json);
	if (!options.rows) {
		measure_packing(&packing);
		measure_memory(&options, &memory);
		measure_stages(&integers);
		measure_stages(&floats);
	}
	measure_all(&options, &sums, RESULT_SUMS);
	measure_all(&options, &int8, RESULT_INT8);
	return 0;
}
