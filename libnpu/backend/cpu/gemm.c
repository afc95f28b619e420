// SPDX-License-Identifier: MIT
/*
 * Blocking. The result is cut into units, groups of rows by strips of columns, which threads take
 * one by one. For a unit the group's rows of A are interleaved once, into L2; each panel of W then
 * meets all of them while it is there, and the sums of the unit wait in L2 for their sink.
 *
 * A long K is summed up by parts, in int64.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "gemm.h"
#include "interleave.h"

/* Bytes of interleaved A, a part of a small L2: NPU_TILE_ROWS rows of the longest part fit. */
#define A_BYTES ((size_t)NPU_TILE_ROWS * NPU_GEMM_K_INT32)

/* Most rows of a group. */
#define GROUP 128

struct npu_gemm_scratch {
	_Alignas(64) int8_t a[A_BYTES];
	_Alignas(64) int32_t sum[GROUP * NPU_GEMM_STRIP];
	_Alignas(64) int64_t total[NPU_TILE_ROWS * NPU_GEMM_STRIP];
	int32_t start[GROUP];
};

/* Units of one thread. Others take from it when they have none left of their own. */
struct share {
	_Alignas(64) atomic_uint_fast64_t next;
	uint64_t end;
};

/* A multiplication that is running. */
struct run {
	const struct npu_gemm *gemm;
	uint32_t group_rows;
	uint32_t strip_cols;
	uint32_t strips;
	unsigned int shares;
	struct share share[NPU_POOL_THREADS];
};

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t div_up(uint32_t a, uint32_t b)
{
	return a / b + (a % b != 0);
}

/* ---- Packing ----------------------------------------------------------------------------- */

/* Bytes of one panel of W. */
static uint64_t panel_bytes(const struct npu_gemm_kernel *kernel, uint32_t k)
{
	return (uint64_t)div_up(k, kernel->depth) * kernel->depth * kernel->cols;
}

size_t npu_gemm_pack_bytes(const struct npu_gemm_kernel *kernel, uint32_t n, uint32_t k)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(panel_bytes(kernel, k), div_up(n, kernel->cols), &bytes) ||
	    bytes > PTRDIFF_MAX)
		return 0;
	return bytes;
}

void npu_gemm_pack(const struct npu_gemm_kernel *kernel, uint32_t n, uint32_t k, const int8_t *w,
		   size_t row_stride, void *packed)
{
	int8_t *panel = packed;

	for (uint32_t row = 0; row < n; row += min_u32(kernel->cols, n - row)) {
		npu_interleave(
			&(struct npu_interleave){
				.src = w + row * row_stride,
				.stride = row_stride,
				.rows = min_u32(kernel->cols, n - row),
				.lanes = kernel->cols,
				.k = k,
				.depth = kernel->depth,
				.flip = kernel->w_flip,
			},
			panel);
		panel += panel_bytes(kernel, k);
	}
}

static int32_t row_sum(const int8_t *a, uint32_t k)
{
	int32_t sum = 0;

	for (uint32_t i = 0; i < k; i++)
		sum += a[i];
	return sum;
}

/* ---- One unit ---------------------------------------------------------------------------- */

/**
 * struct block - some rows of A against one strip of W
 * @first_row, @rows: Rows of A, a group.
 * @first_col, @cols: The strip.
 * @first_k, @k: Part of K.
 * @tile_rows: Rows of a tile; the last one may have fewer.
 */
struct block {
	uint32_t first_row, rows;
	uint32_t first_col, cols;
	uint32_t first_k, k;
	uint32_t tile_rows;
};

static void interleave_a(const struct npu_gemm *gemm, const struct block *b,
			 struct npu_gemm_scratch *s)
{
	const uint32_t depth = gemm->kernel->depth;
	const size_t row_bytes = (size_t)div_up(b->k, depth) * depth;

	for (uint32_t row = 0; row < b->rows; row += min_u32(b->tile_rows, b->rows - row)) {
		const uint32_t rows = min_u32(b->tile_rows, b->rows - row);
		const int8_t *a = gemm->a + (b->first_row + row) * gemm->a_stride + b->first_k;

		for (uint32_t i = 0; i < rows; i++)
			s->start[row + i] = gemm->kernel->w_flip
						    ? -128 * row_sum(a + i * gemm->a_stride, b->k)
						    : 0;
		npu_interleave(
			&(struct npu_interleave){
				.src = a,
				.stride = gemm->a_stride,
				.rows = rows,
				.lanes = rows,
				.k = b->k,
				.depth = depth,
			},
			s->a + row * row_bytes);
	}
}

/* Sums of a block, whose A is in @s, into @s->sum. */
static void multiply(const struct npu_gemm *gemm, const struct block *b, struct npu_gemm_scratch *s)
{
	const struct npu_gemm_kernel *kernel = gemm->kernel;
	const uint32_t groups = div_up(b->k, kernel->depth);
	const size_t row_bytes = (size_t)groups * kernel->depth;

	for (uint32_t col = 0; col < b->cols; col += kernel->cols) {
		const size_t panel = (b->first_col + col) / kernel->cols;
		const int8_t *w = (const int8_t *)gemm->w + panel * panel_bytes(kernel, gemm->k) +
				  (size_t)b->first_k * kernel->cols;

		for (uint32_t row = 0; row < b->rows; row += min_u32(b->tile_rows, b->rows - row))
			kernel->tile(&(struct npu_tile){
				.rows = min_u32(b->tile_rows, b->rows - row),
				.groups = groups,
				.a = s->a + row * row_bytes,
				.w = w,
				.start = s->start + row,
				.sum = s->sum + (size_t)row * NPU_GEMM_STRIP + col,
				.stride = NPU_GEMM_STRIP,
			});
	}
}

/* A K of one part. The A of the group is in @s already if @fresh is false. */
static void run_short(const struct npu_gemm *gemm, const struct block *b, bool fresh,
		      struct npu_gemm_scratch *s)
{
	const struct npu_gemm_sink *sink = &gemm->sink;

	if (fresh)
		interleave_a(gemm, b, s);
	multiply(gemm, b, s);
	for (uint32_t row = 0; row < b->rows; row++)
		sink->store32(sink->ctx, b->first_row + row, b->first_col, b->cols,
			      s->sum + (size_t)row * NPU_GEMM_STRIP);
}

static void run_long(const struct npu_gemm *gemm, const struct block *whole,
		     struct npu_gemm_scratch *s)
{
	const struct npu_gemm_sink *sink = &gemm->sink;
	const size_t sums = (size_t)whole->rows * NPU_GEMM_STRIP;
	struct block b = *whole;

	for (size_t i = 0; i < sums; i++)
		s->total[i] = 0;
	for (b.first_k = 0; b.first_k < gemm->k; b.first_k += b.k) {
		b.k = min_u32(NPU_GEMM_K_INT32, gemm->k - b.first_k);
		interleave_a(gemm, &b, s);
		multiply(gemm, &b, s);
		for (uint32_t row = 0; row < b.rows; row++)
			for (uint32_t i = 0; i < b.cols; i++)
				s->total[row * NPU_GEMM_STRIP + i] +=
					s->sum[row * NPU_GEMM_STRIP + i];
	}
	for (uint32_t row = 0; row < b.rows; row++)
		sink->store64(sink->ctx, b.first_row + row, b.first_col, b.cols,
			      s->total + (size_t)row * NPU_GEMM_STRIP);
}

/* ---- All units --------------------------------------------------------------------------- */

/* Units are counted group by group. @last is the group whose A is in @s. */
static void run_unit(const struct run *run, uint64_t unit, uint64_t *last,
		     struct npu_gemm_scratch *s)
{
	const struct npu_gemm *gemm = run->gemm;
	const uint64_t group = unit / run->strips;
	struct block b = {
		.first_row = group * run->group_rows,
		.first_col = unit % run->strips * run->strip_cols,
		.k = gemm->k,
	};

	b.rows = min_u32(run->group_rows, gemm->m - b.first_row);
	b.cols = min_u32(run->strip_cols, gemm->n - b.first_col);
	/* Tiles of the same size, or nearly. */
	b.tile_rows = div_up(b.rows, div_up(b.rows, gemm->kernel->rows));
	if (gemm->k > NPU_GEMM_K_INT32)
		run_long(gemm, &b, s);
	else
		run_short(gemm, &b, group != *last, s);
	*last = group;
}

static void run_shares(void *ctx, unsigned int index, struct npu_gemm_scratch *scratch)
{
	struct run *run = ctx;
	uint64_t last = UINT64_MAX;

	for (unsigned int i = 0; i < run->shares; i++) {
		struct share *share = &run->share[(index + i) % run->shares];
		uint64_t unit;

		while ((unit = atomic_fetch_add_explicit(&share->next, 1, memory_order_relaxed)) <
		       share->end)
			run_unit(run, unit, &last, scratch);
	}
}

/* Rows of a group: what fits, divided evenly, and no more than leaves each thread something. */
static uint32_t group_rows(const struct npu_gemm *gemm, uint32_t strips, unsigned int threads)
{
	const struct npu_gemm_kernel *kernel = gemm->kernel;
	const uint32_t k = min_u32(gemm->k, NPU_GEMM_K_INT32);
	uint32_t most = A_BYTES / ((size_t)div_up(k, kernel->depth) * kernel->depth);

	if (gemm->k > NPU_GEMM_K_INT32)
		most = kernel->rows;
	most = min_u32(most, GROUP);
	most -= most % kernel->rows;
	if (strips < threads)
		most = min_u32(most, div_up(div_up(gemm->m, threads), kernel->rows) * kernel->rows);
	return div_up(gemm->m, div_up(gemm->m, most));
}

void npu_gemm_run(const struct npu_gemm *gemm, struct npu_gemm_scratch *scratch,
		  struct npu_pool *pool)
{
	struct run run; /* most of it is not used, so not cleared either */
	uint64_t units;

	run.gemm = gemm;
	run.shares = pool ? npu_pool_threads(pool) : 1;
	run.strip_cols = NPU_GEMM_STRIP - NPU_GEMM_STRIP % gemm->kernel->cols;
	run.strips = div_up(gemm->n, run.strip_cols);
	run.group_rows = group_rows(gemm, run.strips, run.shares);
	units = (uint64_t)run.strips * div_up(gemm->m, run.group_rows);
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
