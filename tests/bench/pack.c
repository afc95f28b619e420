// SPDX-License-Identifier: MIT
/*
 * How fast weights are packed and activations laid out for nv_small, beside memcpy() of as many
 * bytes between the same two places. The best of some rounds, because what disturbs only slows
 * down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../libnpu/layout.h"
#include "bench.h"

#define ATOM 8
#define KERNELS 8
#define CHANNELS 8

/* Buffers of a device begin with a page. */
#define PAGE ((size_t)4096)

/* Bytes that a measurement moves, so that small shapes take long enough to be measured. */
#define SPAN (16u << 20)
#define ROUNDS 15

static const struct shape {
	uint32_t rows, cols;
	const char *key[3], *name[3];
} shapes[] = {
#define SHAPE(r, c)                                                                       \
	{                                                                                 \
		r, c, { "pack-" #r "x" #c, "store-" #r "x" #c, "load-" #r "x" #c },       \
		{                                                                         \
			"weights " #r " x " #c ", pack", "tensor " #r " x " #c ", write", \
				"tensor " #r " x " #c ", read"                            \
		}                                                                         \
	}
	SHAPE(1024, 1024), SHAPE(4096, 4096), SHAPE(1000, 1001),
	SHAPE(333, 777),   SHAPE(4095, 4099), SHAPE(256, 256),
};

/* Two places, and what is where. */
struct places {
	uint32_t rows, cols;
	int8_t *rowwise, *packed;
	struct npu_layout layout;
};

static void copy(const struct places *p)
{
	memcpy(p->packed, p->rowwise, (size_t)p->rows * p->cols);
}

static void pack(const struct places *p)
{
	npu_layout_pack_weights(p->packed, p->rowwise, p->cols, p->rows, p->cols, KERNELS, CHANNELS,
				(size_t)p->rows * p->cols >= NPU_LAYOUT_STREAM);
}

static void store(const struct places *p)
{
	const struct npu_window all = { .rows = p->rows, .cols = p->cols };

	npu_layout_store(&p->layout, (uint8_t *)p->packed, &all, p->rowwise, p->cols);
}

static void load(const struct places *p)
{
	const struct npu_window all = { .rows = p->rows, .cols = p->cols };

	npu_layout_load(&p->layout, (const uint8_t *)p->packed, &all, p->rowwise, p->cols);
}

static uint64_t time_of(void (*work)(const struct places *p), const struct places *p,
			unsigned int times)
{
	uint64_t begin = bench_now();

	for (unsigned int i = 0; i < times; i++)
		work(p);
	return bench_now() - begin;
}

enum {
	COPY,
	PACK,
	STORE,
	LOAD,
	WORKS
};

/* Megabytes of the matrix a second. All take turns, so that they are disturbed alike. */
static void measure(const struct places *p, double speed[WORKS])
{
	static void (*const works[])(const struct places *p) = { copy, pack, store, load };
	uint64_t bytes = (uint64_t)p->rows * p->cols, best[WORKS];
	unsigned int times = SPAN / bytes + 1;

	memset(best, 0xff, sizeof(best));
	for (int round = 0; round < ROUNDS; round++) {
		for (int w = 0; w < WORKS; w++) {
			uint64_t ns = time_of(works[w], p, times);

			if (ns < best[w])
				best[w] = ns;
		}
	}
	for (int w = 0; w < WORKS; w++)
		speed[w] = (double)(bytes * times) * 1e3 / (double)best[w];
}

void bench_pack(struct report *report)
{
	report->title = "layout";
	report->unit = "MB/s";
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct places p = { .rows = shapes[i].rows, .cols = shapes[i].cols };
		double speed[WORKS];

		assert_true(npu_layout_planes(&p.layout, NPU_FORM_PLAIN, p.rows, p.cols, ATOM,
					      UINT32_MAX));
		p.rowwise = malloc((size_t)p.rows * p.cols);
		p.packed = aligned_alloc(PAGE, (p.layout.bytes + PAGE - 1) / PAGE * PAGE);
		assert_true(p.rowwise && p.packed);
		memset(p.rowwise, 1, (size_t)p.rows * p.cols);
		memset(p.packed, 1, p.layout.bytes);
		measure(&p, speed);
		for (int w = PACK; w < WORKS; w++)
			report_add(report, shapes[i].key[w - PACK], shapes[i].name[w - PACK],
				   speed[w], speed[COPY]);
		free(p.rowwise);
		free(p.packed);
	}
}
