// SPDX-License-Identifier: MIT
/*
 * The way for any processor: one loop for the compiler to vectorise, once for each set of vector
 * instructions it is worth it for. The loader chooses.
 */
#include "../../vectors.h"
#include "fixed16_ways.h"

/* How the arithmetic is done, and on what: constants where this is inlined. */
struct shape {
	bool with_bias;
	bool per_channel;
	bool is_exact; /* binary32 */
};

/* In binary32, twice as fast. True if a result is in doubt. */
static inline __attribute__((always_inline)) bool
scale_fast(const struct npu_fixed16 *f, uint32_t first, uint32_t count, const int32_t *restrict sum,
	   uint8_t *restrict dst, const struct shape shape)
{
	const float power = (float)(1.0 / (double)(UINT64_C(1) << f->shift));
	const float low = (float)(f->low - f->zero_point), high = (float)(f->high - f->zero_point);
	const uint8_t zero_point = (uint8_t)f->zero_point;
	const int32_t *bias = shape.with_bias ? f->bias + first : f->bias;
	const int16_t *multiplier = shape.per_channel ? f->multiplier + first : f->multiplier;
	const float one = (float)*multiplier * power;
	int32_t doubt = 0;

	for (uint32_t i = 0; i < count; i++) {
		float x = (float)(shape.with_bias ? sum[i] + bias[i] : sum[i]);

		x *= shape.per_channel ? (float)multiplier[i] * power : one;
		x += __builtin_copysignf(0.5f, x);
		if (!shape.is_exact) {
			/* Any other number is far enough beyond the results to be in no doubt. */
			float y = x < -NPU_FIXED16_BEYOND  ? -NPU_FIXED16_BEYOND
				  : x > NPU_FIXED16_BEYOND ? NPU_FIXED16_BEYOND
							   : x;
			float rest = __builtin_fabsf(y - (float)(int32_t)y);

			doubt |= __builtin_fabsf(rest - 0.5f) > 0.5f - NPU_FIXED16_DOUBT;
		}
		x = x < low ? low : x;
		x = x > high ? high : x;
		dst[i] = (uint8_t)((uint8_t)(int32_t)x + zero_point);
	}
	return doubt;
}

/*
 * In binary64, exactly. With the clamp before the conversion, which truncates, the conversion has
 * no case that C leaves open. x +- 1/2 is exact too: up to a shift of 53 it has at most 53 bits,
 * beyond it is below 1.
 */
static inline __attribute__((always_inline)) void
scale_exactly(const struct npu_fixed16 *f, uint32_t first, uint32_t count,
	      const int32_t *restrict sum, uint8_t *restrict dst, const struct shape shape)
{
	const double power = 1.0 / (double)(UINT64_C(1) << f->shift);
	const double low = f->low - f->zero_point, high = f->high - f->zero_point;
	const int32_t zero_point = f->zero_point;
	const int32_t *bias = shape.with_bias ? f->bias + first : f->bias;
	const int16_t *multiplier = shape.per_channel ? f->multiplier + first : f->multiplier;
	const double one = *multiplier * power;

	for (uint32_t i = 0; i < count; i++) {
		double x = shape.with_bias ? sum[i] + bias[i] : sum[i];

		x *= shape.per_channel ? multiplier[i] * power : one;
		x += __builtin_copysign(0.5, x);
		x = x < low ? low : x;
		x = x > high ? high : x;
		dst[i] = (uint8_t)((int32_t)x + zero_point);
	}
}

static inline __attribute__((always_inline)) void scale_rows(const struct npu_fixed16 *f,
							     const struct npu_fixed16_sums *sums,
							     uint8_t *dst, size_t dst_stride,
							     const struct shape shape)
{
	const int32_t *sum = sums->sum;

	for (uint32_t row = 0; row < sums->rows; row++, sum += sums->stride, dst += dst_stride)
		if (scale_fast(f, sums->first, sums->count, sum, dst, shape) && !shape.is_exact)
			scale_exactly(f, sums->first, sums->count, sum, dst, shape);
}

static inline __attribute__((always_inline)) void scale(const struct npu_fixed16 *f,
							const struct npu_fixed16_sums *sums,
							uint8_t *dst, size_t dst_stride,
							const struct shape shape)
{
	const struct shape exact = { shape.with_bias, shape.per_channel, true };

	if (f->shift <= NPU_FIXED16_EXACT_SHIFT)
		scale_rows(f, sums, dst, dst_stride, exact);
	else
		scale_rows(f, sums, dst, dst_stride, shape);
}

NPU_VECTORS static void rows_of_any(const struct npu_fixed16 *f,
				    const struct npu_fixed16_sums *sums, void *dst,
				    size_t dst_stride)
{
	if (f->bias && f->per_channel)
		scale(f, sums, dst, dst_stride, (struct shape){ true, true, false });
	else if (f->bias)
		scale(f, sums, dst, dst_stride, (struct shape){ true, false, false });
	else if (f->per_channel)
		scale(f, sums, dst, dst_stride, (struct shape){ false, true, false });
	else
		scale(f, sums, dst, dst_stride, (struct shape){ false, false, false });
}

NPU_VECTORS void npu_fixed16_exactly(const struct npu_fixed16 *f, uint32_t first, uint32_t count,
				     const int32_t *sum, uint8_t *dst)
{
	scale_exactly(f, first, count, sum, dst, (struct shape){ f->bias, f->per_channel, true });
}

static bool always(void)
{
	return true;
}

static const struct npu_fixed16_way any = { always, rows_of_any };

static const struct npu_fixed16_way *const ways[] = {
#ifdef __x86_64__
	&npu_fixed16_avx512,
#endif
	&any,
};

npu_fixed16_fn npu_fixed16_get(size_t index)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (ways[i]->usable() && !index--)
			return ways[i]->rows;
	return NULL;
}

void npu_fixed16_rows(const struct npu_fixed16 *f, const struct npu_fixed16_sums *sums, void *dst,
		      size_t dst_stride)
{
	npu_fixed16_get(0)(f, sums, dst, dst_stride);
}
