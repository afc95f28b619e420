// SPDX-License-Identifier: MIT
/*
 * Blocking. The result is cut into units, blocks of rows by strips of columns, which threads take
 * one by one. For a unit the block's rows of A are interleaved, into L2; each panel of W then meets
 * all of them while it is there, and the sums of the unit wait in L2 for their sink. Those that are
 * results go where they belong at once.
 *
 * K is walked group by group, groups in parts that an int32 can surely sum up. A of 16 bits is
 * multiplied in two passes, as planes of its high and its low bytes.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../../arith.h"
#include "../../sum.h"
#include "gemm.h"
#include "interleave.h"
#include "pack.h"

/* Bytes of interleaved A, a part of a small L2: 16 rows of the longest part fit, or 8 wide ones. */
#define A_BYTES ((size_t)16 * NPU_GEMM_K_INT32)

/* Products that are worth a call to other threads: some microseconds of work. */
#define SHARED (1 << 17)

/* Most rows of a block. */
#define ROWS 128

/* Sums in a line of the caches. */
#define LINE 16

struct npu_gemm_scratch {
	_Alignas(64) int8_t a[A_BYTES + NPU_TILE_SLACK];
	_Alignas(64) int8_t plane[A_BYTES];
	_Alignas(64) int32_t sum[ROWS * NPU_GEMM_STRIP];
	_Alignas(64) int64_t total[ROWS * NPU_GEMM_STRIP];
	_Alignas(64) float partial[ROWS * NPU_GEMM_STRIP];
	int32_t start[ROWS];
	int64_t a_sum[ROWS];
};

/* Units of one thread. Others take from it when they have none left of their own. */
struct share {
	_Alignas(64) atomic_uint_fast64_t next;
	uint64_t end;
};

/* A multiplication that is running. */
struct run {
	const struct npu_gemm *gemm;
	uint32_t block_rows;
	uint32_t strip_cols;
	uint32_t strips;
	unsigned int shares;
	struct share share[NPU_POOL_THREADS];
};

/**
 * struct block - a unit, and how far it is
 * @row, @rows: Rows of A.
 * @col, @cols: Columns of C.
 * @tile_rows: Rows of a tile; the last one may have fewer.
 * @tile_panels: Panels of a tile, likewise.
 * @k, @length: The part of K at work.
 */
struct block {
	uint32_t row, rows;
	uint32_t col, cols;
	uint32_t tile_rows, tile_panels;
	uint32_t k, length;
};

/* ---- A ----------------------------------------------------------------------------------- */

/* What the sums of a plane count: the high bytes of 16 bits 256 times. */
static int64_t plane_weight(unsigned int plane)
{
	return plane ? 256 : 1;
}

static unsigned int planes(const struct npu_gemm *gemm)
{
	return gemm->a_type == NPU_GEMM_INT16 ? 2 : 1;
}

static void convert_row(enum npu_gemm_type type, unsigned int plane, const void *src,
			uint32_t count, int8_t *dst)
{
	const uint8_t *bytes = src;
	const int16_t *words = src;

	if (type == NPU_GEMM_UINT8)
		for (uint32_t i = 0; i < count; i++)
			dst[i] = (int8_t)(bytes[i] ^ 0x80);
	else if (plane)
		for (uint32_t i = 0; i < count; i++)
			dst[i] = (int8_t)(words[i] >> 8);
	else
		for (uint32_t i = 0; i < count; i++)
			dst[i] = (int8_t)((words[i] & 0xff) ^ 0x80);
}

/* The part of A at work as rows of int8: in place, or one plane in @s. */
static const int8_t *int8_rows(const struct npu_gemm *gemm, const struct block *b,
			       unsigned int plane, struct npu_gemm_scratch *s, size_t *stride)
{
	const size_t size = gemm->a_type == NPU_GEMM_INT16 ? 2 : 1;
	const int8_t *a = (const int8_t *)gemm->a + b->row * gemm->a_stride + b->k * size;

	*stride = gemm->a_stride;
	if (gemm->a_type == NPU_GEMM_INT8)
		return a;
	for (uint32_t row = 0; row < b->rows; row++)
		convert_row(gemm->a_type, plane, a + row * gemm->a_stride, b->length,
			    s->plane + (size_t)row * b->length);
	*stride = b->length;
	return s->plane;
}

/* Sums of rows are needed where W is stored with an offset, and by some sinks. */
static void sum_rows(const struct npu_gemm *gemm, const struct block *b, unsigned int plane,
		     const int8_t *a, size_t stride, struct npu_gemm_scratch *s)
{
	const bool flip = gemm->kernel->w_flip;

	for (uint32_t row = 0; row < b->rows; row++) {
		int32_t sum = flip || gemm->a_sums ? npu_sum_int8(a + row * stride, b->length) : 0;

		s->start[row] = flip ? -128 * sum : 0;
		s->a_sum[row] += gemm->a_sums ? plane_weight(plane) * sum : 0;
	}
}

/* A block that is a tile meets each panel once, for which its rows may stay where they are. */
static bool in_place(const struct npu_gemm *gemm, const struct block *b)
{
	const struct npu_gemm_kernel *kernel = gemm->kernel;

	return kernel->in_place && gemm->a_type == NPU_GEMM_INT8 && b->rows <= kernel->row_unit &&
	       b->length % kernel->a_depth == 0;
}

/* Bytes of @k columns of one interleaved row. */
static size_t row_bytes(const struct npu_gemm_kernel *kernel, uint32_t k)
{
	return npu_gemm_a_padded(kernel, k) << kernel->a_wide;
}

static void take_a(const struct npu_gemm *gemm, const struct block *b, unsigned int plane,
		   struct npu_gemm_scratch *s)
{
	const struct npu_gemm_kernel *kernel = gemm->kernel;
	const size_t bytes = row_bytes(kernel, b->length);
	size_t stride;
	const int8_t *a = int8_rows(gemm, b, plane, s, &stride);
	uint32_t rows;

	sum_rows(gemm, b, plane, a, stride, s);
	if (in_place(gemm, b))
		return;
	for (uint32_t row = 0; row < b->rows; row += rows) {
		rows = npu_min32(b->tile_rows, b->rows - row);
		(kernel->take ? kernel->take : npu_interleave)(
			&(struct npu_interleave){
				.src = a + row * stride,
				.stride = stride,
				.rows = rows,
				.lanes = rows,
				.k = b->length,
				.depth = kernel->a_depth,
			},
			s->a + row * bytes);
	}
}

/* ---- One unit ---------------------------------------------------------------------------- */

/* Panels of the tiles at @col. One that is not whole is by itself, for place(). */
static uint32_t panels_at(const struct npu_gemm_kernel *kernel, const struct block *b, uint32_t col)
{
	const uint32_t whole = (b->cols - col) / kernel->cols;

	return whole ? npu_min32(whole, b->tile_panels) : 1;
}

/* Where the sums of panels go: straight to C, unless they are more than it has columns left. */
static int32_t *place(const struct npu_gemm *gemm, const struct block *b, uint32_t col,
		      struct npu_gemm_scratch *s, size_t *stride)
{
	if (gemm->c && b->cols - col >= gemm->kernel->cols) {
		*stride = gemm->c_stride;
		return gemm->c + b->row * gemm->c_stride + b->col + col;
	}
	*stride = NPU_GEMM_STRIP;
	return s->sum + col;
}

/* A tile writes few columns of many rows, which processors do not foresee. */
static void fetch(const struct npu_tile *tile, uint32_t cols)
{
	const int32_t *sum = tile->sum;

	for (uint32_t row = 0; row < tile->rows; row++, sum += tile->stride)
		for (uint32_t col = 0; col < cols; col += LINE)
			__builtin_prefetch(sum + col, 1, 2);
}

/* The rows of A from @row on, as take_a() has left them. */
static void find_a(const struct npu_gemm *gemm, const struct block *b, uint32_t row,
		   const struct npu_gemm_scratch *s, struct npu_tile *tile)
{
	const uint32_t depth = gemm->kernel->a_depth;

	if (in_place(gemm, b)) {
		tile->a = (const int8_t *)gemm->a + b->row * gemm->a_stride + b->k;
		tile->a_stride = gemm->a_stride;
		tile->a_step = depth;
		return;
	}
	tile->a = s->a + row * row_bytes(gemm->kernel, b->length);
	tile->a_stride = depth;
	tile->a_step = (size_t)tile->rows * depth;
}

/* The rows of a unit meet @tile's panels. */
static void multiply_panels(const struct npu_gemm *gemm, const struct block *b,
			    struct npu_tile tile, struct npu_gemm_scratch *s)
{
	const struct npu_gemm_kernel *kernel = gemm->kernel;

	for (uint32_t row = 0; row < b->rows; row += tile.rows) {
		tile.rows = npu_min32(b->tile_rows, b->rows - row);
		tile.is_whole = tile.rows == b->tile_rows;
		find_a(gemm, b, row, s, &tile);
		tile.start = s->start + row;
		if (gemm->c)
			fetch(&tile, tile.panels * kernel->cols);
		kernel->tile(&tile);
		tile.sum += tile.rows * tile.stride;
	}
}

/* Sums of the part at work, whose A is in @s, to their place. */
static void multiply(const struct npu_gemm *gemm, const struct block *b, struct npu_gemm_scratch *s)
{
	const struct npu_gemm_kernel *kernel = gemm->kernel;
	struct npu_tile tile = {
		.groups = npu_div_up32(b->length, kernel->depth),
		.w_stride = npu_gemm_padded(kernel, gemm->k, gemm->group_size) * kernel->cols,
	};

	tile.w = (const int8_t *)gemm->w + b->col / kernel->cols * tile.w_stride +
		 npu_gemm_padded(kernel, b->k, gemm->group_size) * kernel->cols;
	for (uint32_t col = 0; col < b->cols; col += tile.panels * kernel->cols) {
		tile.panels = panels_at(kernel, b, col);
		tile.sum = place(gemm, b, col, s, &tile.stride);
		multiply_panels(gemm, b, tile, s);
		tile.w += tile.panels * tile.w_stride;
	}
}

static void add_sums(const struct block *b, int64_t weight, struct npu_gemm_scratch *s)
{
	for (uint32_t row = 0; row < b->rows; row++) {
		const int32_t *sum = s->sum + (size_t)row * NPU_GEMM_STRIP;
		int64_t *total = s->total + (size_t)row * NPU_GEMM_STRIP;

		for (uint32_t i = 0; i < b->cols; i++)
			total[i] += weight * sum[i];
	}
}

/* The columns of C that do not fill a panel. */
static void copy_rest(const struct npu_gemm *gemm, const struct block *b,
		      const struct npu_gemm_scratch *s)
{
	const uint32_t rest = b->cols % gemm->kernel->cols;
	const int32_t *sum = s->sum + b->cols - rest;
	int32_t *c = gemm->c + b->row * gemm->c_stride + b->col + b->cols - rest;

	for (uint32_t row = 0; rest && row < b->rows; row++)
		memcpy(c + row * gemm->c_stride, sum + (size_t)row * NPU_GEMM_STRIP,
		       rest * sizeof(*c));
}

static void hand_over(const struct npu_gemm *gemm, const struct block *b, uint32_t group, bool wide,
		      struct npu_gemm_scratch *s)
{
	gemm->sink(gemm->ctx, &(struct npu_gemm_strip){
				      .row = b->row,
				      .rows = b->rows,
				      .first = b->col,
				      .count = b->cols,
				      .group = group,
				      .sum32 = wide ? NULL : s->sum,
				      .sum64 = wide ? s->total : NULL,
				      .stride = NPU_GEMM_STRIP,
				      .a_sum = s->a_sum,
				      .partial = s->partial,
			      });
}

/* Columns @b->k to @end, in parts. */
static void run_wide_group(const struct npu_gemm *gemm, struct block *b, uint32_t end,
			   struct npu_gemm_scratch *s)
{
	memset(s->total, 0, (size_t)b->rows * NPU_GEMM_STRIP * sizeof(*s->total));
	for (; b->k < end; b->k += b->length) {
		b->length = npu_min32(NPU_GEMM_K_INT32, end - b->k);
		for (unsigned int plane = 0; plane < planes(gemm); plane++) {
			take_a(gemm, b, plane, s);
			multiply(gemm, b, s);
			add_sums(b, plane_weight(plane), s);
		}
	}
}

/* All groups of a unit. A is taken anew unless @s has it from the strip before. */
static void run_block(const struct npu_gemm *gemm, struct block *b, bool fresh,
		      struct npu_gemm_scratch *s)
{
	const bool wide = planes(gemm) > 1 || gemm->group_size > NPU_GEMM_K_INT32;
	uint32_t end;

	fresh = fresh || wide || gemm->group_size < gemm->k;
	for (uint32_t group = 0; b->k < gemm->k; group++, b->k = end) {
		end = b->k + npu_min32(gemm->group_size, gemm->k - b->k);
		b->length = end - b->k;
		if (fresh)
			memset(s->a_sum, 0, b->rows * sizeof(*s->a_sum));
		if (wide)
			run_wide_group(gemm, b, end, s);
		else if (fresh)
			take_a(gemm, b, 0, s);
		if (!wide)
			multiply(gemm, b, s);
		if (gemm->c)
			copy_rest(gemm, b, s);
		else
			hand_over(gemm, b, group, wide, s);
	}
}

/* ---- All units --------------------------------------------------------------------------- */

/*
 * struct thread - what a thread has from the unit before
 * @index: The block whose A is in the scratch memory.
 * @tile_rows: What the kernel was prepared for.
 */
struct thread {
	uint64_t index;
	uint32_t tile_rows;
};

/* Units are counted block by block of rows. */
static void run_unit(const struct run *run, uint64_t unit, struct thread *last,
		     struct npu_gemm_scratch *s)
{
	const struct npu_gemm *gemm = run->gemm;
	const struct npu_gemm_kernel *kernel = gemm->kernel;
	const uint64_t index = unit / run->strips;
	struct block b = {
		.row = index * run->block_rows,
		.col = unit % run->strips * run->strip_cols,
	};

	b.rows = npu_min32(run->block_rows, gemm->m - b.row);
	b.cols = npu_min32(run->strip_cols, gemm->n - b.col);
	/* Tiles of the same size, or nearly. */
	b.tile_rows = npu_div_up32(b.rows, npu_div_up32(b.rows, kernel->rows));
	if (b.tile_rows > kernel->row_unit)
		b.tile_rows = npu_div_up32(b.tile_rows, kernel->row_unit) * kernel->row_unit;
	b.tile_panels = npu_tile_panels(kernel, b.tile_rows);
	if (kernel->begin && b.tile_rows != last->tile_rows)
		kernel->begin(b.tile_rows);
	run_block(gemm, &b, index != last->index, s);
	*last = (struct thread){ index, b.tile_rows };
}

/* An atomic addition waits for all that is under way, so a thread by itself does without. */
static uint64_t take_unit(const struct run *run, struct share *share)
{
	const uint64_t unit = atomic_load_explicit(&share->next, memory_order_relaxed);

	if (run->shares > 1)
		return atomic_fetch_add_explicit(&share->next, 1, memory_order_relaxed);
	atomic_store_explicit(&share->next, unit + 1, memory_order_relaxed);
	return unit;
}

static void run_shares(void *ctx, unsigned int index, struct npu_gemm_scratch *scratch)
{
	struct run *run = ctx;
	struct thread last = { .index = UINT64_MAX };

	for (unsigned int i = 0; i < run->shares; i++) {
		struct share *share = &run->share[(index + i) % run->shares];
		uint64_t unit;

		while ((unit = take_unit(run, share)) < share->end)
			run_unit(run, unit, &last, scratch);
	}
	if (last.tile_rows && run->gemm->kernel->end)
		run->gemm->kernel->end();
}

/* Rows of a block: what fits, divided evenly, and no more than leaves each thread something. */
static uint32_t block_rows(const struct npu_gemm *gemm, uint32_t strips, unsigned int threads)
{
	const uint32_t rows = gemm->kernel->rows;
	const uint32_t part = npu_min32(gemm->group_size, NPU_GEMM_K_INT32);
	uint32_t most = npu_min32(ROWS, A_BYTES / row_bytes(gemm->kernel, part));

	most -= most > rows ? most % rows : 0;
	if (strips < threads)
		most = npu_min32(most, npu_div_up32(npu_div_up32(gemm->m, threads), rows) * rows);
	return npu_div_up32(gemm->m, npu_div_up32(gemm->m, most));
}

/* Not by their exact number, which may exceed 64 bits. */
static bool is_small(const struct npu_gemm *gemm)
{
	return (double)gemm->m * gemm->n * gemm->k < SHARED;
}

void npu_gemm_run(const struct npu_gemm *gemm, struct npu_gemm_scratch *scratch,
		  struct npu_pool *pool)
{
	struct run run; /* most of it is not used, so not cleared either */
	uint64_t units;

	if (is_small(gemm))
		pool = NULL;
	run.gemm = gemm;
	run.shares = pool ? npu_pool_threads(pool) : 1;
	run.strip_cols = NPU_GEMM_STRIP - NPU_GEMM_STRIP % gemm->kernel->cols;
	run.strips = npu_div_up32(gemm->n, run.strip_cols);
	run.block_rows = block_rows(gemm, run.strips, run.shares);
	units = (uint64_t)run.strips * npu_div_up32(gemm->m, run.block_rows);
	for (unsigned int i = 0; i < run.shares; i++) {
		atomic_init(&run.share[i].next, units * i / run.shares);
		run.share[i].end = units * (i + 1) / run.shares;
	}
	if (units == 1 || !pool || !npu_pool_run(pool, run_shares, &run, scratch))
		run_shares(&run, 0, scratch);
}

struct npu_gemm_scratch *npu_gemm_scratch_create(void)
{
	return aligned_alloc(_Alignof(struct npu_gemm_scratch), sizeof(struct npu_gemm_scratch));
}

void npu_gemm_scratch_destroy(struct npu_gemm_scratch *scratch)
{
	free(scratch);
}
