// SPDX-License-Identifier: MIT
/*
 * AMX: TDPBSSD multiplies 16 rows of A, 64 bytes each, with 16 columns of W. Its sums are modulo
 * 2^32 and do not saturate.
 *
 * Tiles of operands are always read whole. What they have of rows that are not there goes into sums
 * that nobody takes; what they have of W behind its last group meets zeros of A.
 */
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernels.h"

#define TILE 16 /* rows of a tile, and its columns of 4 bytes */
#define SUMS 4	/* tiles of sums */
#define DEPTH 4
#define A_DEPTH 64

#define STEP (A_DEPTH * TILE) /* bytes of a panel that meet a tile of A */

/* From asm/prctl.h, which has it since Linux 5.16, and the number of the registers' state. */
#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILEDATA 18

/* EDX of CPUID's leaf 7. Compilers' headers do not agree on the names. */
#define CPUID_AMX_TILE (1u << 24)
#define CPUID_AMX_INT8 (1u << 25)

/* What LDTILECFG reads. */
struct config {
	uint8_t palette;
	uint8_t start_row;
	uint8_t reserved[14];
	uint16_t row_bytes[16];
	uint8_t rows[16];
};

/* Tiles 0 to 3 are sums, 4 is of A, 5 of A or W, 6 and 7 of W. */
static void begin(uint32_t rows)
{
	struct config config = { .palette = 1 };

	for (int tile = 0; tile < 8; tile++) {
		config.row_bytes[tile] = 64;
		config.rows[tile] = tile < 5 && rows < TILE ? rows : TILE;
	}
	/* Compilers believe that only the first bytes are read. */
	__asm__ volatile("" : : "m"(config));
	_tile_loadconfig(&config);
}

static void end(void)
{
	_tile_release();
}

static uint32_t steps(const struct npu_tile *t)
{
	return (t->groups * DEPTH + A_DEPTH - 1) / A_DEPTH;
}

/*
 * One tile of rows, up to four panels. These are met once, and therefore go past the first cache.
 * @panels is a constant where this is inlined.
 */
static inline __attribute__((always_inline)) void
multiply_flat(const struct npu_tile *t, const uint32_t panels, int32_t *sum, size_t stride)
{
	const int8_t *a = t->a, *w = t->w;

	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
	for (uint32_t i = steps(t); i; i--, a += t->a_step, w += STEP) {
		_tile_loadd(4, a, t->a_stride);
		_tile_stream_loadd(5, w, A_DEPTH);
		_tile_dpbssd(0, 4, 5);
		if (panels > 1) {
			_tile_stream_loadd(6, w + t->w_stride, A_DEPTH);
			_tile_dpbssd(1, 4, 6);
		}
		if (panels > 2) {
			_tile_stream_loadd(7, w + 2 * t->w_stride, A_DEPTH);
			_tile_dpbssd(2, 4, 7);
		}
		if (panels > 3) {
			_tile_stream_loadd(5, w + 3 * t->w_stride, A_DEPTH);
			_tile_dpbssd(3, 4, 5);
		}
	}
	_tile_stored(0, sum, stride);
	if (panels > 1)
		_tile_stored(1, sum + TILE, stride);
	if (panels > 2)
		_tile_stored(2, sum + 2 * TILE, stride);
	if (panels > 3)
		_tile_stored(3, sum + 3 * TILE, stride);
}

/*
 * Two tiles of rows, up to two panels: each operand is loaded once for two products. The panels are
 * met again by the rows below and stay in the first cache because A, of which they meet all before
 * any comes back, goes past it.
 */
static inline __attribute__((always_inline)) void
multiply_tall(const struct npu_tile *t, const uint32_t panels, int32_t *sum, size_t stride)
{
	int32_t *lower = (int32_t *)((char *)sum + TILE * stride);
	const int8_t *a = t->a, *w = t->w;

	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
	for (uint32_t i = steps(t); i; i--, a += t->a_step, w += STEP) {
		_tile_stream_loadd(4, a, t->a_stride);
		_tile_loadd(6, w, A_DEPTH);
		_tile_dpbssd(0, 4, 6);
		_tile_stream_loadd(5, a + TILE * t->a_stride, t->a_stride);
		_tile_dpbssd(1, 5, 6);
		if (panels > 1) {
			_tile_loadd(7, w + t->w_stride, A_DEPTH);
			_tile_dpbssd(2, 4, 7);
			_tile_dpbssd(3, 5, 7);
		}
	}
	_tile_stored(0, sum, stride);
	_tile_stored(1, lower, stride);
	if (panels > 1) {
		_tile_stored(2, sum + TILE, stride);
		_tile_stored(3, lower + TILE, stride);
	}
}

static void multiply(const struct npu_tile *t, int32_t *sum, size_t stride)
{
	if (t->rows > TILE && t->panels > 1)
		multiply_tall(t, 2, sum, stride);
	else if (t->rows > TILE)
		multiply_tall(t, 1, sum, stride);
	else if (t->panels == 4)
		multiply_flat(t, 4, sum, stride);
	else if (t->panels == 3)
		multiply_flat(t, 3, sum, stride);
	else if (t->panels == 2)
		multiply_flat(t, 2, sum, stride);
	else
		multiply_flat(t, 1, sum, stride);
}

static void tile(const struct npu_tile *t)
{
	const uint32_t cols = t->panels * TILE;
	_Alignas(64) int32_t sum[SUMS * TILE * TILE];

	if (t->is_whole) {
		multiply(t, t->sum, t->stride * sizeof(*t->sum));
		return;
	}
	multiply(t, sum, cols * sizeof(*sum));
	for (uint32_t r = 0; r < t->rows; r++)
		memcpy(t->sum + r * t->stride, sum + r * cols, cols * sizeof(*sum));
}

/*
 * Linux gives a process the registers when it asks for them, since 5.16. It refuses where a signal
 * stack is too small to save them on, and refuses such a stack later.
 */
static bool ask_for_tiles(void)
{
	return !syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA);
}

/* __builtin_cpu_supports() of clang 14 does not know these. */
static bool has_tiles(void)
{
	const unsigned int needed = CPUID_AMX_TILE | CPUID_AMX_INT8;
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & needed) == needed;
}

static bool usable(void)
{
	return has_tiles() && ask_for_tiles();
}

const struct npu_gemm_kernel npu_gemm_amx = {
	.name = "amx",
	.usable = usable,
	.rows = 2 * TILE,
	.row_unit = TILE,
	.panels = SUMS,
	.cols = TILE,
	.depth = DEPTH,
	.a_depth = A_DEPTH,
	.in_place = true,
	.begin = begin,
	.end = end,
	.tile = tile,
};
